// Killed without warning and started again on the same data: once between requests, and once in a storm of them.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Answer, PASSWORD, times, type Tokens } from "../support/process/client.ts";
import { Killable } from "../support/process/killable.ts";
import { secrets } from "../support/process/server.ts";

const persist = mkdtempSync(join(tmpdir(), "sallyport-"));
// A restart may take longer than the usual ten seconds.
const bindings = { ...secrets(), REFRESH_GRACE_SECONDS: "300" };

let server: Killable;
beforeAll(async () => {
  server = await Killable.start(persist, bindings);
});
afterAll(async () => {
  await server.kill();
  rmSync(persist, { recursive: true, force: true });
});

async function restart(): Promise<void> {
  await server.kill();
  server = await Killable.start(persist, bindings);
}

describe("killed between requests", () => {
  let [rotated, next, reused, second, other, loggedOut]: Tokens[] = [];
  let username: string;
  beforeAll(async () => {
    const { client } = server;
    username = await client.user();
    [rotated, reused, other, loggedOut] = await times(4, () => client.login(username));
    next = (await client.refresh(rotated?.refresh_token ?? "")).json;
    second = (await client.refresh(reused?.refresh_token ?? "")).json;
    await client.refresh(second?.refresh_token ?? "");
    expect((await client.call("POST", "/auth/logout", loggedOut?.access_token)).status).toBe(200);
    await server.kill();
  });

  it("no password and no token lies in readable form", () => {
    const pairs = [rotated, next, reused, second, other, loggedOut];
    const tokens = pairs.flatMap((pair) => [pair?.access_token ?? "", pair?.refresh_token ?? ""]);
    const secretTexts = [PASSWORD, ...tokens, ...tokens.map((token) => token.split(".")[2] ?? token)];
    const files = readdirSync(persist, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(files.length).toBeGreaterThan(5);
    let seen = false;
    for (const file of files) {
      const content = readFileSync(join(file.parentPath, file.name)).toString("latin1");
      seen ||= content.includes(username);
      for (const text of secretTexts) expect(content.includes(text), file.name).toBe(false);
    }
    expect(seen, "the data is where the test looks").toBe(true);
  });

  it("1,000 parallel refreshes give the successor that was made before", async () => {
    await restart();
    const answers = await times(1000, () => server.client.refreshAgain(rotated?.refresh_token ?? ""));
    expect(new Set(answers.map((answer) => answer.json.refresh_token))).toEqual(
      new Set([next?.refresh_token]),
    );
  });

  it("an old token is still reuse, and a live session still lives", async () => {
    const { client } = server;
    expect((await client.refresh(reused?.refresh_token ?? "")).json.code).toBe("refresh_token_reused");
    expect((await client.protected(second?.access_token ?? "")).json.reason).toBe("reuse");
    expect((await client.protected(other?.access_token ?? "")).status).toBe(200);
  });

  it("a revocation that was answered holds", async () => {
    expect((await server.client.protected(loggedOut?.access_token ?? "")).json.reason).toBe("logout");
  });
});

describe("killed in a storm of refreshes and logins", () => {
  /** The token that a client holds, and the one before. */
  let sessions: { held: Tokens; before: Tokens }[] = [];
  let username: string;
  let loggedIn: string[];
  beforeAll(async () => {
    const { client } = server;
    const usernames = await times(4, () => client.user());
    username = await client.user();
    const first = await Promise.all(usernames.map((name) => client.login(name)));
    sessions = first.map((tokens) => ({ held: tokens, before: tokens }));
    let killed = false;
    const refreshes = sessions.map(async (session) => {
      while (!killed) {
        const answer = await client.refresh(session.held.refresh_token).catch(() => undefined);
        if (answer?.status !== 200) return;
        [session.before, session.held] = [session.held, answer.json];
      }
    });
    const answered: Answer[] = [];
    let cutOff = 0;
    const logins = times(20, async () => {
      // Until the kill, so that there are always some under way; or until the client's address has had its share.
      while (!killed) {
        const answer = await client.tryLogin(username).catch(() => undefined);
        if (!answer) cutOff++;
        if (answer?.status !== 200) return;
        answered.push(answer);
      }
    });
    await vi.waitFor(
      () => {
        expect(sessions.every(({ held }, n) => held !== first[n])).toBe(true);
        expect(answered.length).toBeGreaterThan(5);
      },
      { timeout: 60_000, interval: 5 },
    );
    killed = true;
    await server.kill();
    await Promise.all([...refreshes, logins]);
    expect(cutOff, "some had no answer yet").toBeGreaterThan(0);
    loggedIn = answered.map(({ json }) => json.access_token);
    await restart();
  });

  it("every session has exactly one token that works", async () => {
    const { client } = server;
    for (const { held } of sessions) {
      // The answer to the last refresh may have been lost: the token that the client holds must work all the same.
      const again = await client.refresh(held.refresh_token);
      expect(again.status, again.text).toBe(200);
      expect((await client.protected(again.json.access_token)).status).toBe(200);
      expect((await client.refresh(held.refresh_token)).status, "within the grace").toBe(200);
    }
  });

  it("the limit holds and no place is lost", async () => {
    const { client } = server;
    const works = await Promise.all(loggedIn.map((token) => client.protected(token)));
    expect(works.filter((check) => check.status === 200).length).toBeLessThanOrEqual(5);
    const mine = await client.login(username);
    const logins = await times(10, () => client.tryLogin(username));
    expect(logins.every((login) => login.status === 200)).toBe(true);
    const checks = await Promise.all(
      [mine, ...logins.map((login) => login.json)].map((tokens) => client.protected(tokens.access_token)),
    );
    expect(checks.filter((check) => check.status === 200)).toHaveLength(5);
  });
});
