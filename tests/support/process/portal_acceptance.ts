// What E-Modal's sessions and operations have to do, whichever driver does it: the same tests for each of them.
import { expect, it } from "vitest";
import { TOTP_SECRET } from "../../upstreams/portal_accounts.ts";
import { type Fakes, Service, someone, type User } from "./portal.ts";

export interface Driven {
  service: () => Service;
  their: () => Fakes;
  /** Logins at the portal so far. */
  logins: () => number;
  /** Sessions that live there. */
  live: () => number;
  /** The portal ends somebody's session. */
  end: (username: string) => void;
  /** Rows of a first page, and of each that follows. */
  rows: [first: number, more: number];
  /** What `debug` has to say of a list. */
  debugs?: (debug: any) => void;
}

const TOTAL = 137;

/** Somebody with a one-time password. */
const withTotp = (user: User): User => ({
  ...{ ...user, username: `totp-${user.username}`, password: `totp-${user.username}-pass` },
});

const phaseOne = {
  ...{ trucking_company: "Harbor Freight Lines & Sons", terminal: "ITS Long Beach" },
  ...{ move_type: "PICK FULL", container_id: "MSCU1000000" },
};

export function acceptance({ service, their, logins, live, end, rows: [first, more], debugs }: Driven): void {
  /** So many rows have come once there are as many as are wanted. */
  const loaded = (wanted: number) =>
    wanted <= first ? first : Math.min(first + Math.ceil((wanted - first) / more) * more, TOTAL);

  it("logs in with a captcha, once for everybody, and reads a list to its end", async () => {
    const user = someone();
    const before = [logins(), their().upstreams.captcha.tasks];
    const [one, two] = await Promise.all([service().getSession(user), service().getSession(user)]);
    expect([one.status, two.status], one.text).toEqual([200, 200]);
    expect(one.json.session_id).toBe(two.json.session_id);
    expect([logins(), their().upstreams.captcha.tasks]).toEqual(before.map((count) => count + 1));

    const { session_id } = one.json;
    const all = await service().post("/get_containers", { session_id, debug: true });
    expect(all.status, all.text).toBe(200);
    expect(all.json).toMatchObject({
      total_containers: TOTAL,
      stopped_reason: "end_of_list",
      scroll_cycles: Math.ceil((TOTAL - first) / more),
    });
    expect(Object.keys(all.json.containers[0])).toHaveLength(18);
    expect(all.json.containers[0]["Container #"]).toBe("MSCU1000000");
    expect(all.json.debug.calls.length).toBeGreaterThan(0);
    debugs?.(all.json.debug);
  });

  it("finds a container, stops at a count, tells a timeline, and says what is not there", async () => {
    const session_id = await service().sessionOf(someone());
    const post = (path: string, fields: object) => service().post(path, { session_id, ...fields });
    const found = await post("/get_containers", { target_container_id: "MSCU1000059" });
    expect(found.json, found.text).toMatchObject({
      ...{ found_target_container: true, stopped_reason: "target_found", total_containers: loaded(60) },
    });
    const counted = await post("/get_containers", { target_count: 51 });
    expect(counted.json).toMatchObject({
      ...{ stopped_reason: "target_count_reached", total_containers: loaded(51) },
    });
    const one = await post("/get_containers", { infinite_scrolling: false });
    expect(one.json).toMatchObject({
      ...{ stopped_reason: "single_page", total_containers: first, scroll_cycles: 0 },
    });
    const timeline = await post("/get_container_timeline", { container_id: "MSCU1000001" });
    expect(timeline.json, timeline.text).toMatchObject({
      ...{ container_id: "MSCU1000001", passed_pregate: true, milestone_count: 9 },
    });
    const missing = await post("/get_container_timeline", { container_id: "XXXX0000000" });
    expect([missing.status, missing.json.code], missing.text).toEqual([404, "portal_not_found"]);
  });

  it("fills in the forms of an appointment, asks for what is missing, and books once", async () => {
    const session_id = await service().sessionOf(someone());
    const begun = await service().post("/check_appointments", { session_id, ...phaseOne });
    expect([begun.status, begun.json.code], begun.text).toEqual([400, "appointment_incomplete"]);
    expect(begun.json).toMatchObject({ current_phase: 2, missing_fields: ["truck_plate"] });
    const { appointment_session_id } = begun.json;
    const on = { session_id, appointment_session_id };
    const wrong = await service().post("/check_appointments", { ...on, truck_plate: "?" });
    expect(wrong.json, wrong.text).toMatchObject({
      ...{ current_phase: 2, message: "Truck plate is not registered" },
    });
    const plate = { truck_plate: "ABC123", own_chassis: true };
    const times = await service().post("/check_appointments", { ...on, ...plate });
    expect(times.status, times.text).toBe(200);
    expect(times.json.count).toBe(times.json.available_times.length);
    const before = their().upstreams.bookings.length;
    const appointment_time = times.json.available_times[1];
    const booked = await service().post("/make_appointment", { ...on, appointment_time });
    expect(booked.json, booked.text).toMatchObject({ success: true, appointment_confirmed: true });
    expect(booked.json.appointment_details.Time).toBe(appointment_time);
    expect(their().upstreams.bookings.slice(before)).toMatchObject([
      { time: appointment_time, own_chassis: true },
    ]);
    const other = await service().post("/check_appointments", {
      ...{ session_id, ...phaseOne, terminal: "Elsewhere" },
    });
    expect(other.json, other.text).toMatchObject({
      ...{ current_phase: 1, choices: { terminal: ["ITS Long Beach", "APM Pier 400", "TraPac"] } },
    });
  });

  it("says that credentials are wrong, and who has a one-time password gets in with its secret", async () => {
    const wrong = await service().getSession(someone(), { password: "wrong-0123456789" });
    expect([wrong.status, wrong.json.code], wrong.text).toEqual([401, "portal_credentials_refused"]);
    const totp = withTotp(someone());
    const without = await service().getSession(totp);
    expect([without.status, without.json.code], without.text).toEqual([409, "needs_human"]);
    const given = await service().getSession(
      { ...totp, captcha_api_key: "ck-2" },
      { totp_secret: TOTP_SECRET },
    );
    expect(given.status, given.text).toBe(200);
    expect((await service().containers(given.json.session_id)).status).toBe(200);
  });

  it("logs in again when the portal has ended the session", async () => {
    const user = someone();
    const session_id = await service().sessionOf(user);
    end(user.username);
    const before = logins();
    const again = await service().containers(session_id);
    expect(again.status, again.text).toBe(200);
    expect(logins() - before).toBe(1);
  });

  it("logs out at the portal when a session is closed", async () => {
    const session_id = await service().sessionOf(someone());
    const before = live();
    const closed = await service().call("DELETE", `/sessions/${session_id}`);
    expect(closed.status, closed.text).toBe(200);
    expect(live()).toBe(before - 1);
  });
}
