// Guessing at passwords: what it tells, how it is slowed down, and whom it does not lock out.
import { afterEach, expect, it, vi } from "vitest";
import { anotherAdmin, freshName, logIn, makeUser, PASSWORD } from "../support/worker/users.ts";
import { type Answer, api, refused } from "../support/worker/api.ts";
import { address, byStatus, login, LOGIN_MAX_FAILURES, stopClock, times } from "../support/worker/guesses.ts";

// Answers to failures are held back, by two seconds in the end.
vi.setConfig({ testTimeout: 30_000 });

afterEach(() => {
  vi.useRealTimers();
});

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
  const tries = (name: string, from: string) =>
    times(LOGIN_MAX_FAILURES + 2, () => login(name, "wrong password", from));
  const count = (answers: Answer[]) =>
    [...byStatus(answers)].map(([status, list]) => [status, list.length]).sort();
  const both = await Promise.all([tries(username, known), tries(freshName("nobody"), unknown)]);
  expect(both.map(count)).toEqual(
    Array(2).fill([
      [401, LOGIN_MAX_FAILURES],
      [429, 2],
    ]),
  );
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
  for (const wait of [1, 2, 4]) {
    const blocked = await times(5, () => login(username, "wrong password", attacker));
    expect(blocked.map(({ status, headers }) => [status, headers.get("retry-after")])).toEqual(
      Array(5).fill([429, String(wait)]),
    );
    now += wait * 1_000;
    vi.setSystemTime(now - 1);
    expect((await login(username, PASSWORD, attacker)).status).toBe(429);
    vi.setSystemTime(now);
    const right = wait === 4;
    const answer = await login(username, right ? PASSWORD : "wrong password", attacker);
    expect(answer.status).toBe(right ? 200 : 401);
  }
});

it("U03 failures are slowed down before they are refused", async () => {
  const { username } = await makeUser();
  const from = address();
  const began = performance.now();
  // The delays of the third and fourth: 200 and 400 ms.
  for (let i = 0; i < 4; i++)
    refused(await login(username, "wrong password", from), 401, "invalid_credentials");
  expect(performance.now() - began).toBeGreaterThan(600);
});

it("U03 many addresses that fail slow down new ones for a short while, and not where the user comes from", async () => {
  const start = stopClock();
  const { username } = await makeUser();
  const home = address();
  expect((await login(username, PASSWORD, home)).status).toBe(200);
  const guesses = await times(60, () => login(username, "wrong password", address()));
  expect(byStatus(guesses).get(401)).toHaveLength(LOGIN_MAX_FAILURES * 5);

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
