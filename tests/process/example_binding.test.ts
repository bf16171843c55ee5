// The Worker of examples/worker-binding, as it is, beside Sallyport in one Miniflare.
import { afterAll, beforeAll, expect, it } from "vitest";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { PASSWORD, type Tokens } from "../support/process/client.ts";
import { SWITCHED, turn } from "../support/process/examples.ts";
import { type Server, start } from "../support/process/server.ts";

let server: Server;
/** Somebody with the role `user`, and somebody who is an editor, too. */
let someone: Tokens;
let editor: Tokens;

beforeAll(async () => {
  server = await start({ main: SWITCHED, beside: [inRoot("examples", "worker-binding", "wrangler.toml")] });
  const { client } = server;
  someone = await client.someone();
  const body = { username: "ren\u00e9-editor", password: PASSWORD, roles: ["user", "editor"] };
  await client.call("POST", "/admin/users", await client.admin(), body);
  editor = await client.login(body.username);
});

afterAll(() => server?.[Symbol.asyncDispose]());

async function ask(path: string, authorization?: string, more: Record<string, string> = {}) {
  const worker = await server.mf.getWorker("worker-binding");
  const headers = { ...(authorization === undefined ? {} : { authorization }), ...more };
  const answer = await worker.fetch(`https://app.test${path}`, { headers });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

const bearer = ({ access_token }: Tokens) => `Bearer ${access_token}`;

it("lets in who is logged in, and says who that is", async () => {
  const { sid, sub } = JSON.parse(
    Buffer.from(editor.access_token.split(".")[1] ?? "", "base64url").toString(),
  );
  const answer = await ask("/editors/drafts", bearer(editor), {
    "x-auth-user": "1",
    "x-auth-roles": "admin",
  });
  expect([answer.status, JSON.parse(answer.text)]).toEqual([
    200,
    { id: sub, name: "ren\u00e9-editor", session: sid, roles: ["editor", "user"] },
  ]);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect((await ask("/", bearer(someone))).status).toBe(200);
});

it("gives Sallyport's refusal to whoever is not: no token, a bad one, two, a role that is missing", async () => {
  const cases: [string, string | undefined, number][] = [
    ["/", undefined, 401],
    ["/", "Basic cm9vdDpyb290", 401],
    ["/", "Bearer x", 401],
    ["/", `${bearer(someone)}x`, 401],
    ["/", `Bearer ${someone.refresh_token}`, 401],
    ["/", `${bearer(someone)}, ${bearer(editor)}`, 400],
    ["/editors/drafts", bearer(someone), 403],
    ["/editors/drafts?role=user", bearer(someone), 403],
    ["/x/%2e%2e/editors/", bearer(someone), 403],
  ];
  for (const [path, authorization, status] of cases) {
    const answer = await ask(path, authorization);
    expect([path, authorization, answer.status, answer.text]).toEqual([path, authorization, status, ""]);
    if (status === 401) expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
  }
});

it("refuses a token from the request after its logout on", async () => {
  const gone = await server.client.someone();
  expect((await ask("/", bearer(gone))).status).toBe(200);
  await server.client.call("POST", "/auth/logout", gone.access_token);
  const answer = await ask("/", bearer(gone));
  expect([answer.status, answer.text]).toEqual([401, ""]);
});

it.each(["down", "silent", "blind"])(
  "lets nobody in while Sallyport is %s, and does afterwards",
  async (mode) => {
    await turn(server, mode);
    try {
      const answer = await ask("/", bearer(someone));
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([
        503,
        expect.stringMatching(/^\d+$/),
      ]);
      expect(answer.text).toBe("");
    } finally {
      await turn(server, "up");
    }
    expect((await ask("/", bearer(someone))).status).toBe(200);
  },
);
