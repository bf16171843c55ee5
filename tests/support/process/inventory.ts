// What lies in a data folder, without the values: objects, tables, rows and their members, keys of KV.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { deserialize } from "node:v8";

type Row = Record<string, any>;

/** One line for each thing, in the order of the alphabet. */
export function inventory(data: string): string[] {
  const lines = new Set<string>();
  for (const folder of readdirSync(join(data, "do")))
    for (const [file, db] of databases(join(data, "do", folder))) {
      // The id of an object follows from its class and its name; sessions have ids of their own.
      if (file !== "metadata" && !folder.endsWith("-Session")) lines.add(`${folder} ${file}`);
      for (const { name, sql } of rows(db, "SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        if (!/^(_cf|sqlite)_/.test(name)) lines.add(`${folder} ${sql.replace(/\s+/g, " ")}`);
        else if (name === "_cf_KV")
          for (const { key, value } of rows(db, "SELECT key, value FROM _cf_KV"))
            for (const member of members(deserialize(value))) lines.add(`${folder} row ${key}: ${member}`);
        else if (name === "_cf_ALARM")
          for (const { actor_name } of rows(db, "SELECT actor_name FROM _cf_ALARM"))
            if (!PASSING_ALARM.test(actor_name ?? ""))
              lines.add(`${folder} alarm of ${actor_name ?? "one without a name"}`);
    }
  const [namespace] = readdirSync(join(data, "kv")).filter((name) => /^0+$/.test(name));
  for (const [, db] of databases(join(data, "kv", "miniflare-KVNamespaceObject")))
    for (const { name } of rows(db, "SELECT name FROM sqlite_master WHERE name = '_mf_entries'"))
      for (const { key, blob_id, metadata } of rows(db, `SELECT * FROM ${name}`)) {
        const shown = `kv ${key.replace(/[0-9a-f]{64}/, "{sid}")}`;
        const value = readFileSync(join(data, "kv", namespace ?? "", "blobs", blob_id), "utf8");
        for (const member of members(value)) lines.add(`${shown}: ${member}`);
        if (metadata) for (const member of members(metadata)) lines.add(`${shown}, metadata: ${member}`);
      }
  return [...lines].sort();
}

function* databases(folder: string): Iterable<[string, DatabaseSync]> {
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".sqlite"))) {
    const db = new DatabaseSync(join(folder, file));
    yield [file.replace(".sqlite", ""), db];
    db.close();
  }
}

const rows = (db: DatabaseSync, sql: string): Row[] => db.prepare(sql).all();

/** Whether and when these are there depends on the moment. */
const PASSING =
  /^(?:untold|flight|pending|throttle|removed|admin_sync|changes|unrecorded|again_at|slots\[\]\.(?:reserved_until|evicts|replaces))\b/;

/** So does the alarm of a user: it is set while there is something to do for a session. */
const PASSING_ALARM = /^(?:user|postlogin)\//;

/** The members of a JSON text, each with its path and the type of its value; of another text, what it is. */
function members(text: string): string[] {
  if (text.startsWith("s1.")) return ["sealed"];
  if (!/^[[{]/.test(text)) return [`text ${/^\d+$/.test(text) ? "of digits" : text}`];
  const walk = (value: unknown, path: string): string[] => {
    if (Array.isArray(value)) return value.flatMap((item) => walk(item, `${path}[]`));
    if (value !== null && typeof value === "object")
      return Object.entries(value).flatMap(([name, v]) => walk(v, path ? `${path}.${name}` : name));
    return value === null ? [] : [`${path} ${typeof value}`];
  };
  return walk(JSON.parse(text), "").filter((member) => !PASSING.test(member));
}
