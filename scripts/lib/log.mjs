// What the scripts say: short lines on standard error, so that standard output stays free for results.
// By its default export: a Node without `styleText` must come as far as being told that it is too old.
import util from "node:util";

/** An error meant for a person: its message is printed without a stack. */
export class Failure extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Colours for a stream, if it is a terminal and its owner wants them. */
export const painter = (stream) => (style, text) => util.styleText(style, text, { stream });

const paint = painter(process.stderr);
export const bold = (text) => paint("bold", text);
export const red = (text) => paint("red", text);
export const green = (text) => paint("green", text);

export const say = (text = "") => process.stderr.write(`${text}\n`);
export const heading = (text) => say(bold(`\n== ${text}`));
export const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/**
 * Runs one step and says at its end how long it took; steps may run beside each other. While it is silent, a line every
 * 30 s shows that it goes on, with what `progress` says. `work` may give its result's line by returning `{ summary }`.
 */
export async function step(title, work, progress = () => "") {
  const since = Date.now();
  say(`${bold(title)} …`);
  const pulse = setInterval(() => say(`   still at it: ${title}${progress()} (${seconds(since)})`), 30_000);
  try {
    const result = await work();
    say(`   ${title}: ${result?.summary ?? "done"} (${seconds(since)})`);
    return result;
  } catch (error) {
    say(`   ${title}: ${red("failed")} (${seconds(since)})`);
    throw error;
  } finally {
    clearInterval(pulse);
  }
}
