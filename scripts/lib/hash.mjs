// One hash over files and folders, to see whether anything changed.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { inRoot, root } from "./paths.mjs";

/** Names and contents of all files in `paths` (relative to the project), but for the files, folders and patterns in `except`. */
export function hashOf(paths, except = []) {
  const hash = createHash("sha256");
  const left = (name) =>
    except.some((path) =>
      path instanceof RegExp ? path.test(name) : name === path || name.startsWith(`${path}/`),
    );
  for (const file of paths.flatMap(filesIn).filter((name) => !left(name)))
    hash.update(`${file}\0`).update(
      createHash("sha256")
        .update(readFileSync(inRoot(file)))
        .digest(),
    );
  return hash.digest("hex");
}

function filesIn(path) {
  if (!existsSync(inRoot(path))) return [];
  if (!statSync(inRoot(path)).isDirectory()) return [path];
  return readdirSync(inRoot(path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, "/"))
    .sort();
}
