// The thin entry: passes bytes between the platform and Rust, and decides nothing.
import * as rust from "../build/index.js";
import { DurableObject } from "cloudflare:workers";
import { located } from "./located.js";

const HEADERS = rust.headers().split(" ");
const ORIGIN = HEADERS.pop();
const COOKIE_MARK = rust.cookie_mark();
const COOKIE_HEADERS = rust.cookie_headers().split(" ");
const BODY_HEADERS = rust.body_headers().split(" ");

// `worker` counts the wasm instances: one that is lost, out of memory for example, is followed by another. That one begins with
// the next call, and after its arguments were written: so every way in begins with a call that has none.
const instances = rust.__worker_init_state();

// An object that Rust commands by native RPC: one synchronous step, whose answer says when the alarm is due.
// The output gate holds the reply back until the step's writes and the alarm are durable.
function commanded(Rust) {
  return class extends DurableObject {
    #instance;
    #object;
    // Rust's side of it, made anew where its instance is gone.
    #rust() {
      rust.wake();
      if (this.#instance !== instances.instanceId) {
        this.#object = new Rust(this.ctx, located(this.env));
        this.#instance = instances.instanceId;
      }
      return this.#object;
    }
    // `id` is that of the request that it is for, for the log. The fast path gives none.
    command(json, id) {
      const answer = this.#rust().command(bytes(json), id);
      const end = answer.indexOf("\n");
      const reply = answer.slice(end + 1);
      if (answer.startsWith("?")) return this.#wake(Number(answer.slice(1, end)), reply);
      if (end > 0) this.ctx.storage.setAlarm(Number(answer.slice(0, end)));
      return reply;
    }
    // Sets the alarm where none is that comes as early: to look costs a thousandth of what it costs to set it.
    async #wake(at, reply) {
      if (((await this.ctx.storage.getAlarm()) ?? Infinity) > at) this.ctx.storage.setAlarm(at);
      return reply;
    }
    ask(json, id) {
      return this.#rust().ask(json, id); // What takes calls to others, and so more than a step.
    }
    alarm() {
      return this.#rust().alarm();
    }
  };
}

export const Session = commanded(rust.Session);
export const User = commanded(rust.User);
export const Directory = commanded(rust.Directory);
export const Upstream = commanded(rust.Upstream);
export const Roster = commanded(rust.Roster);
export const Portal = commanded(rust.Portal);
export const PortalRegistry = commanded(rust.PortalRegistry);
export const AuditTrail = commanded(rust.AuditTrail);

// "status", then "name:value" lines, an empty line, the body.
function response(lines) {
  const end = lines.indexOf("\n\n");
  const [status, ...fields] = lines.slice(0, end).split("\n");
  const headers = {}; // twice as fast for the runtime to read as a list of pairs
  for (const field of fields) {
    const at = field.indexOf(":");
    headers[field.slice(0, at)] = field.slice(at + 1);
  }
  return new Response(end + 2 < lines.length ? lines.slice(end + 2) : null, {
    status: Number(status),
    headers,
  });
}

// The longest text that is handed over as bytes without a buffer of its own.
const TEXT_BYTES = 16 * 1024;
const encoder = new TextEncoder();
const buffer = new Uint8Array(TEXT_BYTES);

// A text as bytes, valid until the next one.
function bytes(text) {
  const { read, written } = encoder.encodeInto(text, buffer);
  return read === text.length ? buffer.subarray(0, written) : encoder.encode(text);
}

// Asks a session's object what Rust wants to know of it. An id that is not of this namespace is one that nobody knows.
function ask(namespace, text, command, requestId) {
  let id;
  try {
    id = namespace.idFromString(text);
  } catch {
    return '"unknown"';
  }
  return namespace.get(id).command(command, requestId);
}

// As `Peers::carry`: what failed on the way is tried once more, by a fresh stub, but never if the object is overloaded.
async function askAgain(...asked) {
  try {
    return await ask(...asked);
  } catch (error) {
    if (!error.retryable || error.overloaded) throw error;
    return ask(...asked);
  }
}

// A request whose body Rust wants first.
async function withBody(request, env, ctx, lines) {
  for (const name of BODY_HEADERS) lines += `\n${request.headers.get(name) ?? ""}`;
  if (!rust.takes_body(bytes(lines))) return rust.fetch(request, env, ctx);
  let body;
  try {
    body = new Uint8Array(await request.arrayBuffer());
  } catch {
    // The client has broken off.
  }
  rust.wake();
  const begun = rust.begin_with(env, bytes(lines), body);
  if (begun.startsWith("\n")) return response(begun.slice(1));
  const [id, command, requestId] = begun.split("\n", 3);
  let reply = "";
  let fault;
  try {
    reply = await askAgain(env.SESSION, id, command, requestId);
  } catch (error) {
    fault = String(error);
  }
  rust.wake();
  const asked = `${begun}\n${reply}\n${lines}`;
  return response(rust.end_with(env, bytes(asked), fault) ?? (await rust.follow(env, ctx, asked)));
}

export default {
  async fetch(request, bindings, ctx) {
    rust.wake();
    const env = located(bindings);
    const { method, url, headers } = request;
    let lines = `${method}\n${url}`;
    for (const name of HEADERS) lines += `\n${headers.get(name) ?? ""}`;
    // Whose page a browser sends this for matters only where there are pages that may.
    lines += `\n${(env.ALLOWED_ORIGINS && headers.get(ORIGIN)) ?? ""}`;
    let shown = `${headers.get("authorization") ?? ""}\n`;
    // A cookie of ours, with what says whose page has the browser send it.
    if (headers.get("cookie")?.includes(COOKIE_MARK))
      for (const name of COOKIE_HEADERS) shown += `${headers.get(name) ?? ""}\n`;
    else shown += "\n";
    const begun = rust.begin(env, bytes(shown + lines));
    if (begun === undefined) return rust.fetch(request, env, ctx);
    if (begun === "body") return withBody(request, env, ctx, lines);
    if (begun.startsWith("\n")) return response(begun.slice(1));
    const [id, command] = begun.split("\n", 2);
    let reply = "";
    let fault;
    try {
      reply = await ask(env.SESSION, id, command);
    } catch (error) {
      fault = String(error);
    }
    rust.wake();
    const answer = rust.end(env, bytes(`${begun}\n${reply}\n${lines}`), fault);
    return answer === undefined ? rust.fetch(request, env, ctx) : response(answer);
  },
  scheduled({ cron, scheduledTime }, env) {
    rust.wake();
    return rust.cron(located(env), cron, Number(scheduledTime));
  },
};
