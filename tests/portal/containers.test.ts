// Lists of the portal's: all containers or some, and what has happened to one of them.
// Natively: crates/portal/src/emodal/listing_tests.rs.
import { describe, expect, it } from "vitest";
import {
  getSession,
  listed,
  ONE_LOGIN,
  portal,
  post,
  seen,
  sessionOf,
  someone,
  upstreams,
} from "../support/worker/portal.ts";

portal();

const COLUMNS = [
  ...["Container #", "Trade Type", "Status", "Holds", "Pregate Ticket#", "Emodal Pregate Status"],
  ...["Gate Status", "Origin", "Destination", "Current Loc", "Line", "Vessel Name", "Vessel Code"],
  ...["Voyage", "Size Type", "Fees", "LFD/GTD", "Tags"],
];

const containers = (session_id: string, more: Record<string, unknown> = {}) =>
  post("/get_containers", { session_id, ...more });

const number = (index: number) => `MSCU${1_000_000 + index}`;

describe("get_containers", () => {
  it("has all columns, and cells as a reader sees them", async () => {
    const answer = await containers(await sessionOf(someone()), { infinite_scrolling: false });
    expect(answer.status, answer.text).toBe(200);
    const rows: Record<string, string>[] = answer.json.containers;
    for (const row of rows) expect(Object.keys(row).toSorted()).toEqual(COLUMNS.toSorted());
    expect(rows.map((row) => row["Container #"])).toEqual(Array.from({ length: 40 }, (_, n) => number(n)));
    const cells = (index: number) => COLUMNS.map((name) => rows[index]?.[name]);
    expect(cells(0)).toEqual([
      ...[number(0), "IMPORT", "In Yard", "", "", "", "", "CNSHA", "USLGB", "ITS Long Beach", "MSCU"],
      ...["MSC ANNA & CLARA", "MAC", "100W", "40HC", "", "10/10/2026", ""],
    ]);
    expect(cells(1)).toEqual([
      ...[number(1), "IMPORT", "On Vessel", "CUSTOMS FREIGHT & FEES", "7400001", "COMPLETE", "IN GATE"],
      ...["VNSGN", "USLGB", "APM Pier 400", "MSCU", 'STAR "NORTH"', "STN", "101W", "20GP", "$125.00"],
      ...["10/11/2026", "HOT & <NEW>"],
    ]);
    expect(cells(3)).toEqual([
      ...[number(3), "IMPORT", "In Yard", "LINE TERMINAL", "7400003", "COMPLETE", "", "CNSHA", "USLGB"],
      ...["Yard <B> / Row 7", "MSCU", "MSC ANNA & CLARA", "MAC", "103W", "40HC", "", "10/13/2026", ""],
    ]);
    expect(rows[2]).toMatchObject({ "Trade Type": "EXPORT", "Vessel Name": "CAPTAIN'S BAY", Holds: "NONE" });
  });

  it.each([
    ["all, if nothing is said", {}, 137, 5, "end_of_list"],
    ["all", { infinite_scrolling: true }, 137, 5, "end_of_list"],
    ["one page", { infinite_scrolling: false }, 40, 0, "single_page"],
    ["as many as a page has", { target_count: 40 }, 40, 0, "target_count_reached"],
    ["a number, and the rest of that page", { target_count: 41 }, 60, 1, "target_count_reached"],
    ["one", { target_count: 1 }, 40, 0, "target_count_reached"],
    ["more than there are", { target_count: 1000 }, 137, 5, "end_of_list"],
    [
      "a number is more than all",
      { target_count: 50, infinite_scrolling: true },
      60,
      1,
      "target_count_reached",
    ],
    [
      "a number is more than one page",
      { target_count: 70, infinite_scrolling: false },
      80,
      2,
      "target_count_reached",
    ],
  ])("%s", async (_what, fields, count, cycles, reason) => {
    const user = someone();
    const session_id = await sessionOf(user);
    const answer = await containers(session_id, fields);
    expect(answer.status, answer.text).toBe(200);
    const { containers: rows, ...rest } = answer.json;
    expect(rest).toEqual({
      success: true,
      session_id,
      is_new_session: false,
      total_containers: count,
      scroll_cycles: cycles,
      stopped_reason: reason,
    });
    expect(rows.map((row: any) => row["Container #"])).toEqual(
      Array.from({ length: count }, (_, n) => number(n)),
    );
  });

  it.each([
    ["on the first page", number(7), {}, 40, 0, true],
    ["on a later one", number(65), {}, 80, 2, true],
    ["the last", number(136), {}, 137, 5, true],
    ["nowhere", "ABCU0000001", {}, 137, 5, false],
    ["before a number", number(99), { target_count: 3 }, 100, 3, true],
    ["before one page", number(41), { infinite_scrolling: false }, 60, 1, true],
    ["before all", number(0), { infinite_scrolling: true, target_count: 100 }, 40, 0, true],
  ])("a container that is wanted: %s", async (_where, target_container_id, more, count, cycles, found) => {
    const answer = await containers(await sessionOf(someone()), { target_container_id, ...more });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json).toMatchObject({
      success: true,
      total_containers: count,
      scroll_cycles: cycles,
      stopped_reason: found ? "target_found" : "end_of_list",
      found_target_container: found,
    });
    expect(answer.json.containers).toHaveLength(count);
  });

  it("none at all", async () => {
    upstreams.set({ portal: { containers: 0 } });
    const session_id = await sessionOf(someone());
    const answer = await containers(session_id);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json).toMatchObject({ total_containers: 0, scroll_cycles: 0, containers: [] });
    expect((await containers(session_id, { target_container_id: number(0) })).json).toMatchObject({
      total_containers: 0,
      found_target_container: false,
    });
  });

  it("with an id and credentials the id counts, as long as there is such a session", async () => {
    const [one, two] = [someone(), someone()];
    const session_id = await sessionOf(one);
    const first = await containers(session_id, { ...two, infinite_scrolling: false });
    expect(first.json).toMatchObject({ session_id, is_new_session: false });
    expect(seen(two).logins).toBe(0);
    const none = "session_1_00000000000000000000000000000000";
    expect((await containers(none)).json.code).toBe("session_not_found");
    const second = await containers(none, { ...two, infinite_scrolling: false });
    expect(second.status, second.text).toBe(200);
    expect(second.json.is_new_session).toBe(true);
    expect(second.json.session_id).not.toBe(session_id);
  });

  it.each([
    { target_count: 0 },
    { target_count: 100_001 },
    { target_count: "40" },
    { target_count: 1.5 },
    { infinite_scrolling: "yes" },
    { target_container_id: "X".repeat(41) },
    { target_container_id: 7 },
  ])("%j is wrong", async (fields) => {
    const session_id = await sessionOf(someone());
    upstreams.clearCalls();
    const answer = await containers(session_id, fields);
    expect(answer.status, answer.text).toBe(422);
    expect(answer.json).toMatchObject({ success: false, errors: [{ field: Object.keys(fields)[0] }] });
    expect(upstreams.count({ upstream: "portal" })).toBe(0);
  });

  it("`debug` says which calls were made", async () => {
    const session_id = await sessionOf(someone());
    const { debug } = (await containers(session_id, { debug: true, target_count: 41 })).json;
    const call = { method: "GET", path: "/portal/containers", status: 200, ms: expect.any(Number) };
    expect(debug).toEqual({ calls: [call, call] });
    expect((await containers(session_id, { debug: false })).json).not.toHaveProperty("debug");
  });

  it("with credentials it is a session that is not kept alive, until somebody gets it", async () => {
    const user = someone();
    const first = await post("/get_containers", { ...user, infinite_scrolling: false });
    expect(first.status, first.text).toBe(200);
    const { session_id } = first.json;
    expect(first.json.is_new_session).toBe(true);
    expect(await listed()).toMatchObject([{ session_id, username: user.username, keep_alive: false }]);
    const second = await post("/get_containers", { ...user, infinite_scrolling: false });
    expect(second.json).toMatchObject({ session_id, is_new_session: false });
    expect((await listed())[0].keep_alive).toBe(false);
    expect((await getSession(user)).json).toMatchObject({ session_id, is_new: false, keep_alive: true });
    expect((await listed())[0].keep_alive).toBe(true);
    // And asking with credentials again does not take that back.
    await post("/get_containers", { ...user, infinite_scrolling: false });
    expect((await listed())[0].keep_alive).toBe(true);
    expect(seen(user)).toEqual(ONE_LOGIN);
  });
});

