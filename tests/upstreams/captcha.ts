// 2captcha: a task for a captcha, then polls until its solution is there. The portal takes no other solutions than these.
import { form, hasType } from "./http.ts";
import { identityUrl, LOGIN_PATH, OTHER_LOGIN_PATHS, SITE_KEY } from "./portal_pages.ts";
import { random } from "./crypto.ts";
import { saysItIsWrong } from "./switches.ts";
import type { Answer, Ask, Fake, Operation, World } from "./types.ts";

interface Task {
  key: string;
  polls: number;
  /** Set once the solution was told. */
  solution?: string;
}

interface Solution {
  /** The key, as calls show it. */
  account: string | undefined;
  /** When it was first told. */
  given_ms: number;
}

/** Keys that only this fake gives a meaning, and none at all. */
const INVENTED = /^(ck-|nokey|nobalance|$)/;

const SOLUTION_MS = 120_000;
const FIRST_TASK = 70_000_001;

const OPERATIONS: Record<string, Operation> = { "/in.php": "captcha_in", "/res.php": "captcha_res" };

export class Captcha implements Fake {
  #world: World;
  #tasks = new Map<string, Task>();
  /** Those that were not used yet. */
  #solutions = new Map<string, Solution>();
  #counts = { tasks: 0, solved: 0, used: 0 };

  constructor(world: World) {
    this.#world = world;
  }

  identify(ask: Ask): { operation: Operation; account?: string | undefined } {
    const operation = Object.hasOwn(OPERATIONS, ask.path) ? OPERATIONS[ask.path] : undefined;
    if (operation === undefined) return { operation: "unknown" };
    return { operation, account: this.#accountOf(fieldsOf(ask).get("key") ?? "") };
  }

  /** The key as calls show it. Where all keys are taken it may be somebody's real one: of that only the beginning. */
  #accountOf(key: string): string | undefined {
    const invented = this.#world.switches.captcha.keys === "own" || INVENTED.test(key);
    return (invented ? key.slice(0, 64) : `${key.slice(0, 4)}…`) || undefined;
  }

  /** Errors come under 200, too; only a wrong path or method has a status of its own. */
  answer(ask: Ask): Answer {
    const wanted = { "/in.php": "POST", "/res.php": "GET" }[ask.path];
    if (wanted === undefined) return { status: 404, json: this.error() };
    if (ask.method !== wanted) return { status: 405, headers: { allow: wanted }, json: this.error() };
    const fields = fieldsOf(ask);
    const reply = wanted === "POST" ? this.#task(fields, ask.url) : this.#poll(fields);
    const gave = typeof reply === "string" ? reply : reply.gave;
    const said = typeof reply === "string" ? reply : reply.request;
    const status = typeof reply === "string" ? 0 : 1;
    if (fields.get("json") === "1") return { status: 200, json: { status, request: said }, gave };
    const headers = { "content-type": "text/plain; charset=utf-8" };
    return { status: 200, headers, text: status === 1 ? `OK|${said}` : said, gave };
  }

  /** A new task: a scripted error, then the key, the method, the site key, the page. */
  #task(fields: URLSearchParams, url: URL): Reply {
    const error = this.#scripted("in_error") ?? this.#wrongKey(fields.get("key") ?? "");
    if (error !== undefined) return error;
    if (fields.get("method") !== "userrecaptcha") return "ERROR_BAD_PARAMETERS";
    if (fields.get("googlekey") !== SITE_KEY) return "ERROR_GOOGLEKEY";
    if (!this.#isLoginPage(fields.get("pageurl") ?? "", url)) return "ERROR_PAGEURL";
    const id = String(FIRST_TASK + this.#counts.tasks);
    this.#counts.tasks += 1;
    this.#tasks.set(id, { key: fields.get("key") ?? "", polls: 0 });
    return { request: id, gave: "a task" };
  }

  #wrongKey(key: string): string | undefined {
    if (key.startsWith("nokey")) return "ERROR_KEY_DOES_NOT_EXIST";
    if (key.startsWith("nobalance")) return "ERROR_ZERO_BALANCE";
    const isAny = this.#world.switches.captcha.keys === "any";
    const isTaken = isAny ? key !== "" && !saysItIsWrong(key) : key.startsWith("ck-");
    return isTaken ? undefined : "ERROR_WRONG_USER_KEY";
  }

