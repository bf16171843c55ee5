// P2: the same design in plain JavaScript, with Hono and jose: a signed token, and one object with a table for each session.
// P2n has fewer duties than Sallyport and writes activity at most once a second; P2s has Sallyport's: a request id, four
// headers, the state read and the account answered at each touch. Revoking is ending the session; there is no list in KV.
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";
import { SignJWT, jwtVerify } from "jose";

const IDLE_MS = 30 * 60_000;
const LIFE_MS = 30 * 86_400_000;
const WRITE_EVERY_MS = 1_000;
const WRITE_EVERY_FULL_MS = 60_000;
const ISSUED = { issuer: "bench", audience: "bench" };

let key; // imported once for each isolate
const signingKey = ({ SECRET }) =>
  (key ??= crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(SECRET),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign", "verify"],
  ));
const newId = () => crypto.randomUUID().replaceAll("-", "");

async function mint(env, subject, session, type, life) {
  const jti = newId();
  const token = await new SignJWT({ sid: session, typ: type })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(ISSUED.issuer)
    .setAudience(ISSUED.audience)
    .setSubject(subject)
    .setJti(jti)
    .setIssuedAt()
    .setExpirationTime(life)
    .sign(await signingKey(env));
  return { token, jti };
}

async function pairOf(env, subject, session) {
  const [access, refresh] = await Promise.all([
    mint(env, subject, session, "access", "1d"),
    mint(env, subject, session, "refresh", "7d"),
  ]);
  return { pair: { access_token: access.token, refresh_token: refresh.token }, jti: refresh.jti };
}

async function verified(env, token, type) {
  const { payload } = await jwtVerify(token, await signingKey(env), { ...ISSUED, algorithms: ["HS256"] });
  if (payload.typ !== type) throw new Error("wrong type of token");
  return payload;
}

const bearer = (c) => (c.req.header("authorization") ?? "").slice("Bearer ".length);
const app = new Hono();
app.onError((error, c) => c.json({ detail: error.message }, 401));

app.get("/p2n", async (c) => {
  const claims = await verified(c.env, bearer(c), "access");
  if (!(await c.env.SESSION.getByName(claims.sid).touch())) throw new Error("session ended");
  return c.json({ user: claims.sub, session: claims.sid });
});

app.get("/p2s", async (c) => {
  const claims = await verified(c.env, bearer(c), "access");
  const passive = c.req.header("x-session-passive") === "1";
  const live = await c.env.SESSION.getByName(claims.sid).touchFully(passive);
  if (live?.account.sub !== claims.sub) throw new Error("session ended");
  return new Response(JSON.stringify({ message: `Hello ${live.account.name}!` }), {
    headers: {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": c.req.header("x-request-id") ?? newId(),
    },
  });
});

app.post("/auth/refresh", async (c) => {
  const { refresh_token } = await c.req.json();
  const { sub, sid, jti } = await verified(c.env, refresh_token, "refresh");
  const next = await pairOf(c.env, sub, sid);
  if (!(await c.env.SESSION.getByName(sid).rotate(jti, next.jti))) throw new Error("session ended");
  return c.json(next.pair);
});

// A session for whoever asks: passwords are not measured here.
app.post("/session", async (c) => {
  const { username } = await c.req.json();
  const session = newId();
  const { pair, jti } = await pairOf(c.env, username, session);
  await c.env.SESSION.getByName(session).create(username, jti);
  return c.json(pair);
});

export default app;

export class Session extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    this.sql = ctx.storage.sql;
    this.kv = ctx.storage.kv;
    this.sql.exec("CREATE TABLE IF NOT EXISTS session (k INTEGER PRIMARY KEY, last INTEGER, jti TEXT)");
    this.row = this.sql.exec("SELECT last, jti FROM session").toArray()[0];
    this.written = 0;
  }

  create(name, jti) {
    const now = Date.now();
    const account = { sub: name, name, roles: ["user"], created_at: now };
    this.kv.put("state", JSON.stringify({ account, last: now, absolute: now + LIFE_MS, jti, device: {} }));
    this.row = { last: now, jti };
    this.sql.exec("INSERT OR REPLACE INTO session VALUES (0, ?, ?)", now, jti);
  }

  touch() {
    const now = Date.now();
    if (!this.row || now - this.row.last > IDLE_MS) return false;
    this.row.last = now;
    if (now - this.written >= WRITE_EVERY_MS) {
      this.written = now;
      this.sql.exec("UPDATE session SET last = ?", now);
    }
    return true;
  }

  touchFully(passive) {
    const text = this.kv.get("state");
    if (text === undefined) return null;
    if (text !== this.text) {
      this.text = text;
      this.state = JSON.parse(text);
      this.last = this.state.last;
    }
    const now = Date.now();
    if (now - this.last > IDLE_MS || now > this.state.absolute) return null;
    if (!passive) this.last = now;
    if (this.last - this.state.last >= WRITE_EVERY_FULL_MS) {
      this.state.last = this.last;
      this.text = JSON.stringify(this.state);
      this.kv.put("state", this.text);
    }
    return {
      account: this.state.account,
      generation: 1,
      last_activity: this.last,
      idle_expires_at: this.last + IDLE_MS,
      absolute_expires_at: this.state.absolute,
    };
  }

  rotate(old, jti) {
    if (this.row?.jti !== old) return this.end();
    this.row = { last: Date.now(), jti };
    this.sql.exec("UPDATE session SET jti = ?, last = ?", jti, this.row.last);
    return true;
  }

  end() {
    this.row = undefined;
    this.sql.exec("DELETE FROM session");
    this.kv.delete("state");
    return false;
  }
}
