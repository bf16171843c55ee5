// E-Modal in a browser: the acceptance of its sessions and operations, on workerd and with a real Chromium, against a single-page
// application. The portal behind it is the one of plain pages, so what it was asked is counted alike.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromium } from "../../scripts/lib/chromium.mjs";
import { type Devtools, startDevtools } from "../../scripts/lib/devtools.mjs";
import { press } from "../support/process/person.ts";
import { type Fakes, fakes, makeKey, Service, someone } from "../support/process/portal.ts";
import { acceptance } from "../support/process/portal_acceptance.ts";
import { secrets, type Server, start } from "../support/process/server.ts";
import { makeKey as makeKeyFor } from "../support/process/client.ts";

/** Another portal, whose document is all that there is of it. */
const EXAMPLE = "crates/portal/portals/example.json";
/** Two pages of it: one with an input for a password, and one on which something is missing. */
const PAGES = [
  {
    name: "login_page",
    fields: [],
    steps: [
      { go: "/login" },
      { fill: "input[name=Username]", with: "somebody" },
      { click: "button.next" },
      { wait_for: { selector: "input[name=Password]" } },
      { answer: { seen: "yes" } },
    ],
  },
  { name: "gone", fields: [], steps: [{ go: "/containers" }, { click: "#nowhere", within: 1 }] },
];

const isThere = chromium() !== undefined || Boolean(process.env.CI);

/** Of a JPEG, from the header of its frame. */
function sizeOf(picture: Buffer): { width: number; height: number } | undefined {
  for (let at = 2; at < picture.length; at += 2 + picture.readUInt16BE(at + 2)) {
    const marker = picture.readUInt16BE(at);
    if (marker === 0xffc0 || marker === 0xffc2)
      return { height: picture.readUInt16BE(at + 5), width: picture.readUInt16BE(at + 7) };
  }
  return undefined;
}

