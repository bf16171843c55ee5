// The pages of the OpenID Connect chain: the identity server's, and those of the provider that it leaves the password to.
import { formPostPage, hidden, escaped, SITE_KEY, summary, verification } from "./portal_pages.ts";

const layout = (title: string, body: string): string => `<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>${escaped(title)}</title></head>
<body><main>
${body}
</main></body></html>
`;

interface LoginForm {
  token: string;
  returnUrl: string;
  /** Set in the second step of two. */
  username?: string | undefined;
  error?: string | undefined;
  captcha: boolean;
}

/** The form in two steps, both at one address: the username, then the password. */
export function ssoLoginPage({ token, returnUrl, username, error, captcha }: LoginForm): string {
  const second = username !== undefined;
  const inputs = second
    ? `<b>${escaped(username)}</b>${hidden("Username", username)}
  <input name="Password" type="password" autocomplete="current-password">`
    : `<input name="Username" autocomplete="username">`;
  const widget = `<div class="g-recaptcha" data-sitekey="${SITE_KEY}" data-size="invisible"></div>`;
  return layout(
    "Log in",
    `${summary(error === undefined ? [] : [error])}
<form method="post" action="/oidc/sso/Account/Login">
  ${hidden("ReturnUrl", returnUrl)}
  ${inputs}
  ${captcha && !second ? `${widget}\n  ${hidden("ReCapthaToken", "")}` : ""}
  <button name="submit" value="${second ? "login" : "next"}">${second ? "Log in" : "Next"}</button>
  <button name="submit" value="cancel" formnovalidate>Cancel</button>
  ${verification(token)}
</form>`,
  );
}

/** As Keycloak has it: the address of the form tells where in its flow somebody is. */
export const keycloakPage = (action: string, username: string, error?: string): string =>
  layout(
    "Sign in to CargoSprint",
    `<form id="kc-form-login" action="${escaped(action)}" method="post">
  <input id="username" name="username" value="${escaped(username)}" type="text" autocomplete="username">
  <input id="password" name="password" type="password" autocomplete="current-password">
  ${error === undefined ? "" : `<span id="input-error" aria-live="polite">${escaped(error)}.</span>`}
  <input id="rememberMe" name="rememberMe" type="checkbox"> Remember me
  <input type="hidden" id="id-hidden-input" name="credentialId">
  <input name="login" id="kc-login" type="submit" value="Sign In">
</form>`,
  );

export const otpPage = (action: string, error?: string): string =>
  layout(
    "Sign in to CargoSprint",
    `<form id="kc-otp-login-form" action="${escaped(action)}" method="post">
  <label for="otp">One-time code</label> <input id="otp" name="otp" autocomplete="one-time-code" type="text">
  ${error === undefined ? "" : `<span id="input-error-otp-code" aria-live="polite">${escaped(error)}.</span>`}
  <input name="login" id="kc-login" type="submit" value="Sign In">
</form>`,
  );

export const problem = (title: string): string => layout(title, `<h1>${escaped(title)}</h1>`);

export { formPostPage };

/** A page that does nothing but lead on. */
export const onwards = (how: "meta" | "script", to: string): string =>
  how === "meta"
    ? `<html><head><meta http-equiv="refresh" content="0;url=${escaped(to)}" data-url="${escaped(to)}"></head><body></body></html>\n`
    : `<html><head><title>Redirecting</title></head><body><script>window.location.href = ${JSON.stringify(to)};</script></body></html>\n`;
