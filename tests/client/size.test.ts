// What a page has to load, measured as bundlers and servers deliver it: minified by esbuild, gzipped.
import { expect, it } from "vitest";
import { gzippedSize } from "../../scripts/lib/client.mjs";

it("SessionManager with everything it needs is not over 5 KB", async () => {
  expect(await gzippedSize('export { SessionManager } from "./index.ts"')).toBeLessThanOrEqual(5000);
});

it("what is not imported is not loaded: the texts, and who only looks at errors gets only those", async () => {
  const whole = await gzippedSize('export * from "./index.ts"');
  const core = await gzippedSize('export { SessionManager } from "./index.ts"');
  expect(whole - core).toBeGreaterThan(1000);
  expect(await gzippedSize('export { SessionError } from "./index.ts"')).toBeLessThan(700);
  expect(await gzippedSize('import type { paths } from "./openapi.ts"; export type P = paths')).toBeLessThan(
    30,
  );
});
