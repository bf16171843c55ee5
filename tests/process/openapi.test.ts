// What describes the API: static assets beside the Worker, which everything else goes to.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { start } from "../support/process/server.ts";

it("is served as it is in the docs, cached, and shadows nothing", async () => {
  await using server = await start();
  const { base } = server.client;
  const answer = await fetch(new URL("/openapi.json", base));
  expect([answer.status, answer.headers.get("cache-control")]).toEqual([200, "public, max-age=3600"]);
  expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
  const document: unknown = await answer.json();
  expect(document).toEqual(JSON.parse(readFileSync(inRoot("docs", "openapi.json"), "utf8")));
  // Nobody needs the Worker for it.
  expect(server.lines).toEqual([]);

  const again = await fetch(new URL("/openapi.json", base), {
    headers: { "if-none-match": answer.headers.get("etag") ?? "" },
  });
  expect(again.status).toBe(304);
  for (const path of ["/_headers", "/openapi", "/openapi.json/", "/api/v1/openapi.json"]) {
    const other = await fetch(new URL(path, base));
    expect([other.status, other.headers.get("cache-control")], path).toEqual([404, "no-store"]);
  }
});

it("is shown as a page that asks nobody else", async () => {
  await using server = await start();
  const { base } = server.client;
  const page = await fetch(new URL("/docs", base));
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  const policy = page.headers.get("content-security-policy") ?? "";
  // Nothing of it lets the page ask, show or load anything of another origin.
  expect(policy).toMatch(/^default-src 'none';/);
  expect(policy).not.toMatch(/https?:|unsafe-eval|\*/);
  const html = await page.text();
  const [, script] = /<script src="([^"]+)"/.exec(html) ?? [];
  expect(html).toContain('spec-url="/openapi.json"');
  expect(html).not.toMatch(/https?:/);
  const code = await fetch(new URL(script ?? "", base));
  expect([code.status, code.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"]);
  expect(await code.text()).not.toContain("cdn.redoc.ly");
  expect(server.lines).toEqual([]);
});

it("is listed for programs that read, with a place of the page for each operation", async () => {
  await using server = await start();
  const answer = await fetch(new URL("/llms.txt", server.client.base));
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/plain; charset=utf-8"]);
  const list = await answer.text();
  expect(list).toMatch(/^# Sallyport\n\n> /);
  expect(list).toContain("- [POST /auth/login](/docs#tag/tokens/operation/login): ");
  expect(server.lines).toEqual([]);
});
