// What scripts/test.mjs reads of vitest: one line of JSON for each file and for each failure, on descriptor 3. Standard
// output is of no use for it: what the Worker logs comes there too, past vitest, from the runtime itself.
import { writeSync } from "node:fs";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { root } from "./paths.mjs";

const DESCRIPTOR = 3;
const STACK_LINES = 4;

const tell = (message) => writeSync(DESCRIPTOR, `${JSON.stringify(message)}\n`);

/** Message, difference, and where in our own code it was. */
function told({ name, message = "", diff, stacks = [], stack = "" }) {
  const where = stacks.map(({ file, line, column }) => `at ${relative(root, file)}:${line}:${column}`);
  const frames = where.length > 0 ? where : stack.split("\n").filter((line) => /^\s+at /.test(line));
  const lines = [
    name && !message.startsWith(name) ? `${name}: ${message}` : message,
    diff,
    ...frames.slice(0, STACK_LINES),
  ];
  return stripVTControlCharacters(lines.filter(Boolean).join("\n"));
}

export default class {
  onTestModuleEnd(module) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const place = { project: module.project.name, file: module.relativeModuleId };
    for (const test of module.children.allTests()) {
      const { state, errors = [] } = test.result();
      counts[state in counts ? state : "skipped"] += 1;
      if (state === "failed") tell({ failure: { ...place, test: test.fullName, errors: errors.map(told) } });
    }
    const { duration, setupDuration, collectDuration, prepareDuration, environmentSetupDuration } =
      module.diagnostic();
    // A file that does not load, or whose hooks fail, may have no failed test.
    const errors = [
      ...module.errors(),
      ...[...module.children.allSuites()].flatMap((suite) => suite.errors()),
    ];
    if (errors.length > 0) tell({ failure: { ...place, errors: errors.map(told) } });
    const starting = setupDuration + collectDuration + prepareDuration + environmentSetupDuration;
    tell({ file: { ...place, ...counts, duration: Math.round(duration), starting: Math.round(starting) } });
  }

  onTestRunEnd(_modules, unhandled) {
    for (const error of unhandled) tell({ failure: { errors: [told(error)] } });
  }
}
