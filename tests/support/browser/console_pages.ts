// The console at fixed data and a fixed time: for axe, for the widths, and for the pictures of the docs.
import type { BrowserContext, Page } from "playwright-core";
import { NOW, answerTo } from "./console_data.ts";

/** Answers in place of the Worker; the files of the page come from where they are served. */
export async function fixedConsole(context: BrowserContext): Promise<void> {
  await context.clock.setFixedTime(NOW);
  await context.route(
    ({ pathname }) => pathname !== "/console" && !pathname.startsWith("/console/"),
    (route) => {
      const json = answerTo(new URL(route.request().url()));
      return json === undefined
        ? route.fulfill({ status: 404, json: { code: "not_found", detail: "Not found" } })
        : route.fulfill({ json });
    },
  );
}

const go = (hash: string, text: string | RegExp) => async (page: Page) => {
  await page.keyboard.press("Escape");
  await page.evaluate((hash) => (location.hash = hash), hash);
  await page.getByText(text).first().waitFor();
};

/** Shows one after the other. What is waited for is data, and the same in every language. */
export const VIEWS: readonly (readonly [string, (page: Page) => Promise<void>])[] = [
  ["tokens", go("#tokens", "agnidata001")],
  ["account", go("#tokens?account=upstox%2Fagnidata002", "key:desk")],
  ["sessions", go("#sessions", "VPB-SME-1234567890")],
  ["user", go("#sessions?find=maria&as=username", "Maria’s phone")],
  ["subject", go("#sessions?find=VPB-SME-1234567890", /^VPB-SME-1234567890$/)],
  ["ended", go(`#sessions?find=${"0".repeat(64)}`, "0000000000000000…")],
  ["portal", go("#portal", "dispatch")],
  ["health", go("#health", "admin_close_session")],
  ["failures", go("#health?outcome=failed", "invalid_credentials")],
  [
    "portal-page",
    async (page) => {
      await go("#portal", "dispatch")(page);
      await page.locator("td button.small").first().click();
      await page.getByText("Appointments are not available between").waitFor();
    },
  ],
  [
    "dialog",
    async (page) => {
      await go("#sessions", "VPB-SME-1234567890")(page);
      await page.locator("td button.danger").first().click();
      await page.getByRole("dialog").waitFor();
    },
  ],
];
