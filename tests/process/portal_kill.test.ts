// Killed without warning while portal sessions are got, used and kept alive, and started again on the same data.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Killable } from "../support/process/killable.ts";
import { type Fakes, fakes, makeKey, Service, someone, type User } from "../support/process/portal.ts";
import { secrets } from "../support/process/server.ts";
import type { Operation } from "../upstreams/index.ts";

const MINUTELY = "* * * * *";
const EVERY_SECOND = { PORTAL_KEEP_ALIVE_SECONDS: "1" };
const patiently = { timeout: 30_000, interval: 50 };

const persist = mkdtempSync(join(tmpdir(), "sallyport-"));
let their: Fakes;
let server: Killable;
let bindings: Record<string, string>;
let service: Service;

beforeAll(async () => {
  their = await fakes();
  bindings = { ...secrets(), ...their.bindings };
  server = await Killable.start(persist, bindings);
  service = new Service(server.client, await makeKey(server.client));
});
afterAll(async () => {
  await server.kill();
  await their[Symbol.asyncDispose]();
  rmSync(persist, { recursive: true, force: true });
});

async function restart(more: Record<string, string> = {}): Promise<void> {
  await server.kill();
  server = await Killable.start(persist, { ...bindings, ...more });
  service = new Service(server.client, service.key);
}

const count = (operation: Operation, user: User, more = {}) =>
  their.upstreams.count({ upstream: "portal", operation, account: user.username, ...more });

describe("killed in the middle of logins and a booking", () => {
  const users = [someone(), someone(), someone()];
  const booker = someone();
  let ids: string[];
  let bookersId: string;
  const cutOff = [
    { at: "credentials", when: "before the portal has taken them", taken: 1, user: someone() },
    { at: "authorize", when: "after the portal has taken the credentials", taken: 2, user: someone() },
  ] as const;

  beforeAll(async () => {
    ids = await Promise.all(users.map((user) => service.sessionOf(user)));
    bookersId = await service.sessionOf(booker);
    const fields = {
      session_id: bookersId,
      ...{ trucking_company: "Harbor Freight Lines & Sons", terminal: "ITS Long Beach" },
      ...{ move_type: "PICK FULL", container_id: "MSCU1000000", truck_plate: "ABC123", own_chassis: false },
    };
    const times = await service.post("/check_appointments", fields);
    const order = { ...fields, appointment_time: times.json.available_times[0] };
    their.upstreams.fail(
      "portal",
      { fault: "fail_after", how: "hang" },
      { operation: "appointment_book", account: booker.username },
    );
    const holds = cutOff.map(({ at, user }) => their.upstreams.hold("portal", at, user.username));
    const cut = [
      service.post("/make_appointment", order),
      ...cutOff.map(({ user }) => service.getSession(user)),
    ].map((answer) => answer.catch(() => "cut off"));
    for (const hold of holds) await hold.arrived;
    await vi.waitFor(() => expect(their.upstreams.bookings).toHaveLength(1), patiently);
    await server.kill();
    expect(new Set(await Promise.all(cut))).toEqual(new Set(["cut off"]));
    // The portal has seen that nobody waits any more: it does nothing of it.
    await vi.waitFor(() => expect(holds.map(({ waiting }) => waiting)).toEqual([0, 0]), patiently);
    for (const hold of holds) hold.release();
    await restart(EVERY_SECOND);
  });

  it("sessions live on, and nobody logs in again", async () => {
    const listed = new Set((await service.listed()).map(({ session_id }) => session_id));
    expect(listed).toEqual(new Set([...ids, bookersId]));
    for (const [n, user] of users.entries()) {
      expect((await service.getSession(user)).json).toMatchObject({ session_id: ids[n], is_new: false });
      expect((await service.containers(ids[n] ?? "")).status).toBe(200);
      expect(count("login", user)).toBe(1);
    }
    expect(their.upstreams.captcha.tasks).toBe(users.length + 1 + cutOff.length);
  });

  it.each(cutOff)("a login that was at its $at ($when): a clean new one", async ({ taken, user }) => {
    const answers = await Promise.all([service.getSession(user), service.getSession(user)]);
    expect(new Set(answers.map(({ json }) => json.session_id)).size).toBe(1);
    expect(answers.filter(({ json }) => json.is_new)).toHaveLength(1);
    expect(count("login", user)).toBe(1);
    expect(count("credentials", user, { status: 302 })).toBe(taken);
    expect((await service.containers(answers[0].json.session_id)).status).toBe(200);
  });

  it("nobody books again", async () => {
    await server.cron(MINUTELY);
    expect((await service.containers(bookersId)).status).toBe(200);
    expect(their.upstreams.bookings).toHaveLength(1);
    expect(count("login", booker)).toBe(1);
  });
});

describe("kept alive every second", () => {
  const user = someone();
  let id: string;

  it("an interval of a second is one of a second", async () => {
    id = await service.sessionOf(user);
    await expect.poll(() => count("containers", user), patiently).toBeGreaterThanOrEqual(4);
    // Also after a use.
    expect((await service.containers(id)).status).toBe(200);
    await expect.poll(() => count("containers", user), patiently).toBeGreaterThanOrEqual(8);
    const its = their.upstreams.calls.filter(
      ({ operation, account }) => operation === "containers" && account === user.username,
    );
    const at = its.map((call) => Date.parse(call.at));
    const gaps = at.slice(1).map((moment, n) => moment - (at[n] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(5000);
    expect(count("login", user)).toBe(1);
  });

  it("killed in the middle of one and between others: all go on after the next cron, and nobody logs in", async () => {
    const others = [someone(), someone()];
    for (const other of others) await service.sessionOf(other);
    const hold = their.upstreams.hold("portal", "containers", user.username);
    await hold.arrived;
    await server.kill();
    await expect.poll(() => hold.waiting).toBe(0);
    hold.release();
    await restart(EVERY_SECOND);
    // Whether the restart has lost their alarms or not.
    await server.cron(MINUTELY);
    for (const one of [user, ...others]) {
      const before = count("containers", one);
      await expect.poll(() => count("containers", one), patiently).toBeGreaterThan(before + 2);
      expect(count("login", one)).toBe(1);
    }
    expect((await service.containers(id)).status).toBe(200);
  });
});

it("killed in a storm of callers: one session for each, and the limit holds", async () => {
  const users = Array.from({ length: 12 }, someone);
  const storm = users.flatMap((user) => [1, 2, 3].map(() => service.getSession(user).catch(() => undefined)));
  const logins = () => users.filter((user) => count("login", user) > 0).length;
  await expect.poll(logins, { interval: 5 }).toBeGreaterThan(3);
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
