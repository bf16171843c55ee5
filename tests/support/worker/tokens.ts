// Tokens read and forged. The signing key is the test's own.
import { env } from "cloudflare:workers";

export type Json = Record<string, unknown>;

/** Bytes as a part of a token. */
export const encode = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

export const base64url = (text: string): string => encode(new TextEncoder().encode(text));

export const decodePart = (token: string, part: 0 | 1): Json =>
  JSON.parse(atob((token.split(".")[part] ?? "").replaceAll("-", "+").replaceAll("_", "/")));

/** The claims of a token, unverified. */
export const claimsOf = (token: string): Json => decodePart(token, 1);

export const headerOf = (token: string): Json => decodePart(token, 0);

/** The session that a token belongs to. */
export const sessionOf = (token: string): string => String(claimsOf(token).sid);

/** The secret of the key that signs. */
export const signingSecret = (): string => env.TOKEN_SIGNING_KEYS.split(",")[0]?.split(":")[1] ?? "";

/** Signs the two parts as they are. */
export async function signText(signed: string, secret = signingSecret(), hash = "SHA-256"): Promise<string> {
  // WebCrypto has no empty HMAC key; one zero byte pads to the same.
  const raw = secret === "" ? new Uint8Array(1) : new TextEncoder().encode(secret);
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash }, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(signed));
  return `${signed}.${encode(new Uint8Array(signature))}`;
}

/** Signs header and claims with our key, or with another. */
export const sign = (
  header: Json | string,
  claims: Json | string,
  secret?: string,
  hash?: string,
): Promise<string> => {
  const text = (value: Json | string) => base64url(typeof value === "string" ? value : JSON.stringify(value));
  return signText(`${text(header)}.${text(claims)}`, secret, hash);
};

/** A token like `token`, with some of its header and claims changed, rightly signed. */
export const forge = (token: string, header: Json, claims: Json): Promise<string> =>
  sign({ ...headerOf(token), ...header }, { ...claimsOf(token), ...claims });
