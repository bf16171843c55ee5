// Each view of the console at fixed data: axe-core finds nothing, light and dark; on a phone nothing is wider than the screen.
import { afterAll, beforeAll, expect, it } from "vitest";
import { violations } from "../support/browser/axe.ts";
import { inChromium } from "../support/browser/chromium.ts";
import { fixedConsole, VIEWS } from "../support/browser/console_pages.ts";
import { type Server, start } from "../support/process/server.ts";

let server: Server;
beforeAll(async () => {
  server = await start();
});
afterAll(() => server?.[Symbol.asyncDispose]());

it("the page is served without the Worker, with a policy that lets in nothing but its own files", async () => {
  const { base } = server.client;
  const page = await fetch(new URL("/console", base));
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  const policy = page.headers.get("content-security-policy")?.split("; ");
  expect(policy).toEqual([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ]);
  const html = await page.text();
  expect(html).not.toMatch(/https?:|<script>|<style|style=| on\w+=/);
  expect(server.lines).toEqual([]);
});

inChromium("the views of the console", (chromium) => {
  it.each(["light", "dark"] as const)(
    "axe-core finds nothing in %s",
    { timeout: 120_000 },
    async (colorScheme) => {
      const { context, open } = await chromium.person(server.client.base, { colorScheme });
      await fixedConsole(context);
      const page = await open("/console");
      for (const [name, show] of VIEWS) {
        await show(page);
        expect(await violations(page), name).toEqual([]);
      }
    },
  );

  it("on a phone, in each language, nothing is wider than the screen", async () => {
    for (const locale of ["en-US", "es-ES", "vi-VN"]) {
      const { context, open } = await chromium.person(server.client.base, {
        locale,
        viewport: { width: 390, height: 844 },
      });
      await fixedConsole(context);
      const page = await open("/console");
      expect(await page.getAttribute("html", "lang")).toBe(locale.slice(0, 2));
      for (const [name, show] of VIEWS) {
        await show(page);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(wider, `${locale} ${name}`).toBeLessThanOrEqual(0);
      }
    }
  });

  it("language and appearance are chosen, hold after a reload, and the sign-in has them, too", async () => {
    const { context, open } = await chromium.person(server.client.base);
    await fixedConsole(context);
    const page = await open("/console");
    await page.getByLabel("Language").selectOption("es");
    await page.getByRole("heading", { name: "Tokens" }).waitFor();
    await page.getByRole("tab", { name: "Sesiones" }).waitFor();
    await page.getByLabel("Apariencia").selectOption("dark");
    await page.reload();
    await page.getByRole("tab", { name: "Sesiones" }).waitFor();
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe("dark");
    await context.unrouteAll();
    await page.reload();
    await page.getByLabel("Contraseña").waitFor();
    expect(await violations(page)).toEqual([]);
  });
});
