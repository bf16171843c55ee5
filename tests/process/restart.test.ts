// Killed without warning and started again on the same data.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { PASSWORD, times } from "../support/process/client.ts";
import { Killable } from "../support/process/killable.ts";
import { secrets } from "../support/process/server.ts";

let persist: string;
let server: Killable;
let bindings: Record<string, string>;

beforeEach(async () => {
  persist = mkdtempSync(join(tmpdir(), "sallyport-"));
  // A restart may take longer than the usual ten seconds.
  bindings = { ...secrets(), REFRESH_GRACE_SECONDS: "300" };
  server = await Killable.start(persist, bindings);
});
afterEach(async () => {
  await server.kill();
  rmSync(persist, { recursive: true, force: true });
});

async function restart() {
  await server.kill();
  server = await Killable.start(persist, bindings);
  return server.client;
}

it("1,000 parallel refreshes after a kill give the successor that was made before it", async () => {
  const tokens = await server.client.someone();
  const next = (await server.client.refresh(tokens.refresh_token)).json;
  const client = await restart();
  const answers = await times(1000, () => client.refresh(tokens.refresh_token));
  expect(new Set(answers.map((answer) => answer.json.refresh_token))).toEqual(new Set([next.refresh_token]));
});

it("an old token is still reuse after a kill, and a live session still lives", async () => {
  const username = await server.client.user();
  const [tokens, other] = [await server.client.login(username), await server.client.login(username)];
  const second = (await server.client.refresh(tokens.refresh_token)).json;
  await server.client.refresh(second.refresh_token);
  const client = await restart();
  expect((await client.refresh(tokens.refresh_token)).json.code).toBe("refresh_token_reused");
  expect((await client.protected(second.access_token)).json.reason).toBe("reuse");
  expect((await client.protected(other.access_token)).status).toBe(200);
});

it("a revocation that was answered holds after a kill", async () => {
  const tokens = await server.client.someone();
  expect((await server.client.call("POST", "/auth/logout", tokens.access_token)).status).toBe(200);
  const client = await restart();
  expect((await client.protected(tokens.access_token)).json.reason).toBe("logout");
});

it("killed in a storm of refreshes, every session has exactly one token that works", async () => {
  const { client: first } = server;
  const usernames = await times(4, () => first.user());
  const all = await Promise.all(usernames.map((username) => first.login(username)));
  const current = all.map((tokens) => ({ held: tokens, before: tokens }));
  let killed = false;
  const storm = current.map(async (session) => {
    while (!killed) {
      const answer = await first.refresh(session.held.refresh_token).catch(() => undefined);
      if (answer?.status !== 200) return;
      [session.before, session.held] = [session.held, answer.json];
    }
  });
  await expect.poll(() => current.every(({ held }, index) => held !== all[index])).toBe(true);
  killed = true;
  await server.kill();
  await Promise.all(storm);
  const client = await restart();
  for (const { held } of current) {
    // The answer to the last refresh may have been lost: the token that the client holds must work all the same.
    const again = await client.refresh(held.refresh_token);
    expect(again.status, again.text).toBe(200);
    expect((await client.protected(again.json.access_token)).status).toBe(200);
    expect((await client.refresh(held.refresh_token)).status, "within the grace").toBe(200);
  }
});

it("killed in a storm of logins, the limit holds and no place is lost", async () => {
  const username = await server.client.user();
  const storm = times(40, () => server.client.tryLogin(username).catch(() => undefined));
  await new Promise((done) => setTimeout(done, 500));
  await server.kill();
  const before = (await storm).flatMap((login) => (login?.status === 200 ? [login.json.access_token] : []));
  const client = await restart();
  const mine = await client.login(username);
  const works = await Promise.all(before.map((token) => client.protected(token)));
  expect(works.filter((check) => check.status === 200).length).toBeLessThanOrEqual(5);
  const logins = await times(10, () => client.tryLogin(username));
  expect(logins.every((login) => login.status === 200)).toBe(true);
  const checks = await Promise.all(
    [mine, ...logins.map((login) => login.json)].map((tokens) => client.protected(tokens.access_token)),
  );
  expect(checks.filter((check) => check.status === 200)).toHaveLength(5);
});

it("keeps no password and no token in readable form", async () => {
  const { client } = server;
  const username = await client.user();
  const tokens = await client.login(username);
  const next = (await client.refresh(tokens.refresh_token)).json;
  await server.kill();
  const secretTexts = [PASSWORD, ...[tokens, next].flatMap((t) => [t.access_token, t.refresh_token])];
  const signatures = secretTexts.slice(1).map((token) => token.split(".")[2] ?? token);
  const files = readdirSync(persist, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(files.length).toBeGreaterThan(5);
  let seen = false;
  for (const file of files) {
    const content = readFileSync(join(file.parentPath, file.name)).toString("latin1");
    seen ||= content.includes(username);
    for (const text of [...secretTexts, ...signatures]) expect(content.includes(text), file.name).toBe(false);
  }
  expect(seen, "the data is where the test looks").toBe(true);
});
