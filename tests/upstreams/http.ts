// Requests read and answers made.
import type { Answer } from "./types.ts";

/** The largest body that is read, in characters. */
export const BODY_LIMIT = 64 * 1024;

const HTML_TYPE = { "content-type": "text/html; charset=utf-8" };

export const HTML =
  "<!doctype html><html><head><title>Error</title></head><body><h1>Error</h1></body></html>\n";

export const bearer = (headers: Headers): string | undefined =>
  /^bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];

/** The cookies of a request by name; of two with one name the first, as most servers have it. */
export function cookiesOf(headers: Headers): Map<string, string> {
  const pairs = (headers.get("cookie") ?? "").split(";").map((pair) => /^\s*([^=]+)=(.*?)\s*$/.exec(pair));
  return new Map(pairs.reverse().flatMap((pair) => (pair ? [[pair[1] ?? "", pair[2] ?? ""]] : [])));
}

/** The JSON object of a text; an empty one if it is none. */
export function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Taken for an empty one.
  }
  return {};
}

/** Whether the content type is this one, whatever its parameters. */
export const hasType = (headers: Headers, type: string): boolean =>
  (headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() === type;

export const form = (text: string): URLSearchParams => new URLSearchParams(text);

export const notAllowed = (allow: string, json: unknown): Answer => ({
  status: 405,
  headers: { allow },
  json,
});

export const page = (html: string, status = 200): Answer => ({ status, headers: HTML_TYPE, text: html });

export const moved = (location: string): Answer => ({ status: 302, headers: { location } });

const BODYLESS = [101, 204, 205, 304];

export const bodyOf = ({ json, text }: Answer): string =>
  text ?? (json === undefined ? "" : JSON.stringify(json));

export function respond(answer: Answer): Response {
  const body = bodyOf(answer);
  const type = answer.text === undefined && body !== "" ? { "content-type": "application/json" } : {};
  const headers = new Headers({ "cache-control": "no-store", ...type, ...answer.headers });
  for (const cookie of answer.cookies ?? []) headers.append("set-cookie", cookie);
  const { status } = answer;
  return new Response(BODYLESS.includes(status) || body === "" ? null : body, { status, headers });
}
