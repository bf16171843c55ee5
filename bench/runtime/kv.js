// Workers KV for a bare workerd, by the protocol that the runtime speaks to a KV service: one object with a table.
// Only what a Worker does with text is here: get, put with an expiry and metadata, delete, list.
import { DurableObject } from "cloudflare:workers";

export default {
  fetch: (request, env) => env.STORE.getByName("kv").fetch(request),
};

export class Store extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    this.sql = ctx.storage.sql;
    this.sql.exec(
      "CREATE TABLE IF NOT EXISTS kv (name TEXT PRIMARY KEY, value BLOB, expires INTEGER, metadata TEXT) WITHOUT ROWID",
    );
  }

  async fetch(request) {
    const url = new URL(request.url);
    const name = decodeURIComponent(url.pathname.slice(1));
    const now = Math.floor(Date.now() / 1000);
    if (request.method === "PUT") return this.put(name, await request.arrayBuffer(), request, url, now);
    if (request.method === "DELETE") return this.remove(name);
    return name === "" ? this.list(url.searchParams, now) : this.get(name, now);
  }

  get(name, now) {
    const sql = "SELECT value, expires, metadata FROM kv WHERE name = ? AND (expires IS NULL OR expires > ?)";
    const [row] = this.sql.exec(sql, name, now).toArray();
    if (!row) return new Response("Not Found", { status: 404 });
    const headers = {};
    if (row.expires !== null) headers["CF-Expiration"] = String(row.expires);
    if (row.metadata !== null) headers["CF-KV-Metadata"] = row.metadata;
    return new Response(row.value, { headers });
  }

  put(name, value, { headers }, { searchParams }, now) {
    const ttl = searchParams.get("expiration_ttl");
    const expires = ttl === null ? searchParams.get("expiration") : now + Number(ttl);
    this.sql.exec(
      "INSERT OR REPLACE INTO kv VALUES (?, ?, ?, ?)",
      name,
      value,
      expires === null ? null : Number(expires),
      headers.get("CF-KV-Metadata"),
    );
    return new Response();
  }

  remove(name) {
    this.sql.exec("DELETE FROM kv WHERE name = ?", name);
    return new Response();
  }

  list(query, now) {
    const prefix = query.get("prefix") ?? "";
    const limit = Number(query.get("key_count_limit") ?? 1000);
    const sql = `SELECT name, expires, metadata FROM kv
      WHERE name > ? AND substr(name, 1, ?) = ? AND (expires IS NULL OR expires > ?) ORDER BY name LIMIT ?`;
    const after = query.get("cursor") || prefix.slice(0, -1);
    const rows = this.sql.exec(sql, after, prefix.length, prefix, now, limit + 1).toArray();
    const keys = rows.slice(0, limit).map(({ name, expires, metadata }) => ({
      name,
      ...(expires === null ? {} : { expiration: expires }),
      ...(metadata === null ? {} : { metadata: JSON.parse(metadata) }),
    }));
    const more = rows.length > limit;
    return Response.json({
      keys,
      list_complete: !more,
      cacheStatus: null,
      ...(more ? { cursor: keys.at(-1).name } : {}),
    });
  }
}
