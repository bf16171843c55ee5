// Guessing at passwords with many requests at once, or as many clients: it gets nobody further.
import { afterEach, expect, it, vi } from "vitest";
import { anotherAdmin, freshName, makeUser, PASSWORD } from "../support/worker/users.ts";
import { type Answer, api, refused } from "../support/worker/api.ts";
import { address, byStatus, login, LOGIN_MAX_FAILURES, stopClock, times } from "../support/worker/guesses.ts";

// Answers to failures are held back, by two seconds in the end.
vi.setConfig({ testTimeout: 30_000 });

afterEach(() => {
  vi.useRealTimers();
});

it("U04 of many guesses at once no more are looked at than one after the other", async () => {
  stopClock();
  const { username } = await makeUser();
  const from = address();
  const answers = byStatus(await times(60, (i) => login(username, `wrong password ${i}`, from)));
  expect([...answers.keys()].sort()).toEqual([401, 429]);
  expect(answers.get(401)).toHaveLength(LOGIN_MAX_FAILURES);
  for (const { headers } of answers.get(429) ?? []) expect(headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
});

it("U04 a right password gives its address as many guesses as any other has, and no more", async () => {
  stopClock();
  const { username } = await makeUser();
  const from = address();
  const guess = (n: number) => times(n, () => login(username, "wrong password", from));
  expect(byStatus(await guess(4)).get(401)).toHaveLength(4);
  expect((await login(username, PASSWORD, from)).status).toBe(200);
  expect(byStatus(await guess(30)).get(401)).toHaveLength(LOGIN_MAX_FAILURES);
});

it("U03 spellings of a name share their failures", async () => {
  stopClock();
  const { username } = await makeUser();
  const from = address();
  const spellings = [username, username.toUpperCase(), username.replace("u", "\uff55")];
  const tries = await times(20, (i) => login(spellings[i % 3] ?? "", "wrong password", from));
  expect(byStatus(tries).get(401)).toHaveLength(LOGIN_MAX_FAILURES);
  refused(await login(username, PASSWORD, from), 429, "too_many_attempts");
});

it("I14 no header of its own and no other address of its network makes a client another client", async () => {
  stopClock();
  const headers: ((i: number) => Record<string, string>)[] = [
    (i) => ({ "cf-connecting-ip": `2001:db8:f00:1::${i + 1}` }),
    (i) => ({ "x-forwarded-for": `198.51.100.${i}` }),
    (i) => ({ forwarded: `for=198.51.100.${i}` }),
    (i) => ({ "x-real-ip": `198.51.100.${i}`, "true-client-ip": `198.51.100.${i}` }),
  ];
  const looked = headers.map(async (make) => {
    const { username } = await makeUser();
    const tries = await times(15, (i) => login(username, "wrong password", "198.51.100.200", make(i)));
    return byStatus(tries).get(401)?.length;
  });
  expect(await Promise.all(looked)).toEqual(headers.map(() => LOGIN_MAX_FAILURES));
});

it("a limit of sessions that is reached is not a failed login", async () => {
  stopClock();
  const { username } = await makeUser();
  const from = address();
  for (let i = 0; i < LOGIN_MAX_FAILURES + 2; i++) {
    expect((await login(username, PASSWORD, from)).status).toBe(200);
  }
  refused(await login(username, "wrong password", from), 401, "invalid_credentials");
});

it("a new password set by an admin ends the block", async () => {
  stopClock();
  const { username } = await makeUser();
  const from = address();
  await times(LOGIN_MAX_FAILURES, () => login(username, "wrong password", from));
  refused(await login(username, PASSWORD, from), 429, "too_many_attempts");
  const body = { password: "another fine password" };
  await api("PATCH", `/admin/users/${username}`, { token: (await anotherAdmin()).token, body });
  expect((await login(username, body.password, from)).status).toBe(200);
});

it("one address makes so many attempts a minute, at whomever", async () => {
  stopClock();
  const { username } = await makeUser();
  const from = address();
  const blocked = freshName("nobody");
  await times(LOGIN_MAX_FAILURES, () => login(blocked, "wrong password", from));
  // 600 a minute; twice as many in case a minute ends meanwhile.
  let limited: Answer | undefined;
  for (let i = 0; i < 24 && !limited; i++) {
    const answers = await times(50, () => login(blocked, "wrong password", from));
    limited = answers.find(({ headers }) => headers.get("retry-after") === "60");
    if (!limited) continue;
    const right = await login(username, PASSWORD, from);
    if (right.status === 200) limited = undefined;
    else refused(right, 429, "too_many_attempts");
  }
  expect(limited?.status).toBe(429);
  expect((await login(username, PASSWORD, address())).status).toBe(200);
});
