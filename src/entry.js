// The thin entry: passes bytes between the platform and Rust, and decides nothing.
import worker, {
  Directory as RustDirectory,
  Portal as RustPortal,
  PortalRegistry as RustPortalRegistry,
  Roster as RustRoster,
  Session as RustSession,
  Upstream as RustUpstream,
  User as RustUser,
} from "../build/index.js";
import { DurableObject } from "cloudflare:workers";

const { begin, cron, end, fetch: serve, headers } = worker.prototype;
const HEADERS = headers().split(" ");

// An object that Rust commands by native RPC: one synchronous step, whose answer says when the alarm is due.
// The output gate holds the reply back until the step's writes and the alarm are durable.
function commanded(Rust) {
  return class extends DurableObject {
    constructor(ctx, env) {
      super(ctx, env);
      this.rust = new Rust(ctx, env);
    }
    command(json) {
      const answer = this.rust.command(json);
      const end = answer.indexOf("\n");
      if (end > 0) this.ctx.storage.setAlarm(Number(answer.slice(0, end)));
      return answer.slice(end + 1);
    }
    ask(json) {
      return this.rust.ask(json); // What takes calls to others, and so more than a step.
    }
    alarm() {
      return this.rust.alarm();
    }
  };
}

export const Session = commanded(RustSession);
export const User = commanded(RustUser);
export const Directory = commanded(RustDirectory);
export const Upstream = commanded(RustUpstream);
export const Roster = commanded(RustRoster);
export const Portal = commanded(RustPortal);
export const PortalRegistry = commanded(RustPortalRegistry);

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
function ask(namespace, text, command) {
  let id;
  try {
    id = namespace.idFromString(text);
  } catch {
    return '"unknown"';
  }
  return namespace.get(id).command(command);
}

export default {
  async fetch(request, env, ctx) {
    const { method, url, headers } = request;
    let lines = `${method}\n${url}`;
    for (const name of HEADERS) lines += `\n${headers.get(name) ?? ""}`;
    const begun = begin(env, bytes(`${headers.get("authorization") ?? ""}\n${lines}`));
    if (begun === undefined) return serve.call({ env, ctx }, request);
    if (begun.startsWith("\n")) return response(begun.slice(1));
    const [id, command] = begun.split("\n", 2);
    let reply = "";
    let fault;
    try {
      reply = await ask(env.SESSION, id, command);
    } catch (error) {
      fault = String(error);
    }
    return response(end(env, bytes(`${begun}\n${reply}\n${lines}`), fault));
  },
  scheduled: ({ cron: expression }, env) => cron(env, expression),
};
