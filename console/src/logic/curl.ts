// The `curl` of a request: what the console can do, a terminal can. Without secrets, which are in variables of the shell.
import { Secret, type Request } from "../api/call.ts";

const CREDENTIALS = {
  admin: '-H "authorization: Bearer $SALLYPORT_TOKEN"',
  key: '-H "x-api-key: $key"',
};

/** In any shell of the family: a quotation mark in the text ends the quotation, stands by itself, and begins another. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export function curl(request: Request, base: string, as: keyof typeof CREDENTIALS): string {
  const parts = ["curl -sS"];
  if (request.method !== "GET" && !(request.method === "POST" && request.body))
    parts.push(`-X ${request.method}`);
  parts.push(quoted(base + request.path), CREDENTIALS[as]);
  if (request.body) parts.push("-H 'content-type: application/json'", `-d ${body(request.body)}`);
  return parts.join(" ");
}

/** JSON in single quotes, but for the secrets: there the quotation is interrupted, for the shell to put the variable in. */
function body(fields: NonNullable<Request["body"]>): string {
  const names: string[] = [];
  const marked = JSON.stringify(fields, (_, value: unknown) => {
    if (!(value instanceof Secret)) return value;
    names.push(value.name);
    return "\u0001";
  });
  // JSON.stringify escapes control characters, so no text of a field looks like the mark.
  const pieces = marked.split("\\u0001");
  return pieces.map((piece, i) => quoted(piece) + (i < names.length ? `"$${names[i]}"` : "")).join("");
}
