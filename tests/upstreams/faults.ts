// Scripts of faults: which call meets which, and what it does.
import { ConnectionBroken, Held, meets, type Target } from "./holds.ts";
import { bodyOf, HTML, page } from "./http.ts";
import type { Answer, Fault, FaultOptions, Hold, Upstream } from "./types.ts";
import { until } from "./wait.ts";

interface Script extends Target {
  faults: Fault[];
  times: number;
  next: number;
}

export class Faults {
  #scripts: Script[] = [];
  #holds: Held[] = [];
  #releases = 0;
  #patient: boolean;

  constructor(patient = false) {
    this.#patient = patient;
  }

  /** Adds a script behind those there are; what it returns takes it away. */
  add(upstream: Upstream, fault: Fault | Fault[], options: FaultOptions = {}): () => void {
    const { operation, account, times = 1 } = options;
    if (times !== "forever" && !Number.isInteger(times)) throw new RangeError("times is a number or forever");
    const faults = Array.isArray(fault) ? [...fault] : [fault];
    faults.forEach(check);
    const script: Script = {
      ...{ upstream, operation, account, faults, next: 0 },
      times: times === "forever" ? Infinity : times,
    };
    if (faults.length > 0 && script.times > 0) this.#scripts.push(script);
    return () => this.#drop(script);
  }

  /** The fault for this call; it is used up. The oldest script that meets the call has it. */
  take(call: Target): Fault | undefined {
    const script = this.#scripts.find((each) => meets(each, call));
    const fault = script?.faults[script.next];
    if (!script) return undefined;
    script.next = (script.next + 1) % script.faults.length;
    if (script.next === 0) script.times -= 1;
    if (script.times <= 0) this.#drop(script);
    return fault;
  }

  hold(target: Target): Hold {
    const held = new Held(target);
    this.#holds = [...this.#holds.filter(({ released }) => !released), held];
    return held;
  }

  /** Waits while a hold keeps the call; where it is patient, whatever the caller does meanwhile. */
  async held(call: Target, signal?: AbortSignal): Promise<void> {
    const hold = this.#holds.find(({ target, released }) => !released && meets(target, call));
    if (!hold) return;
    hold.came = true;
    hold.waiting += 1;
    try {
      await until(() => hold.released, 600_000, this.#patient ? undefined : signal);
    } finally {
      hold.waiting -= 1;
    }
  }

  /** Ends all waiting that faults and holds cause. */
  release(): void {
    this.#releases += 1;
    for (const hold of this.#holds) hold.release();
    this.#holds = [];
  }

  /** Takes the scripts away: of one upstream, or all. What waits goes on waiting. */
  clear(upstream?: Upstream): void {
    this.#scripts = this.#scripts.filter((script) => upstream !== undefined && script.upstream !== upstream);
  }

  get list(): unknown[] {
    return this.#scripts.map(({ times, next: _next, ...script }) => ({
      ...script,
      left: times === Infinity ? "forever" : times,
    }));
  }

  /** Does `work` as the fault has it. `error` is the body of the upstream's own errors. */
  async apply(
    fault: Fault | undefined,
    work: () => Promise<Answer>,
    error: (status: number) => unknown,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const html = page(HTML);
    switch (fault?.fault) {
      case undefined:
      case "none":
        return work();
      case "status":
        return statusAnswer(fault, fault.body === "html" ? html : {}, error);
      case "html_200":
        return html;
      case "half_json": {
        const answer = await work();
        const body = bodyOf(answer);
        const type = { "content-type": "application/json" };
        return {
          ...answer,
          headers: { ...type, ...answer.headers },
          text: body.slice(0, body.length / 2) || "{",
        };
      }
      case "wrong_json":
        return { status: fault.status ?? 200, json: fault.json ?? { unexpected: ["shape", 1, null] } };
      case "redirect":
        return { status: 302, headers: { location: fault.to ?? "http://127.0.0.1:1/" } };
      case "hang":
      case "slow":
        await this.pause(fault.delay_ms ?? (fault.fault === "hang" ? 60_000 : 1000), signal);
        return work();
      case "reset":
        throw new ConnectionBroken();
      case "fail_after": {
        const answer = await work();
        if (fault.how === "reset") throw new ConnectionBroken();
        if (fault.how !== "hang") return statusAnswer({ status: fault.status ?? 502 }, html, error);
        await this.pause(fault.delay_ms ?? 60_000, signal);
        return answer;
      }
    }
  }

  /** Waits, or until `release()`. */
  async pause(ms: number, signal?: AbortSignal): Promise<void> {
    const before = this.#releases;
    await until(() => this.#releases !== before, ms, signal);
  }

  #drop(script: Script): void {
    this.#scripts = this.#scripts.filter((each) => each !== script);
  }
}

const KINDS: Record<Fault["fault"], true> = {
  ...{ none: true, status: true, html_200: true, half_json: true, wrong_json: true, redirect: true },
  ...{ hang: true, slow: true, reset: true, fail_after: true },
};

/** Faults come as JSON from outside, too. */
function check(fault: Fault): void {
  if (typeof fault !== "object" || fault === null || !Object.hasOwn(KINDS, fault.fault))
    throw new RangeError(`A fault is one of ${Object.keys(KINDS).join(", ")}`);
  const { status = fault.fault === "status" ? 0 : 200 } = fault as { status?: unknown };
  if (!Number.isInteger(status) || Number(status) < 200 || Number(status) > 599)
    throw new RangeError("A fault's status is 200 to 599");
}

function statusAnswer(
  fault: { status: number; retry_after?: number | string; body?: string; json?: unknown },
  html: Partial<Answer>,
  error: (status: number) => unknown,
): Answer {
  const { status, retry_after } = fault;
  const retry: Record<string, string> =
    retry_after === undefined ? {} : { "retry-after": String(retry_after) };
  const body = fault.body === "empty" ? {} : bodyOfError(fault.json ?? error(status));
  return { ...body, ...html, status, headers: { ...retry, ...body.headers, ...html.headers } };
}

const bodyOfError = (body: unknown): Partial<Answer> =>
  typeof body === "string" ? page(body) : { json: body };
