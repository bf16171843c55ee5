// Random names, signatures and JWTs, by WebCrypto.

const utf8 = new TextEncoder();

export const base64 = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

const base64url = (bytes: Uint8Array): string =>
  base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** `length` random characters of a–z and 0–9. */
export const random = (length: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => (byte % 36).toString(36)).join("");

/** HMAC of a text. No promise and no key is kept: in workerd each belongs to one request. */
export async function hmac(secret: string | Uint8Array, hash: string, text: string): Promise<Uint8Array> {
  const raw = new Uint8Array(typeof secret === "string" ? utf8.encode(secret) : secret);
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8.encode(text)));
}

/** A JWT. It is signed with a secret that nobody else needs: callers cannot check such tokens. */
export async function jwt(
  header: { alg: "HS256" | "HS512"; [name: string]: unknown },
  claims: Record<string, unknown>,
): Promise<string> {
  const part = (value: unknown) => base64url(utf8.encode(JSON.stringify(value)));
  const signed = `${part({ typ: "JWT", ...header })}.${part(claims)}`;
  const signature = await hmac("the fakes' own", `SHA-${header.alg.slice(2)}`, signed);
  return `${signed}.${base64url(signature)}`;
}
