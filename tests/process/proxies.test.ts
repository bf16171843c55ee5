// Real proxies in front of an application, each by its recipe in docs/proxy.md: who is let in, as whom, and that nobody is when
// Sallyport cannot be asked.
//
// The proxies stand beside each other: those of one group of tests do the same at once.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { programOf, PROXIES } from "../../scripts/lib/proxies.mjs";
import { type Page, pages } from "../support/process/documents.ts";
import {
  type Application,
  application,
  type Arrived,
  digest,
} from "../support/process/proxies/application.ts";
import { type Certificates, certificates } from "../support/process/proxies/certificates.ts";
import { type Received, send, type Sent } from "../support/process/proxies/client.ts";
import { FORGED, identity, OURS } from "../support/process/proxies/identity.ts";
import { Edge, OUT_OF_ORDER } from "../support/process/proxies/edge.ts";
import { type Name, RECIPES } from "../support/process/proxies/recipes.ts";
import { type Proxy, startProxy } from "../support/process/proxies/running.ts";
import { PASSWORD, type Tokens } from "../support/process/client.ts";
import { type Server, start } from "../support/process/server.ts";

const isHere = (name: string) => programOf(name) !== undefined && programOf("OpenSSL") !== undefined;
const HERE = (PROXIES as Name[]).filter(isHere);
const LEFT_OUT = (PROXIES as Name[]).filter((name) => !isHere(name));

/** The application's, as browsers have it. */
const ORIGIN = "https://app.example.com";

let folder: string;
let page: Page;
let pki: Certificates;
let server: Server;
let app: Application;
/** Somebody with the role `user`; somebody who has logged out. */
let someone: Tokens;
let gone: Tokens;
let editor: Tokens;
/** What ends in the end, also if not all of it could be started. */
const started: AsyncDisposable[] = [];
const edges = new Map<Name, Edge>();
const proxies = new Map<Name, Proxy>();
/** The same proxies, which ask for the role `editor`. */
const strict = new Map<Name, Proxy>();

const of = <T>(all: Map<Name, T>, name: Name): T => {
  const one = all.get(name);
  if (!one) throw new Error(`${name} was not started.`);
  return one;
};

const through = (name: Name, sent: Sent): Promise<Received> => send(of(proxies, name).port, sent);

/** It was not let in: the application has seen nothing of it. */
function refused(answer: Received, status: number, what: string): void {
  expect([what, answer.status, answer.text.includes("application")]).toEqual([what, status, false]);
  expect(app.arrived(answer.id), what).toEqual([]);
}

/** It came to the application, once. */
function letIn(answer: Received, what: string): Arrived {
  expect(answer.status, `${what}: ${answer.text}`).toBe(200);
  const [arrived, ...more] = app.arrived(answer.id);
  expect(more, what).toEqual([]);
  if (!arrived) throw new Error(`${what}: nothing arrived.`);
  return arrived;
}

/** What Sallyport itself says of a token. */
async function told(token: string): Promise<string[]> {
  const { headers } = await server.client.call("GET", "/auth/verify", token);
  return OURS.filter((name) => headers.has(name))
    .map((name) => `${name}: ${headers.get(name)}`)
    .sort();
}

const around = (name: Name) => ({ page, app, trusted: pki.authority, edge: of(edges, name) });

beforeAll(async () => {
  if (HERE.length === 0) return;
  folder = mkdtempSync(join(tmpdir(), "sallyport-proxies-"));
  page = (await pages()).find(({ name }) => name === "docs/proxy.md") as Page;
  pki = certificates(folder);
  server = await start({ bindings: { ALLOWED_ORIGINS: ORIGIN } });
  app = await application();
  const { client } = server;
  someone = await client.someone();
  gone = await client.someone();
  await client.call("POST", "/auth/logout", gone.access_token);
  const body = { username: "ren\u00e9-editor", password: PASSWORD, roles: ["user", "editor"] };
  await client.call("POST", "/admin/users", await client.admin(), body);
  editor = await client.login(body.username);
  await Promise.all(
    HERE.map(async (name) => {
      const edge = new Edge(client.base, pki.ours);
      await edge.up();
      started.push(edge);
      edges.set(name, edge);
      const [question, asked] = RECIPES[name].question;
      const withRole = (text: string) => text.replace(question, asked);
      const starting = [{}, { change: withRole }].map(async (how, at) => {
        const proxy = await startProxy(name, around(name), how);
        started.push(proxy);
        (at === 0 ? proxies : strict).set(name, proxy);
      });
      await Promise.all(starting);
    }),
  );
});

