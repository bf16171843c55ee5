// Killed without warning while portal sessions are got, used and kept alive, and started again on the same data.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Killable } from "../support/process/killable.ts";
import { type Fakes, fakes, makeKey, Service, someone, type User } from "../support/process/portal.ts";
import { secrets } from "../support/process/server.ts";
import type { Operation } from "../upstreams/index.ts";

const MINUTELY = "* * * * *";

let persist: string;
let their: Fakes;
let server: Killable;
let bindings: Record<string, string>;
let service: Service;

beforeEach(async () => {
  persist = mkdtempSync(join(tmpdir(), "sallyport-"));
  their = await fakes();
  bindings = { ...secrets(), ...their.bindings };
  server = await Killable.start(persist, bindings);
  service = new Service(server.client, await makeKey(server.client));
});
afterEach(async () => {
  await server.kill();
  await their[Symbol.asyncDispose]();
  rmSync(persist, { recursive: true, force: true });
});

async function restart(more: Record<string, string> = {}): Promise<void> {
  await server.kill();
  server = await Killable.start(persist, { ...bindings, ...more });
  service = new Service(server.client, service.key);
}

const count = (operation: Operation, user?: User) =>
  their.upstreams.count({ upstream: "portal", operation, ...(user ? { account: user.username } : {}) });

it("sessions live on, and nobody logs in again", async () => {
  const users = [someone(), someone(), someone()];
  const ids = await Promise.all(users.map((user) => service.sessionOf(user)));
  await restart();
  expect(new Set((await service.listed()).map(({ session_id }) => session_id))).toEqual(new Set(ids));
  for (const [n, user] of users.entries()) {
    expect((await service.getSession(user)).json).toMatchObject({ session_id: ids[n], is_new: false });
    expect((await service.containers(ids[n] ?? "")).status).toBe(200);
    expect(count("login", user)).toBe(1);
  }
  expect(their.upstreams.captcha.tasks).toBe(3);
});

it.each([
  ["credentials", "before the portal has taken them", 1, 1],
  ["authorize", "after the portal has taken the credentials", 1, 2],
] as const)("in the middle of a login (%s, %s): a clean new one", async (operation, _, logins, taken) => {
  const [other, user] = [someone(), someone()];
  const kept = await service.sessionOf(other);
  const hold = their.upstreams.hold("portal", operation, user.username);
  const cut = service.getSession(user).catch(() => "cut off");
  await hold.arrived;
  await server.kill();
  expect(await cut).toBe("cut off");
  // The portal has seen that nobody waits any more: it does nothing of it.
  await expect.poll(() => hold.waiting).toBe(0);
  hold.release();
  await restart();
  const answers = await Promise.all([service.getSession(user), service.getSession(user)]);
  expect(new Set(answers.map(({ json }) => json.session_id)).size).toBe(1);
  expect(answers.filter(({ json }) => json.is_new)).toHaveLength(1);
  expect(count("login", user)).toBe(logins);
  expect(
    their.upstreams.count({
      upstream: "portal",
      operation: "credentials",
      account: user.username,
      status: 302,
    }),
  ).toBe(taken);
  expect((await service.containers(answers[0].json.session_id)).status).toBe(200);
  expect((await service.getSession(other)).json).toMatchObject({ session_id: kept, is_new: false });
  expect(count("login", other)).toBe(1);
});

it("in the middle of a keep-alive: it goes on after the next cron, and nobody logs in again", async () => {
  const settings = { PORTAL_KEEP_ALIVE_SECONDS: "1" };
  await restart(settings);
  const user = someone();
  const id = await service.sessionOf(user);
  const hold = their.upstreams.hold("portal", "containers", user.username);
  await hold.arrived;
  await server.kill();
  await expect.poll(() => hold.waiting).toBe(0);
  hold.release();
  const before = count("containers", user);
  await restart(settings);
  await server.cron(MINUTELY);
  await expect
    .poll(() => count("containers", user), { timeout: 20_000, interval: 50 })
    .toBeGreaterThan(before + 3);
  expect((await service.containers(id)).status).toBe(200);
  expect(count("login", user)).toBe(1);
});

it("an interval of a second is one of a second", async () => {
  await restart({ PORTAL_KEEP_ALIVE_SECONDS: "1" });
  const user = someone();
  const id = await service.sessionOf(user);
  await expect
    .poll(() => count("containers", user), { timeout: 20_000, interval: 50 })
    .toBeGreaterThanOrEqual(4);
  // Also after a use.
  expect((await service.containers(id)).status).toBe(200);
  await expect
    .poll(() => count("containers", user), { timeout: 20_000, interval: 50 })
    .toBeGreaterThanOrEqual(8);
  const its = their.upstreams.calls.filter((call) => call.operation === "containers");
  const at = its.map((call) => Date.parse(call.at));
  const gaps = at.slice(1).map((moment, n) => moment - (at[n] ?? 0));
  expect(Math.max(...gaps)).toBeLessThan(5000);
  expect(count("login", user)).toBe(1);
});

it("between keep-alives: the cron sets the alarm again, whether the restart has lost it or not", async () => {
  const settings = { PORTAL_KEEP_ALIVE_SECONDS: "3" };
  await restart(settings);
  const users = [someone(), someone()];
  for (const user of users) await service.sessionOf(user);
  await restart(settings);
  await server.cron(MINUTELY);
  const before = users.map((user) => count("containers", user));
  await expect
    .poll(() => users.every((user, n) => count("containers", user) >= (before[n] ?? 0) + 2), {
      timeout: 20_000,
      interval: 50,
    })
    .toBe(true);
  for (const user of users) expect(count("login", user)).toBe(1);
});

it("in the middle of a booking: nobody books again", async () => {
  const id = await service.sessionOf(someone());
  const fields = {
    session_id: id,
    ...{ trucking_company: "Harbor Freight Lines & Sons", terminal: "ITS Long Beach" },
    ...{ move_type: "PICK FULL", container_id: "MSCU1000000", truck_plate: "ABC123", own_chassis: false },
  };
  const times = await service.post("/check_appointments", fields);
  const appointment_time = times.json.available_times[0];
  their.upstreams.fail("portal", { fault: "fail_after", how: "hang" }, { operation: "appointment_book" });
  const cut = service.post("/make_appointment", { ...fields, appointment_time }).catch(() => "cut off");
  await expect.poll(() => their.upstreams.bookings.length).toBe(1);
  await server.kill();
  expect(await cut).toBe("cut off");
  await restart();
  await server.cron(MINUTELY);
  expect((await service.containers(id)).status).toBe(200);
  expect(their.upstreams.bookings).toHaveLength(1);
  expect(their.upstreams.portal.logins).toBe(1);
});

it("killed in a storm of callers: one session for each, and the limit holds", async () => {
  const users = Array.from({ length: 12 }, someone);
  const storm = users.flatMap((user) => [1, 2, 3].map(() => service.getSession(user).catch(() => undefined)));
  await expect.poll(() => their.upstreams.portal.logins).toBeGreaterThan(3);
  await server.kill();
  await Promise.all(storm);
  await restart();
  for (const user of users) expect((await service.getSession(user)).status).toBe(200);
  await server.cron(MINUTELY);
  await expect.poll(async () => (await service.listed()).length).toBe(10);
  const last = users.at(-1) ?? someone();
  expect((await service.getSession(last)).json.is_new).toBe(false);
  for (const user of users) expect(count("login", user)).toBeLessThanOrEqual(2);
});
