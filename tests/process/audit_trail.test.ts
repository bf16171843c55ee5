// The audit trail on the runtime: what the handlers, the fast path and an object's alarm record is found, after the answer.
import { expect, it } from "vitest";
import { type Answer } from "../support/answers.ts";
import { makeKey } from "../support/process/client.ts";
import { start } from "../support/process/server.ts";

const TIMES = { SESSION_INACTIVITY_TIMEOUT_SECONDS: "4" };

it("what was refused on the fast path, and what an alarm ended, is found by those who may ask", async () => {
  await using server = await start({ bindings: { AUDIT_TRAIL: "on", ...TIMES } });
  const { client } = server;
  const name = await client.user();
  const { access_token, refresh_token } = await client.login(name);
  await client.tryLogin(name, "not the password");
  const next = (await client.refresh(refresh_token)).json;
  expect((await client.refresh(next.refresh_token)).status).toBe(200);
  // Of before the grace: reuse, which ends the session.
  expect((await client.refresh(refresh_token)).json.code).toBe("refresh_token_reused");
  const left = await client.login(name);
  const key = await makeKey(client, ["audit"]);

  const session = (token: string): string =>
    JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).sid;
  /** Asks until as many are there: they come a second later, and an alarm's when it is due. */
  const records = async (query: string, count: number): Promise<Answer["json"][]> => {
    for (;;) {
      const answer = await client.call("GET", `/admin/audit?${query}`, key);
      expect([answer.status, answer.json.unreachable], answer.text).toEqual([200, undefined]);
      if (answer.json.records.length >= count) return answer.json.records;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const ended = await records(`session_id=${session(access_token)}`, 2);
  expect(ended.map(({ action, outcome }) => [action, outcome])).toEqual([
    ["reuse", "refresh_token_reused"],
    ["login", "ok"],
  ]);
  expect((await records("action=login&outcome=failed", 1))[0]).toMatchObject({
    outcome: "invalid_credentials",
  });
  const expired = await records(`action=expire&session_id=${session(left.access_token)}`, 1);
  expect(expired).toMatchObject([{ reason: "inactivity", outcome: "ok" }]);
  expect((await client.call("GET", "/admin/audit", left.access_token)).status).toBe(401);
  expect((await client.call("GET", "/admin/audit?since=now", key)).status).toBe(422);
});
