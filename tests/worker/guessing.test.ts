// Guessing at passwords: what it tells, how it is slowed down, and whom it does not lock out.
import { afterEach, expect, it, vi } from "vitest";
import { anotherAdmin, freshName, logIn, makeUser, PASSWORD } from "./support/users.ts";
import { type Answer, api, refused } from "./support/api.ts";

/** The setting's default: failures from one address before it is refused for a while. */
const LOGIN_MAX_FAILURES = 10;

afterEach(() => {
  vi.useRealTimers();
});

let count = 0;
/** A client that no other test is. */
const address = () => `2001:db8:1:${(++count).toString(16)}::1`;
const HOME = "192.0.2.10";

const login = (username: string, password: string, from = HOME, headers: Record<string, string> = {}) =>
  api("POST", "/auth/login", { body: { username, password }, headers: { "cf-connecting-ip": from, ...headers } });

const times = <T>(n: number, make: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: n }, (_, i) => make(i)));

const statuses = (answers: Answer[]) => Map.groupBy(answers, (answer) => answer.status);

/** Stops the clock, so that what is blocked stays so until the test moves it. */
const stopClock = (): number => {
  vi.useFakeTimers({ toFake: ["Date"] });
  return Date.now();
};

it("U01 an unknown user and a wrong password get the same answer", async () => {
  const { username } = await makeUser();
  const shape = ({ status, headers, text }: Answer) => ({
    status,
    text,
    headers: [...headers].filter(([name]) => name !== "x-request-id"),
  });
  const known = address();
  const unknown = address();
  // Three times, as failures are counted for both alike.
  for (let i = 0; i < 3; i++) {
    const wrong = await login(username, "wrong password", known);
    refused(wrong, 401, "invalid_credentials");
    expect(shape(await login("nobody-of-that-name", "wrong password", unknown))).toEqual(shape(wrong));
  }
});

it("U01 an unknown user is blocked as a known one is", async () => {
  stopClock();
  const { username } = await makeUser();
  const [known, unknown] = [address(), address()];
  const tries = (name: string, from: string) => times(LOGIN_MAX_FAILURES + 2, () => login(name, "wrong password", from));
  const count = (answers: Answer[]) => [...statuses(answers)].map(([status, list]) => [status, list.length]).sort();
  expect(count(await tries(username, known))).toEqual(count(await tries(freshName("nobody"), unknown)));
});

it("U02 a disabled user is told so only with the right password", async () => {
  const { token } = await anotherAdmin();
  const { username } = await makeUser();
  await api("PATCH", `/admin/users/${username}`, { token, body: { is_active: false } });
  refused(await login(username, "wrong password"), 401, "invalid_credentials");
  refused(await login(username, PASSWORD), 403, "user_inactive");
});

it("U03 an address that fails too often is refused for a while, even with the right password; others are not", async () => {
  const start = stopClock();
  const { username } = await makeUser();
  const [attacker, home] = [address(), address()];
  await times(LOGIN_MAX_FAILURES, () => login(username, "wrong password", attacker));

  const blocked = await login(username, PASSWORD, attacker);
  refused(blocked, 429, "too_many_attempts");
  expect(blocked.headers.get("retry-after")).toBe("1");
  expect((await login(username, PASSWORD, home)).status).toBe(200);

  vi.setSystemTime(start + 1_000);
  expect((await login(username, PASSWORD, attacker)).status).toBe(200);
  // A right password begins afresh.
  refused(await login(username, "wrong password", attacker), 401, "invalid_credentials");
  expect((await login(username, PASSWORD, attacker)).status).toBe(200);
});

it("U03 each further failure doubles the wait, and a failure in it costs nothing", async () => {
  let now = stopClock();
  const { username } = await makeUser();
  const attacker = address();
  await times(LOGIN_MAX_FAILURES, () => login(username, "wrong password", attacker));
  for (const wait of [1, 2, 4, 8]) {
    const blocked = await times(5, () => login(username, "wrong password", attacker));
    expect(blocked.map(({ status, headers }) => [status, headers.get("retry-after")])).toEqual(
      Array(5).fill([429, String(wait)]),
    );
    now += wait * 1_000;
    vi.setSystemTime(now - 1);
    expect((await login(username, PASSWORD, attacker)).status).toBe(429);
    vi.setSystemTime(now);
    refused(await login(username, "wrong password", attacker), 401, "invalid_credentials");
  }
}, 20_000);

