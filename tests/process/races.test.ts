// Many at once, over HTTP, against the bundle that is deployed.
import { afterAll, beforeAll, expect, it } from "vitest";
import { tally, times, type Tokens } from "../support/process/client.ts";
import { type Server, start } from "../support/process/server.ts";

let server: Server;
/** A session that nobody asks for until the last test, and when it was last asked for. */
let [left, leftAt]: [[Tokens, Tokens] | undefined, number] = [undefined, 0];
beforeAll(async () => {
  server = await start();
  const tokens = await server.client.someone();
  left = [tokens, (await server.client.refresh(tokens.refresh_token)).json];
  leftAt = Date.now();
});
afterAll(() => server[Symbol.asyncDispose]());

it("1,000 parallel refreshes of one token give one successor", async () => {
  const { client } = server;
  const tokens = await client.someone();
  const answers = await times(1000, () => client.refreshAgain(tokens.refresh_token));
  expect(tally(answers.map((answer) => answer.status))).toEqual(new Map([[200, 1000]]));
  // What is left of their time may differ, where a busy machine takes longer than the grace.
  const pairs = answers.map(({ json }) => `${json.access_token} ${json.refresh_token}`);
  expect(new Set(pairs).size).toBe(1);
  const next = answers[0]?.json;
  expect(next.refresh_token).not.toBe(tokens.refresh_token);
  expect((await client.protected(next.access_token)).status).toBe(200);
  expect((await client.refresh(next.refresh_token)).status).toBe(200);
  const reused = await client.refresh(tokens.refresh_token);
  expect([reused.status, reused.json.code]).toEqual([401, "refresh_token_reused"]);
});

it("a refresh beside a logout never leaves a token that works", async () => {
  const { client } = server;
  const username = await client.user();
  for (let round = 0; round < 15; round++) {
    const tokens = await client.login(username);
    const [refreshed, loggedOut] = await Promise.all([
      client.refresh(tokens.refresh_token),
      client.call("POST", "/auth/logout", tokens.access_token),
    ]);
    expect(loggedOut.status).toBe(200);
    const left = [tokens, ...(refreshed.status === 200 ? [refreshed.json] : [])];
    for (const pair of left) {
      expect((await client.protected(pair.access_token)).json.code).toBe("access_token_blacklisted");
      expect((await client.refresh(pair.refresh_token)).json.code).toBe("session_revoked_or_invalid");
    }
  }
});

it("a refresh beside the end of all sessions by an admin never leaves a token that works", async () => {
  const { client } = server;
  const username = await client.user();
  const admin = await client.admin();
  for (let round = 0; round < 8; round++) {
    const tokens = await client.login(username);
    const [refreshed, ended] = await Promise.all([
      client.refresh(tokens.refresh_token),
      client.call("DELETE", `/admin/users/${username}/sessions`, admin),
    ]);
    expect(ended.status).toBe(200);
    const newest = refreshed.status === 200 ? refreshed.json : tokens;
    const answer = await client.protected(newest.access_token);
    expect([answer.json.code, answer.json.reason]).toEqual(["access_token_blacklisted", "admin"]);
    expect((await client.refresh(newest.refresh_token)).status).toBe(401);
  }
});

it("40 parallel logins against a limit of 5 leave exactly 5", async () => {
  const { client } = server;
  const username = await client.user();
  const logins = await times(40, () => client.tryLogin(username));
  expect(tally(logins.map((login) => login.status))).toEqual(new Map([[200, 40]]));
  const checks = await Promise.all(logins.map((login) => client.protected(login.json.access_token)));
  const outcomes = tally(
    checks.map((check) => `${check.status} ${check.json.code ?? ""} ${check.json.reason ?? ""}`),
  );
  expect(outcomes).toEqual(
    new Map([
      ["401 access_token_blacklisted evicted", 35],
      ["200  ", 5],
    ]),
  );
  const alive = logins.find((_, index) => checks[index]?.status === 200)?.json.access_token;
  const list = await client.call("GET", "/auth/sessions", alive);
  expect(list.json.sessions).toHaveLength(5);
  // A limit that is reached is not a failed login.
  expect((await client.tryLogin(username)).status).toBe(200);
});

it("20 validations beside a refresh all pass", async () => {
  const { client } = server;
  const tokens = await client.someone();
  const [refreshed, ...checks] = await Promise.all([
    client.refresh(tokens.refresh_token),
    ...Array.from({ length: 20 }, () => client.protected(tokens.access_token)),
  ]);
  expect(refreshed.status).toBe(200);
  expect(tally(checks.map((check) => check.status))).toEqual(new Map([[200, 20]]));
});

it("logging in and out 20 times never locks anybody out", async () => {
  const { client } = server;
  const username = await client.user();
  for (let round = 0; round < 20; round++) {
    const { access_token } = await client.login(username);
    expect((await client.call("POST", "/auth/logout", access_token)).status).toBe(200);
  }
  expect(
    (await client.call("GET", "/auth/sessions", (await client.login(username)).access_token)).json.sessions,
  ).toHaveLength(1);
});

it("a session whose object was really evicted is as it was", async () => {
  const { client } = server;
  const [tokens, next] = left ?? [];
  if (!tokens || !next) expect.fail("there is no session");
  // The runtime evicts an object after about 10 s without a request, and says so to nobody.
  await new Promise((done) => setTimeout(done, Math.max(0, leftAt + 12_500 - Date.now())));
  const answers = await times(100, () => client.refreshAgain(tokens.refresh_token));
  expect(new Set(answers.map((answer) => answer.json.refresh_token))).toEqual(new Set([next.refresh_token]));
  expect((await client.protected(next.access_token)).status).toBe(200);
  const reused = await client.refresh(tokens.refresh_token);
  expect(reused.json.code).toBe("refresh_token_reused");
  expect((await client.protected(next.access_token)).json.reason).toBe("reuse");
});
