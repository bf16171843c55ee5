// Logins from chosen addresses, many at once, with the clock stopped.
import { vi } from "vitest";
import { type Answer, api } from "./api.ts";

/** The setting's default: failures from one address before it is refused for a while. */
export const LOGIN_MAX_FAILURES = 10;

let count = 0;
/** A client that no other test of the file is. */
export const address = () => `2001:db8:1:${(++count).toString(16)}::1`;

export const login = (
  username: string,
  password: string,
  from = "192.0.2.10",
  headers: Record<string, string> = {},
): Promise<Answer> =>
  api("POST", "/auth/login", {
    body: { username, password },
    headers: { "cf-connecting-ip": from, ...headers },
  });

export { times } from "../answers.ts";

export const byStatus = (answers: Answer[]) => Map.groupBy(answers, (answer) => answer.status);

/** Stops the clock, so that what is blocked stays so until the test moves it. */
export function stopClock(): number {
  vi.useFakeTimers({ toFake: ["Date"] });
  return Date.now();
}
