// The portal's pages as HTML. Their markup is as uneven as real pages are: a reader of them has to parse, not to match.

/** What the captcha of the login page is for. */
export const SITE_KEY = "6Lfake-portal-login-page-site-key-000000";

export const LOGIN_PATH = "/identity/account/login";

/** The login pages of the application and of the OpenID Connect chain. */
export const OTHER_LOGIN_PATHS = ["/spa/login", "/oidc/sso/Account/Login"];

/** A path of the identity pages: where they have a host of their own, with that host and the port of `url`. */
export function identityUrl(path: string, url: URL, host: string): string {
  if (host === "") return path;
  const there = new URL(path, url);
  there.hostname = host;
  return there.href;
}

const ENTITIES: Record<string, string> = {
  ...{ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" },
};

export const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);

/** A whole page; only one for a `user` has the links of those who are logged in. */
export function layout(title: string, body: string, user?: string): string {
  const nav =
    user === undefined
      ? `<header><img alt='' src=/portal/logo.svg> <b>Ports &amp; Terminals</b></header>`
      : `<nav><a class=brand href='/portal/containers'>Containers</a>
    <a href='/portal/appointments/new' class="link">Appointments</a>
    <a href="/portal/logout">Log out</a> <span class="user">${escaped(user)}</span></nav>`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta content='width=device-width, initial-scale=1' name=viewport>
  <title>${escaped(title)} &ndash; eModal</title>
  <!-- was: <form action="/old/login"><input name="Username"><input name="Code" value="none"></form> -->
  <script>
    var template = "<form id='appointment'><table id=\\"containers\\"><tr><td>1 < 2 && 2 > 1</td></tr></table></form>";
    if (1 < 2 && template) { window.page = { title: "</td><li>it's</li>" }; }
  </script>
  <style>.user > b { content: "<td>"; }</style>
</head>
<body>
${nav}
<main>
${body}
</main>
<footer>&copy; 2026 Ports &amp; Terminals &#8212; <a href="https://portal.example.com/terms?a=1&amp;b=2">Terms</a></footer>
</body>
</html>
`;
}

export const problemPage = (title: string, user?: string): string =>
  layout(title, `<h1>${escaped(title)}</h1>`, user);

/** What forms say of what was typed; nothing if all was right. */
export const summary = (errors: string[]): string =>
  errors.length === 0
    ? ""
    : `<div class="validation-summary-errors"><ul>${errors.map((error) => `<li>${escaped(error)}</li>`).join("")}</ul></div>`;

export const hidden = (name: string, value: string): string =>
  `<input value='${escaped(value)}' type=hidden name='${name}'>`;

export const verification = (token: string): string =>
  `<input name="__RequestVerificationToken" type="hidden" value="${escaped(token)}" />`;

export const textInput = (label: string, name: string, value: string): string =>
  `<label for="${name}">${label}</label> <input id="${name}" type="text" value="${escaped(value)}" name="${name}">`;

/** As ASP.NET has it: the hidden twin says `false` where the box is not checked, and comes second where it is. */
export const checkbox = (label: string, name: string, checked: boolean): string =>
  `<input type=checkbox name='${name}' id='${name}' value="true"${checked ? " checked" : ""}>
  <label for="${name}">${label}</label> <input name="${name}" type="hidden" value="false">`;

export const select = (name: string, options: [value: string, label: string][], chosen = ""): string => {
  const lines = options.map(
    ([value, label]) =>
      `<option${value !== "" && value === chosen ? " selected" : ""} value="${escaped(value)}">${escaped(label)}</option>`,
  );
  return `<select name='${name}' class="form-control" id=${name}>\n    ${lines.join("\n    ")}\n  </select>`;
};

interface LoginForm {
  token: string;
  returnUrl: string;
  username?: string;
  error?: string;
}

export const loginPage = ({ token, returnUrl, username = "", error }: LoginForm): string =>
  layout(
    "Log in",
    `${summary(error === undefined ? [] : [error])}
<form method="post" action="${LOGIN_PATH}" id="login">
  ${hidden("ReturnUrl", returnUrl)}
  <input autocomplete="username" name="Username" value="${escaped(username)}">
  <input name="Password" type="password">
  ${checkbox("Remember my login", "RememberLogin", false)}
  <div class="g-recaptcha" data-sitekey="${SITE_KEY}"></div>
  <button name="button" value="login">Log in</button>
  ${verification(token)}
</form>`,
  );

/** Hands the code to the portal; a browser submits it by itself. */
export const formPostPage = (action: string, fields: Record<string, string>): string =>
  `<html><head><base target='_self'/><title>Submit this form</title></head><body>
<form method='post' action='${escaped(action)}'>
${Object.entries(fields)
  .map(([name, value]) => `<input type='hidden' name='${name}' value='${escaped(value)}' />`)
  .join("\n")}
<noscript><button>Submit this form</button></noscript>
</form>
<script>window.addEventListener('load', function(){document.forms[0].submit();});</script>
</body></html>
`;

export const loggedOutPage = (): string =>
  layout(
    "Session expired",
    "<p>You are either not logged in or your session has expired. Please use your back button and log in again.</p>",
  );
