// The console, at the data of tests/support/browser/console_data.ts, which a test holds to the description of the API.
import { NOW, answerTo } from "../../tests/support/browser/console_data.ts";
import { VIEWS } from "../../tests/support/browser/console_pages.ts";

const answers = (request) => {
  const json = answerTo(new URL(request.url()));
  return json === undefined ? undefined : { json };
};

const views = new Map(VIEWS);
const all = { path: "/console", now: NOW, answers, width: 1280 };

export async function take(studio) {
  const picture = (name, view, more = {}) =>
    studio.take(name, { ...all, arrange: (page) => views.get(view)(page), ...more });
  await picture("console-tokens", "account");
  await picture("console-sessions", "user", { height: 560 });
  await picture("console-portal", "portal-page", { height: 760 });
  await picture("console-health", "failures", { dark: true });
  await picture("console-phone", "tokens", { width: 390, height: 844, dark: true });
}
