// The portal as a single-page application over its plain pages.
import { SITE_KEY } from "./portal_pages.ts";
import { script } from "./portal_app_script.ts";
import type { Answer } from "./types.ts";

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
