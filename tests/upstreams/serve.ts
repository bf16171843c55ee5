// One request: to whom it goes, what fault it meets, what is kept of it.
import { utc } from "./clock.ts";
import type { Faults } from "./faults.ts";
import { BODY_LIMIT, respond } from "./http.ts";
import type { Journal } from "./journal.ts";
import { UPSTREAMS } from "./types.ts";
import type { Answer, Ask, Call, Fake, Fault, Upstream } from "./types.ts";

/** The vendors' own hosts, for settings that are left at their defaults. */
const HOSTS: Record<string, Upstream> = {
  "api.facturify.com": "facturify",
  "api-sandbox.facturify.com": "facturify",
  "api.upstox.com": "upstox",
};

/** The portal has two hosts; here the second one is another prefix. */
const PREFIXES: Record<string, Upstream> = { identity: "portal" };

interface Parts {
  fakes: Record<Upstream, Fake>;
  faults: Faults;
  journal: Journal;
  now: () => number;
  /** Answers what is no upstream's. */
  other: (ask: Ask) => Promise<Answer>;
  onCall: ((call: Call) => void) | undefined;
}

/** Reads the request and finds whose it is, by its path or by the vendor's host. */
export async function serve(parts: Parts, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const text = await request.text();
  if (text.length > BODY_LIMIT) return respond({ status: 413, json: { error: "the body is too large" } });
  const host = HOSTS[url.hostname];
  const [, first, rest = ""] = /^\/([^/]*)(.*)$/s.exec(url.pathname) ?? [];
  const upstream = host ?? UPSTREAMS.find((name) => name === first) ?? prefixed(first);
  const path = host === undefined ? rest : url.pathname;
  const ask = { method: request.method, url, path, headers: request.headers, text, signal: request.signal };
  return respond(await (upstream ? call(parts, upstream, ask) : parts.other(ask)));
}

const prefixed = (first = ""): Upstream | undefined =>
  Object.hasOwn(PREFIXES, first) ? PREFIXES[first] : undefined;

/** Takes the fault, waits if the call is held, does the work as the fault has it. Records it however it ends. */
async function call(parts: Parts, upstream: Upstream, ask: Ask): Promise<Answer> {
  const fake = parts.fakes[upstream];
  const { operation, account } = fake.identify(ask);
  const who = { upstream, operation, ...(account === undefined ? {} : { account }) };
  const fault = parts.faults.take(who);
  const leave = parts.journal.enter(upstream, operation, account);
  let answer: Answer | undefined;
  try {
    await parts.faults.held(who, ask.signal);
    const error = (status: number) => fake.error(status);
    answer = await parts.faults.apply(fault, async () => fake.answer(ask), error, ask.signal);
    return answer;
  } finally {
    leave();
    record(parts, who, ask, answer, fault);
  }
}

function record(
  { journal, now, onCall }: Parts,
  who: Pick<Call, "upstream" | "operation" | "account">,
  { headers }: Ask,
  answer: Answer | undefined,
  fault: Fault | undefined,
): void {
  const request_id = headers.get("x-request-id")?.slice(0, 128);
  const recorded = journal.add({
    at: utc(now()),
    ...who,
    status: answer?.status ?? 0,
    ...(request_id === undefined ? {} : { request_id }),
    ...(answer?.gave === undefined ? {} : { gave: answer.gave }),
    ...(fault === undefined || fault.fault === "none" ? {} : { fault: fault.fault }),
  });
  onCall?.(recorded);
}
