// What came of a stage's tests.
import { relative } from "node:path";
import { lastLines } from "./captured.mjs";
import { bold, red, say } from "./log.mjs";
import { root } from "./paths.mjs";

const MAX_SHOWN = 20;
const MAX_LINES = 25;

export class Report {
  code = 0;
  passed = 0;
  failed = 0;
  skipped = 0;
  /** Of each file: where, how many, how long. */
  files = [];
  failures = [];
  /** What goes on before there are tests to count. */
  doing = "";
  #log;

  constructor(title) {
    this.title = title;
  }

  add({ passed, failed, skipped, ...file }) {
    this.passed += passed;
    this.failed += failed;
    this.skipped += skipped;
    this.files.push(file);
  }

  /** One failure: its title, its messages, and the command that runs it alone. */
  fail(failure) {
    this.failures.push(failure);
  }

  end(code, log) {
    if (code !== 0 || !this.#log) this.#log = log;
    this.code ||= code;
  }

  get summary() {
    const counts = [`${this.passed} passed`];
    if (this.failed > 0) counts.push(red(`${this.failed} failed`));
    if (this.skipped > 0) counts.push(`${this.skipped} skipped`);
    return counts.join(", ");
  }

  progress = () => `, ${this.doing || this.summary}`;

  /** Says what failed, and how to run it alone. */
  explain() {
    if (this.code === 0) return;
    say(bold(red(`\n== Failed: ${this.title}`)));
    for (const { title, errors, alone } of this.failures.slice(0, MAX_SHOWN)) {
      say(`\n${red("✗")} ${title}`);
      for (const error of errors) say(indented(error));
      if (alone) say(`   alone: ${alone}`);
    }
    const more = this.failures.slice(MAX_SHOWN);
    for (const { title } of more) say(`${red("✗")} ${title}`);
    if (this.failures.length === 0 && this.#log) say(lastLines(this.#log));
    if (this.#log) say(`\nAll of the output: ${relative(root, this.#log)}`);
  }
}

function indented(text) {
  const lines = text.trimEnd().split("\n");
  const shown = lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES), "…"] : lines;
  return shown.map((line) => `   ${line}`).join("\n");
}
