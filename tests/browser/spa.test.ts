// The fake portal that is an application: what it needs of a browser, and what it does to one.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { inChromium } from "../support/browser/chromium.ts";
import { solve } from "../support/process/browser.ts";
import { totp } from "../upstreams/crypto.ts";
import { listen, type Listening } from "../upstreams/listen.ts";
import { TOTP_SECRET } from "../upstreams/portal_accounts.ts";

let fakes: Listening;
beforeAll(async () => {
  fakes = await listen();
});
beforeEach(() => fakes.upstreams.reset());
afterAll(() => fakes.close());

const EXPIRED = "You are either not logged in or your session has expired";

/** As far as the button that sends the password, which the captcha makes one that can be pressed. */
async function credentials(page: Page, username: string, password = `${username}-pass`): Promise<void> {
  await page.locator("input[name=Username]").fill(username);
  await page.locator("button.next").click();
  await page.locator("input[name=Password]").fill(password);
  const submit = page.locator("button[type=submit]");
  expect(await submit.isDisabled()).toBe(true);
  const solution = await solve(`${fakes.url}/spa/login`, fakes.url, fetch);
  await page.evaluate((token) => {
    const input = document.querySelector<HTMLTextAreaElement>("textarea[name=g-recaptcha-response]");
    if (input) input.value = token;
    const name = document.querySelector(".g-recaptcha")?.getAttribute("data-callback") ?? "";
    (globalThis as unknown as Record<string, (token: string) => void>)[name]?.(token);
  }, solution);
  await submit.click();
}

