// The third parties as scripted fakes: what they answer, what they were asked, how they fail. See README.md.
// Nothing here needs Node; `listen.ts` and `main.ts` do.
import type { Options } from "./types.ts";
import { Upstreams } from "./upstreams.ts";

export type { App } from "./accounts.ts";
export { ConnectionBroken } from "./holds.ts";
export { LENIENT } from "./switches.ts";
export type { Switches } from "./switches.ts";
export type * from "./types.ts";
export { Upstreams };

export const createUpstreams = (options: Options = {}): Upstreams => new Upstreams(options);