describe.skipIf(!isThere)("a portal in a browser", () => {
  let their: Fakes;
  let devtools: Devtools;
  let server: Server;
  let service: Service;

  beforeAll(async () => {
    their = await fakes();
    const example = JSON.parse(readFileSync(EXAMPLE, "utf8"));
    devtools = (await startDevtools())!;
    const bindings = {
      ...secrets(),
      ...their.bindings,
      EMODAL_DRIVER: "browser",
      EMODAL_BASE_URL: their.spa,
      PORTALS: JSON.stringify({
        yard: { ...example, base_url: their.spa, operations: [...example.operations, ...PAGES] },
      }),
      PORTAL_BROWSER_URL: devtools.url,
      PORTAL_TIMEOUT_SECONDS: "10",
      PORTAL_BROWSERS_MAX: "4",
    };
    server = await start({ bindings });
    service = new Service(server.client, await makeKey(server.client));
  });
  afterAll(async () => {
    await server?.mf.dispose();
    await devtools?.kill();
    await their?.[Symbol.asyncDispose]();
  });

  const logins = () => their.upstreams.spa.logins;

  acceptance({
    service: () => service,
    their: () => their,
    logins,
    live: () => their.upstreams.spa.live_sessions,
    end: (username) => their.upstreams.revoke("spa", username),
    rows: [40, 20],
    debugs: ({ browser_seconds }) => expect(browser_seconds).toBeGreaterThan(0),
  });

  it("keeps a picture of each step for whoever asks with debug, and gives it to a service key alone", async () => {
    const user = someone();
    const session_id = await service.sessionOf(user);
    const timeline = await service.post("/get_container_timeline", {
      ...{ session_id, container_id: "MSCU1000001", debug: true },
    });
    expect(timeline.status, timeline.text).toBe(200);
    const { screenshots, screenshots_missing } = timeline.json.debug;
    expect(screenshots_missing, timeline.text).toBeUndefined();
    expect(screenshots.map(({ step }: { step: string }) => step)).toEqual(
      expect.arrayContaining(["the list"]),
    );
    const { url } = screenshots.at(-1);
    expect((await server.mf.dispatchFetch(new URL(url, "http://localhost"))).status).toBe(401);
    const got = await server.mf.dispatchFetch(new URL(url, "http://localhost"), {
      headers: { "x-api-key": service.key },
    });
    expect([got.status, got.headers.get("content-type")]).toEqual([200, "image/jpeg"]);
    expect(got.headers.get("x-content-type-options")).toBe("nosniff");
    const picture = Buffer.from(await got.arrayBuffer());
    // JPEG's first and last markers; the size of the window, and what is written above it.
    expect([picture.subarray(0, 3).toString("hex"), picture.subarray(-2).toString("hex")]).toEqual([
      ...["ffd8ff", "ffd9"],
    ]);
    expect(sizeOf(picture)).toEqual({ width: 1280, height: 960 + 44 });
    // As they lie in the bucket.
    const bucket = await server.mf.getR2Bucket("SCREENSHOTS");
    const { objects } = await bucket.list({ prefix: "screenshots/", include: ["customMetadata"] });
    const mine = objects.filter(({ customMetadata }) => customMetadata?.username === user.username);
    expect(mine).toHaveLength(screenshots.length);
    expect(mine[0]!.customMetadata).toMatchObject({ container: "MSCU1000001" });
    expect(JSON.stringify(objects)).not.toContain(session_id);
  });

  it("has no picture of a page with a password, and one of a page on which something is missing", async () => {
    const got = await service.getSession(someone(), { portal: "yard" });
    expect(got.status, got.text).toBe(200);
    const post = (operation: string) =>
      service.post(`/portals/yard/${operation}`, { session_id: got.json.session_id, debug: true });
    const at = (operation: string, step: number) => `operations/${operation}/steps/${step}`;
    const { debug } = (await post("login_page")).json;
    expect(debug.screenshots_missing).toContainEqual({ step: at("login_page", 3), reason: "password" });
    expect(debug.screenshots).not.toContainEqual(expect.objectContaining({ step: at("login_page", 3) }));
    const failed = await post("gone");
    expect([failed.status, failed.json.code], failed.text).toEqual([502, "portal_step_failed"]);
    expect(failed.json.debug.screenshots.at(-1)).toMatchObject({
      ...{ step: `failed at ${failed.json.looked_for}`, path: "/spa/containers" },
    });
  });

  /** Somebody whom the portal asks for what only a person can do. */
  const human = () => {
    const username = `human-${someone().username}`;
    return { ...someone(), username, password: `${username}-pass` };
  };
  /** The pages that are open in the browser. */
  const pages = async () => {
    const listed = await fetch(`${devtools.url}/json/list`);
    return ((await listed.json()) as { id: string }[]).map(({ id }) => id);
  };

  it("waits for a person at a link to the open browser, and goes on by itself once they are done", async () => {
    const user = human();
    const before = [logins(), their.upstreams.captcha.tasks, (await pages()).length];
    const listed = (await service.listed()).length;
    const asked = await service.getSession(user);
    expect([asked.status, asked.json.code], asked.text).toEqual([409, "needs_human"]);
    const link: string = asked.json.live_view_url;
    const page = new RegExp(`^${devtools.url}/devtools/inspector.html[?]ws=[0-9.:]+/devtools/page/(\\w+)$`);
    const [, target] = page.exec(link)!;
    expect(await pages()).toContain(target);
    expect((await fetch(link)).status).toBe(200);
    // One flight: whoever asks meanwhile is told the same, and nobody who does not know the credentials is.
    expect((await service.getSession(user)).json.live_view_url).toBe(link);
    expect((await service.call("GET", "/sessions")).text).not.toContain(target);
    expect([logins(), their.upstreams.captcha.tasks - before[1]!]).toEqual([before[0], 1]);

    const began = Date.now();
    await press(link, "button.confirm");
    await expect.poll(async () => (await service.listed()).length, { interval: 20 }).toBe(listed + 1);
    expect(Date.now() - began).toBeLessThan(2_000);
    const got = await service.getSession(user);
    expect([got.status, got.json.is_new], got.text).toEqual([200, false]);
    expect((await service.containers(got.json.session_id)).status).toBe(200);
    expect([logins(), their.upstreams.captcha.tasks - before[1]!]).toEqual([before[0]! + 1, 1]);
    await expect.poll(async () => (await pages()).length).toBe(before[2]);
  });

  it("a page that the person closes ends the wait, and so does closing the session that it is for", async () => {
    const [one, two] = [human(), human()];
    const before = (await pages()).length;
    const asked = await service.getSession(one);
    await fetch(`${devtools.url}/json/close/${asked.json.live_view_url.split("/").at(-1)}`);
    const after = async () => (await service.getSession(one)).json;
    await expect.poll(after, { timeout: 5_000 }).toMatchObject({ code: "browser_lost" });
    expect(await after()).not.toHaveProperty("live_view_url");

    await press((await service.getSession(two)).json.live_view_url, "button.confirm");
    await expect.poll(async () => (await service.getSession(two)).status).toBe(200);
    const session_id = await service.sessionOf(two);
    their.upstreams.revoke("spa", two.username);
    const without = await service.containers(session_id);
    expect([without.status, without.json.code], without.text).toEqual([409, "needs_human"]);
    expect(without.json, "an id is not the credentials").not.toHaveProperty("live_view_url");
    expect(await pages()).toHaveLength(before + 1);
    expect((await service.call("DELETE", `/sessions/${session_id}`)).status).toBe(200);
    await expect.poll(async () => (await pages()).length, { timeout: 5_000 }).toBe(before);
  });

  it("a button that is never enabled is said with its step, and so is a firewall", async () => {
    their.upstreams.set({ spa: { submit: "never" } });
    const never = await service.getSession(someone());
    their.upstreams.set({ spa: { submit: "by_captcha" } });
    expect([never.status, never.json.code], never.text).toEqual([502, "portal_step_failed"]);
    expect(never.json.looked_for).toBe("login/steps/5: an element button[type=submit] that can be clicked");
    their.upstreams.set({ spa: { firewall: "headless" } });
    const refused = await service.getSession(someone());
    their.upstreams.set({ spa: { firewall: "off" } });
    expect([refused.status, refused.json.code], refused.text).toEqual([502, "portal_refused_automation"]);
  });

  it("a killed Chromium costs no login and no captcha", async () => {
    const user = someone();
    const session_id = await service.sessionOf(user);
    const before = [logins(), their.upstreams.captcha.tasks];
    await devtools.kill();
    const without = await service.containers(session_id);
    expect([without.status, without.json.code], without.text).toEqual([503, "browser_unavailable"]);
    devtools = (await startDevtools({ port: devtools.port }))!;
    await expect
      .poll(async () => (await service.containers(session_id)).status, { timeout: 40_000 })
      .toBe(200);
    expect([logins(), their.upstreams.captcha.tasks]).toEqual(before);
  });

  it("the state of a session begins one elsewhere, without a login and a captcha", async () => {
    const user = someone();
    const session_id = await service.sessionOf(user);
    expect((await service.containers(session_id)).status).toBe(200);
    const key = await makeKeyFor(server.client, ["portal", "portal:state"]);
    const read = await server.client.call("GET", `/sessions/${session_id}/state`, key);
    expect(read.status, read.text).toBe(200);
    const { storage_state } = read.json;
    expect(storage_state.cookies.length + storage_state.origins.length).toBeGreaterThan(0);
    const text = expect.any(String);
    for (const cookie of storage_state.cookies) {
      expect(cookie).toStrictEqual({
        ...{ name: text, value: text, domain: text, path: text, expires: expect.any(Number) },
        ...{ httpOnly: expect.any(Boolean), secure: expect.any(Boolean) },
        sameSite: expect.stringMatching(/^(Strict|Lax|None)$/),
      });
    }
    const before = [logins(), their.upstreams.captcha.tasks];
    const got = await service.getSession(user, { portal: "yard", storage_state });
    expect(got.json, got.text).toMatchObject({ is_new: true, storage_state: "used" });
    const list = await service.post("/portals/yard/all_containers", { session_id: got.json.session_id });
    expect(list.json.containers, list.text).toHaveLength(40);
    expect([logins(), their.upstreams.captcha.tasks]).toEqual(before);
  });

  it("another portal works from its document alone", async () => {
    const user = someone();
    const got = await service.getSession(user, { portal: "yard" });
    expect(got.status, got.text).toBe(200);
    const { session_id } = got.json;
    const post = (operation: string, fields: object) =>
      service.post(`/portals/yard/${operation}`, { session_id, ...fields });
    const first = await post("all_containers", {});
    expect(first.json.containers, first.text).toHaveLength(40);
    const whole = await post("all_containers", { whole: true });
    expect(whole.json.containers, whole.text).toHaveLength(137);
    expect(whole.json.containers[136]["Container #"]).toBe("MSCU1000136");
    const milestones = await post("milestones", { container: "MSCU1000001" });
    expect(milestones.json.milestones, milestones.text).toHaveLength(9);
    const unknown = await post("milestones", { container: "XXXX0000000" });
    expect([unknown.status, unknown.json.code], unknown.text).toEqual([404, "portal_not_found"]);
    const times = await post("free_times", {
      ...{ company: "Long Beach Haulage", terminal: "TraPac", container: "MSCU1000000", plate: "ABC123" },
    });
    expect(times.json.times.length, times.text).toBeGreaterThan(2);
  });
});
