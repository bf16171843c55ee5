// What is stored of a login is changed, or taken from another: nothing of it is believed, and nobody else notices.
import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { MINUTE } from "../support/worker/time.ts";
import {
  cron,
  getSession,
  listed,
  nameOf,
  ONE_LOGIN,
  pass,
  portal,
  post,
  seen,
  sessionOf,
  someone,
  stub,
  upstreams,
} from "../support/worker/portal.ts";

portal();

const containers = (session_id: string) => post("/get_containers", { session_id, infinite_scrolling: false });

type Row = "credentials" | "jar";

const readRow = (name: string, row: Row): Promise<string> =>
  runInDurableObject(stub(name), (_instance, { storage }) => storage.kv.get<string>(row) ?? "");

const writeRow = (name: string, row: Row, value: string): Promise<void> =>
  runInDurableObject(stub(name), (_instance, { storage }) => void storage.kv.put(row, value));

/** Another character in the middle of what is sealed. */
const flipped = (sealed: string): string => {
  const at = Math.floor(sealed.length / 2);
  return sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1);
};

async function flip(name: string, ...rows: Row[]): Promise<void> {
  for (const row of rows) await writeRow(name, row, flipped(await readRow(name, row)));
  await abortAllDurableObjects();
}

const begin = async () => {
  const user = someone();
  const id = await sessionOf(user);
  return { user, id, name: await nameOf(id) };
};

async function unreadable(id: string): Promise<void> {
  const answer = await containers(id);
  expect([answer.status, answer.json.code]).toEqual([503, "credential_unreadable"]);
  expect(await gone(id)).toEqual([404, "portal_session_ended", "unreadable"]);
}

async function gone(id: string) {
  const answer = await containers(id);
  return [answer.status, answer.json.code, answer.json.reason];
}

it("two sealings of the same are not the same", async () => {
  const [one, other] = [await begin(), await begin()];
  const before = await readRow(one.name, "credentials");
  expect(before).not.toContain(one.user.username);
  expect(before).toMatch(/^s1\./);
  upstreams.revoke("portal", one.user.username);
  expect((await containers(one.id)).status).toBe(200);
  expect(await readRow(one.name, "credentials")).not.toBe(before);
  expect(await readRow(other.name, "credentials")).not.toBe(before);
});

describe("a changed byte", () => {
  it("in the cookies: one new login, the same session", async () => {
    const { user, id, name } = await begin();
    await flip(name, "jar");
    expect((await containers(id)).json).toMatchObject({ success: true, session_id: id });
    expect(seen(user)).toEqual({ logins: 2, captchas: 2 });
  });

  it("in the credentials: the session is good for as long as the portal has it", async () => {
    const { user, id, name } = await begin();
    await flip(name, "credentials");
    expect((await containers(id)).status).toBe(200);
    upstreams.revoke("portal", user.username);
    await unreadable(id);
    expect(await listed()).toEqual([]);
    expect(seen(user)).toEqual(ONE_LOGIN);
  });

  it("in both: the session ends, the others do not, and a new one can be got", async () => {
    const [one, other] = [await begin(), await begin()];
    await flip(one.name, "credentials", "jar");
    await unreadable(one.id);
    expect((await containers(other.id)).status).toBe(200);
    expect((await listed()).map(({ session_id }) => session_id)).toEqual([other.id]);
    const next = await getSession(one.user);
    expect(next.json).toMatchObject({
      is_new: true,
      previous_ended: "unreadable",
      message: "New persistent session created; the one before could not be read",
    });
    expect((await containers(next.json.session_id)).status).toBe(200);
  });

  it("is found by the keep-alive, too", async () => {
    const { user, id, name } = await begin();
    await flip(name, "credentials", "jar");
    await cron();
    await pass(name, 6 * MINUTE);
    expect(await listed()).toEqual([]);
    expect(await gone(id)).toEqual([404, "portal_session_ended", "unreadable"]);
    await pass(name, 30 * MINUTE);
    expect(seen(user)).toEqual(ONE_LOGIN);
  });
});

it("rows that are swapped between two logins open for neither", async () => {
  const [one, other, third] = [await begin(), await begin(), await begin()];
  for (const row of ["credentials", "jar"] as const) {
    const [mine, theirs] = [await readRow(one.name, row), await readRow(other.name, row)];
    await writeRow(one.name, row, theirs);
    await writeRow(other.name, row, mine);
  }
  await abortAllDurableObjects();
  upstreams.clearCalls();
  await unreadable(one.id);
  await unreadable(other.id);
  // Nobody was shown to the portal as somebody else.
  expect(upstreams.calls.filter(({ account }) => account !== third.user.username)).toEqual([]);
  expect((await containers(third.id)).status).toBe(200);
});

it("cookies in the place of the credentials are no credentials", async () => {
  const { id, name, user } = await begin();
  await writeRow(name, "credentials", await readRow(name, "jar"));
  await abortAllDurableObjects();
  upstreams.revoke("portal", user.username);
  await unreadable(id);
});
