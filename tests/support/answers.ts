// What tests say of answers and users, wherever they run.

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // Whatever the route answers with; each test says what it expects of it.
  json: any;
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  token_type: string;
  expires_in: number;
}

/** The password of every user that tests make. */
export const PASSWORD = "correct horse battery";

/** The text as JSON, where it is some. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const times = <T>(n: number, run: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: n }, (_, index) => run(index)));

/** How many of each. */
export function tally<T>(values: T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
