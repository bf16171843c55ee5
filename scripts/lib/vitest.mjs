// The tests in the real runtime, with vitest.
import { captured } from "./captured.mjs";
import { npmTool } from "./paths.mjs";
import { wranglerEnv } from "./wrangler.mjs";

const REPORTERS = ["--reporter=default", "--reporter=./scripts/lib/vitest-reporter.mjs"];

/** Runs them. `report` is a Report; `log` the name of the file with all output; `echo` shows what vitest and the Worker print. */
export async function vitest(args, report, { log = "vitest", echo = false } = {}) {
  const onLine = (line) => {
    const { file, failure } = JSON.parse(line);
    if (file) report.add(file);
    if (failure) report.fail(described(failure));
  };
  const { code, file } = await captured(log, npmTool("vitest"), ["run", ...REPORTERS, ...args], {
    env: wranglerEnv,
    readers: { 3: onLine },
    echo,
  });
  report.end(code, file);
}

function described({ project, file, test, errors }) {
  const alone =
    file && `npm test -- --worker --project ${project} ${file}${test ? ` -t ${quoted(pattern(test))}` : ""}`;
  // vitest joins the names of suites with this; its -t wants blanks.
  return { title: [file, test].filter(Boolean).join(" > ") || "outside of any test", errors, alone };
}

/** What `-t` finds this very test by: it takes a regular expression. */
const pattern = (test) => test.replaceAll(" > ", " ").replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** For a shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
