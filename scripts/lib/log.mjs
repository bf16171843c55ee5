// What the scripts say: short lines on standard error, so that standard output stays free for results.

/** An error meant for a person: its message is printed without a stack. */
export class Failure extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

const tty = process.stderr.isTTY && !process.env.NO_COLOR;
const paint = (code) => (text) => (tty ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = paint(1);
export const red = paint(31);
export const green = paint(32);

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
