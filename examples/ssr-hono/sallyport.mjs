// What an application that makes its pages on a server needs of Sallyport: whose session a request's cookies are. Copy it.
//
// The browser knows the application alone. The cookies of Sallyport are the application's own there, and this hands them on.

/** What the names of Sallyport's cookies have in them. No other cookie leaves the application. */
const MARK = "-sallyport-";

/** Sallyport could not say: nobody is logged out by that. The application answers 503. */
export class Unavailable extends Error {}

/** `base` is where Sallyport is. */
export function sallyport(base) {
  // Calls that change something come from a server, which is no page: it names Sallyport's own origin.
  const { origin } = new URL(base);

  const call = async (method, path, { cookie, body }) => {
    const headers = { origin };
    if (cookie) headers.cookie = cookie;
    if (body) headers["content-type"] = "application/json";
    let answer;
    try {
      answer = await fetch(new URL(path, base), { method, headers, body: body && JSON.stringify(body) });
    } catch (error) {
      throw new Unavailable(path, { cause: error });
    }
    if (answer.status >= 500) throw new Unavailable(`${path}: ${answer.status}`);
    return { status: answer.status, json: await answer.json(), headers: answer.headers };
  };

  return {
    /** `setCookie` and `clear` belong into the answer to the browser. */
    async login(request, username, password) {
      const cookie = ours(request);
      const body = { username, password, cookie: true };
      const { status, json, headers } = await call("POST", "/auth/login", { cookie, body });
      return { ok: status === 200, status, detail: json.detail, setCookie: everywhere(headers) };
    },

    /**
     * Whose session it is; `user` is null if nobody's. If the access token has expired, it is refreshed: `setCookie` has to be in the
     * answer to the browser, whatever that is. However many requests do so at once, they get the same tokens.
     */
    async getSession(request) {
      const cookie = ours(request);
      if (!cookie) return { user: null, setCookie: [] };
      const first = await call("GET", "/auth/profile", { cookie });
      if (first.status === 200) return { user: first.json, setCookie: [] };
      if (first.json.code !== "token_expired") return { user: null, setCookie: [] };
      const refreshed = await call("POST", "/auth/refresh", { cookie });
      if (refreshed.status !== 200) return { user: null, setCookie: [] };
      const setCookie = everywhere(refreshed.headers);
      const second = await call("GET", "/auth/profile", { cookie: setCookie.map(pair).join("; ") });
      return { user: second.status === 200 ? second.json : null, setCookie };
    },

    async logout(request) {
      const cookie = ours(request);
      if (!cookie) return { setCookie: [], clear: null };
      const { headers } = await call("POST", "/auth/logout", { cookie });
      return { setCookie: everywhere(headers), clear: headers.get("clear-site-data") };
    },
  };
}

/**
 * Whether a request that changes something was sent by a page of the application itself: browsers add the cookies to those of other
 * sites, too. `origin` is the application's, as browsers have it.
 */
export function isOwnPage(request, origin) {
  const from = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  return from === null
    ? site === "same-origin"
    : from === origin && (site ?? "same-origin") === "same-origin";
}

/** The cookies of a request that are Sallyport's. */
function ours(request) {
  const cookies = (request.headers.get("cookie") ?? "").split(";").map((cookie) => cookie.trim());
  return cookies.filter((cookie) => cookie.split("=", 1)[0]?.includes(MARK)).join("; ");
}

/**
 * Sallyport sends the refresh token to its own /auth/refresh alone. Here any page may have to refresh, so it goes to all of the
 * application's.
 */
function everywhere(headers) {
  const cookies = headers.getSetCookie().map((cookie) => cookie.replace(/; Path=[^;]*/, "; Path=/"));
  // Of one name the first counts: a login also takes the refresh token away that the other path may have had.
  return cookies.filter((cookie, n) => cookies.findIndex((other) => name(other) === name(cookie)) === n);
}

const pair = (cookie) => cookie.split(";", 1)[0];
const name = (cookie) => cookie.split("=", 1)[0];