afterAll(async () => {
  await Promise.all(started.map((one) => one[Symbol.asyncDispose]()));
  await app?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  if (folder) rmSync(folder, { recursive: true });
});

if (process.env.CI)
  it("in CI no proxy is left out", () => {
    expect(LEFT_OUT).toEqual([]);
  });
else if (LEFT_OUT.length > 0) it.skip(`left out, \`npm test\` says how to get them: ${LEFT_OUT.join(", ")}`);

const each = (what: string, test: (name: Name) => Promise<void>) =>
  describe(what, () => {
    it.concurrent.for(HERE)("%s", test);
  });

each("a good token passes, and the application is told whose it is", async (name) => {
  for (const token of [someone.access_token, editor.access_token]) {
    const arrived = letIn(await through(name, { token, path: "/a/b?c=d" }), name);
    expect(identity(arrived)).toEqual(await told(token));
    expect(arrived.url).toMatch(/^\/a\/b\?c=d&id=/);
  }
});

each("no incoming X-Auth header reaches the application, in whatever spelling", async (name) => {
  const { access_token: token } = someone;
  const arrived = letIn(await through(name, { token, headers: FORGED }), name);
  expect(identity(arrived)).toEqual(await told(token));
  for (const [header, value] of FORGED) {
    const answer = await through(name, { token, headers: [[header, value]] });
    expect([header, identity(letIn(answer, `${name}, ${header}`))]).toEqual([header, await told(token)]);
  }
  refused(await through(name, { headers: FORGED }), 401, name);
  refused(await through(name, { headers: FORGED, token: gone.access_token }), 401, name);
});

each("no client makes a proxy drop what Sallyport has said, or its own token", async (name) => {
  const { access_token: token } = someone;
  const connection = ["close", ...OURS].join(", ");
  const arrived = letIn(await through(name, { token, headers: [["Connection", connection]] }), name);
  expect(identity(arrived)).toEqual(await told(token));
  const answer = await through(name, { token, headers: [["Connection", "close, authorization"]] });
  expect([200, 400, 401]).toContain(answer.status);
  if (answer.status === 200) expect(identity(letIn(answer, name))).toEqual(await told(token));
});

each(
  "none, a revoked, a broken token: 401 with the challenge, and the application sees nothing",
  async (name) => {
    const none = await through(name, {});
    refused(none, 401, name);
    expect(none.headers["www-authenticate"]).toMatch(/^Bearer/);
    expect(none.headers["www-authenticate"]).not.toContain("error=");
    for (const token of [gone.access_token, `${someone.access_token}x`, "x", someone.refresh_token]) {
      const answer = await through(name, { token });
      refused(answer, 401, name);
      expect(answer.headers["www-authenticate"]).toMatch(/^Bearer .*error="invalid_token"/);
    }
    // Two of them: whichever the proxy asks about, nobody is let in by the one and known by the other.
    const twice: [string, string][] = [gone.access_token, someone.access_token].map((token) => [
      "Authorization",
      `Bearer ${token}`,
    ]);
    for (const headers of [twice, [...twice].reverse()]) {
      const answer = await through(name, { headers });
      expect([400, 401, 500]).toContain(answer.status);
      expect(app.arrived(answer.id)).toEqual([]);
    }
  },
);

each("a token that is revoked between two requests is refused from the next one on", async (name) => {
  const { access_token: token } = await server.client.someone();
  letIn(await through(name, { token }), name);
  await server.client.call("POST", "/auth/logout", token);
  refused(await through(name, { token }), 401, name);
});

each("a missing role is 403", async (name) => {
  const { port } = of(strict, name);
  const answer = await send(port, { token: someone.access_token });
  refused(answer, 403, name);
  letIn(await send(port, { token: editor.access_token }), name);
  refused(await send(port, {}), 401, name);
  // The client's own query asks for nothing less.
  refused(await send(port, { token: someone.access_token, path: "/?role=user" }), 403, name);
});