  /** Host and path are compared; the login page is taken to be at the host that this was asked at, or as the switch says. */
  #isLoginPage(pageurl: string, asked: URL): boolean {
    if (!URL.canParse(pageurl)) return false;
    const given = new URL(pageurl);
    const { identity_host } = this.#world.switches.portal;
    const pages = [identityUrl(LOGIN_PATH, asked, identity_host), ...OTHER_LOGIN_PATHS];
    return pages
      .map((page) => new URL(page, asked))
      .some((page) => given.host === page.host && given.pathname === page.pathname);
  }

  /** The solution, which stays the same when it is asked for again. */
  #poll(fields: URLSearchParams): Reply {
    const error = this.#scripted("res_error") ?? this.#wrongKey(fields.get("key") ?? "");
    if (error !== undefined) return error;
    if (fields.get("action") !== "get") return "ERROR_EMPTY_ACTION";
    const id = fields.get("id") ?? "";
    if (!/^\d+$/.test(id)) return "ERROR_WRONG_ID_FORMAT";
    const task = this.#tasks.get(id);
    if (!task || task.key !== fields.get("key")) return "ERROR_WRONG_CAPTCHA_ID";
    task.polls += 1;
    if (task.solution === undefined) {
      if (task.polls <= this.#world.switches.captcha.ready_after) return "CAPCHA_NOT_READY";
      task.solution = `03A${random(60)}`;
      this.#solutions.set(task.solution, { account: this.#accountOf(task.key), given_ms: this.#world.now() });
      this.#counts.solved += 1;
    }
    return { request: task.solution, gave: "a solution" };
  }

  /** The error that the switch says; each counts its `times` down. */
  #scripted(which: "in_error" | "res_error"): string | undefined {
    const own = this.#world.switches.captcha;
    const error = own[which];
    if (error === "") return undefined;
    if (own.times === 1) Object.assign(own, { in_error: "", res_error: "", times: "forever" });
    else if (own.times !== "forever") own.times -= 1;
    return error;
  }

  /** Uses a solution up; tells whether it was good. */
  use(solution: string): boolean {
    const good = this.alive(solution);
    this.#solutions.delete(solution);
    if (good) this.#counts.used += 1;
    return good;
  }

  get counts(): { tasks: number; solved: number; used: number } {
    return { ...this.#counts };
  }

  error = (): unknown => ({ status: 0, request: "ERROR_INTERNAL" });

  /** Whether the portal would take this solution now. */
  alive(solution: string): boolean {
    const found = this.#solutions.get(solution);
    return found !== undefined && this.#world.now() - found.given_ms <= SOLUTION_MS;
  }

  /** Ends the unused solutions of a key, or all. */
  revoke(account?: string): number {
    const ended = [...this.#solutions].filter(
      ([, { account: own }]) => account === undefined || own === account,
    );
    for (const [solution] of ended) this.#solutions.delete(solution);
    return ended.length;
  }

  reset(): void {
    this.#tasks.clear();
    this.#solutions.clear();
    this.#counts = { tasks: 0, solved: 0, used: 0 };
  }
}

/** The code of an error, or what is told and what the log shows of it. */
type Reply = string | { request: string; gave: string };

const fieldsOf = ({ method, url, headers, text }: Ask): URLSearchParams =>
  method !== "POST"
    ? url.searchParams
    : form(hasType(headers, "application/x-www-form-urlencoded") ? text : "");
