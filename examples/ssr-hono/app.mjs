// An application whose pages are made on the server, with Sallyport's sessions: a page, a form, login and logout.
import { Hono } from "hono";
import { html } from "hono/html";
import { isOwnPage, sallyport, Unavailable } from "./sallyport.mjs";

/** `origin` is the application's own, as browsers have it: `https://app.example.com`. */
export function application({ sallyportUrl, origin }) {
  const auth = sallyport(sallyportUrl);
  const notes = new Map();
  const app = new Hono();

  // Nothing that has a user's data in it is kept by a cache or a browser's history.
  app.use(async (c, next) => {
    await next();
    c.header("cache-control", "no-store");
  });

  // What changes something has to come from a page of ours, the login too.
  app.use(async (c, next) => {
    const changes = !["GET", "HEAD", "OPTIONS"].includes(c.req.method);
    return changes && !isOwnPage(c.req.raw, origin) ? c.text("Sent by another site", 403) : next();
  });

  app.get("/login", (c) => c.html(page(loginForm(""))));

  app.post("/login", async (c) => {
    const { username, password } = await c.req.parseBody();
    const login = await auth.login(c.req.raw, String(username), String(password));
    for (const cookie of login.setCookie) c.header("set-cookie", cookie, { append: true });
    return login.ok ? c.redirect("/", 303) : c.html(page(loginForm(login.detail)), login.status);
  });

  app.post("/logout", async (c) => {
    const { setCookie, clear } = await auth.logout(c.req.raw);
    for (const cookie of setCookie) c.header("set-cookie", cookie, { append: true });
    if (clear) c.header("clear-site-data", clear);
    return c.redirect("/login", 303);
  });

  // All below is for whoever is logged in.
  app.use(async (c, next) => {
    const { user, setCookie } = await auth.getSession(c.req.raw);
    for (const cookie of setCookie) c.header("set-cookie", cookie, { append: true });
    if (!user) return c.redirect("/login", 303);
    c.set("user", user);
    return next();
  });

  app.get("/", (c) => {
    const user = c.get("user");
    return c.html(page(home(user.username, notes.get(user.id) ?? "")));
  });

  app.post("/notes", async (c) => {
    const { note } = await c.req.parseBody();
    notes.set(c.get("user").id, String(note));
    return c.redirect("/", 303);
  });

  app.onError((error, c) => {
    if (!(error instanceof Unavailable)) throw error;
    // The cookies stay as they are: who comes again is still logged in.
    return c.text("Please try again in a moment", 503, { "retry-after": "5" });
  });

  return app;
}

const page = (content) => html`<!doctype html><title>Notes</title>${content}`;

const loginForm = (detail) => html`
  <p>${detail}</p>
  <form method="post" action="/login">
    <input name="username" autocomplete="username" required />
    <input name="password" type="password" autocomplete="current-password" required />
    <button>Log in</button>
  </form>
`;

const home = (username, note) => html`
  <p>Hello ${username}!</p>
  <form method="post" action="/notes"><input name="note" value="${note}" /><button>Keep</button></form>
  <form method="post" action="/logout"><button>Log out</button></form>
`;
