// Settings of portal sessions that change what happens to them, in Miniflare.
import { expect, it } from "vitest";
import { fakes, makeKey, Service, someone } from "../support/process/portal.ts";
import { start } from "../support/process/server.ts";

it("PORTAL_RELOGIN=off: a session that the portal has ended is over, and the caller is told why", async () => {
  await using their = await fakes();
  await using server = await start({ bindings: { ...their.bindings, PORTAL_RELOGIN: "off" } });
  const service = new Service(server.client, await makeKey(server.client));
  const [user, other] = [someone(), someone()];
  const [id, kept] = [await service.sessionOf(user), await service.sessionOf(other)];
  their.upstreams.revoke("portal", user.username);
  for (let n = 0; n < 2; n++) {
    const answer = await service.containers(id);
    expect([answer.status, answer.json.code, answer.json.reason]).toEqual([
      404,
      "portal_session_ended",
      "logged_out",
    ]);
  }
  expect(their.upstreams.portal.logins).toBe(2);
  expect(await service.listed()).toMatchObject([{ session_id: kept }]);
  // Nobody else's matter; and whoever wants a session gets a new one, and hears of the one before.
  expect((await service.containers(kept)).status).toBe(200);
  expect((await service.getSession(user)).json).toMatchObject({
    is_new: true,
    previous_ended: "logged_out",
  });
  expect(their.upstreams.portal.logins).toBe(3);
});
