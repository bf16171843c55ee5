// The portal as a single-page application, and the one-time passwords that it asks some users for.
import { SITE_KEY } from "./portal_pages.ts";
import { script } from "./portal_app_script.ts";
import type { Answer } from "./types.ts";

/** The key of every user whose name begins with `totp`: Base32. */
export const TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The page of all its addresses; what is shown there is its script's. */
export const appPage = (captcha: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>eModal application</title>
<style>body{font:16px sans-serif} table{border-collapse:collapse} td,th{border:1px solid #ccc;padding:6px}
[role=option]{padding:4px} section{display:grid;gap:8px;max-width:500px}</style></head>
<body data-sitekey="${SITE_KEY}" data-captcha="${captcha}">
<div id="app">Loading…</div>
<script>${script}</script>
</body>
</html>
`;

export const refused = (): Answer => ({
  status: 403,
  headers: { "content-type": "text/plain" },
  text: "Invalid code",
});

function bytesOf(base32: string): Uint8Array<ArrayBuffer> {
  const bits = [...base32].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

/** The one-time password of a time (RFC 6238). */
export async function totp(ms: number): Promise<string> {
  const key = await crypto.subtle.importKey(
    "raw",
    bytesOf(TOTP_SECRET),
    { name: "HMAC", hash: "SHA-1" },
    false,
    ["sign"],
  );
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(Math.floor(ms / 30_000)));
  const digest = new DataView(await crypto.subtle.sign("HMAC", key, counter.buffer));
  const at = digest.getUint8(19) & 15;
  return String((digest.getUint32(at) & 0x7fff_ffff) % 1_000_000).padStart(6, "0");
}
