// The fake portal's list of containers, and their timelines.
import { beforeEach, describe, expect, test } from "vitest";
import { Browser, isLoggedIn, textsOf } from "../support/process/browser.ts";
import { fresh, upstreams } from "../support/process/fake_calls.ts";

let browser: Browser;

beforeEach(async () => {
  fresh();
  browser = new Browser();
  await browser.login("ann");
});

describe("containers", () => {
  /** The rows of all pages, and how many each had. */
  const all = async () => {
    const [rows, sizes]: [string[][], number[]] = [[], []];
    for (let next: string | undefined = "/portal/containers"; next;) {
      const page = await browser.get(next);
      const body = /<tbody>\n(.*?)<\/tbody>/s.exec(page.text)?.[1] ?? "";
      const found = textsOf({ ...page, text: body }, "tr").length;
      const cells = textsOf({ ...page, text: body }, "td");
      for (let n = 0; n < found; n += 1) rows.push(cells.slice(n * 18, n * 18 + 18));
      sizes.push(found);
      next = /<a rel="next" href="([^"]*)">Load more<\/a>/.exec(page.text)?.[1];
    }
    return { rows, sizes };
  };

  test("come 40, then 20 at a time, to the end", async () => {
    const { rows, sizes } = await all();
    expect(sizes).toEqual([40, 20, 20, 20, 20, 17]);
    expect(new Set(rows.map(([number]) => number)).size).toBe(137);
    expect([rows[0]?.[0], rows[136]?.[0]]).toEqual(["MSCU1000000", "MSCU1000136"]);
    expect(rows.every((row) => row.length === 18)).toBe(true);
    expect(rows[1]).toEqual([
      ...["MSCU1000001", "IMPORT", "On Vessel", "CUSTOMS FREIGHT & FEES", "7400001", "COMPLETE", "IN GATE"],
      ...["VNSGN", "USLGB", "APM Pier 400", "MSCU", 'STAR "NORTH"', "STN", "101W", "20GP", "$125.00"],
      ...["10/11/2026", "HOT & <NEW>"],
    ]);
    expect(rows[0]?.[3]).toBe("");
    const page = await browser.get("/portal/containers");
    expect(textsOf(page, "th").join(", ")).toBe(
      "Container #, Trade Type, Status, Holds, Pregate Ticket#, Emodal Pregate Status, Gate Status, Origin, " +
        "Destination, Current Loc, Line, Vessel Name, Vessel Code, Voyage, Size Type, Fees, LFD/GTD, Tags",
    );
    expect(page.text).toContain("MSC ANNA &amp; CLARA");
  });

  test.each([
    [0, [0]],
    [40, [40]],
    [41, [40, 1]],
    [60, [40, 20]],
  ])("of %i", async (containers, expected) => {
    upstreams.set({ portal: { containers } });
    expect((await all()).sizes).toEqual(expected);
  });

  test("each has a timeline of nine milestones; every second one has passed Pregate", async () => {
    const timeline = async (number: string) => {
      const cells = textsOf(await browser.get(`/portal/containers/${number}`), "td");
      return Array.from({ length: cells.length / 3 }, (_, n) => cells.slice(n * 3, n * 3 + 3));
    };
    expect(textsOf(await browser.get("/portal/containers/MSCU1000001"), "th")).toEqual([
      "Milestone",
      "Date",
      "Status",
    ]);
    expect(await timeline("MSCU1000001")).toEqual([
      ["Empty Received", "N/A", "pending"],
      ["Empty released by customer", "N/A", "pending"],
      ["Arrived at customer", "N/A", "pending"],
      ["Departed Terminal", "10/16/2026 11:05", "completed"],
      ["Pregate", "10/15/2026 11:05", "completed"],
      ["Ready for pick up", "10/14/2026 11:05", "completed"],
      ["Last Free Day", "10/13/2026", "completed"],
      ["Discharged", "10/12/2026 11:05", "completed"],
      ["Container Manifested", "10/11/2026 11:05", "completed"],
    ]);
    const pregates = [];
    for (let n = 0; n < 12; n += 1) {
      const found = await timeline(`MSCU${1_000_000 + n}`);
      const statuses = found.map(([, , status]) => status).join(" ");
      expect(statuses).toMatch(/^(pending ?)*(completed ?)*$/);
      expect(found.every(([, date]) => /^(\d\d\/\d\d\/2026( \d\d:\d\d)?|N\/A)$/.test(date ?? ""))).toBe(true);
      pregates.push(found.find(([milestone]) => milestone === "Pregate")?.[2] === "completed");
    }
    expect(pregates).toEqual(pregates.map((_, n) => n % 2 === 1));
  });

  describe("where all numbers are known", () => {
    beforeEach(() => upstreams.set({ portal: { known_containers: "any" } }));

    test.each(["MSCU5165756", "TCLU1234567", "ABCD0000000", "MSCU9999999"])("%s is one", async (number) => {
      const page = await browser.get(`/portal/containers/${number}`);
      expect([page.status, textsOf(page, "h1")]).toEqual([200, [`Container ${number}`]]);
      expect(textsOf(page, "td")).toHaveLength(27);
      expect((await browser.get(`/portal/containers/${number}`)).text).toBe(page.text);
    });

    test("those of the list, and the list, stay as they are", async () => {
      const path = "/portal/containers/MSCU1000001";
      const { text } = await browser.get(path);
      expect((await all()).rows).toHaveLength(137);
      upstreams.set({ portal: { known_containers: "listed" } });
      expect((await browser.get(path)).text).toBe(text);
    });

    test.each(["XXXX1234567", "tclu1234567", "TCL1234567", "TCLU123456", "TCLU12345678", "x"])(
      "%s is none",
      async (number) => expect((await browser.get(`/portal/containers/${number}`)).status).toBe(404),
    );
  });

  test.each(["MSCU1000137", "MSCU0999999", "mscu1000000", "x"])("there is no %s", async (number) => {
    const page = await browser.get(`/portal/containers/${number}`);
    expect([page.status, textsOf(page, "h1"), isLoggedIn(page)]).toEqual([
      404,
      ["Container not found"],
      true,
    ]);
  });
});
