// Where pictures of pages are taken: the pages are as `npm start` serves them, what they ask is answered by a table, and the time stands.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { devAssets } from "./dev-assets.mjs";

const ORIGIN = "http://localhost:8787";

export class Studio {
  /** The names of the pictures. */
  taken = [];
  #browser;
  #assets;
  #into;

  static async open(browser, folder, into) {
    const studio = new Studio();
    studio.#browser = browser;
    studio.#assets = await devAssets(join(folder, "assets"));
    studio.#into = into;
    return studio;
  }

  /**
   * Opens a page, brings it to where it is to be taken, and takes it. `answers` gives to a method and a path, such as
   * `"GET /auth/session"`, `{ status, json }`, or a function of the request that does; what is not in it is 404. Or it is such a function
   * itself. `arrange` is called with the page, and ends when it shows what is wanted.
   */
  async take(name, { path, now, answers = {}, arrange, width = 1040, height = 720, dark = false }) {
    const context = await this.#browser.newContext({
      baseURL: ORIGIN,
      viewport: { width, height },
      deviceScaleFactor: 1.5,
      colorScheme: dark ? "dark" : "light",
      reducedMotion: "reduce",
      locale: "en-GB",
      timezoneId: "UTC",
    });
    try {
      context.setDefaultTimeout(15_000);
      await context.clock.setFixedTime(now);
      await context.route("**", (route) => this.#answer(route, answers));
      const page = await context.newPage();
      await page.goto(path);
      await arrange(page);
      const file = join(this.#into, `${name}.png`);
      await page.screenshot({ path: file, animations: "disabled", caret: "hide", fullPage: true });
      this.taken.push(name);
    } finally {
      await context.close();
    }
  }

  async #answer(route, answers) {
    const request = route.request();
    const { origin, pathname } = new URL(request.url());
    if (origin !== ORIGIN) return route.abort();
    const known =
      typeof answers === "function" ? answers(request) : answers[`${request.method()} ${pathname}`];
    if (known !== undefined) {
      const { status = 200, json = {} } = typeof known === "function" ? known(request) : known;
      return route.fulfill({ status, json });
    }
    const file = [pathname, `${pathname}.html`, join(pathname, "index.html")]
      .map((name) => join(this.#assets, name))
      .find((name) => existsSync(name) && statSync(name).isFile());
    return file ? route.fulfill({ path: file }) : route.fulfill({ status: 404, json: { code: "not_found" } });
  }
}