each("a body passes whole, and Sallyport gets none of it", async (name) => {
  const { access_token: token } = someone;
  const edge = of(edges, name);
  const before = edge.questions.length;
  for (const length of [0, 10, 300_000])
    for (const chunked of [false, true]) {
      const body = randomBytes(length);
      const headers: [string, string][] = [["Content-Type", "application/octet-stream"]];
      const arrived = letIn(await through(name, { method: "POST", token, headers, body, chunked }), name);
      expect([arrived.method, arrived.body]).toEqual(["POST", digest(body)]);
      expect(identity(arrived)).toEqual(await told(token));
      refused(
        await through(name, { method: "POST", headers, body: body.subarray(0, 5000), chunked }),
        401,
        name,
      );
    }
  const questions = edge.questions.slice(before);
  expect(questions.length).toBeGreaterThanOrEqual(12);
  for (const { headers, bodyLength } of questions) {
    expect(headers["transfer-encoding"]).toBeUndefined();
    expect([bodyLength, headers["content-length"] ?? "0"]).toEqual([0, "0"]);
  }
});

each(
  "by cookie a browser reads from anywhere, and changes something from the application's pages only",
  async (name) => {
    const username = await server.client.user();
    const own = { origin: ORIGIN, "sec-fetch-site": "same-origin" };
    const body = { username, password: PASSWORD, cookie: true };
    const login = await server.client.call("POST", "/auth/login", undefined, body, own);
    const cookie = login.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    const by = (page: Record<string, string>, more: Record<string, string> = {}): [string, string][] =>
      Object.entries({ Cookie: `theme=dark; ${cookie}`, ...page, ...more });
    const evil = { origin: "https://evil.test", "sec-fetch-site": "cross-site" };
    const link = { "sec-fetch-site": "cross-site" };

    const arrived = letIn(await through(name, { headers: by(own) }), name);
    expect(identity(arrived)).toContain(
      `x-auth-username: ${encodeURIComponent(username).replaceAll("-", "%2D")}`,
    );
    for (const page of [{}, link, evil])
      for (const method of ["GET", "HEAD"]) letIn(await through(name, { method, headers: by(page) }), name);
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      letIn(await through(name, { method, headers: by(own) }), `${name}, ${method}`);
      for (const page of [{}, link, evil, { origin: "null" }]) {
        refused(await through(name, { method, headers: by(page) }), 403, `${name}, ${method}`);
        // What the client itself says of the method is not what counts.
        const told = { "X-Original-Method": "GET", "X-Forwarded-Method": "GET" };
        refused(await through(name, { method, headers: by(page, told) }), 403, `${name}, ${method}, told`);
      }
    }
    const bearer = await through(name, { token: someone.access_token, headers: by(own) });
    expect([400, 500]).toContain(bearer.status);
    expect(app.arrived(bearer.id)).toEqual([]);
  },
);

each("every method is asked about and passes as it is", async (name) => {
  const { access_token: token } = someone;
  for (const method of ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"]) {
    const answer = await through(name, { method, token });
    expect([method, letIn(answer, `${name}, ${method}`).method]).toEqual([method, method]);
    refused(await through(name, { method }), 401, `${name}, ${method}`);
  }
});

each("no path lets anybody in, and none reaches another route of Sallyport", async (name) => {
  const edge = of(edges, name);
  const before = edge.questions.length;
  const paths = [
    "/../../health",
    "/%2e%2e/%2e%2e/health",
    "/..\\..\\health",
    "//health",
    "/x?role=user#/../../health",
  ];
  for (const path of [...paths, "/_verify", "/auth/verify", "/health"]) {
    const answer = await through(name, { path });
    expect([path, answer.status >= 400, app.arrived(answer.id)]).toEqual([path, true, []]);
  }
  for (const { url } of edge.questions.slice(before)) expect(url).toMatch(/^\/auth\/verify(\?|$)/);
});

