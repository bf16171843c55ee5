// The data of the pictures, and by it the types of the console, are as the document of the API says.
import { expect, it } from "vitest";
import { answerTo, SESSIONS } from "../support/browser/console_data.ts";
import { unlike } from "../support/openapi.ts";

const ASKED = [
  "/health",
  "/auth/session",
  "/api/v1/tokens",
  "/api/v1/tokens/upstox/agnidata002/history",
  "/admin/sessions/active",
  `/admin/sessions/${SESSIONS[1]?.id}`,
  `/admin/sessions/${"0".repeat(64)}`,
  "/admin/users/maria",
  "/sessions",
  "/admin/portal-pages/emodal/hash",
  "/admin/audit",
];

it.each(ASKED)("%s", (path) => {
  const json = answerTo(new URL(path, "https://sallyport.test"));
  expect(unlike("GET", path, { status: 200, text: JSON.stringify(json), json })).toBeUndefined();
});
