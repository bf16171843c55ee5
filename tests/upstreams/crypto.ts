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

/** A one-time password (RFC 6238) is good for so long. */
export const WINDOW_MS = 30_000;

/** The one-time password of a window, counted from 1970: SHA-1, six digits. */
export async function totp(secret: string, window: number): Promise<string> {
  const bits = Array.from(secret, (char) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(char))
    .map((value) => value.toString(2).padStart(5, "0"))
    .join("");
  const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(window));
  const algorithm = { name: "HMAC", hash: "SHA-1" };
  const key = await crypto.subtle.importKey("raw", new Uint8Array(bytes), algorithm, false, ["sign"]);
  const digest = new DataView(await crypto.subtle.sign("HMAC", key, counter));
  const value = digest.getUint32(digest.getUint8(19) & 0xf) & 0x7fff_ffff;
  return String(value % 1_000_000).padStart(6, "0");
}

/** As PKCE has it (RFC 7636). */
export const sha256 = async (text: string): Promise<string> =>
  base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8.encode(text))));
