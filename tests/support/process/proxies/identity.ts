// Whose a request is, as the application behind a proxy sees it.
import type { Arrived } from "./application.ts";

/** What Sallyport says of a caller. */
export const OURS = [
  "x-auth-user",
  "x-auth-username",
  "x-auth-session",
  "x-auth-roles",
  "x-auth-expires",
  "x-auth-time",
];

/** Said only where `max_age` is asked for. A proxy may pass it on empty. */
const SOMETIMES = "x-auth-time";

/** As the application behind may see a name: CGI and what follows it have no other letters. */
const asVariable = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, "_");

/** What a request has under our names, in whatever spelling. */
export function identity({ rawHeaders }: Arrived): string[] {
  const names = new Set(OURS.map(asVariable));
  const pairs = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ""]] : []));
  return pairs
    .filter(([name = ""]) => names.has(asVariable(name)))
    .filter(([name = "", value]) => value !== "" || asVariable(name) !== asVariable(SOMETIMES))
    .map(([name = "", value]) => `${name.toLowerCase()}: ${value}`)
    .sort();
}

/** Every spelling of every name, and some twice. */
export const FORGED = OURS.flatMap((name): [string, string][] => {
  const spellings = [
    name,
    name.toUpperCase(),
    name.replace("x-auth", "X-aUTH"),
    name.replaceAll("-", "_"),
    name.replaceAll("-", "_").toUpperCase(),
    name.replace("-", "_"),
    name.replace("auth-", "auth_"),
  ];
  return [...spellings, name].map((spelling, n): [string, string] => [spelling, `forged-${n}`]);
});
