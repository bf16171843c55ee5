// What settings change: time limits that are short enough to wait for, the limit's policy, faults.
import { expect, it } from "vitest";
import { type Answer, times } from "../support/process/client.ts";
import { secret, start } from "../support/process/server.ts";

it("an alarm ends an idle session by itself, and one that is used outlives its inactivity timeout", async () => {
  await using server = await start({ bindings: { SESSION_INACTIVITY_TIMEOUT_SECONDS: "3" } });
  const { client, mf } = server;
  const kv = await mf.getKVNamespace("KV");
  // Those of live sessions.
  const records = async () => {
    const { keys } = await kv.list({ prefix: "session:" });
    return keys.filter(({ metadata }) => !Object.hasOwn(metadata ?? {}, "ended")).length;
  };
  expect(await records()).toBe(0);
  const [idle, used] = [await client.someone(), await client.someone()];
  const lasting = Date.now() + 7000;
  // Nobody asks for the others: only their alarms can have ended them.
  while (Date.now() < lasting || (await records()) > 1) {
    expect(Date.now(), "an alarm does not come").toBeLessThan(lasting + 15_000);
    expect((await client.protected(used.access_token)).status).toBe(200);
    await new Promise((done) => setTimeout(done, 300));
  }
  expect(await records()).toBe(1);
  const answer = await client.refresh(idle.refresh_token);
  expect([answer.json.code, answer.json.reason]).toEqual(["session_inactivity_timeout", "inactivity"]);
  expect((await client.protected(idle.access_token)).json.code).toBe("session_inactivity_timeout");
});

it("the policy reject refuses the login at the limit, whoever comes at once; the debug route can be switched off", async () => {
  await using server = await start({
    bindings: { SESSION_LIMIT_POLICY: "reject", MAX_CONCURRENT_SESSIONS_PER_USER: "3", DEBUG_ROUTES: "off" },
  });
  const { client } = server;
  // The admin is at the limit as well, so the user is made with the first session.
  const username = await client.user();
  const logins = await times(30, () => client.tryLogin(username));
  const accepted = logins.filter((login) => login.status === 200);
  expect(accepted).toHaveLength(3);
  for (const login of logins.filter((l) => l.status !== 200)) {
    expect([login.status, login.json.code]).toEqual([403, "session_limit_exceeded"]);
  }
  await client.call("POST", "/auth/logout", accepted[0]?.json.access_token);
  const { access_token } = await client.login(username);
  expect((await client.call("GET", "/debug/session-info", access_token)).status).toBe(404);
});

it("without its secrets, with short or sample ones, it serves nothing and names all faults in the log only", async () => {
  const sample = "change-me-change-me-change-me-change-me";
  await using server = await start({
    bindings: {
      TOKEN_SIGNING_KEYS: `k1:${sample}`,
      SEALING_KEYS: "s1:short",
      MAX_CONCURRENT_SESSIONS_PER_USER: "0",
    },
  });
  const { client, lines } = server;
  for (const [method, path] of [
    ["GET", "/health"],
    ["POST", "/auth/login"],
    ["GET", "/auth/verify"],
  ] as const) {
    const answer = await client.call(method, path);
    expect([answer.status, answer.json.code]).toEqual([503, "configuration_error"]);
    expect(answer.text).not.toContain("KEYS");
  }
  // The runtime hands its lines over when it comes to it.
  const log = () => lines.join("\n");
  for (const name of ["TOKEN_SIGNING_KEYS", "SEALING_KEYS", "MAX_CONCURRENT_SESSIONS_PER_USER"]) {
    await expect.poll(log).toContain(name);
  }
  expect(log()).not.toContain(sample);
});

