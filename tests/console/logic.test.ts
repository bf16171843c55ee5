// What the console decides by itself, on plain Node.
import { describe, expect, it } from "vitest";
import { Refusal, Secret, read, refusalOf, sent } from "../../console/src/api/call.ts";
import * as ask from "../../console/src/api/paths.ts";
import { delayAfter, isFinal } from "../../console/src/api/poll.ts";
import type { Account } from "../../console/src/api/types.ts";
import { curl } from "../../console/src/logic/curl.ts";
import { guess, queryOf } from "../../console/src/logic/find.ts";
import { countdown, device, local, relative, short, utc } from "../../console/src/logic/format.ts";
import { byUrgency, doingAbout, lifeOf } from "../../console/src/logic/life.ts";
import { bareOf, textOf } from "../../console/src/logic/page.ts";
import { hashOf, placeOf } from "../../console/src/logic/route.ts";
import { isFailure, laneOf, marksOf } from "../../console/src/logic/timeline.ts";
import { preferred } from "../../console/src/texts/index.ts";

const NOW = Date.parse("2026-11-30T09:41:00Z");
const MINUTE = 60_000;
const at = (minutes: number): string => new Date(NOW + minutes * MINUTE).toISOString();
const account = (rest: Partial<Account>): Account => ({
  provider: "upstox",
  account_id: "a",
  has_token: true,
  status: "valid",
  issued_at: at(-30),
  expires_at: at(30),
  ttl: 1800,
  source: "cron",
  last_error: null,
  next_renewal_at: at(15),
  ...rest,
});

describe("the bar of a token", () => {
  it("goes from the issue to the expiry, with now and the renewal between them", () => {
    expect(lifeOf(account({}), NOW)).toMatchObject({
      now: 50,
      renewal: 75,
      expiry: 100,
      gap: null,
      isOver: false,
    });
  });
  it("moves with the clock", () => {
    const [a, b] = [0, 15].map((minutes) => lifeOf(account({}), NOW + minutes * MINUTE)?.now);
    expect([a, b]).toEqual([50, 75]);
  });
  it("goes on to a renewal that comes after the expiry, and shows the gap between them", () => {
    const life = lifeOf(account({ next_renewal_at: at(90) }), NOW);
    expect(life).toMatchObject({ now: 25, expiry: 50, renewal: 100, gap: { from: 50, to: 100 } });
  });
  it("of an expired token ends now, or at the renewal", () => {
    expect(lifeOf(account({ expires_at: at(-10), next_renewal_at: null }), NOW)).toMatchObject({
      isOver: true,
      now: 100,
      gap: { to: 100 },
    });
    expect(lifeOf(account({ expires_at: at(-10), next_renewal_at: at(-5) }), NOW)).toMatchObject({
      now: 100,
    });
  });
  it("is not there without an expiry, and begins now where the issue is unknown", () => {
    expect(lifeOf(account({ expires_at: null }), NOW)).toBeNull();
    expect(lifeOf(account({ issued_at: null }), NOW)).toMatchObject({ from: NOW, now: 0 });
    expect(lifeOf(account({ expires_at: "never" }), NOW)).toBeNull();
  });
  it("stays within its ends whatever the clock says", () => {
    for (const now of [NOW - 1e9, NOW, NOW + 1e9])
      for (const n of Object.values(lifeOf(account({}), now) ?? {})
        .filter((n) => typeof n === "number")
        .slice(2))
        expect(n).toSatisfy((n: number) => n >= 0 && n <= 100);
  });
});

it("what needs somebody comes first, then by name as people count", () => {
  const names = [
    account({ account_id: "a10" }),
    account({ account_id: "a2" }),
    account({ account_id: "z", status: "failing" }),
    account({ account_id: "y", status: "needs_attention" }),
  ];
  expect(names.sort(byUrgency).map(({ account_id }) => account_id)).toEqual(["y", "z", "a2", "a10"]);
});

it.each([
  [{ status: "needs_attention" }, "nobody"],
  [{ status: "awaiting_approval" }, "approval"],
  [{ status: "failing" }, "retry"],
  [{ status: "failed", next_renewal_at: null }, "later"],
  [{}, "nothing_wrong"],
] as [Partial<Account>, string][])("%o: %s", (rest, doing) => expect(doingAbout(account(rest))).toBe(doing));

describe("times", () => {
  it.each([
    [-5000, "0:00"],
    [900, "0:01"],
    [9000, "0:09"],
    [725_000, "12:05"],
    [26_530_000, "7:22:10"],
    [86_400_000 * 3 + 15_000_000, "3 d 4:10"],
  ])("%i ms are %s", (ms, text) => expect(countdown(ms)).toBe(text));
  it("are told in the language", () => {
    expect(relative(NOW - 5 * MINUTE, NOW, "en")).toBe("5 min. ago");
    expect(relative(NOW - 5 * MINUTE, NOW, "es")).toBe("hace 5 min");
    expect(relative(NOW - 119 * MINUTE, NOW, "en")).toBe("1 hr. ago");
    expect(relative(NOW + 3 * 24 * 60 * MINUTE, NOW, "vi")).toMatch(/3 ngày/);
  });
  it("have their date only on another day", () => {
    expect(local(NOW, NOW, "en")).toMatch(/^\d\d:41:00$/);
    expect(local(NOW - 48 * 60 * MINUTE, NOW, "en")).toMatch(/Nov/);
    expect(utc(NOW)).toBe("2026-11-30 09:41:00 UTC");
  });
});

