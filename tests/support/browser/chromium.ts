// A browser for the tests of a file. What goes wrong in a page fails the test, also where the test does not look at it: errors in the
// console, what the page's policy refuses, missing files, and requests to another host.
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, type TestContext } from "vitest";
import { launchChromium } from "../../../scripts/lib/browser.mjs";
import { chromium } from "../../../scripts/lib/chromium.mjs";

/** The files of a page, which have to be there. What a script asks for may be refused. */
const FILES = ["document", "script", "stylesheet", "image", "font", "manifest"];

/** As the browser says that a request was refused or was not possible, which a page may well expect. */
const REFUSED = /^Failed to load resource: /;

/** Somebody's browser: cookies and storage of their own, shared by its tabs. */
export interface Person {
  readonly context: BrowserContext;
  /** Opens a tab. */
  open(path: string): Promise<Page>;
  /** What went wrong in any tab. Whoever expects it takes it away: `person.faults.splice(0)`. */
  readonly faults: string[];
}

interface Options extends BrowserContextOptions {
  /** Its context, for one of several tests that run at once: the person goes with it. */
  test?: Pick<TestContext, "onTestFinished">;
}

export interface Chromium {
  /** `base` is where its pages are. Ends with the test. */
  person(base: URL, options?: Options): Promise<Person>;
}

/**
 * The tests of pages, in one browser. Where there is none they are left out, and `npm test` has said so; in CI they fail.
 * `name` is that of the suite.
 */
export function inChromium(name: string, tests: (chromium: Chromium) => void): void {
  const isThere = chromium() !== undefined || Boolean(process.env.CI);
  describe.skipIf(!isThere)(name, () => {
    let browser: Browser | undefined;
    let people: Person[] = [];
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterEach(async () => {
      const all = people;
      people = [];
      await leave(all);
    });
    afterAll(() => browser?.close());
    tests({
      person: async (base, { test, ...options } = {}) => {
        if (!browser) throw new Error("The browser has not been started.");
        const one = await person(browser, base, options);
        if (test) test.onTestFinished(() => leave([one]));
        else people.push(one);
        return one;
      },
    });
  });
}

async function leave(people: Person[]): Promise<void> {
  await Promise.all(people.map(({ context }) => context.close()));
  expect(people.flatMap(({ faults }) => faults)).toEqual([]);
}

async function person(browser: Browser, base: URL, options: BrowserContextOptions): Promise<Person> {
  const context = await browser.newContext({
    baseURL: base.href,
    locale: "en-US",
    timezoneId: "UTC",
    reducedMotion: "reduce",
    ...options,
  });
  // What is not there after it is missing. The machine may be busy with all other tests.
  context.setDefaultTimeout(30_000);
  const faults: string[] = [];
  const fault = (text: string) => faults.push(text);
  context.on("console", (message) => {
    if (message.type() === "error" && !REFUSED.test(message.text())) fault(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => fault(`error: ${error.error().stack ?? error.error().message}`));
  context.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (host !== base.host && !["data:", "blob:"].includes(protocol))
      fault(`asks another host: ${request.url()}`);
  });
  context.on("response", (response) => {
    if (response.status() >= 400 && FILES.includes(response.request().resourceType()))
      fault(`${response.status()}: ${response.url()}`);
  });
  await context.exposeBinding("violated", (_source, text: string) => void fault(text));
  // Also of policies that only report, and of what the console does not show.
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      const { effectiveDirective, blockedURI, sourceFile, lineNumber } = event;
      const where = `${sourceFile}:${lineNumber}`;
      void (globalThis as unknown as { violated(text: string): void }).violated(
        `policy: ${effectiveDirective} refuses ${blockedURI} (${where})`,
      );
    });
  });
  const open = async (path: string) => {
    const page = await context.newPage();
    await page.goto(path);
    return page;
  };
  return { context, open, faults };
}

/** A laptop that is closed: the page stands still, timers and all, until it is woken. */
export async function asleep(page: Page): Promise<{ wake(): Promise<void> }> {
  const session = await page.context().newCDPSession(page);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  return {
    async wake() {
      await session.send("Page.setWebLifecycleState", { state: "active" });
      await session.detach();
    },
  };
}