describe("get_container_timeline", () => {
  const timeline = (session_id: string, container_id: string) =>
    post("/get_container_timeline", { session_id, container_id });

  it("has the nine milestones, newest first", async () => {
    const session_id = await sessionOf(someone());
    const answer = await timeline(session_id, number(1));
    expect(answer.status, answer.text).toBe(200);
    const { timeline: all, ...rest } = answer.json;
    expect(rest).toEqual({
      success: true,
      session_id,
      is_new_session: false,
      container_id: number(1),
      passed_pregate: true,
      milestone_count: 9,
    });
    expect(all.map((one: any) => one.milestone)).toEqual([
      ...["Empty Received", "Empty released by customer", "Arrived at customer", "Departed Terminal"],
      ...["Pregate", "Ready for pick up", "Last Free Day", "Discharged", "Container Manifested"],
    ]);
    expect(all[0]).toEqual({ milestone: "Empty Received", date: "N/A", status: "pending" });
    expect(all[4]).toEqual({ milestone: "Pregate", date: "10/15/2026 11:05", status: "completed" });
    expect(all[6]).toEqual({ milestone: "Last Free Day", date: "10/13/2026", status: "completed" });
  });

  it.each(["", ".", "..", 7, null])("%j is no container", async (container_id) => {
    const session_id = await sessionOf(someone());
    upstreams.clearCalls();
    const answer = await post("/get_container_timeline", { session_id, container_id });
    expect(answer.status, answer.text).toBeOneOf([400, 422]);
    expect(answer.json).toMatchObject({ success: false, error: expect.any(String) });
    expect(upstreams.count({ upstream: "portal" })).toBe(0);
  });
});

describe("the portal ends the session in between", () => {
  it.each([
    ["get_containers", {}, { total_containers: 137 }],
    ["get_container_timeline", { container_id: number(3) }, { passed_pregate: true, milestone_count: 9 }],
  ])("%s: one login more, and the right answer", async (name, fields, right) => {
    for (const logged_out of ["text_200", "redirect"] as const) {
      upstreams.set({ portal: { logged_out } });
      const user = someone();
      const session_id = await sessionOf(user);
      expect(upstreams.revoke("portal", user.username)).toBe(1);
      const answer = await post(`/${name}`, { session_id, ...fields });
      expect(answer.status, answer.text).toBe(200);
      expect(answer.json).toMatchObject({ success: true, session_id, is_new_session: false, ...right });
      expect(seen(user)).toEqual({ logins: 2, captchas: 2 });
    }
  });
});