inChromium("the application", (chromium) => {
  const person = () => chromium.person(new URL(fakes.url));
  const loggedIn = async (username = "ann") => {
    const one = await person();
    const page = await one.open("/spa/login");
    await credentials(page, username);
    await page.locator(`header[data-user=${username}]`).waitFor();
    return { ...one, page };
  };
  const choose = async (page: Page, name: string, label: string) => {
    await page.locator(`[role=combobox][data-name=${name}]`).click();
    await page.getByRole("option", { name: label, exact: true }).click();
    expect(await page.getByRole("option").count()).toBe(0);
  };

  it("a login needs cookie and token; either alone is none", async () => {
    const { page, context } = await loggedIn();
    expect(fakes.upstreams.spa).toEqual({ logins: 1, live_sessions: 1 });
    expect(await page.evaluate(() => document.cookie)).toBe("");
    const token = await page.evaluate(() => localStorage.getItem("spa.token"));
    const other = await person();
    const there = await other.open("/spa/containers");
    await there.getByText(EXPIRED).waitFor();
    await there.evaluate((value) => localStorage.setItem("spa.token", value ?? ""), token);
    await there.reload();
    await there.getByText(EXPIRED).waitFor();
    await other.context.addCookies(await context.cookies());
    await there.evaluate((value) => localStorage.setItem("spa.token", value ?? ""), token);
    await there.reload();
    await there.locator("header[data-user=ann]").waitFor();
    await there.getByText("Log out").click();
    await there.locator("input[name=Username]").waitFor();
    await page.reload();
    await page.getByText(EXPIRED).waitFor();
  });

  it("wrong passwords, one-time passwords and persons", async () => {
    const { open } = await person();
    const page = await open("/spa/login");
    await credentials(page, "ann", "wrong");
    await page.getByRole("alert").getByText("Invalid username or password").waitFor();
    await page.goto("/spa/login");
    await credentials(page, "totp1");
    await page.locator("input[name=Code]").fill("000000x");
    await page.locator("button.verify").click();
    await page.getByRole("alert").getByText("Invalid code").waitFor();
    const code = await totp(TOTP_SECRET, Math.floor(fakes.upstreams.now() / 30_000));
    await page.locator("input[name=Code]").fill(code);
    await page.locator("button.verify").click();
    await page.locator("header[data-user=totp1]").waitFor();
    await page.goto("/spa/login");
    await credentials(page, "human1");
    await page.getByText("Confirm that you are a person").waitFor();
    expect(fakes.upstreams.spa.logins).toBe(1);
    await page.locator("button.confirm").click();
    await page.locator("header[data-user=human1]").waitFor();
  });

  it("rows come when the end is scrolled to, 40 and then 20, and the session may end between", async () => {
    const { page } = await loggedIn();
    const rows = page.locator("table#containers tbody tr");
    const sizes: number[] = [];
    for (let last = 0; last < 137;) {
      await page.waitForFunction(
        (had) =>
          document.querySelectorAll("table#containers tbody tr").length > had &&
          document.querySelector("#list")?.getAttribute("aria-busy") === "false",
        last,
      );
      last = await rows.count();
      sizes.push(last);
      await page.locator("#list").evaluate((list) => list.scrollTo(0, list.scrollHeight));
    }
    expect(sizes).toEqual([40, 60, 80, 100, 120, 137]);
    await page.getByText("No more containers").waitFor();
    expect(await page.locator("table#containers th").count()).toBe(18);
    expect(await rows.first().locator("td").first().innerText()).toBe("MSCU1000000");
    await page.goto("/spa/containers/MSCU1000001");
    await page.locator("table#timeline").waitFor();
    expect(await page.locator("table#timeline tbody tr").count()).toBe(9);
    await page.goto("/spa/containers/XXXX1000001");
    await page.getByRole("alert").getByText("Container not found").waitFor();
    fakes.upstreams.set({ spa: { ends_after_rows: 40 } });
    await page.goto("/spa/containers");
    await rows.first().waitFor();
    await page.locator("#list").evaluate((list) => list.scrollTo(0, list.scrollHeight));
    await page.getByText(EXPIRED).waitFor();
    expect(new URL(page.url()).pathname).toBe("/spa/containers");
  });

  it("an appointment: three phases, errors where they are made, one booking", async () => {
    const { page } = await loggedIn();
    await page.getByText("Appointments").click();
    const next = page.locator("button.next");
    await page.locator("section[data-phase='1']").waitFor();
    await next.click();
    await page.getByRole("alert").getByText("Terminal is required").waitFor();
    await choose(page, "TruckingCompanyId", "O'Neil <Pacific> Drayage");
    await choose(page, "TerminalId", "TraPac");
    await choose(page, "MoveType", "PICK FULL");
    await page.locator("input[name=ContainerNumber]").fill("MSCU1000003");
    await next.click();
    await page.locator("section[data-phase='2'] input[name=TruckPlate]").fill("ABC123");
    await page.locator("input[name=OwnChassis]").check();
    await next.click();
    await page.locator("section[data-phase='3']").waitFor();
    await choose(page, "TimeSlot", "Thu 10/29/2026 11:00 - 12:00 (7 left)");
    await page.locator("button.book").click();
    await page.locator("#confirmation").getByText("Appointment confirmed").waitFor();
    expect(await page.locator("#confirmation dd").allInnerTexts()).toEqual([
      ...["APT-100001", "TraPac", "MSCU1000003", "Thu 10/29/2026 11:00 - 12:00 (7 left)"],
    ]);
    expect(fakes.upstreams.bookings).toMatchObject([
      { account: "ann", terminal: "TraPac", own_chassis: true, truck_plate: "ABC123" },
    ]);
  });

  it("what the switches do: a dead button, an endless list, a firewall", async () => {
    const { page, faults } = await loggedIn();
    fakes.upstreams.set({ spa: { loading: "never" } });
    await page.goto("/spa/containers");
    await page.locator("table#containers tbody tr").first().waitFor();
    expect(await page.locator("#list").getAttribute("aria-busy")).toBe("true");
    fakes.upstreams.set({ spa: { submit: "never" } });
    await page.goto("/spa/login");
    await page.locator("input[name=Username]").fill("ann");
    await page.locator("button.next").click();
    await page.evaluate(() => (globalThis as unknown as { onCaptcha(token: string): void }).onCaptcha("x"));
    expect(await page.locator("button[type=submit]").isDisabled()).toBe(true);
    fakes.upstreams.set({ spa: { firewall: "headless" } });
    await page.goto("/spa/login");
    await page.getByText("Access denied").first().waitFor();
    expect(faults.splice(0)).toEqual([`403: ${fakes.url}/spa/login`]);
  });
});
