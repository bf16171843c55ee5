// The switches: how the third parties behave where it is unknown, or where it can differ. The first choice is the default.
import type { SwitchChanges } from "./types.ts";

interface Switch<T> {
  initial: T;
  allows: (value: unknown) => boolean;
  choices: string;
}

const one = <const T extends readonly (string | number | boolean)[]>(...values: T): Switch<T[number]> => ({
  initial: values[0] as T[number],
  allows: (value) => values.some((allowed) => allowed === value),
  choices: values.map(String).join(" | "),
});

const isSeconds = (value: unknown): boolean =>
  typeof value === "number" && Number.isFinite(value) && value >= 0;

const seconds = (initial: number): Switch<number> => ({ initial, allows: isSeconds, choices: "seconds" });

const count = (initial: number): Switch<number> => ({
  initial,
  allows: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 100_000,
  choices: "0 to 100000",
});

/** The code of an error of 2captcha; none if it is empty. */
const code: Switch<string> = {
  initial: "",
  allows: (value) => typeof value === "string" && /^[A-Z_]*$/.test(value),
  choices: "ERROR_… | nothing",
};

const text = (initial: string): Switch<string> => ({
  initial,
  allows: (value) => typeof value === "string",
  choices: "text",
});

/** Switches of the token service that can differ from account to account. */
const perAccount = {
  /** What a read gives before the first refresh: a live token, one that Upstox refuses, or a failure. */
  initial: one("fresh", "dead", "none"),
  /** What a refresh mints: a live token, one that Upstox refuses, or the one it has already. */
  refresh_gives: one("live", "dead", "same"),
  refresh_body: one("json", "empty"),
  /** `given` is UTC, `ist` has +05:30, `wrong` is 24 h after issue, `garbage` is no time. */
  expires_at: one("given", "ist", "missing", "wrong", "garbage"),
  success: one(true, false, "missing"),
};

type PerAccount = Partial<Values<typeof perAccount>>;

const SWITCHES = {
  facturify: {
    refresh_method: one("GET", "POST"),
    refresh_kills_old: one(true, false),
    short_seconds: seconds(240),
    long_seconds: seconds(43_200),
    /** The JWT's own `exp`: as `expires_in` says, half of it (and meant), or none. */
    jwt_exp: one("same", "half", "missing"),
  },
  upstox: {
    new_token_ends_old: one(false, true),
    error_keys: one("both", "camel", "snake"),
    bad_code_status: one(401, 400),
    token_format: one("jwt", "jwt_without_exp", "opaque"),
    /** How long the user may take to approve a token request. */
    request_seconds: seconds(86_400),
    /** `{account}` is replaced. */
    notifier_url: text("https://app.example.com/notifier/{account}"),
  },
  tokens: {
    accounts: {
      initial: ["agnidata001", "agnidata002", "agnidata003"] as string[] | "any",
      allows: (value: unknown) =>
        value === "any" ||
        (Array.isArray(value) && value.every((id) => /^[a-z0-9_-]{1,64}$/.test(String(id)))),
      choices: "any | [account, …]",
    },
    ...perAccount,
    /** The above for single accounts: `{ agnidata002: { initial: "dead" } }`. Set to `{}` it keeps what it has. */
    of: {
      initial: {} as Record<string, PerAccount>,
      allows: (value: unknown) =>
        isObject(value) &&
        Object.values(value).every(
          (own) => isObject(own) && Object.entries(own).every(([name, to]) => allowed(perAccount, name, to)),
        ),
      choices: "{ account: switches }",
    },
  },
  oauth2: {
    /** `rotate` refuses a used refresh token; `reuse_detection` then ends all that came of it. */
    rotation: one("rotate", "keep", "reuse_detection"),
    expires_in: {
      initial: 3600 as number | "missing",
      allows: (value: unknown) => value === "missing" || isSeconds(value),
      choices: "seconds | missing (the token then lives 3600 s)",
    },
  },
  alerts: {
    status: {
      initial: 204,
      allows: (value: unknown) => Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599,
      choices: "200 to 599",
    },
    /** What is done with an alert whose signature is wrong: 401, or as if it were right. */
    unsigned: one("refuse", "accept"),
  },
  sme: {
    /** What is said of a token that does not begin with `expired`; `missing` leaves the field out. */
    is_expire: one(false, true, "missing"),
    /** Whose the answer says the token is: the asked customer's, as text or as a number, somebody else's, or nobody's. */
    user_id: one("given", "number", "other", "missing"),
  },
  portal: {
    /**
     * Who is let in with which password; `any` has all names, each with the password `<name>-pass`, and `any_password` all
     * names with all passwords that do not say of themselves that they are wrong.
     */
    users: {
      initial: "any" as Record<string, string> | "any" | "any_password",
      allows: (value: unknown) =>
        value === "any" ||
        value === "any_password" ||
        (isObject(value) && Object.values(value).every((password) => typeof password === "string")),
      choices: "any | any_password | { name: password }",
    },
    /** Another name of this machine for the identity pages; where it is empty, the portal's own. */
    identity_host: {
      initial: "",
      allows: (value: unknown) => typeof value === "string" && /^[a-z0-9.-]{0,253}$/.test(value),
      choices: "a host name, without a port | nothing",
    },
    /** How the code gets from the identity pages to the portal. */
    response_mode: one("form_post", "query"),
    /** The status of a login page that says why the login was refused. */
    refusal_status: one(200, 403),
    /** How many wrong passwords lock a user. */
    lock_after: count(5),
    /** How long credentials are thought about. */
    login_ms: count(0),
    /** What those get that are not logged in. */
    logged_out: one("text_200", "redirect"),
    idle_seconds: seconds(600),
    /** How many containers the list has. */
    containers: count(137),
    /** Which ones have a timeline and can be fetched: those of the list, or all whose number is one. */
    known_containers: one("listed", "any"),
    pin_required: one(false, true),
    /** How many times an appointment can be made for. */
    slots: count(6),
  },
  spa: {
    /** Whether a solved captcha lets the form be sent. */
    submit: one("by_captcha", "never"),
    /** Whether the list says at some time that its rows are there. */
    loading: one("ends", "never"),
    /** What the list does to the page: an endless loop answers nothing any more. */
    list: one("works", "hangs"),
    /** The session is ended once the list was read so far; 0: never. */
    ends_after_rows: count(0),
    /** The page itself takes the session for expired after so long, and asks nobody; 0: never. */
    page_seconds: count(0),
    /** Whom the firewall refuses: nobody, browsers that say that they have no window, or all. */
    firewall: one("off", "headless", "all"),
  },
  oidc: {
    /** Who asks for the password: a second provider, or the login page itself. */
    identity: one("keycloak", "local"),
    /** How the login page leads on. */
    onwards: one("redirect", "meta", "script"),
    captcha: one("required", "off"),
    access_seconds: seconds(3600),
    refresh_seconds: seconds(2_592_000),
    /** `rotate` refuses a used refresh token; `reuse_detection` then ends all that came of it. */
    rotation: one("rotate", "keep", "reuse_detection"),
    firewall: one("off", "api", "all"),
  },
  captcha: {
    /** Which keys are taken: those that begin with `ck-`, or all that do not say of themselves that they are wrong. */
    keys: one("own", "any"),
    /** How many polls are told that the solution is not ready. */
    ready_after: count(1),
    in_error: code,
    res_error: code,
    /** How many calls these two meet, together; then they are empty again. */
    times: {
      initial: "forever" as number | "forever",
      allows: (value: unknown) => value === "forever" || (Number.isInteger(value) && Number(value) > 0),
      choices: "1 or more | forever",
    },
  },
};

