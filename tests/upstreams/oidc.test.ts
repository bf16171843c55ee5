// The fake OpenID Connect chain, walked as a client without a browser has to walk it.
import { beforeEach, describe, expect, test } from "vitest";
import { Browser, formOf, type Page, solve } from "../support/process/browser.ts";
import { BASE, call, fresh, NOON, upstreams } from "../support/process/fake_calls.ts";
import { sha256, totp } from "./crypto.ts";
import { TOTP_SECRET } from "./portal_accounts.ts";

const REDIRECT = `${BASE}/oidc/portal/signin-oidc`;
const VERIFIER = "a-verifier-that-is-long-enough-for-what-pkce-says-0";

let browser: Browser;
beforeEach(() => {
  fresh();
  browser = new Browser();
});

const request = async (changes: Record<string, string> = {}): Promise<string> => {
  const query = {
    ...{ client_id: "PCEMODAL", redirect_uri: REDIRECT, response_type: "code", scope: "openid profile" },
    ...{ response_mode: "query", state: "st", nonce: "no", code_challenge_method: "S256" },
    ...{ code_challenge: await sha256(VERIFIER), ...changes },
  };
  return `/oidc/sso/connect/authorize?${new URLSearchParams(query)}`;
};

/** Redirects are followed up to the client's own address, and forms that are for scripts are sent. */
async function follow(page: Page): Promise<Page> {
  for (let next = page, hops = 0; hops < 10; hops += 1) {
    const to = next.headers.get("location") ?? onward(next.text);
    if (to?.startsWith(REDIRECT)) return { ...next, url: to };
    if (to) next = await browser.send("GET", new URL(to, next.url).href);
    else if (next.text.includes("Submit this form")) next = await browser.submit(next);
    else return next;
  }
  throw new Error("It leads on and on");
}

