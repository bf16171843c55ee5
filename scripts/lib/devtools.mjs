// A Chromium with a DevTools endpoint on this machine, for portals whose pages need a browser.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "./chromium.mjs";
import { Failure } from "./log.mjs";
import { readLines } from "./run.mjs";

const READY_WITHIN_MS = 15_000;
const ANNOUNCED = /^DevTools listening on ws:\/\/(127\.0\.0\.1:\d+)\//;

/** Starts one; nothing, where there is none. `hosts`: whether pages may be loaded from elsewhere than this machine. `port`: any free one unless given. */
export async function startDevtools({ hosts = false, port = 0 } = {}) {
  const found = chromium();
  if (!found) return undefined;
  const profile = mkdtempSync(join(tmpdir(), "sallyport-chromium-"));
  const args = [
    ...[
      "--headless",
      `--remote-debugging-port=${port}`,
      "--remote-debugging-address=127.0.0.1",
      "--no-first-run",
    ],
    ...["--disable-background-networking", "--disable-component-update", "--font-render-hinting=none"],
    `--user-data-dir=${profile}`,
    // As root there is no sandbox to be had.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ...(hosts ? [] : ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"]),
    "about:blank",
  ];
  const child = spawn(found.path, args, {
    env: { ...process.env, ...found.env },
    // Its own process group: Debian's program is a shell script, and to end that alone leaves Chromium running.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const killNow = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nobody is left.
    }
  };
  const address = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Failure("Chromium did not open its DevTools")), READY_WITHIN_MS);
    const gone = () => reject(new Failure("Chromium ended before it opened its DevTools"));
    child.once("exit", gone);
    readLines(child.stderr, (line) => {
      const address = ANNOUNCED.exec(line)?.[1];
      if (!address) return;
      clearTimeout(late);
      child.off("exit", gone);
      resolve(address);
    });
  }).catch((error) => {
    killNow();
    throw error;
  });
  const kill = async () => {
    killNow();
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  return { url: `http://${address}`, port: Number(address.split(":")[1]), child, kill, killNow };
}
