// The project's commands as whoever types them meets them: a process, its outputs and its exit code.
import { spawn } from "node:child_process";
import { inRoot } from "../../../scripts/lib/paths.mjs";

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

interface Options {
  env?: Record<string, string | undefined>;
  /** The project, or a copy of it. */
  folder?: string;
  /** Node's own arguments. */
  node?: string[];
}

/** Begins one; `out` and `err` are what it has printed so far. */
export function begin(
  name: string,
  args: string[],
  { env = {}, folder = inRoot("."), node = [] }: Options = {},
) {
  // Without what npm has told the run of the tests.
  const given = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
  const child = spawn(process.execPath, [...node, `scripts/${name}.mjs`, ...args], {
    cwd: folder,
    env: { ...given, NO_COLOR: "1", TZ: "UTC", SALLYPORT_ON_PINNED_NODE: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.err += text));
  const ended = new Promise<Ended>((done) => child.on("close", (code) => done({ code, ...said })));
  return { said, ended, stop: () => child.kill("SIGTERM") };
}

export const script = (name: string, args: string[], options?: Options): Promise<Ended> =>
  begin(name, args, options).ended;