it("U03 failures are slowed down before they are refused", async () => {
  const { username } = await makeUser();
  const from = address();
  const began = performance.now();
  // The delays of the third and fourth: 200 and 400 ms.
  for (let i = 0; i < 4; i++) refused(await login(username, "wrong password", from), 401, "invalid_credentials");
  expect(performance.now() - began).toBeGreaterThan(600);
});

it("U03 many addresses that fail slow down new ones for a short while, and not where the user comes from", async () => {
  const start = stopClock();
  const { username } = await makeUser();
  const home = address();
  expect((await login(username, PASSWORD, home)).status).toBe(200);
  const guesses = await times(60, () => login(username, "wrong password", address()));
  expect(statuses(guesses).get(401)).toHaveLength(LOGIN_MAX_FAILURES * 5);

  refused(await login(username, PASSWORD, address()), 429, "too_many_attempts");
  expect((await login(username, PASSWORD, home)).status).toBe(200);
  vi.setSystemTime(start + 30_000);
  expect((await login(username, PASSWORD, address())).status).toBe(200);
});

it("U03 a session that is there goes on while its user's password is guessed at", async () => {
  stopClock();
  const { username } = await makeUser();
  const { access_token: token, refresh_token } = await logIn(username);
  const attacker = address();
  await times(LOGIN_MAX_FAILURES + 1, () => login(username, "wrong password", attacker));
  const headers = { "cf-connecting-ip": attacker };
  expect((await api("GET", "/auth/profile", { token, headers })).status).toBe(200);
  expect((await api("POST", "/auth/refresh", { body: { refresh_token }, headers })).status).toBe(200);
});

it("U04 of many guesses at once no more are looked at than one after the other", async () => {
  stopClock();
  const { username } = await makeUser();
  const from = address();
  const answers = statuses(await times(60, (i) => login(username, `wrong password ${i}`, from)));
  expect([...answers.keys()].sort()).toEqual([401, 429]);
  expect(answers.get(401)).toHaveLength(LOGIN_MAX_FAILURES);
  for (const { headers } of answers.get(429) ?? []) expect(headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
});

it("U04 a right password among many wrong ones does not make room for more of them", async () => {
  stopClock();
  const { username } = await makeUser();
  const from = address();
  const answers = statuses(await times(40, (i) => login(username, i === 5 ? PASSWORD : "wrong password", from)));
  expect(answers.get(200) ?? []).toHaveLength(1);
  // Those before it and those after it, at the most.
  expect(answers.get(401)?.length).toBeLessThanOrEqual(5 + LOGIN_MAX_FAILURES);
});

it("U03 spellings of a name share their failures", async () => {
  stopClock();
  const { username } = await makeUser();
  const from = address();
  const spellings = [username, username.toUpperCase(), username.replace("u", "\uff55"), username.replace("s", "\u017f")];
  const tries = await times(20, (i) => login(spellings[i % 3] ?? "", "wrong password", from));
  expect(statuses(tries).get(401)).toHaveLength(LOGIN_MAX_FAILURES);
  refused(await login(username, PASSWORD, from), 429, "too_many_attempts");
});

it.each([
  ["another address of its network", (i: number) => ({ "cf-connecting-ip": `2001:db8:f00:1::${i + 1}` })],
  ["X-Forwarded-For", (i: number) => ({ "x-forwarded-for": `198.51.100.${i}` })],
  ["Forwarded", (i: number) => ({ forwarded: `for=198.51.100.${i}` })],
  ["X-Real-IP", (i: number) => ({ "x-real-ip": `198.51.100.${i}`, "true-client-ip": `198.51.100.${i}` })],
])("I14 %s makes a client no other client", async (_what, headers) => {
  stopClock();
  const { username } = await makeUser();
  const answers = statuses(await times(20, (i) => login(username, "wrong password", "198.51.100.200", headers(i))));
  expect(answers.get(401)).toHaveLength(LOGIN_MAX_FAILURES);
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
  }
  expect(limited?.status).toBe(429);
  refused(await login(username, PASSWORD, from), 429, "too_many_attempts");
  expect((await login(username, PASSWORD, address())).status).toBe(200);
}, 30_000);
