// The load: a number of connections over loopback, each of which sends its next request when it has the answer to the one before.
//
// Our own, and not a program of the system's: it comes with the clone, checks every answer, can turn each answer's refresh
// token into the next request, and is bounded in time and count. Its own processor time is not counted; one core of it sends
// more than any server here answers, but for the constant.
import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { Failure } from "../../scripts/lib/log.mjs";
import { quantile } from "./stats.mjs";

/** No answer takes this long. */
const STUCK_MS = 20_000;

/** One request as it goes over the wire. */
export function request(method, path, { headers = {}, body } = {}) {
  const json = body === undefined ? undefined : JSON.stringify(body);
  const lines = [`${method} ${path} HTTP/1.1`, "host: 127.0.0.1"];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (json !== undefined)
    lines.push("content-type: application/json", `content-length: ${Buffer.byteLength(json)}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${json ?? ""}`);
}

/** Goes round a list of requests. */
export function inTurn(requests) {
  let at = 0;
  return { next: () => requests[at++ % requests.length], answered: () => {} };
}

/** A complete answer at the beginning of a text: its status, its body, and what follows. Null while there is none. */
function answerIn(text) {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return null;
  const status = text.slice(9, 12);
  const fields = text.slice(0, head).toLowerCase();
  const length = /\r\ncontent-length: *(\d+)/.exec(fields);
  const body = head + 4;
  if (length) {
    const end = body + Number(length[1]);
    return text.length < end ? null : { status, body: text.slice(body, end), rest: text.slice(end) };
  }
  if (!fields.includes("\r\ntransfer-encoding: chunked")) return { status, body: "", rest: text.slice(body) };
  return chunked(text, status, body);
}

function chunked(text, status, start) {
  let body = "";
  for (let at = start; ;) {
    const line = text.indexOf("\r\n", at);
    if (line < 0) return null;
    const size = parseInt(text.slice(at, line), 16);
    const next = line + 2 + size + 2;
    if (text.length < next) return null;
    if (size === 0) return { status, body, rest: text.slice(next) };
    body += text.slice(line + 2, line + 2 + size);
    at = next;
  }
}

/**
 * Loads `port` for `seconds`, or until `count` requests are answered. `source.next()` gives a request, `source.answered(body)`
 * sees the answer to one. An answer with another status fails the run: it would be the timing of something else.
 */
export function load({ port, connections, seconds, count = Infinity, source, status = "200" }) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const until = began + seconds * 1000;
    const latencies = [];
    const sockets = new Set();
    let sent = 0;
    const fail = (error) => {
      clearTimeout(watch);
      const left = [...sockets];
      sockets.clear();
      for (const socket of left) socket.destroy();
      reject(error);
    };
    const late = () => fail(new Failure(`Port ${port} gave no answer for ${STUCK_MS / 1000} s.`));
    const watch = setTimeout(late, seconds * 1000 + STUCK_MS);
    const ended = (socket) => {
      sockets.delete(socket);
      socket.destroy();
      if (sockets.size > 0) return;
      clearTimeout(watch);
      latencies.sort((a, b) => a - b);
      const took = (performance.now() - began) / 1000;
      resolve({
        requests: latencies.length,
        rps: latencies.length / took,
        p50_ms: quantile(latencies, 0.5),
        p99_ms: quantile(latencies, 0.99),
      });
    };

    // A server that was held up for seconds, by a debugger or a busy machine, closes what has been idle for so long by its own
    // clock: a request that was just sent gets no answer then, and is sent anew.
    let lost = 0;
    const open = (again) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      sockets.add(socket);
      let text = "";
      let since = 0;
      let asked = again;
      const write = () => {
        since = performance.now();
        socket.write(asked);
      };
      const send = () => {
        if (sent >= count || performance.now() >= until) return ended(socket);
        sent += 1;
        asked = source.next();
        write();
      };
      const gone = (why) => {
        if (!sockets.has(socket)) return;
        lost += 1;
        if (text !== "" || lost > connections) return fail(new Failure(`Port ${port}: ${why}`));
        sockets.delete(socket);
        open(asked);
      };
      socket.on("connect", () => (again === undefined ? send() : write()));
      socket.on("error", (error) => gone(error.message));
      socket.on("close", () => gone("it closed a connection"));
      socket.on("data", (data) => {
        text += data.latin1Slice();
        const answer = answerIn(text);
        if (!answer) return;
        text = answer.rest;
        if (answer.status !== status)
          return fail(new Failure(`Port ${port} answered ${answer.status}: ${answer.body.slice(0, 300)}`));
        latencies.push(performance.now() - since);
        source.answered(answer.body);
        send();
      });
    };
    for (let n = 0; n < connections; n += 1) open();
  });
}