each("Sallyport is asked under its own name, and on connections that are kept", async (name) => {
  const edge = of(edges, name);
  const [questions, connections] = [edge.questions.length, edge.connections];
  for (let n = 0; n < 20; n += 1) letIn(await through(name, { token: someone.access_token }), name);
  expect(edge.questions.length - questions).toBe(20);
  expect(edge.connections - connections).toBeLessThan(10);
  const names = ["auth.example.com", `localhost:${edge.port}`];
  for (const { host } of edge.questions) expect(names).toContain(host);
});

/** What comes instead where Sallyport cannot be asked. */
const cannotAsk = async (name: Name, what: string): Promise<Received> => {
  const answer = await through(name, { token: someone.access_token, headers: FORGED });
  expect([what, answer.status >= 500 || answer.status === 0, app.arrived(answer.id)]).toEqual([
    what,
    true,
    [],
  ]);
  return answer;
};

/** It lets in again. A proxy may look first at a connection that has gone. */
async function recovers(name: Name): Promise<void> {
  for (const until = Date.now() + 15_000; Date.now() < until; await setTimeout(100))
    if ((await through(name, { token: someone.access_token })).status === 200) return;
  throw new Error(`${name} lets nobody in any more.`);
}

each("a Sallyport that is down, or out of order, lets nobody in", async (name) => {
  const edge = of(edges, name);
  const { outages } = RECIPES[name];
  await edge.down();
  expect((await cannotAsk(name, "down")).status).toBe(outages.down);
  await edge.up(OUT_OF_ORDER.unavailable);
  // The first time it may meet a connection that has gone.
  await cannotAsk(name, "unavailable");
  expect((await cannotAsk(name, "unavailable")).status).toBe(outages.unavailable);
  for (const what of ["broken", "cut"] as const) {
    await edge.up(OUT_OF_ORDER[what]);
    await cannotAsk(name, what);
  }
  for (const what of ["elsewhere", "missing"] as const) {
    await edge.up(OUT_OF_ORDER[what]);
    const answer = await through(name, { token: someone.access_token, headers: FORGED });
    expect([what, answer.status >= 300, app.arrived(answer.id)]).toEqual([what, true, []]);
  }
  await edge.up();
  await recovers(name);
});

each("a Sallyport that never answers lets nobody in, and is not waited for without end", async (name) => {
  const edge = of(edges, name);
  await edge.up(OUT_OF_ORDER.silent);
  const asked = cannotAsk(name, "silent");
  // Traefik's 30 s cannot be set, and are not waited for: the connection breaks before.
  if (name === "Traefik") void setTimeout(3000).then(() => edge.down());
  const { status, milliseconds } = await asked;
  expect(status).toBe(RECIPES[name].outages.silent);
  expect(milliseconds).toBeLessThan(15_000);
  await edge.up();
  await recovers(name);
});

each(
  "nobody who answers in its place is believed: not by another's certificate, nor by a forged one",
  async (name) => {
    const edge = of(edges, name);
    for (const certificate of [pki.anothers, pki.forged]) {
      await edge.up(OUT_OF_ORDER.generous, certificate);
      const before = edge.questions.length;
      await cannotAsk(name, "forged");
      expect(edge.questions.length).toBe(before);
    }
    // A yes without names, by the right certificate: then the application is told of nobody.
    await edge.up(OUT_OF_ORDER.generous);
    const answer = await through(name, { token: someone.access_token, headers: FORGED });
    expect(app.arrived(answer.id).flatMap(identity).join()).not.toContain("forged");
    await edge.up();
    await recovers(name);
  },
);

/** Where the script of a recipe begins, and what the proxy makes of an error in it. */
const SCRIPTED: Partial<Record<Name, [string, number]>> = {
  Apache: ["function verify(r)", 500],
  HAProxy: ["function(txn)", 503],
};

describe("an error in the script lets nobody in", () => {
  it.concurrent.for(HERE.filter((name) => SCRIPTED[name]))("%s", async (name) => {
    const [begin, status] = SCRIPTED[name] ?? ["", 0];
    const change = (text: string) => text.replace(begin, `${begin} error("broken")`);
    await using proxy = await startProxy(name, around(name), { change, refuses: status });
    const answer = await send(proxy.port, { token: someone.access_token, headers: FORGED });
    refused(answer, status, name);
  });
});
