// `useSession()` by itself, with both versions of React that it is for: on a server, coming to life in a browser, and what it renders.
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inRoot } from "../../scripts/lib/paths.mjs";
import type * as Hook from "../support/browser/hook.tsx";
import { inChromium } from "../support/browser/chromium.ts";
import { PASSWORD } from "../support/process/client.ts";
import { type Server, start } from "../support/process/server.ts";

const HOOK = inRoot("tests", "support", "browser", "hook.tsx");
const VERSIONS = {
  18: { react: "react-18", "react-dom": "react-dom-18" },
  19: {},
} as const;
/** With what it takes of React; nothing else is in it. */
const MOST_BYTES = 1024;

let folder: string;
let server: Server;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-hook-"));
  server = await start();
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** As an application is bundled while it is developed: React says what it does not like. */
async function bundled(version: keyof typeof VERSIONS, platform: "node" | "browser") {
  const { outputFiles } = await build({
    entryPoints: [HOOK],
    bundle: true,
    write: false,
    outdir: folder,
    format: platform === "node" ? "cjs" : "esm",
    platform,
    alias: VERSIONS[version],
    jsx: "automatic",
    conditions: ["@sallyport/source"],
    define: { "process.env.NODE_ENV": '"development"' },
  });
  return outputFiles[0]?.text ?? "";
}

/** What the server makes of it, and what the client asked for meanwhile. */
async function served(version: keyof typeof VERSIONS) {
  const module = { exports: {} as typeof Hook };
  const require = createRequire(HOOK);
  new Function("module", "exports", "require", await bundled(version, "node"))(
    module,
    module.exports,
    require,
  );
  const asked: string[] = [];
  const fetch = (input: string | URL | Request) => {
    asked.push(String(input));
    return Promise.reject(new Error("A server asks nothing."));
  };
  const html = (["cookie", "localStorage", "memory"] as const).map((storage) =>
    module.exports.rendered({ storage, fetch }),
  );
  return { html, asked, renderedAlone: module.exports.renderedAlone };
}

it("is small", async () => {
  const { outputFiles } = await build({
    entryPoints: [inRoot("client", "src", "react.ts")],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    external: ["react"],
  });
  const bytes = gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
  expect(bytes, `${bytes} bytes gzipped`).toBeLessThan(MOST_BYTES);
});

describe.for([18, 19] as const)("React %s", (version) => {
  it("on a server nothing is known and nothing is asked, whatever the storage", async () => {
    const { html, asked, renderedAlone } = await served(version);
    const all = '<p id="status">loading false nobody -</p><p id="clock">null</p>';
    expect(html).toEqual([all, all, all]);
    expect(asked).toEqual([]);
    expect(renderedAlone).toThrow("useSession() needs a <SessionProvider");
  });

  inChromium("in Chromium", (chromium) => {
    it("a page of the server comes to life; only who counts seconds is rendered each second", async () => {
      const { base } = server.client;
      const { context, open } = await chromium.person(base);
      const [{ html }, script] = [await served(version), await bundled(version, "browser")];
      await context.route("/page", (route) =>
        route.fulfill({
          contentType: "text/html",
          body: `<!doctype html><div id="root">${html[0]}</div><script type="module" src="/hook.js"></script>`,
        }),
      );
      await context.route("/hook.js", (route) =>
        route.fulfill({ contentType: "text/javascript", body: script }),
      );
      await context.clock.install();
      // What React does not like, a page of another content for example, is an error in the console, and so a fault.
      const page = await open("/page");
      const status = page.locator("#status");
      const says = (text: string) => expect.poll(() => status.textContent()).toBe(text);
      await says("anonymous false nobody -");

      const username = await server.client.user();
      const hook = await page.evaluateHandle(() => (globalThis as unknown as { hook: Hooked }).hook);
      await hook.evaluate(({ manager }, [name, password]) => manager.login(name, password), [
        username,
        PASSWORD,
      ] as const);
      await says(`authenticated true ${username} -`);

      await context.clock.pauseAt(Date.now() + 60_000);
      const counts = () => hook.evaluate(({ renders }) => ({ ...renders }));
      const seconds = async () => Number(await page.locator("#clock").textContent());
      const [before, left] = [await counts(), await seconds()];
      await context.clock.runFor(5000);
      await expect.poll(seconds).toBe(left - 5);
      const after = await counts();
      expect([after.status - before.status, after.clock > before.clock]).toEqual([0, true]);

      expect(await hook.evaluate(({ logins }) => logins.size)).toBe(1);
      await hook.evaluate(({ manager }) => manager.logout());
      await says("anonymous false nobody logout");
      // Who is gone is not told any more.
      await hook.evaluate(({ root }) => root.unmount());
      const last = await counts();
      await hook.evaluate(({ manager }, [name, password]) => manager.login(name, password), [
        username,
        PASSWORD,
      ] as const);
      await context.clock.runFor(5000);
      expect(await counts()).toEqual(last);
    });
  });
});

type Hooked = ReturnType<typeof Hook.hydrate>;
