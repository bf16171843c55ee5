// The fakes' time: real, shifted, or standing still.

export class Clock {
  #real: () => number;
  #fixed: number | null = null;
  #shift = 0;

  constructor(real: () => number) {
    this.#real = real;
  }

  /** Milliseconds since 1970. */
  now = (): number => this.#fixed ?? this.#real() + this.#shift;

  /** Stands still at `ms`, or goes with real time again (`null`). */
  set(ms: number | null): void {
    if (ms !== null) new Date(ms).toISOString(); // Throws a RangeError if it is no time.
    this.#fixed = ms;
    this.#shift = 0;
  }

  advance(ms: number): void {
    new Date(this.now() + ms).toISOString();
    if (this.#fixed === null) this.#shift += ms;
    else this.#fixed += ms;
  }

  get standing(): boolean {
    return this.#fixed !== null;
  }
}

const DAY = 86_400_000;
const END_OF_DAY_UTC = 22 * 3_600_000;

/** When a token of Upstox ends: the first 03:30 IST, which is 22:00 UTC, strictly after its issue. */
export const nextHalfPastThreeIst = (issued: number): number =>
  (Math.floor((issued - END_OF_DAY_UTC) / DAY) + 1) * DAY + END_OF_DAY_UTC;

export const utc = (ms: number): string => new Date(ms).toISOString();

/** RFC 3339 in Indian time, to the second. */
export const ist = (ms: number): string =>
  `${new Date(ms + 5.5 * 3_600_000).toISOString().slice(0, 19)}+05:30`;
