// Where things are. Everything that these scripts make lies inside the project.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const inRoot = (...parts) => join(root, ...parts);

/** Programs that cargo installs for this project only. */
export const tools = inRoot(".tools");
/** What programs print whose output is not shown. */
export const logs = join(tools, "logs");
export const tool = (name) => join(tools, "bin", name);

/** Programs from npm. Node finds its own there too: npm scripts run on the pinned version. */
export const npmBin = inRoot("node_modules", ".bin");
export const npmTool = (name) => join(npmBin, name);
