// Renewals: the bank is asked each time, once for all who come at the same time, and only its own word ends a session.
// Natively: crates/sim/tests/sessions/renewal.rs.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { api, refused } from "../support/worker/api.ts";
import {
  asked,
  fakeBank,
  freshCif,
  init,
  ownerStub,
  type Pair,
  protectedRoute,
  renew,
  sessionStub,
  tryInit,
  tryRenew,
  upstreams,
} from "../support/worker/post_login.ts";
import { eventually } from "../support/worker/runtime.ts";
import { claimsOf } from "../support/worker/tokens.ts";
import { advance, SECOND, standingClock } from "../support/worker/time.ts";
import type { Fault } from "../upstreams/types.ts";

standingClock();
fakeBank();

const alive = async ({ token }: Pair) => expect((await protectedRoute(token)).status).toBe(200);
const ended = async ({ token, refreshToken }: Pair, reason = "external") => {
  refused(await protectedRoute(token), 401, "access_token_blacklisted", reason);
  refused(await tryRenew(refreshToken), 401, "session_revoked_or_invalid", reason);
};

it("R21 many renewals at once: the bank is asked once, and all get the same pair, byte for byte", async () => {
  const cif = freshCif();
  const { refreshToken } = await init(cif);
  const hold = upstreams.hold("sme");
  const first = tryRenew(refreshToken);
  await hold.arrived;
  const others = Array.from({ length: 19 }, () => tryRenew(refreshToken));
  hold.release();
  const answers = await Promise.all([first, ...others]);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(asked(cif)).toBe(2);
  expect(upstreams.atOnce({ upstream: "sme", account: cif }).peak).toBe(1);
  // Within the grace it is the same again, and nobody is asked.
  advance(10 * SECOND);
  expect((await tryRenew(refreshToken)).text).toBe(answers[0]?.text);
  expect(asked(cif)).toBe(2);
});

const OUTAGES: [string, Fault, number, string][] = [
  ["answers 500", { fault: "status", status: 500 }, 502, "upstream_error"],
  ["answers 503 in HTML", { fault: "status", status: 503, body: "html" }, 502, "upstream_error"],
  ["answers 403", { fault: "status", status: 403 }, 502, "upstream_unintelligible"],
  ["answers 404", { fault: "status", status: 404 }, 502, "upstream_unintelligible"],
  ["limits its calls", { fault: "status", status: 429, retry_after: 7 }, 502, "upstream_rate_limited"],
  ["answers HTML", { fault: "html_200" }, 502, "upstream_unintelligible"],
  ["answers half", { fault: "half_json" }, 502, "upstream_unintelligible"],
  ["answers something else", { fault: "wrong_json" }, 502, "upstream_unintelligible"],
  ["sends us elsewhere", { fault: "redirect" }, 502, "upstream_redirected"],
  ["breaks the connection", { fault: "reset" }, 502, "upstream_unreachable"],
  ["does not answer in time", { fault: "hang" }, 504, "upstream_timeout"],
];

it.each(OUTAGES)("the bank %s: nothing ends, and the same token works when it is back", async (...row) => {
  const [, fault, status, code] = row;
  const cif = freshCif();
  const pair = await init(cif);
  const heal = upstreams.fail("sme", fault, { times: "forever" });
  for (const answer of [await tryRenew(pair.refreshToken), await tryInit(freshCif())]) {
    refused(answer, status, code);
    expect(answer.headers.get("retry-after")).toBe(code === "upstream_rate_limited" ? "7" : "5");
  }
  await alive(pair);
  // Whoever does not wait loses nothing either: each attempt asks, unless the bank has said when to come again.
  const named = code === "upstream_rate_limited";
  refused(await tryRenew(pair.refreshToken), status, code);
  await eventually(
    () => asked(cif),
    (times) => times === (named ? 2 : 3),
  );
  heal();
  if (named) {
    advance(8 * SECOND);
    await init(freshCif());
  }
  await alive(await renew(pair.refreshToken));
});

it("an outage that is longer than the inactivity timeout costs nothing to whoever goes on asking", async () => {
  const pair = await init();
  const heal = upstreams.fail("sme", { fault: "status", status: 503 }, { times: "forever" });
  for (let minutes = 0; minutes < 50; minutes += 25) {
    advance(25 * 60 * SECOND);
    refused(await tryRenew(pair.refreshToken), 502, "upstream_error");
  }
  heal();
  await alive(await renew(pair.refreshToken));
});

