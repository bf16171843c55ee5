// The scripted upstreams on a port of this machine.
import type { Options, Upstreams } from "../../upstreams/index.ts";
import { listen } from "../../upstreams/listen.ts";

export interface Listening {
  url: string;
  upstreams: Upstreams;
  close: () => Promise<void>;
  /** Every secret that they have given out. */
  given: Set<string>;
}

/** Starts them; `secretsIn` says what of an answer is a secret. */
export async function listening(
  options: Options,
  secretsIn: (response: Response) => Iterable<string> | Promise<Iterable<string>>,
): Promise<Listening> {
  const { url, upstreams, close } = await listen(options);
  const given = new Set<string>();
  const { handle } = upstreams;
  upstreams.handle = async (request) => {
    const response = await handle(request);
    for (const secret of await secretsIn(response)) given.add(secret);
    return response;
  };
  return { url, upstreams, close, given };
}
