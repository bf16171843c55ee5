// Events as a receiver gets them: over HTTP, verified by the package that docs/events.md names, and by its own lines. They
// come although the runtime is killed between what happened and its delivery.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { inRoot } from "../../scripts/lib/paths.mjs";
import type { Tokens } from "../support/answers.ts";
import { PASSWORD } from "../support/process/client.ts";
import { Killable } from "../support/process/killable.ts";
import { secrets } from "../support/process/server.ts";

interface Got {
  path: string;
  headers: Record<string, string>;
  body: string;
}

const webhookSecret = (): string => `whsec_${randomBytes(32).toString("base64")}`;
const [newer, older] = [webhookSecret(), webhookSecret()];
const persist = mkdtempSync(join(tmpdir(), "sallyport-"));
const WITHIN = { timeout: 30_000, interval: 50 };

/** What arrived, and how it is answered: not at all for `hold`. */
let got: Got[] = [];
let answers: (path: string) => number | "hold" = () => 204;
const receiver = createServer(async (request: IncomingMessage, response: ServerResponse) => {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  got.push({ path: request.url ?? "", headers: request.headers as Record<string, string>, body });
  const status = answers(request.url ?? "");
  if (status !== "hold") response.writeHead(status).end();
});

/** The lines of the page, as they stand there. */
const page = readFileSync(inRoot("docs", "events.md"), "utf8");
const lines = /```js\n([^]*?)```/.exec(page)?.[1]?.replace(/^import .*$/m, "");
const eventOf = new Function("Webhook", `${lines}; return eventOf;`)(Webhook) as (
  body: string,
  headers: Record<string, string>,
  secret: string,
) => { type: string; data: Record<string, unknown> };

let bindings: Record<string, string>;
let server: Killable;

beforeAll(async () => {
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  bindings = {
    ...secrets(),
    EVENT_WEBHOOK_URL: `${url}/events`,
    EVENT_WEBHOOK_SECRET: `${newer}, ${older}`,
    BACKCHANNEL_LOGOUT_URL: `${url}/logout`,
  };
  server = await Killable.start(persist, bindings);
  await server.client.admin();
});
afterAll(async () => {
  await server.kill();
  receiver.closeAllConnections();
  receiver.close();
  rmSync(persist, { recursive: true, force: true });
});
beforeEach(() => void (answers = () => 204));

const sessionOf = ({ access_token }: Tokens): string =>
  JSON.parse(Buffer.from(access_token.split(".")[1] ?? "", "base64url").toString()).sid;
const of = (session: string) =>
  got
    .filter(({ path, body }) => path === "/events" && body.includes(session))
    .map((message) => ({
      id: message.headers["webhook-id"],
      ...eventOf(message.body, message.headers, newer),
    }));
const types = (session: string) => of(session).map(({ type }) => type);
const logOut = async ({ access_token }: Tokens) =>
  expect((await server.client.call("POST", "/auth/logout", access_token, {})).status).toBe(200);

it("tells of a session from its beginning to its end, signed by both secrets", async () => {
  const username = await server.client.user();
  const body = { username, password: PASSWORD, device_name: "Phone" };
  const first = await server.client.call("POST", "/auth/login", undefined, body);
  const device = { "x-device-token": first.headers.get("x-device-token") ?? "" };
  const second = await server.client.call("POST", "/auth/login", undefined, body, device);
  const [session, known] = [sessionOf(first.json), sessionOf(second.json)];
  await logOut(first.json);
  await expect.poll(() => types(session), WITHIN).toEqual(["session.created", "session.revoked.logout"]);
  await expect.poll(() => types(known), WITHIN).toEqual(["session.created"]);
  const [created, revoked] = of(session);
  expect(created?.data).toMatchObject({
    session_id: session,
    sequence: 1,
    new_device: true,
    device_name: "Phone",
  });
  expect(revoked?.data).toMatchObject({ session_id: session, sequence: 2, reason: "logout" });
  expect(of(known)[0]?.data.new_device).toBe(false);
  const message = got.find(({ body }) => body.includes(session));
  if (!message) throw new Error("nothing came");
  for (const secret of [newer, older])
    expect(new Webhook(secret).verify(message.body, message.headers)).toMatchObject({
      type: "session.created",
    });
  expect(() => new Webhook(webhookSecret()).verify(message.body, message.headers)).toThrow();
  expect(() => eventOf(`${message.body} `, message.headers, newer)).toThrow();
  expect(JSON.stringify(got)).not.toContain(username);
});

it("posts a logout token at the end", async () => {
  const tokens = await server.client.someone();
  const session = sessionOf(tokens);
  await logOut(tokens);
  const claims = () =>
    got
      .filter(({ path }) => path === "/logout")
      .map(({ body }) => new URLSearchParams(body).get("logout_token") ?? "")
      .map((token) => token.split(".").map((part) => Buffer.from(part, "base64url").toString()))
      .map(([header, payload]) => [JSON.parse(header ?? ""), JSON.parse(payload ?? "")])
      .find(([, { sid }]) => sid === session);
  await expect.poll(claims, WITHIN).toMatchObject([
    { alg: "HS256", typ: "logout+jwt" },
    { sid: session, events: { "http://schemas.openid.net/event/backchannel-logout": {} } },
  ]);
});

it("is killed while the receiver has not answered yet, and tells once more after the restart", async () => {
  answers = () => "hold";
  const username = await server.client.user();
  // The answer does not wait for the receiver.
  const tokens = await server.client.login(username);
  const session = sessionOf(tokens);
  await expect.poll(() => types(session), WITHIN).toEqual(["session.created"]);
  await logOut(tokens);
  await server.kill();
  answers = () => 204;
  server = await Killable.start(persist, bindings);
  await expect
    .poll(() => types(session), WITHIN)
    .toEqual(["session.created", "session.created", "session.revoked.logout"]);
  expect(of(session).map(({ id }) => id)).toEqual([`${session}-1`, `${session}-1`, `${session}-2`]);
});
