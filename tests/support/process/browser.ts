// A browser for the tests of the fake portal: it keeps cookies by host and path, and knows the portal's forms.
import { BASE, upstreams } from "./fake_calls.ts";

export interface Page {
  status: number;
  url: string;
  headers: Headers;
  text: string;
}

interface Form {
  action: string;
  fields: Record<string, string>;
}

const decoded = (html: string): string =>
  html
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");

const attribute = (tag: string, name: string): string | undefined => {
  const found = new RegExp(`\\s${name}=(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`).exec(tag);
  const value = found?.[1] ?? found?.[2] ?? found?.[3];
  return value === undefined ? undefined : decoded(value);
};

/** A page without what only looks like markup. */
const markup = (text: string): string =>
  text.replace(/<!--.*?-->|<(script|style)>.*?<\/\1>|<script>.*?<\/script>/gs, "");

/** The only form of a page, and what it sends as it stands; boxes count where they are checked. */
export function formOf({ text }: Page): Form {
  const forms = [...markup(text).matchAll(/<form[^>]*>.*?<\/form>/gs)].map(([form]) => form);
  if (forms.length !== 1) throw new Error(`There are ${forms.length} forms`);
  const [form = ""] = forms;
  const fields: Record<string, string> = {};
  for (const [tag] of form.matchAll(/<input[^>]*>/g)) {
    if (attribute(tag, "type") === "checkbox" && !/ checked/.test(tag)) continue;
    fields[attribute(tag, "name") ?? ""] ??= attribute(tag, "value") ?? "";
  }
  for (const [, tag = "", options = ""] of form.matchAll(/(<select[^>]*>)(.*?)<\/select>/gs))
    fields[attribute(tag, "name") ?? ""] =
      attribute(/<option selected[^>]*>/.exec(options)?.[0] ?? "", "value") ?? "";
  return { action: attribute(form, "action") ?? "", fields };
}

/** The options of a select, by what people read. */
export const optionsOf = ({ text }: Page, name: string): Record<string, string> => {
  const select = new RegExp(`<select name='${name}'.*?</select>`, "s").exec(markup(text))?.[0] ?? "";
  const options = [...select.matchAll(/(<option[^>]*>)(.*?)<\/option>/g)];
  return Object.fromEntries(
    options.map(([, tag = "", label = ""]) => [decoded(label), attribute(tag, "value") ?? ""]),
  );
};

/** Texts of all elements with this name. */
export const textsOf = ({ text }: Page, element: string): string[] =>
  [...markup(text).matchAll(new RegExp(`<${element}(?: [^>]*)?>(.*?)</${element}>`, "gs"))].map(
    ([, inside = ""]) => decoded(inside.replace(/<br\s*\/?>/g, " ").replace(/<[^>]*>/g, "")),
  );

export const errorsOf = (page: Page): string[] => {
  const list = /<div class="validation-summary-errors"><ul>(.*?)<\/ul>/s.exec(page.text)?.[1] ?? "";
  return textsOf({ ...page, text: list }, "li");
};

export const isLoggedIn = ({ text }: Page): boolean =>
  markup(text).includes('<a href="/portal/logout">Log out</a>');

type Fetch = (request: Request) => Promise<Response>;

/** The fakes of the test, in memory. */
const inMemory: Fetch = (request) => upstreams.handle(request);

export class Browser {
  /** By host, path and name. */
  cookies = new Map<string, string>();
  #base: string;
  #fetch: Fetch;

  constructor(base = BASE, fetch = inMemory) {
    this.#base = base;
    this.#fetch = fetch;
  }

  /** One request; redirects are not followed. */
  async send(method: string, to: string, form?: Record<string, string>, signal?: AbortSignal): Promise<Page> {
    const url = new URL(to, this.#base);
    const body = form ? new URLSearchParams(form) : null;
    const headers = { cookie: this.#cookieHeader(url) };
    const request = new Request(url, { method, headers, body, ...(signal ? { signal } : {}) });
    const response = await this.#fetch(request);
    for (const cookie of response.headers.getSetCookie()) this.#keep(url, cookie);
    const text = await response.text();
    return { status: response.status, url: url.href, headers: response.headers, text };
  }

  #cookieHeader({ hostname, pathname }: URL): string {
    const fitting = [...this.cookies].flatMap(([key, value]) => {
      const [host, path = "", name] = key.split(" ");
      const fits = pathname === path || pathname.startsWith(`${path}/`);
      return host === hostname && fits ? [`${name}=${value}`] : [];
    });
    return fitting.join("; ");
  }

  #keep({ hostname }: URL, cookie: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    const key = `${hostname} ${/path=([^;]*)/.exec(cookie)?.[1]} ${name}`;
    if (value === "" || value === undefined) this.cookies.delete(key);
    else this.cookies.set(key, value);
  }

  /** A page, through all redirects. */
  async get(to: string): Promise<Page> {
    let page = await this.send("GET", to);
    for (let hops = 0; page.status === 302 && hops < 10; hops += 1)
      page = await this.send("GET", new URL(page.headers.get("location") ?? "", page.url).href);
    return page;
  }

  /** Sends the form of a page with some fields changed; a redirect is not followed. */
  submit(page: Page, changes: Record<string, string> = {}): Promise<Page> {
    const { action, fields } = formOf(page);
    return this.send("POST", new URL(action, page.url).href, { ...fields, ...changes });
  }

  /** Follows a redirect, and the form that hands over a code. */
  async follow(page: Page): Promise<Page> {
    const next =
      page.status === 302 ? await this.get(new URL(page.headers.get("location") ?? "", page.url).href) : page;
    return next.text.includes("Submit this form") ? this.follow(await this.submit(next)) : next;
  }

  /** All of the login; `changes` are to the form with the password. */
  async login(username: string, changes: Record<string, string> = {}): Promise<Page> {
    const page = await this.get("/portal/login");
    const fields = {
      Username: username,
      Password: `${username}-pass`,
      "g-recaptcha-response": await solve(page.url, this.#base, this.#fetch),
    };
    return this.follow(await this.submit(page, { ...fields, ...changes }));
  }
}

export const SITE_KEY = "6Lfake-portal-login-page-site-key-000000";

const form = (fields: Record<string, string>) =>
  new URLSearchParams({
    key: "ck-local",
    json: "1",
    method: "userrecaptcha",
    googlekey: SITE_KEY,
    ...fields,
  });

const query = (fields: Record<string, string>) =>
  new URLSearchParams({ key: "ck-local", json: "1", action: "get", ...fields });

interface Reply {
  status: number;
  request: string;
}

const reply = async (response: Promise<Response>) => (await (await response).json()) as Reply;

export const task = (fields: Record<string, string>, base = BASE, fetch = inMemory) =>
  reply(fetch(new Request(`${base}/captcha/in.php`, { method: "POST", body: form(fields) })));

export const poll = (fields: Record<string, string>, base = BASE, fetch = inMemory) =>
  reply(fetch(new Request(`${base}/captcha/res.php?${query(fields)}`)));

/** A solution for the login page. */
export async function solve(
  pageurl = `${BASE}/identity/account/login`,
  base = BASE,
  fetch = inMemory,
): Promise<string> {
  const { request: id } = await task({ pageurl }, base, fetch);
  let solution = await poll({ id }, base, fetch);
  while (solution.request === "CAPCHA_NOT_READY") solution = await poll({ id }, base, fetch);
  return solution.request;
}