it("C07 without ALLOWED_ORIGINS no page is told anything; one that no browser says is named in the log; pages hear of other faults", async () => {
  const origin = "https://app.example.com";
  const asked = async (bindings: Record<string, string>, status: number, said?: string) => {
    await using server = await start({ bindings });
    const answer = await server.client.call("GET", "/health", undefined, undefined, { origin });
    expect(answer.status, answer.text).toBe(status);
    if (said !== undefined) await expect.poll(() => server.lines.join("\n")).toContain(said);
    return ["access-control-allow-origin", "vary"].map((name) => answer.headers.get(name));
  };
  expect(await asked({}, 200)).toEqual([null, null]);
  expect(await asked({ ALLOWED_ORIGINS: origin }, 200)).toEqual([origin, "Origin"]);
  const named = "ALLOWED_ORIGINS entry 2 (localhost:*) may leave its port open";
  expect(await asked({ ALLOWED_ORIGINS: `${origin},http://localhost:*` }, 503, named)).toEqual([null, null]);
  expect(await asked({ ALLOWED_ORIGINS: origin, SESSION_CHECK: "lax" }, 503, "SESSION_CHECK")).toEqual([
    origin,
    "Origin",
  ]);
});

it("D03 service keys can be switched off in development only", async () => {
  const outcome = async (bindings: Record<string, string>, status: number, said: boolean) => {
    await using server = await start({ bindings });
    expect((await server.client.call("GET", "/health")).status).toBe(status);
    await expect.poll(() => server.lines.some((line) => line.includes("SERVICE_AUTH is off"))).toBe(said);
  };
  await outcome({ SERVICE_AUTH: "off" }, 503, true);
  await outcome({ SERVICE_AUTH: "off", ENVIRONMENT: "production" }, 503, true);
  await outcome({ SERVICE_AUTH: "off", ENVIRONMENT: "development" }, 200, false);
});

it("a signing key can be rotated without logging anybody out, and an old one be taken away", async () => {
  const [k1, k2] = [`k1:${secret()}`, `k2:${secret()}`];
  const sealing = `s1:${secret()}`;
  const bindings = { TOKEN_SIGNING_KEYS: k1, SEALING_KEYS: sealing, BOOTSTRAP_KEY: secret() };
  const { mkdtempSync, rmSync } = await import("node:fs");
  const persist = mkdtempSync(`${(await import("node:os")).tmpdir()}/sallyport-`);
  let tokens;
  {
    await using server = await start({ bindings, persist });
    tokens = await server.client.someone();
  }
  let renewed;
  {
    await using server = await start({
      bindings: { ...bindings, TOKEN_SIGNING_KEYS: `${k2},${k1}` },
      persist,
    });
    expect((await server.client.protected(tokens.access_token)).status).toBe(200);
    renewed = (await server.client.refresh(tokens.refresh_token)).json;
  }
  {
    await using server = await start({ bindings: { ...bindings, TOKEN_SIGNING_KEYS: k2 }, persist });
    expect((await server.client.protected(tokens.access_token)).json.code).toBe("token_invalid");
    expect((await server.client.protected(renewed.access_token)).status).toBe(200);
  }
  rmSync(persist, { recursive: true, force: true });
});

it("attempts from one client address are counted by the platform, also for different users", async () => {
  const limited = {
    ratelimits: { LOGIN_RATE_LIMITER: { namespace_id: "1", simple: { limit: 4, period: 60 } } },
  };
  await using server = await start({ worker: limited });
  const answers: Answer[] = [];
  while (answers.length < 10 && answers.at(-1)?.status !== 429)
    answers.push(await server.client.tryLogin(`nobody-${answers.length}`));
  expect(answers.slice(0, -1).map((answer) => answer.status)).toEqual(Array(answers.length - 1).fill(401));
  // Four; or as many again where a minute of the clock has ended meanwhile.
  expect(answers.length - 1).toBeGreaterThanOrEqual(4);
  expect(answers.length - 1).toBeLessThanOrEqual(8);
  expect(answers.at(-1)?.status).toBe(429);
  expect(answers.at(-1)?.json.code).toBe("too_many_attempts");
  expect(answers.at(-1)?.headers.get("retry-after")).toBe("60");
});