it.each([
  ["has expired", "external_token_expired", (): void => upstreams.set({ sme: { is_expire: true } })],
  [
    "says nothing of it",
    "external_token_expired",
    (): void => upstreams.set({ sme: { is_expire: "missing" } }),
  ],
  ["is refused", "external_token_invalid", (): void => void upstreams.revoke("sme")],
  ["is somebody else's", "external_token_invalid", (): void => upstreams.set({ sme: { user_id: "other" } })],
] as const)("a token that %s ends the session, for all who ask at once", async (_what, code, happens) => {
  const cif = freshCif();
  const pair = await init(cif);
  const other = await init(cif);
  happens();
  const hold = upstreams.hold("sme");
  const passed = vi.spyOn(env.SESSION, "get");
  const both = [tryRenew(pair.refreshToken), tryRenew(pair.refreshToken)];
  await hold.arrived;
  // Both are on their way to the object, and are there when it answers what it is asked after them.
  await eventually(
    () => passed.mock.calls.length,
    (n) => n === 2,
  );
  await sessionStub(pair.token).command('"peek"');
  hold.release();
  for (const answer of await Promise.all(both)) refused(answer, 401, code, "external");
  expect(asked(cif)).toBe(3);
  await ended(pair);
  // The other session of the customer is verified when it is renewed, and not before.
  await alive(other);
});

it("a logout during the verification wins", async () => {
  const pair = await init();
  const hold = upstreams.hold("sme");
  const renewal = tryRenew(pair.refreshToken);
  await hold.arrived;
  expect((await api("POST", "/auth/logout", { token: pair.token })).status).toBe(200);
  hold.release();
  refused(await renewal, 401, "session_revoked_or_invalid", "logout");
  await ended(pair, "logout");
});

it("requests are answered while the bank is thinking", async () => {
  const pair = await init();
  const hold = upstreams.hold("sme");
  const renewal = tryRenew(pair.refreshToken);
  await hold.arrived;
  await alive(pair);
  hold.release();
  expect((await renewal).status).toBe(200);
});

it("R27 rotation is remembered over an eviction, and so is the external token", async () => {
  const first = await init();
  const second = await renew(first.refreshToken);
  await evictDurableObject(sessionStub(first.token));
  expect((await renew(first.refreshToken)).refreshToken).toBe(second.refreshToken);
  const third = await renew(second.refreshToken);
  await evictDurableObject(sessionStub(first.token));
  refused(await tryRenew(first.refreshToken), 401, "refresh_token_reused", "reuse");
  await ended(third, "reuse");
});

it("an object that goes away in the middle of a verification leaves the same refresh token good", async () => {
  const pair = await init();
  const hold = upstreams.hold("sme");
  const renewal = tryRenew(pair.refreshToken);
  await hold.arrived;
  const evicted = evictDurableObject(sessionStub(pair.token)).catch(() => {});
  hold.release();
  await evicted;
  const answer = await renewal;
  expect([200, 503]).toContain(answer.status);
  const next = await renew(pair.refreshToken);
  if (answer.status === 200) expect(next.refreshToken).toBe(answer.json.refreshToken);
  expect(claimsOf(next.token).gen).toBe(1);
  await alive(next);
});

it("D06 the external token lies sealed, in the session's object only, and goes with the session", async () => {
  const cif = freshCif();
  const pair = await init(cif);
  const stored = () =>
    runInDurableObject(sessionStub(pair.token), (_, state) => Object.fromEntries(state.storage.kv.list()));
  const before = await stored();
  expect(Object.keys(before).sort()).toEqual(["external", "session"]);
  expect(before.external).toMatch(/^s1\.[\w-]+$/);
  expect(JSON.stringify(before)).not.toContain(`key-of-${cif}`);
  for (const jwt of [pair.token, pair.refreshToken])
    expect(atob(jwt.split(".")[1] ?? "")).not.toContain("key-of");
  const owner = await runInDurableObject(ownerStub(`VPB-SME-${cif}`), (_, state) =>
    JSON.stringify([...state.storage.kv.list()]),
  );
  expect(owner).not.toContain("key-of");
  upstreams.revoke("sme", cif);
  refused(await tryRenew(pair.refreshToken), 401, "external_token_invalid", "external");
  expect(Object.keys(await stored())).toEqual(["session"]);
});

it("D07 an external token that cannot be opened: 503, and nothing ends", async () => {
  const [one, other] = [await init(), await init()];
  const change = (pair: Pair, to: (sealed: string) => string) =>
    runInDurableObject(sessionStub(pair.token), (_, { storage: { kv } }) =>
      kv.put("external", to(kv.get<string>("external") ?? "")),
    );
  let sealed = "";
  await change(one, (text) => (sealed = text));
  // D08: also that of another session.
  for (const broken of [
    (text: string) => text.slice(0, -2) + (text.endsWith("A") ? "BB" : "AA"),
    () => sealed,
  ]) {
    await change(other, broken);
    refused(await tryRenew(other.refreshToken), 503, "credential_unreadable");
    await alive(other);
  }
  await alive(await renew(one.refreshToken));
});
