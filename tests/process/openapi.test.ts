// /openapi.json: a static asset beside the Worker, which everything else goes to.
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
