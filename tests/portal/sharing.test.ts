// The same credentials are the same session, whoever asks and however many at once.
import { expect, it } from "vitest";
import {
  closeSession,
  getSession,
  listed,
  ONE_LOGIN,
  portal,
  post,
  seen,
  sessionOf,
  someone,
} from "../support/worker/portal.ts";

portal();

const many = <T>(n: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: n }, make));

it("is got once, then used, listed and closed", async () => {
  const user = someone();
  const first = await getSession(user);
  expect(first.status, first.text).toBe(200);
  expect(first.json).toEqual({
    success: true,
    session_id: expect.stringMatching(/^session_\d+_[0-9a-f]{32}$/),
    is_new: true,
    username: user.username,
    created_at: "2030-01-01T06:00:00.000Z",
    expires_at: null,
    keep_alive: true,
    browser_seconds: 0,
    previous_ended: null,
    message: "New persistent session created",
  });
  const { session_id } = first.json;
  const again = await getSession(user);
  expect(again.json).toMatchObject({
    session_id,
    is_new: false,
    message: "Using existing persistent session",
  });
  const containers = await post("/get_containers", { session_id, infinite_scrolling: false });
  expect(containers.status, containers.text).toBe(200);
  expect(containers.json).toMatchObject({ success: true, session_id, is_new_session: false });
  expect(containers.json.containers).toHaveLength(40);
  expect(await listed()).toEqual([
    {
      session_id,
      username: user.username,
      created_at: "2030-01-01T06:00:00.000Z",
      last_used: "2030-01-01T06:00:00.000Z",
      keep_alive: true,
      portal_login: expect.stringMatching(/^emodal\/[\w-]{43}$/),
      logins_saved: expect.any(Number),
      captchas_saved: expect.any(Number),
      browser_seconds: 0,
      last_failure: null,
    },
  ]);
  expect(seen(user)).toEqual(ONE_LOGIN);
  const closed = await closeSession(session_id);
  expect(closed.json).toEqual({ success: true, message: "Session closed successfully" });
  expect(await listed()).toEqual([]);
});

it("100 callers at once are one login and one captcha", async () => {
  const user = someone();
  const began = performance.now();
  const answers = await many(100, () => getSession(user));
  console.info(`100 callers: ${Math.round(performance.now() - began)} ms`);
  expect(new Set(answers.map((answer) => `${answer.status} ${answer.json.session_id}`)).size).toBe(1);
  expect(answers.filter((answer) => answer.json.is_new)).toHaveLength(1);
  expect(seen(user)).toEqual(ONE_LOGIN);
  expect(await sessionOf(user)).toBe(answers[0]?.json.session_id);
});
