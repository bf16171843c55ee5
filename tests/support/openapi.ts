// Holds answers to docs/openapi.json, in workerd and on Node: without `eval`, which workerd does not have.
import { type OutputUnit, Validator } from "@cfworker/json-schema";
import text from "../../docs/openapi.json?raw";

interface Response {
  content?: Record<string, { schema: object }>;
}
type PathItem = Record<string, { responses: Record<string, Response> }>;

const document: { paths: Record<string, PathItem>; components: object } = JSON.parse(text);

/** Literal paths first: `/auth/sessions/current` is not one of `/auth/sessions/{id}`. */
const patterns = Object.entries(document.paths)
  .map(([pattern, item]) => ({ pattern, item, parts: pattern.split("/") }))
  .sort((a, b) => a.parts.filter(isVariable).length - b.parts.filter(isVariable).length);

function isVariable(part: string): boolean {
  return part.startsWith("{");
}

function found(path: string) {
  const parts = path.replace(/^\/api\/v1\/auth\//, "/auth/").split("/");
  return patterns.find(
    (one) =>
      one.parts.length === parts.length &&
      one.parts.every((part, n) => (isVariable(part) ? parts[n] !== "" : part === parts[n])),
  );
}

const validators = new Map<string, Validator>();

/** What of an answer is not as the document says; nothing if all is, or if it is the answer of no route. */
export function unlike(
  method: string,
  url: string,
  { status, text, json }: { status: number; text: string; json: unknown },
): string | undefined {
  const path = new URL(url, "https://sallyport.test").pathname;
  const route = found(path);
  // A path or a method that is not served, and `OPTIONS`, are told of at the top of the document.
  const operation = route?.item[method.toLowerCase()] ?? (method === "HEAD" ? route?.item.get : undefined);
  if (route === undefined || operation === undefined) {
    if ([204, 404, 405, 500, 503].includes(status)) return undefined;
    return `${method} ${path}: ${status} of what is not served`;
  }
  const response = operation.responses[status];
  if (response === undefined) return `${method} ${route.pattern}: ${status} is not in the document: ${text}`;
  if (text === "" && (method === "HEAD" || response.content === undefined)) return undefined;
  if (response.content?.["text/plain"]) return undefined;
  const schema = response.content?.["application/json"]?.schema ?? misconfigured(json);
  if (schema === undefined) return `${method} ${route.pattern}: ${status} has a body`;
  const key = `${method} ${route.pattern} ${status}`;
  let validator = validators.get(key);
  if (validator === undefined) {
    validator = new Validator({ allOf: [schema], components: document.components }, "2020-12");
    validators.set(key, validator);
  }
  const { valid, errors } = validator.validate(json);
  return valid ? undefined : `${key}: ${errors.map(line).join("; ")}: ${text}`;
}

/** While a setting is wrong every route says so, also one whose answers have no body. */
function misconfigured(json: unknown): object | undefined {
  const { code } = (json ?? {}) as { code?: string };
  return code === "configuration_error" ? { $ref: "#/components/schemas/Error" } : undefined;
}

const line = ({ instanceLocation, error }: OutputUnit) => `${instanceLocation} ${error}`;
