// `cargo test`, its output shown and its tests counted.
import { exitCodeOf } from "./run.mjs";

export async function cargoTest(args, env) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const onLine = (line) => {
    process.stdout.write(`${line}\n`);
    // Colour may stand between the words.
    const plain = line.replace(/\u001b\[[0-9;]*m/g, "");
    const result = plain.match(/^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored/);
    if (!result) return;
    const [passed, failed, skipped] = result.slice(1).map(Number);
    counts.passed += passed;
    counts.failed += failed;
    counts.skipped += skipped;
  };
  const colour = process.stdout.isTTY ? ["--color", "always"] : [];
  const code = await exitCodeOf("cargo", ["test", "--locked", ...colour, ...args], { onLine, env });
  return { code, ...counts };
}
