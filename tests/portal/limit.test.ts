// There are ten live sessions at most: one more, and the one that was not used for longest gives way.
// Natively: crates/sim/tests/portal/limit.rs.
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { advance, MINUTE, SECOND } from "../support/worker/time.ts";
import {
  cron,
  eventually,
  getSession,
  listed,
  nameOf,
  pass,
  portal,
  post,
  sessionOf,
  someone,
  upstreams,
} from "../support/worker/portal.ts";

portal();

const MAX = 10;

const containers = (session_id: string) => post("/get_containers", { session_id, infinite_scrolling: false });

/** Ten sessions, one second after the other. */
async function full() {
  const all = [];
  for (let n = 0; n < MAX; n++) {
    const user = someone();
    const id = await sessionOf(user);
    all.push({ user, id, name: await nameOf(id) });
    advance(SECOND);
  }
  return all;
}

const ids = async () => (await listed()).map(({ session_id }) => session_id);

/** The portal, too, has so many. */
const settled = (n = MAX) =>
  eventually(
    async () => [(await ids()).length, upstreams.portal.live_sessions],
    ([here, there]) => here === n && there === n,
  );

async function evicted(id: string): Promise<void> {
  const answer = await containers(id);
  expect([answer.status, answer.json.code, answer.json.reason]).toEqual([
    404,
    "portal_session_ended",
    "evicted",
  ]);
}

it("the eleventh closes the one that was not used for longest, at the portal, too", async () => {
  const all = await full();
  const [first, second] = all;
  // The first is used, the second only kept alive.
  expect((await containers(first?.id ?? "")).status).toBe(200);
  await pass(second?.name ?? "", 6 * MINUTE);
  const newest = await sessionOf(someone());
  await settled();
  expect(await ids()).toEqual([...all.map(({ id }) => id).filter((id) => id !== second?.id), newest]);
  // At the portal its session is over with the first call, and the identity service is told by the second.
  await eventually(
    () => upstreams.count({ upstream: "portal", operation: "logout", account: second?.user.username ?? "" }),
    (n) => n === 2,
  );
  await evicted(second?.id ?? "");
  const again = await getSession(second?.user ?? someone());
  expect(again.json).toMatchObject({
    is_new: true,
    previous_ended: "evicted",
    message: "New persistent session created; the one before gave way to others",
  });
  await settled();
  await evicted(all[2]?.id ?? "");
});

it("thirty logins at once leave ten, here and there", async () => {
  const users = Array.from({ length: 30 }, () => someone());
  const answers = await Promise.all(users.map((user) => getSession(user)));
  for (const answer of answers) expect(answer.status, answer.text).toBe(200);
  await settled();
  const left = new Set(await ids());
  const over = answers.map(({ json }) => json.session_id).filter((id) => !left.has(id));
  expect(over).toHaveLength(20);
  for (const id of over) await evicted(id);
  for (const id of left) expect((await containers(id)).status).toBe(200);
  expect(upstreams.portal).toMatchObject({ logins: 30, live_sessions: MAX });
});

it("logins that fail close nobody", async () => {
  const all = await full();
  const wrong = await getSession(someone({ password: "wrong" }));
  expect([wrong.status, wrong.json.code]).toEqual([401, "portal_credentials_refused"]);
  const poor = await getSession(someone({ captcha_api_key: "nobalance-1" }));
  expect([poor.status, poor.json.code]).toEqual([402, "captcha_no_balance"]);
  upstreams.fail("portal", { fault: "status", status: 503 });
  expect((await getSession(someone())).json.code).toBe("portal_error");
  await cron();
  expect(await ids()).toEqual(all.map(({ id }) => id));
  expect(upstreams.portal.live_sessions).toBe(MAX);
});

it("one that cannot be reached just then is closed by the cron", async () => {
  const all = await full();
  const first = all[0];
  const away = env.PORTAL.idFromName(first?.name ?? "").toString();
  const find = env.PORTAL.get.bind(env.PORTAL);
  let asked = 0;
  const spy = vi.spyOn(env.PORTAL, "get").mockImplementation((id, options) => {
    if (id.toString() !== away) return find(id, options);
    asked += 1;
    throw new Error("the object is away");
  });
  await sessionOf(someone());
  await eventually(
    () => asked,
    (n) => n > 0,
  );
  expect(await ids()).toHaveLength(MAX + 1);
  spy.mockRestore();
  await cron();
  await settled();
  await evicted(first?.id ?? "");
});
