// Where servers keep their state while they are measured: in memory, as a busy disk would be measured in place of them.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEMORY = "/dev/shm";

/** A new folder; it goes when the process does. */
export function stateFolder() {
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "sallyport-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