const onward = (text: string): string | undefined =>
  (/content="0;url=([^"]*)"/.exec(text)?.[1] ?? /location\.href = "([^"]*)"/.exec(text)?.[1])?.replaceAll(
    "&amp;",
    "&",
  );

/** As far as the page after the username. */
async function named(username: string): Promise<Page> {
  const page = await follow(await browser.send("GET", await request()));
  const ReCapthaToken = await solve(`${BASE}/oidc/sso/Account/Login`);
  return follow(await browser.submit(page, { Username: username, ReCapthaToken, submit: "next" }));
}

const login = async (username: string): Promise<Page> =>
  follow(await browser.submit(await named(username), { username, password: `${username}-pass` }));

const codeOf = ({ url }: Page): string => {
  const query = new URL(url).searchParams;
  expect([url.split("?")[0], query.get("state")]).toEqual([REDIRECT, "st"]);
  return query.get("code") ?? "";
};

const token = (form: Record<string, string>) =>
  call("POST", "/oidc/sso/connect/token", { form: { client_id: "PCEMODAL", ...form } });
const exchange = (code: string, changes: Record<string, string> = {}) =>
  token({
    ...{ grant_type: "authorization_code", code, redirect_uri: REDIRECT, code_verifier: VERIFIER },
    ...changes,
  });
const refresh = (refresh_token: string) => token({ grant_type: "refresh_token", refresh_token });
const api = (path: string, access: string, json: object = {}) =>
  call("POST", `/oidc/portal/${path}`, { token: access, json });

const tokens = async (username = "ann") => {
  const answer = await exchange(codeOf(await login(username)));
  expect(answer.status, answer.text).toBe(200);
  return answer.json as { access_token: string; refresh_token: string; expires_in: number };
};

describe("the way to a code", () => {
  test.each(["redirect", "meta", "script"] as const)("by %s", async (onwards) => {
    upstreams.set({ oidc: { onwards } });
    const { access_token, expires_in } = await tokens();
    expect(expires_in).toBe(3600);
    const me = await call("GET", "/oidc/sso/identity/userinfo", { token: access_token });
    expect(me.json).toEqual({ sub: "ann", preferred_username: "ann", name: "ann" });
    expect(upstreams.oidc).toEqual({ logins: 1, refreshes: 0, live_sessions: 1 });
    expect(upstreams.count({ upstream: "oidc", operation: "login", account: "ann" })).toBe(1);
  });

  test("without a second provider", async () => {
    upstreams.set({ oidc: { identity: "local" } });
    const second = await named("ann");
    expect(second.text).toContain('name="Password"');
    const wrong = await browser.submit(second, { Password: "wrong", submit: "login" });
    expect(wrong.text).toContain("Invalid username or password");
    const page = await follow(await browser.submit(wrong, { Password: "ann-pass", submit: "login" }));
    expect((await exchange(codeOf(page))).status).toBe(200);
  });

  test("a wrong password is the same page with another address, and a form is good once", async () => {
    const first = await named("ann");
    expect(formOf(first).fields).toMatchObject({ username: "ann" });
    const wrong = await browser.submit(first, { password: "wrong" });
    expect(wrong.text).toContain("Invalid username or password.");
    expect((await browser.submit(first, { password: "ann-pass" })).status).toBe(400);
    expect(upstreams.oidc.logins).toBe(0);
  });

  test("a one-time password is taken once", async () => {
    const otp = await totp(TOTP_SECRET, NOON / 30_000);
    const asked = await login("totp1");
    const wrong = await browser.submit(asked, { otp: "000000x" });
    expect(wrong.text).toContain("Invalid authenticator code.");
    expect((await exchange(codeOf(await follow(await browser.submit(wrong, { otp }))))).status).toBe(200);
    browser = new Browser();
    const again = await browser.submit(await login("totp1"), { otp });
    expect(again.text).toContain("Invalid authenticator code.");
  });

  test("an unsolved captcha leads nowhere", async () => {
    const page = await follow(await browser.send("GET", await request()));
    const answer = await browser.submit(page, { Username: "ann", ReCapthaToken: "made up", submit: "next" });
    expect(answer.text).toContain("Captcha validation failed");
  });

  test.each([
    [{ client_id: "other" }],
    [{ redirect_uri: "https://elsewhere.test/" }],
    [{ code_challenge: "short" }],
    [{ code_challenge_method: "plain" }],
    [{ scope: "profile" }],
    [{ state: "" }],
  ])("a request with %j is refused", async (changes) => {
    expect((await browser.send("GET", await request(changes))).status).toBe(400);
  });
});

test("the codes of RFC 6238's appendix B", async () => {
  const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
  const at = (seconds: number) => totp(secret, Math.floor(seconds / 30));
  expect(await Promise.all([59, 1111111109, 1234567890, 20000000000].map(at))).toEqual([
    ...["287082", "081804", "005924", "353130"],
  ]);
});

describe("tokens", () => {
  test.each([
    [{ code_verifier: "another" }],
    [{ redirect_uri: "https://elsewhere.test/" }],
    [{ client_id: "other" }],
  ])("a code with %j gives none", async (changes) => {
    expect((await exchange(codeOf(await login("ann")), changes)).status).toBe(400);
  });

  test("a code is good once, and used up by the application's own address", async () => {
    const code = codeOf(await login("ann"));
    expect((await exchange(code)).status).toBe(200);
    expect((await exchange(code)).json).toEqual({ error: "invalid_grant" });
    browser = new Browser();
    const other = codeOf(await login("bob"));
    await browser.send("GET", `${REDIRECT}?code=${other}`);
    expect((await exchange(other)).status).toBe(400);
  });

  test("the access token ends, the refresh token gives another and is good once", async () => {
    upstreams.set({ oidc: { access_seconds: 60 } });
    const { access_token, refresh_token } = await tokens();
    upstreams.advance(60_000);
    expect((await api("Container/SearchContainers", access_token)).status).toBe(401);
    const [one, other] = await Promise.all([refresh(refresh_token), refresh(refresh_token)]);
    expect([one.status, other.status].sort()).toEqual([200, 400]);
    const next = one.status === 200 ? one : other;
    expect((await api("Container/SearchContainers", next.json.access_token)).status).toBe(200);
    expect(upstreams.oidc).toEqual({ logins: 1, refreshes: 1, live_sessions: 1 });
  });

  test("keep, and reuse that ends all", async () => {
    upstreams.set({ oidc: { rotation: "keep" } });
    const { refresh_token } = await tokens();
    expect((await refresh(refresh_token)).json.refresh_token).toBe(refresh_token);
    upstreams.set({ oidc: { rotation: "reuse_detection" } });
    const next = (await refresh(refresh_token)).json;
    expect(upstreams.alive(next.access_token)).toBe(true);
    expect((await refresh(refresh_token)).status).toBe(400);
    expect([upstreams.alive(next.access_token), upstreams.alive(next.refresh_token)]).toEqual([false, false]);
  });

  test("revocation ends what came of the login", async () => {
    const { access_token, refresh_token } = await tokens();
    await call("POST", "/oidc/sso/connect/revocation", { form: { token: refresh_token } });
    expect(upstreams.alive(access_token)).toBe(false);
    expect(upstreams.oidc.live_sessions).toBe(0);
  });
});

describe("the API", () => {
  test("containers by pages, and one", async () => {
    const { access_token } = await tokens();
    const search = (json: object) => api("Container/SearchContainers", access_token, json);
    const [first, third] = [await search({ pageSize: 50, Page: 1 }), await search({ pageSize: 50, Page: 3 })];
    expect([first.json.total, first.json.data.length, third.json.data.length]).toEqual([137, 50, 37]);
    expect(first.json.data[1]).toMatchObject({
      CntrNbr: "MSCU1000001",
      Holds: "CUSTOMS FREIGHT & FEES",
      Tags: "HOT & <NEW>",
    });
    const one = await search({ conditions: [{ mem: "fc-cntr-nbr", vLow: "MSCU1000007", vHigh: "" }] });
    expect(one.json.data.map(({ CntrNbr }: { CntrNbr: string }) => CntrNbr)).toEqual(["MSCU1000007"]);
    const timeline = await api("Container/GetTimeline", access_token, { cntrNbr: "MSCU1000001" });
    expect(timeline.json.data.Milestones).toHaveLength(9);
    expect((await api("Container/GetTimeline", access_token, { cntrNbr: "x" })).status).toBe(404);
  });

  test("an appointment", async () => {
    const { access_token } = await tokens();
    const take = (action: string, json: object) => api(`Appointment/${action}`, access_token, json);
    const choices = (await take("GetChoices", {})).json.data;
    expect(choices.Terminals[2]).toEqual({ Id: "403", Name: "TraPac" });
    const wrong = await take("Validate", { TruckingCompanyId: "17", TerminalId: "403", MoveType: "PF" });
    expect([wrong.status, wrong.json.errors]).toEqual([422, ["Container not found"]]);
    const first = { TruckingCompanyId: "17", TerminalId: "403", MoveType: "PF", CntrNbr: "MSCU1000003" };
    const { WizardId } = (await take("Validate", first)).json.data;
    expect((await take("Create", { WizardId, TimeSlotId: "x" })).status).toBe(410);
    const slots = (await take("GetTimeSlots", { WizardId, TruckPlate: "ABC123", OwnChassis: true })).json
      .data;
    expect(slots).toHaveLength(6);
    const booked = await take("Create", { WizardId, TimeSlotId: slots[1].Id });
    expect(booked.json.data).toMatchObject({ Terminal: "TraPac", Container: "MSCU1000003" });
    expect((await take("Create", { WizardId, TimeSlotId: slots[1].Id })).status).toBe(410);
    expect(upstreams.bookings).toMatchObject([{ own_chassis: true, time: slots[1].Label, account: "ann" }]);
    const mine = await api("Visit/SearchMyAppointments?csrch=", access_token, { pageSize: 50, Page: 1 });
    expect(mine.json.data).toMatchObject([{ CntrNbr: "MSCU1000003", Terminal: "TraPac" }]);
  });

  test("a firewall, in front of the API or of all", async () => {
    const { access_token } = await tokens();
    upstreams.set({ oidc: { firewall: "api" } });
    const refused = await api("Container/SearchContainers", access_token);
    expect([refused.status, refused.headers.get("content-type")]).toEqual([403, "text/html; charset=utf-8"]);
    expect((await browser.send("GET", await request())).status).toBe(302);
    upstreams.set({ oidc: { firewall: "all" } });
    expect((await browser.send("GET", await request())).status).toBe(403);
  });
});
