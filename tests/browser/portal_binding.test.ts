// A portal in a browser that comes from a binding, as Cloudflare's Browser Run gives it: acquired, connected to, and given back. Behind the
// stand-in for it is a real Chromium.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromium } from "../../scripts/lib/chromium.mjs";
import { type Devtools, startDevtools } from "../../scripts/lib/devtools.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { type Fakes, fakes, makeKey, Service, someone } from "../support/process/portal.ts";
import { type Server, start } from "../support/process/server.ts";

const NAME = "browser-run";

describe.skipIf(chromium() === undefined && !process.env.CI)("a browser from a binding", () => {
  const folder = mkdtempSync(join(tmpdir(), "browser-run-"));
  let their: Fakes;
  let devtools: Devtools;
  let server: Server;
  let service: Service;

  beforeAll(async () => {
    their = await fakes();
    devtools = (await startDevtools())!;
    const stand = join(folder, "wrangler.json");
    const main = inRoot("tests", "support", "process", "browser_run", "index.ts");
    const vars = { CHROMIUM: devtools.url };
    writeFileSync(stand, JSON.stringify({ name: NAME, main, vars, compatibility_date: "2026-01-01" }));
    server = await start({
      bindings: {
        ...their.bindings,
        EMODAL_DRIVER: "browser",
        EMODAL_BASE_URL: their.spa,
        PORTAL_BROWSER_BINDING: "BROWSER",
        PORTAL_TIMEOUT_SECONDS: "10",
      },
      worker: { serviceBindings: { BROWSER: NAME } },
      beside: [stand],
    });
    service = new Service(server.client, await makeKey(server.client));
  });
  afterAll(async () => {
    await server?.mf.dispose();
    await devtools?.kill();
    await their?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    await refuse(null);
    await asked();
  });

  const stand = async (path: string, how: object = {}) =>
    (await server.mf.getWorker(NAME)).fetch(`https://stand.test${path}`, how);
  const asked = async () => (await stand("/asked")).json();
  const refuse = (how: object | null) => stand("/refuse", { method: "POST", body: JSON.stringify(how) });

  const whole = (n: number) => [
    "GET /v1/acquire",
    `GET /v1/devtools/browser/browser-${n}`,
    `DELETE /v1/devtools/browser/browser-${n}`,
  ];

  it("is acquired for each piece of work, and given back after it", async () => {
    const session_id = await service.sessionOf(someone());
    const answer = await service.containers(session_id);
    expect(answer.status, answer.text).toBe(200);
    expect(await asked()).toEqual([...whole(1), ...whole(2)]);
  });

  it("is given back where it cannot be connected to, and nobody is logged out", async () => {
    const session_id = await service.sessionOf(someone());
    await asked();
    await refuse({ path: "devtools", status: 404 });
    const lost = await service.containers(session_id);
    expect([lost.status, lost.json.code], lost.text).toEqual([503, "browser_unavailable"]);
    expect(await asked()).toEqual(whole(4));
    await refuse({ path: "acquire", status: 429, headers: { "retry-after": "7" } });
    const busy = await service.containers(session_id);
    expect([busy.status, busy.json.code, busy.headers.get("retry-after")], busy.text).toEqual([
      ...[503, "browsers_busy", "7"],
    ]);
    await refuse(null);
    expect((await service.containers(session_id)).status).toBe(200);
    expect(their.upstreams.spa.logins).toBe(2);
  });
});
