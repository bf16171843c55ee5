// What people are told.
import { readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { messageOf, SessionError, SessionErrorHandler } from "../../client/src/index.ts";

const REASONS = [
  "logout",
  "inactivity",
  "lifetime",
  "evicted",
  "admin",
  "reuse",
  "password",
  "disabled",
  "external",
] as const;
const CODES = ["network_error", "timeout", "unexpected_answer", "not_authenticated", "session_idle"] as const;

it("every end, and every error of the client's own, has a text in three languages", () => {
  const errors = [
    ...REASONS.map((reason) => new SessionError({ code: "session_revoked_or_invalid", reason })),
    ...CODES.map((code) => new SessionError({ code })),
  ];
  const texts = errors.map((error) =>
    (["en", "es", "vi"] as const).map((language) => messageOf(error, language)),
  );
  expect(new Set(texts.flat()).size).toBe(3 * errors.length);
  for (const [en] of texts) expect(en).toMatch(/^[A-Z][\w ,;']+[^.]$/);
});

it("the ends that have texts are those of the server", () => {
  const { components } = JSON.parse(readFileSync("docs/openapi.json", "utf8"));
  expect([...components.schemas.EndReason.enum].sort()).toEqual([...REASONS].sort());
});

it("everything else is told as the server told it", () => {
  const detail = "Se ha superado el número máximo de sesiones simultáneas";
  expect(messageOf(new SessionError({ code: "session_limit_exceeded", detail }), "vi")).toBe(detail);
  expect(messageOf(new Error("something else"))).toBe("something else");
  expect(messageOf("a text")).toBe("a text");
});

it.each([
  [["vi-VN", "en"], "Bạn đã đăng xuất"],
  [["fr-FR", "es-MX", "en"], "Ha cerrado la sesión"],
  [["fr-FR"], "You have logged out"],
  [undefined, "You have logged out"],
])("the browser's languages are %s", (languages, text) => {
  vi.stubGlobal("navigator", { languages });
  expect(messageOf(new SessionError({ code: "x", reason: "logout" }))).toBe(text);
  vi.unstubAllGlobals();
});

const manager = () => ({ logout: vi.fn(() => Promise.reject(new Error("offline"))) });

it("leads where it is told, with the message of the code", () => {
  const goTo = vi.fn();
  const handle = (code: string, loginUrl?: string) =>
    SessionErrorHandler.handleError(new SessionError({ code }), manager(), {
      goTo,
      ...(loginUrl && { loginUrl }),
    });
  expect(handle("session_revoked_or_invalid")).toBe(true);
  expect(handle("refresh_token_reused", "/in?next=%2F")).toBe(true);
  expect(goTo.mock.calls).toEqual([
    ["/login?message=session_revoked"],
    ["/in?next=%2F&message=session_revoked"],
  ]);
});

it("says that there are too many sessions, and leaves all others to the caller", () => {
  const alert = vi.fn();
  const one = manager();
  const handle = (error: unknown) => SessionErrorHandler.handleError(error, one, { alert });
  expect(handle(new SessionError({ code: "session_limit_exceeded", detail: "Too many" }))).toBe(true);
  expect(alert.mock.calls).toEqual([["Too many"]]);
  for (const error of [
    new SessionError({ code: "forbidden" }),
    new Error("x"),
    null,
    "x",
    { code: "constructor" },
  ])
    expect(handle(error)).toBe(false);
  expect(one.logout).not.toHaveBeenCalled();
});
