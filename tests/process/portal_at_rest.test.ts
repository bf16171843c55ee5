// Nothing of a portal login lies readable in the data folder or the log; and sealing keys can be rotated under it.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fakes, makeKey, Service, someone } from "../support/process/portal.ts";
import { secret, secrets, start } from "../support/process/server.ts";

it("no username, password, captcha key or cookie is in any file or log line", async () => {
  const persist = mkdtempSync(join(tmpdir(), "sallyport-"));
  await using their = await fakes();
  const own = secrets();
  const server = await start({ persist, bindings: { ...own, ...their.bindings } });
  const { client, lines } = server;
  const service = new Service(client, await makeKey(client));
  const { upstreams } = their;

  const [kept, closed, lost, wrong, broken] = [someone(), someone(), someone(), someone(), someone()];
  const id = await service.sessionOf(kept);
  expect((await service.containers(id)).status).toBe(200);
  // A wizard that is gone on with, and a booking.
  const fields = { trucking_company: "Harbor Freight Lines & Sons", terminal: "ITS Long Beach" };
  const begun = await service.post("/check_appointments", {
    session_id: id,
    ...fields,
    move_type: "PICK FULL",
  });
  expect(begun.json).toMatchObject({ code: "appointment_incomplete" });
  const pin = { pin_code: "7391", truck_plate: "QX7391ZZ" };
  const on = { session_id: id, appointment_session_id: begun.json.appointment_session_id, ...pin };
  const times = await service.post("/check_appointments", { ...on, container_id: "MSCU1000000" });
  expect(times.status, times.text).toBe(200);
  const two = await service.sessionOf(closed);
  expect((await service.call("DELETE", `/sessions/${two}`)).status).toBe(200);
  const three = await service.sessionOf(lost);
  upstreams.revoke("portal", lost.username);
  expect((await service.containers(three)).status).toBe(200);
  expect((await service.getSession({ ...wrong, password: "wrong-0123456789" })).status).toBe(401);
  upstreams.fail("portal", { fault: "status", status: 503 }, { operation: "authorize" });
  expect((await service.getSession(broken)).status).toBe(502);
  upstreams.fail("portal", { fault: "html_200" }, { operation: "credentials" });
  expect((await service.getSession(broken)).status).toBe(502);
  expect((await service.listed()).map(({ username }) => username)).toContain(kept.username);
  const worker = await server.mf.getWorker();
  await worker.scheduled({ cron: "* * * * *", scheduledTime: new Date(0) });
  await server.mf.dispose();

  const users = [kept, closed, lost, wrong, broken];
  const texts = new Set<string>([
    ...users.flatMap((user) => [user.username, user.password, user.captcha_api_key]),
    ...their.cookies,
    ...["wrong-0123456789", pin.truck_plate, service.key],
    ...[own.SEALING_KEYS, own.TOKEN_SIGNING_KEYS].map((keys) => String(keys).split(":")[1] ?? ""),
  ]);
  for (const text of texts) expect(text.length).toBeGreaterThanOrEqual(8);
  expect(their.cookies.size).toBeGreaterThan(10);

  const found: string[] = [];
  let known = 0;
  const search = (where: string, content: string) => {
    known += Number(content.includes(id));
    for (const text of texts) if (content.includes(text)) found.push(`${text.slice(0, 12)}… in ${where}`);
  };
  const files = readdirSync(persist, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  for (const file of files)
    search(file.name, readFileSync(join(file.parentPath, file.name)).toString("latin1"));
  expect(known, "the data is where the test looks").toBeGreaterThan(1);
  search("the log", lines.join("\n"));
  expect(lines.filter((line) => line.includes('"portal_login"')).length).toBeGreaterThan(4);
  expect(found).toEqual([]);
  rmSync(persist, { recursive: true, force: true });
});

it("a rotation of sealing keys: the same session by the same credentials, and the old key is not needed afterwards", async () => {
  const persist = mkdtempSync(join(tmpdir(), "sallyport-"));
  await using their = await fakes();
  const own = { ...secrets(), ...their.bindings };
  const [old, fresh] = [`s1:${secret()}`, `s2:${secret()}`];
  const run = (SEALING_KEYS: string) => start({ persist, bindings: { ...own, SEALING_KEYS } });
  const [kept, regular] = [someone(), someone()];
  let key: string;
  let ids: string[];
  {
    await using server = await run(old);
    key = await makeKey(server.client);
    const service = new Service(server.client, key);
    ids = [await service.sessionOf(kept), await service.sessionOf(regular, { keep_alive: false })];
  }
  const [first = "", second = ""] = ids;
  {
    await using server = await run(`${fresh},${old}`);
    const service = new Service(server.client, key);
    expect((await service.getSession(kept)).json).toMatchObject({ session_id: first, is_new: false });
    expect((await service.containers(second)).status).toBe(200);
    const worker = await server.mf.getWorker();
    await worker.scheduled({ cron: "* * * * *", scheduledTime: new Date(0) });
    const names = (await service.listed()).map(({ username }) => username);
    expect(new Set(names)).toEqual(new Set([kept.username, regular.username]));
    const keys = await server.client.call("GET", "/admin/sealing-keys", await server.client.admin());
    expect(keys.json.keys).toMatchObject([
      { kid: "s2", seals: true, portal_sessions: 2 },
      { kid: "s1", configured: true, portal_sessions: 0 },
    ]);
  }
  {
    await using server = await run(fresh);
    const service = new Service(server.client, key);
    // By credentials alone: the name that they had is nobody's any more.
    expect((await service.getSession(kept)).json).toMatchObject({ session_id: first, is_new: false });
    const found = await service.post("/get_containers", { ...regular, infinite_scrolling: false });
    expect(found.json).toMatchObject({ success: true, session_id: second, is_new_session: false });
    expect(their.upstreams.portal.logins).toBe(2);
    const other = await service.getSession({ ...kept, password: "another" });
    expect([other.status, other.json.code]).toEqual([401, "portal_credentials_refused"]);
    const names = (await service.listed()).map(({ username }) => username);
    expect(new Set(names)).toEqual(new Set([kept.username, regular.username]));
    for (const id of ids) expect((await service.containers(id)).status).toBe(200);
    // Logged in again with what is kept.
    their.upstreams.revoke("portal");
    for (const id of ids) expect((await service.containers(id)).status).toBe(200);
    expect(their.upstreams.portal.logins).toBe(4);
    // Logins that are begun now have a name under the new key only.
    const newcomer = someone();
    const id = await service.sessionOf(newcomer);
    expect((await service.getSession(newcomer)).json).toMatchObject({ session_id: id, is_new: false });
  }
  rmSync(persist, { recursive: true, force: true });
});

it("a key that was taken away too early: the session ends cleanly, and a new one can be got", async () => {
  const persist = mkdtempSync(join(tmpdir(), "sallyport-"));
  await using their = await fakes();
  const own = { ...secrets(), ...their.bindings };
  const user = someone();
  let key: string;
  let id: string;
  {
    await using server = await start({ persist, bindings: own });
    key = await makeKey(server.client);
    id = await new Service(server.client, key).sessionOf(user);
  }
  {
    await using server = await start({ persist, bindings: { ...own, SEALING_KEYS: `s2:${secret()}` } });
    const service = new Service(server.client, key);
    expect(await service.listed()).toMatchObject([{ session_id: id, username: null }]);
    const answer = await service.containers(id);
    expect([answer.status, answer.json.code]).toEqual([503, "credential_unreadable"]);
    const again = await service.containers(id);
    expect([again.status, again.json.code, again.json.reason]).toEqual([
      404,
      "portal_session_ended",
      "unreadable",
    ]);
    expect(await service.listed()).toEqual([]);
    expect((await service.getSession(user)).json).toMatchObject({ is_new: true });
  }
  rmSync(persist, { recursive: true, force: true });
});
