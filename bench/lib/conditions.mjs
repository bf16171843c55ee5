// Under what conditions a run was made: figures of another machine are other figures.
import { existsSync, readFileSync } from "node:fs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { outputOf } from "../../scripts/lib/run.mjs";
import { python } from "./install.mjs";
import { fastapiVersions } from "./peers.mjs";
import { machine } from "./processes.mjs";

const versionOf = (name) =>
  JSON.parse(readFileSync(inRoot("node_modules", name, "package.json"), "utf8")).version;

export async function conditions({ rounds, seconds, connections, sessions, logins }) {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: (await outputOf("git", ["describe", "--always", "--dirty"])) ?? "unknown",
    ...machine(),
    node: process.versions.node,
    workerd: versionOf("workerd"),
    p1: existsSync(python) ? await fastapiVersions() : null,
    rounds,
    seconds,
    connections,
    sessions,
    logins,
  };
}
