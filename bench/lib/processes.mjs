// What the kernel has counted for a process and its children, and what this machine is. Linux only: it is in /proc.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { Failure } from "../../scripts/lib/log.mjs";

/** Of a clock tick, in which /proc counts: USER_HZ, which is 100 wherever Linux runs. */
const TICK_SECONDS = 0.01;

export function requireProc() {
  if (!existsSync("/proc/self/stat"))
    throw new Failure("The bench counts the processor time of processes in /proc, which only Linux has.");
}

/** The fields of /proc/…/stat behind the name, which may hold spaces; null when the process is gone. */
function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

/** A process and all that descend from it. */
export function treeOf(pid) {
  const children = new Map();
  for (const name of readdirSync("/proc")) {
    const parent = /^\d+$/.test(name) && stat(name)?.[1];
    if (parent) children.set(Number(parent), [...(children.get(Number(parent)) ?? []), Number(name)]);
  }
  const tree = [pid];
  for (const one of tree) tree.push(...(children.get(one) ?? []));
  return tree;
}

/** User and system time of some processes, in seconds. */
export const cpuSeconds = (pids) =>
  pids.reduce((sum, pid) => {
    const fields = stat(pid);
    return sum + (fields ? (Number(fields[11]) + Number(fields[12])) * TICK_SECONDS : 0);
  }, 0);

/** Busy time of the whole machine, in seconds. */
export function machineSeconds() {
  const [, ...fields] = readFileSync("/proc/stat", "utf8").split("\n", 1)[0].split(/\s+/);
  const [user, nice, system, , , irq, softirq, steal] = fields.map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK_SECONDS;
}

export const machine = () => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: availableParallelism(),
  memory_gib: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
});
