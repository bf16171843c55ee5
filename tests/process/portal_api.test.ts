// E-Modal by its API behind OpenID Connect: the acceptance of its sessions and operations on workerd, against the whole chain of
// identity server, second provider and API. No browser is there.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Fakes, fakes, makeKey, Service, someone } from "../support/process/portal.ts";
import { acceptance } from "../support/process/portal_acceptance.ts";
import { secrets, type Server, start } from "../support/process/server.ts";

describe("a portal behind OpenID Connect", () => {
  let their: Fakes;
  let server: Server;
  let service: Service;

  beforeAll(async () => {
    their = await fakes();
    const bindings = { ...secrets(), ...their.bindings, ...their.oidc, EMODAL_DRIVER: "api" };
    server = await start({ bindings });
    service = new Service(server.client, await makeKey(server.client));
  });
  afterAll(async () => {
    await server?.mf.dispose();
    await their?.[Symbol.asyncDispose]();
  });

  acceptance({
    service: () => service,
    their: () => their,
    logins: () => their.upstreams.oidc.logins,
    live: () => their.upstreams.oidc.live_sessions,
    end: (username) => their.upstreams.revoke("oidc", username),
    rows: [50, 50],
  });

  it("logs in however the providers lead on, and where one asks for both name and password", async () => {
    for (const oidc of [
      { onwards: "meta" },
      { onwards: "script" },
      { identity: "local", onwards: "script", captcha: "off" },
    ] as const) {
      their.upstreams.set({ oidc });
      const got = await service.getSession(someone());
      expect([got.status, oidc], got.text).toEqual([200, oidc]);
      expect((await service.containers(got.json.session_id)).status).toBe(200);
    }
    their.upstreams.set({ oidc: { identity: "keycloak", onwards: "redirect", captcha: "required" } });
  });

  it("renews an access token that is over, without a login, and says so when a firewall stands before", async () => {
    const user = someone();
    const session_id = await service.sessionOf(user);
    const { logins, refreshes } = their.upstreams.oidc;
    their.upstreams.endAccess();
    const renewed = await service.containers(session_id);
    expect(renewed.status, renewed.text).toBe(200);
    expect(their.upstreams.oidc).toMatchObject({ logins, refreshes: refreshes + 1 });

    their.upstreams.set({ oidc: { firewall: "api" } });
    const refused = await service.containers(session_id);
    their.upstreams.set({ oidc: { firewall: "off" } });
    expect([refused.status, refused.json.code], refused.text).toEqual([502, "portal_refused_automation"]);
    expect((await service.containers(session_id)).status).toBe(200);
    expect(their.upstreams.oidc).toMatchObject({ logins });
  });

  it("finds its own appointments", async () => {
    const session_id = await service.sessionOf(someone());
    const answer = await service.post("/portals/emodal/search_appointments", { session_id });
    expect(answer.json, answer.text).toMatchObject({ total_appointments: 0, appointments: [] });
  });
});