it.each([
  ["Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox, Linux"],
  ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge, Windows"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) Version/19.1 Safari/604.1", "Safari, iOS"],
  ["curl/8.5.0", "curl"],
  ["something", "something"],
  [null, null],
])("%s is %s", (agent, words) => expect(device(agent)).toBe(words));

it("an id is cut only where that saves something", () => {
  expect([short("0123456789abcdef"), short("0123456789")]).toEqual(["01234567…", "0123456789"]);
});

describe("what is looked for", () => {
  const id = "ab".repeat(32);
  it.each([
    ["testuser", "username"],
    ["42", "user_id"],
    ["VPB-SME-1234567890", "subject"],
    [id, "session"],
    [id.toUpperCase(), "username"],
    ["0", "username"],
  ])("%s looks like a %s", (text, kind) => expect(guess(text)).toBe(kind));
  it("is not sent where it cannot be one of its kind", () => {
    expect(queryOf("  ", "any")).toBeNull();
    expect(queryOf("abc", "session")).toBeNull();
    expect(queryOf("4294967296", "user_id")).toBeNull();
    expect(queryOf(" 42 ", "username")).toEqual({ kind: "username", text: "42" });
  });
});

describe("curl", () => {
  const base = "https://auth.example.com";
  it("of a question", () => {
    expect(curl(ask.tokens.list(), base, "key")).toBe(
      `curl -sS 'https://auth.example.com/api/v1/tokens' -H "x-api-key: $key"`,
    );
  });
  it("has secrets in variables only", () => {
    const update = ask.tokens.update("a", { token: "s3cret", expiresAt: "", owner: "it's" });
    const text = curl(update, base, "admin");
    expect(text).toBe(
      `curl -sS 'https://auth.example.com/accounts/a/token/update' -H "authorization: Bearer $SALLYPORT_TOKEN" ` +
        `-H 'content-type: application/json' -d '{"access_token":"'"$ACCESS_TOKEN"'","user_id":"it'\\''s"}'`,
    );
    expect(text).not.toContain("s3cret");
  });
  it("says the method where it is not the usual one", () => {
    expect(curl(ask.sessions.end("x"), base, "admin")).toMatch(/^curl -sS -X DELETE '/);
    expect(curl(ask.users.unlock("x"), base, "admin")).toMatch(/^curl -sS -X POST '/);
    expect(curl(ask.users.change("x", { is_active: false }), base, "admin")).toMatch(/^curl -sS -X PATCH '/);
  });
  it("keeps together what a name has in it", () => {
    expect(curl(ask.users.one("o'neil/x y"), base, "admin")).toContain("/admin/users/o'\\''neil%2Fx%20y'");
  });
});

describe("a request", () => {
  it("has the value of a secret where it is sent", () => {
    const request = ask.users.change("x", { password: new Secret("NEW_PASSWORD", "correct horse") });
    expect(sent(request, { lang: "es", passive: false })).toEqual({
      method: "PATCH",
      headers: { accept: "application/json", "accept-language": "es", "content-type": "application/json" },
      body: '{"password":"correct horse"}',
    });
  });
  it("that is polling says so", () => {
    expect(sent(ask.health, { lang: "en", passive: true }).headers["x-session-passive"]).toBe("1");
  });
  it("has only what is set in its query", () => {
    expect(ask.audit({ action: "login", outcome: "", cursor: null }).path).toBe("/admin/audit?action=login");
    expect(ask.users.from(7).path).toBe("/admin/users?cursor=6&limit=1");
    expect(ask.portal.page("emodal/a+b").path).toBe("/admin/portal-pages/emodal/a%2Bb");
  });
});

describe("an answer", () => {
  const refused = (status: number, body: string, headers: Record<string, string> = {}) =>
    read(new Response(body, { status, headers })).catch((error: unknown) => error as Refusal);
  it("that refuses is told with code, detail, request id and when to come back", async () => {
    const body = JSON.stringify({ code: "too_many_attempts", detail: "Later", reason: "admin" });
    const refusal = await refused(429, body, { "x-request-id": "r1", "retry-after": "30" });
    expect(refusal).toMatchObject({
      status: 429,
      code: "too_many_attempts",
      message: "Later",
      requestId: "r1",
      reason: "admin",
      retryAfterSeconds: 30,
    });
  });
  it("of something that is not Sallyport is an error, also with 200", async () => {
    expect(await refused(502, "<html>")).toMatchObject({ status: 502, code: "answer_not_understood" });
    expect(await refused(200, "<html>")).toMatchObject({ status: 200, code: "answer_not_understood" });
    expect(await read(new Response(null, { status: 204 }))).toBeUndefined();
    expect(refusalOf(new TypeError("Failed to fetch"))).toMatchObject({ status: 0, code: "no_answer" });
  });
});

describe("polling", () => {
  const none = () => 0;
  it("comes at its interval, and after failures twice as late each time, up to five minutes", () => {
    const delays = [0, 1, 2, 3, 9].map((failures) => delayAfter({ failures }, 15_000, none));
    expect(delays).toEqual([15_000, 30_000, 60_000, 120_000, 300_000]);
  });
  it("never comes before it may, and those that were refused together do not come together", () => {
    const outcome = { failures: 1, status: 429, retryAfterSeconds: 90 };
    expect(delayAfter(outcome, 15_000, none)).toBe(90_000);
    expect(delayAfter(outcome, 15_000, () => 1)).toBe(99_000);
  });
  it("ends where somebody has to do something first", () => {
    expect([401, 403, 404, 429, 500, 503, 0].filter(isFinal)).toEqual([401, 403, 404]);
  });
});

it("a place is told by the hash, and an unknown one is the first view", () => {
  const place = { view: "sessions", with: { find: "o'neil & co", as: "username" } } as const;
  expect(placeOf(hashOf(place))).toEqual(place);
  expect(hashOf({ view: "health", with: { action: "" } })).toBe("#health");
  expect(placeOf("#elsewhere?x=1")).toEqual({ view: "tokens", with: { x: "1" } });
  expect(placeOf("")).toEqual({ view: "tokens", with: {} });
});

describe("the last hour", () => {
  const record = (minutes: number, action: string, outcome = "ok") => ({
    id: "1",
    at: at(minutes),
    action,
    outcome,
  });
  it("has a line for what each record is about", () => {
    const actions = ["login", "expire", "refresh_token", "portal_login", "unlock_user", "exchange_code"];
    expect(actions.map((action) => laneOf({ action }))).toEqual([
      "logins",
      "sessions",
      "tokens",
      "portal",
      "admin",
      "tokens",
    ]);
  });
  it("puts together what would cover each other, and says how much of it failed", () => {
    const records = [
      record(-10, "login"),
      record(-10.1, "login", "invalid_credentials"),
      record(-40, "login"),
    ];
    const marks = marksOf(records, NOW - 60 * MINUTE, NOW, 60);
    expect(marks.map(({ records, failed }) => [records.length, failed])).toEqual([
      [1, 0],
      [1, 1],
      [1, 0],
    ]);
    expect(marksOf(records, NOW - 60 * MINUTE, NOW, 6).map(({ at, failed }) => [at, failed])).toEqual([
      [(2.5 / 6) * 100, 0],
      [(4.5 / 6) * 100, 1],
      [(5.5 / 6) * 100, 0],
    ]);
  });
  it("leaves out what is not of it", () => {
    const records = [record(-61, "login"), record(1, "login"), { ...record(0, "login"), at: "?" }];
    expect(marksOf(records, NOW - 60 * MINUTE, NOW, 60)).toEqual([]);
    // Its last moment is within its last step.
    expect(marksOf([record(0, "login")], NOW - 60 * MINUTE, NOW, 60)).toHaveLength(1);
  });
  it("an approval that is waited for is no failure", () => {
    expect(["ok", "approval_pending", "upstream_timeout"].map((outcome) => isFailure({ outcome }))).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe("a page of somebody else", () => {
  const html =
    "<!doctype html><head><title>T</title></head><body onload='x()'><h1 style='color:red'>A &amp; B&#33;</h1>" +
    "<p title='a > b'>one <b>two</b>\n three</p><script>bad('<p>')</script><!-- <p>gone</p> -->" +
    "<img src=x onerror=y><a href='https://elsewhere.example/?q'>go</a><input type=hidden name=t><style>p{}</style></body>";
  it("is read line by line", () => {
    expect(textOf(html)).toBe("A & B!\none two three\ngo");
    expect(textOf("&#0; &#x110000; &bogus; &lt;b&gt;")).toBe("&#0; &#x110000; &bogus; <b>");
  });
  it("has no attribute and no foreign element left", () => {
    expect(bareOf(html)).toBe("<h1>A &amp; B&#33;</h1><p>one <b>two</b>\n three</p><a>go</a>");
    for (const odd of [
      "<img src=x",
      "<IMG/SRC=x>",
      "<svg><a href=x>",
      "<scr<script>ipt>x</script>",
      "<iframe srcdoc=y>",
    ])
      expect(bareOf(odd)).not.toMatch(/<[^>]*=[^>]*>/);
  });
});

it("the language is the first of the person's that there is", () => {
  expect([["de-DE", "es-MX"], ["vi"], ["fr"], []].map(preferred)).toEqual(["es", "vi", "en", "en"]);
});
