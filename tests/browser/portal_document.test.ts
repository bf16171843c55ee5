// Another portal than E-Modal, known by its document alone, in real Chromium. Its login needs a cookie that scripts do not see and a
// token in `localStorage` together.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromium } from "../../scripts/lib/chromium.mjs";
import { type Devtools, startDevtools } from "../../scripts/lib/devtools.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import type { Answer } from "../support/process/client.ts";
import { makeKey, Service, someone, type User } from "../support/process/portal.ts";
import { type Server, start } from "../support/process/server.ts";
import { listen, type Listening } from "../upstreams/listen.ts";

/** The login is E-Modal's; the operations are this portal's own. */
const { login } = JSON.parse(
  readFileSync(inRoot("crates", "portal", "portals", "emodal-browser.json"), "utf8"),
) as { login: object };

const documentAt = (base_url: string) => ({
  driver: "browser",
  base_url,
  login,
  keep_alive: { path: "/containers" },
  logout: { path: "/logout" },
  operations: [
    {
      name: "list_boxes",
      fields: [
        { name: "all", type: "flag" },
        { name: "skip", type: "number", min: 0, max: 100_000 },
      ],
      listing: {
        open: [{ go: "/containers" }],
        scroll: "#list",
        busy: "#list[aria-busy=true]",
        table: "#containers",
        columns: [
          { head: "Container #", member: "box" },
          { head: "Holds", member: "holds" },
          { head: "Tags", member: "tags" },
        ],
        rows: "boxes",
        count: "box_count",
        paging: { all: "all", skip: "skip", next: "next", cycles: "cycles", reason: "reason" },
      },
    },
    {
      name: "history",
      fields: [{ name: "box", type: "text", max: 20, required: true }],
      listing: {
        open: [{ go: "/containers/{box}" }],
        not_found: ["Container not found"],
        table: "#timeline",
        columns: [
          { head: "Milestone", member: "what" },
          { head: "Date", member: "when" },
          { head: "Status", member: "state", lower: true },
        ],
        rows: "history",
        count: "steps",
      },
    },
  ],
});

describe.skipIf(chromium() === undefined && !process.env.CI)("a portal from its document alone", () => {
  let fakes: Listening;
  let devtools: Devtools;
  let server: Server;
  let service: Service;

  beforeAll(async () => {
    fakes = await listen();
    devtools = (await startDevtools())!;
    server = await start({
      bindings: {
        PORTALS: JSON.stringify({ dock: documentAt(`${fakes.url}/spa`) }),
        CAPTCHA_BASE_URL: `${fakes.url}/captcha`,
        CAPTCHA_POLL_MILLISECONDS: "5",
        PORTAL_TIMEOUT_SECONDS: "3",
        PORTAL_BROWSER_URL: devtools.url,
      },
    });
    service = new Service(server.client, await makeKey(server.client));
  });
  beforeEach(() => fakes.upstreams.reset());
  afterAll(async () => {
    await server?.mf.dispose();
    await devtools?.kill();
    await fakes?.close();
  });

  const session = (user: User) => service.getSession(user, { portal: "dock" });
  const ask = (operation: string, fields: object): Promise<Answer> =>
    service.post(`/portals/dock/${operation}`, fields);
  const seen = ({ username, captcha_api_key }: User) => ({
    logins: fakes.upstreams.count({ upstream: "spa", operation: "login", account: username }),
    captchas: fakes.upstreams.count({
      ...{ upstream: "captcha", operation: "captcha_in", account: captcha_api_key },
    }),
  });
  const idOf = async (user: User): Promise<string> => {
    const answer = await session(user);
    expect(answer.status, answer.text).toBe(200);
    return answer.json.session_id;
  };

  it("a list is read to its end, cells as people read them, and a history by its address", async () => {
    const user = someone();
    const session_id = await idOf(user);
    const all = await ask("list_boxes", { session_id, all: true });
    expect(all.status, all.text).toBe(200);
    expect(all.json).toMatchObject({ box_count: 137, cycles: 5, reason: "end_of_list" });
    expect(all.json.boxes[1]).toEqual({
      ...{ box: "MSCU1000001", holds: "CUSTOMS FREIGHT & FEES", tags: "HOT & <NEW>" },
    });
    const history = await ask("history", { session_id, box: "MSCU1000001" });
    expect(history.json, history.text).toMatchObject({ steps: 9 });
    expect(history.json.history[4]).toEqual({
      ...{ what: "Pregate", when: "10/15/2026 11:05", state: "completed" },
    });
    const none = await ask("history", { session_id, box: "XXXX1234567" });
    expect([none.status, none.json.code], none.text).toEqual([404, "portal_not_found"]);
    expect(seen(user)).toEqual({ logins: 1, captchas: 1 });
  });

  it("logged out in the middle of a list: one login more, and the list is whole", async () => {
    const user = someone();
    const session_id = await idOf(user);
    fakes.upstreams.set({ spa: { ends_after_rows: 60 } });
    const cut = ask("list_boxes", { session_id, all: true });
    await expect.poll(() => fakes.upstreams.spa.live_sessions).toBe(0);
    fakes.upstreams.set({ spa: { ends_after_rows: 0 } });
    const answer = await cut;
    expect(answer.json, answer.text).toMatchObject({ box_count: 137 });
    expect(seen(user)).toEqual({ logins: 2, captchas: 2 });
  });

  it("who has to show that they are a person is told so, and nobody is let in", async () => {
    const { username, captcha_api_key } = someone();
    const user = { username: `human-${username}`, password: `human-${username}-pass`, captcha_api_key };
    const answer = await session(user);
    expect([answer.status, answer.json.code], answer.text).toEqual([409, "needs_human"]);
    expect(fakes.upstreams.spa.logins).toBe(0);
  });
});