type Values<S> = { [K in keyof S]: S[K] extends Switch<infer T> ? T : never };

export type Switches = { [U in keyof typeof SWITCHES]: Values<(typeof SWITCHES)[U]> };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const allowed = (switches: object, name: string, value: unknown): boolean =>
  Object.hasOwn(switches, name) &&
  (switches as Record<string, Switch<unknown>>)[name]?.allows(value) === true;

/** The defaults. */
export const initialSwitches = (): Switches =>
  structuredClone(
    Object.fromEntries(
      Object.entries(SWITCHES).map(([upstream, switches]) => [
        upstream,
        Object.fromEntries(Object.entries(switches).map(([name, { initial }]) => [name, initial])),
      ]),
    ),
  ) as Switches;

/** For scripts that bring names, passwords, keys and containers of their own. */
export const LENIENT: SwitchChanges = {
  portal: { users: "any_password", known_containers: "any" },
  captcha: { keys: "any" },
};

/** Whether a password or a key says so itself: what is refused where any other is taken. */
export const saysItIsWrong = (text: string): boolean => /^(wrong|invalid)/i.test(text);

/** The switches with these changes; an error if one does not exist or cannot have that value. */
export function changed(switches: Switches, changes: SwitchChanges): Switches {
  const next = structuredClone(switches) as Record<string, Record<string, unknown>>;
  for (const [upstream, values] of Object.entries(changes)) {
    const target = Object.hasOwn(SWITCHES, upstream) ? next[upstream] : undefined;
    const known: Record<string, Switch<unknown>> = SWITCHES[upstream as keyof Switches];
    if (!target || !isObject(values)) throw new RangeError(`There are no switches of "${upstream}"`);
    for (const [name, value] of Object.entries(values)) {
      if (!allowed(known, name, value)) {
        const choices = Object.hasOwn(known, name) ? `takes ${known[name]?.choices}` : "does not exist";
        throw new RangeError(`The switch ${upstream}.${name} ${choices}`);
      }
      target[name] = merged(target[name], structuredClone(value));
    }
  }
  return next as Switches;
}

const merged = (old: unknown, value: unknown): unknown =>
  isObject(old) && isObject(value)
    ? { ...old, ...Object.fromEntries(Object.entries(value).map(([k, v]) => [k, merged(old[k], v)])) }
    : value;
