// The identity service at a host of its own, which `EMODAL_HOSTS` allows: each host gets what is its own, and no more.
import { expect, it, vi } from "vitest";
import { closeSession, eventually, getSession, ONE_LOGIN, portal, post } from "../support/worker/portal.ts";
import { seen, sessionOf, someone, upstreams } from "../support/worker/portal.ts";
import { IDENTITY_HOST } from "../support/settings.ts";

portal();

const containers = (session_id: string) => post("/get_containers", { session_id, infinite_scrolling: false });

/** The calls for pages: to which host, with the names of which cookies. */
function visits(): { host: string; path: string; cookies: string[]; body: string }[] {
  const found: { host: string; path: string; cookies: string[]; body: string }[] = [];
  const spy = vi.mocked(globalThis.fetch);
  const before = spy.getMockImplementation();
  spy.mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const { hostname: host, pathname: path } = new URL(request.url);
    const cookies = (request.headers.get("cookie") ?? "").split("; ").filter((pair) => pair !== "");
    const body = await request.clone().text();
    found.push({ host, path, cookies: cookies.map((pair) => pair.split("=")[0] ?? ""), body });
    return (before as typeof fetch)(request);
  });
  return found;
}

it.each(["form_post", "query"] as const)("logs in there and is led back (%s)", async (response_mode) => {
  upstreams.set({ portal: { identity_host: IDENTITY_HOST, response_mode } });
  const found = visits();
  const user = someone();
  const id = await sessionOf(user);
  expect((await containers(id)).json).toMatchObject({ success: true, total_containers: 40 });
  expect(seen(user)).toEqual(ONE_LOGIN);

  const pages = found.filter(({ path }) => !path.startsWith("/captcha"));
  const there = pages.filter(({ host }) => host === IDENTITY_HOST);
  const here = pages.filter(({ host }) => host !== IDENTITY_HOST);
  expect(there.map(({ path }) => path.split("/")[1])).toEqual(there.map(() => "identity"));
  expect(here.map(({ path }) => path.split("/")[1])).toEqual(here.map(() => "portal"));
  // The password goes to the identity service once, and nowhere else.
  const told = pages.filter(({ body }) => body.includes(encodeURIComponent(user.password)));
  expect(told.map(({ host }) => host)).toEqual([IDENTITY_HOST]);
  // Neither sees the other's cookies.
  const names = (calls: typeof pages) => new Set(calls.flatMap(({ cookies }) => cookies));
  expect(names(there)).toEqual(new Set([".AspNetCore.Antiforgery", "idsrv"]));
  expect(names(here)).toEqual(new Set(["portal.state", ".AspNetCore.Cookies"]));

  await closeSession(id);
  await eventually(
    () => upstreams.portal.live_sessions,
    (live) => live === 0,
  );
});

it("a host that is named like it, and is another, gets nothing", async () => {
  for (const identity_host of [`${IDENTITY_HOST}.evil.test`, `evil-${IDENTITY_HOST}`, `a.${IDENTITY_HOST}`]) {
    upstreams.set({ portal: { identity_host } });
    const found = visits();
    const answer = await getSession(someone());
    expect([answer.status, answer.json.code]).toEqual([502, "portal_redirected"]);
    expect(found.map(({ host }) => host)).toEqual(["upstreams.test"]);
  }
});
