// There are ten live sessions at most: one more, and the one that was not used for longest gives way.
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
  runDue,
  seen,
  sessionOf,
  someone,
  stored,
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

it("to get a session that there is counts as use", async () => {
  const all = await full();
  for (const { user, id } of all.slice(0, 5)) {
    expect((await getSession(user)).json).toMatchObject({ session_id: id, is_new: false });
    advance(SECOND);
  }
  const newest = await sessionOf(someone());
  await settled();
  expect(await ids()).not.toContain(all[5]?.id);
  expect(await ids()).toContain(newest);
  for (const { user } of all) expect(seen(user).logins).toBe(1);
});

it("who has a session keeps it when somebody asks for it again and again", async () => {
  const all = await full();
  for (let n = 0; n < 3; n++) for (const { user } of all) await getSession(user);
  expect(await ids()).toEqual(all.map(({ id }) => id));
  expect(upstreams.portal).toMatchObject({ logins: MAX, live_sessions: MAX });
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

it("a lower limit: the registry names those that are over it", async () => {
  const all = await full();
  for (const { user } of all.slice(0, 3)) await getSession(user);
  const registry = env.PORTAL_REGISTRY.get(env.PORTAL_REGISTRY.idFromName("registry"));
  const { too_many } = JSON.parse(await registry.command(JSON.stringify({ excess: { max: 7 } })));
  expect(too_many.map(({ session_id }: { session_id: string }) => session_id)).toEqual(
    all.slice(3, 6).map(({ id }) => id),
  );
});

it("a session that is being used is closed when its work is done", async () => {
  const all = await full();
  const busy = all[0];
  const hold = upstreams.hold("portal", "containers", busy?.user.username);
  const running = containers(busy?.id ?? "");
  await hold.arrived;
  // It is used just now, so another one gives way.
  advance(SECOND);
  await sessionOf(someone());
  await eventually(ids, (left) => left.length === MAX);
  expect(await ids()).not.toContain(all[1]?.id);
  hold.release();
  expect((await running).status).toBe(200);
  await settled();
  await runDue(busy?.name ?? "");
  expect((await stored(busy?.name ?? "")).session.session_id).toBe(busy?.id);
});
