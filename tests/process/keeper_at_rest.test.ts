// Nothing that is secret lies in the data folder, whatever was done; and nothing of it is in the log.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PASSWORD } from "../support/process/client.ts";
import { CRM, FACTURIFY, fakes, FIRST, makeKey, Service } from "../support/process/keeper.ts";
import { secrets, start } from "../support/process/server.ts";

it("no token, password, key or code is in any file or log line", async () => {
  const persist = mkdtempSync(join(tmpdir(), "sallyport-"));
  await using their = await fakes();
  const own = secrets();
  const bindings = { ...own, ...their.bindings };
  const server = await start({ persist, bindings });
  const { client, lines } = server;
  const user = await client.someone();
  const service = new Service(client, await makeKey(client));
  const { upstreams } = their;

  const tokens = await service.tokens();
  for (const account of [FACTURIFY, FIRST, CRM]) await service.order(account);
  const code = upstreams.issueCode("agnidata001");
  const given = await upstreams.issueToken("agnidata002");
  const call = (path: string, body?: unknown) => service.call("POST", path, body);
  expect((await call("/accounts/agnidata001/token/exchange", { code })).status).toBe(200);
  expect((await call("/token/update", { access_token: given, account_id: "agnidata002" })).status).toBe(200);
  const forged = "forged-0123456789abcdef";
  expect((await call("/token/update", { access_token: forged })).status).toBe(422);
  expect((await call("/accounts/agnidata003/token/request")).status).toBe(202);
  const notifier = new URL(`/upstox/notifier/${bindings.UPSTOX_NOTIFIER_SECRET}`, client.base);
  expect(await upstreams.approve("agnidata003", notifier.href)).toBe(200);
  upstreams.fail("oauth2", { fault: "status", status: 401 }, { account: "batch" });
  await service.order("oauth2/batch");
  await expect.poll(() => upstreams.alerts.length).toBeGreaterThan(0);
  await service.tokens(["upstox/agnidata001", "upstox/agnidata002", "upstox/agnidata003"]);
  await server.mf.dispose();

  const texts = new Set<string>([
    ...their.given,
    ...[...tokens, code, given, forged, PASSWORD, service.key, user.access_token, user.refresh_token],
    ...["fk-local", "fs-local", "crm-secret", "batch-secret", "app-secret-agnidata001", "rt-crm-0"],
    ...[bindings.UPSTOX_NOTIFIER_SECRET, bindings.ALERT_WEBHOOK_SECRET, own.BOOTSTRAP_KEY].map(String),
    ...[own.TOKEN_SIGNING_KEYS, own.SEALING_KEYS].map((keys) => String(keys).split(":")[1] ?? ""),
  ]);
  // Of a JWT, or of a service key, the part alone would do.
  for (const text of [...texts])
    for (const part of text.split(/[._]/)) if (part.length >= 32) texts.add(part);
  expect(texts.size).toBeGreaterThan(40);
  expect([...their.given].filter((text) => text.startsWith("rt-")).length).toBeGreaterThan(1);

  const found: string[] = [];
  let known = 0;
  const search = (where: string, content: string) => {
    known += Number(content.includes("agnidata001"));
    for (const text of texts) if (content.includes(text)) found.push(`${text.slice(0, 12)}… in ${where}`);
  };
  const files = readdirSync(persist, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  for (const file of files)
    search(file.name, readFileSync(join(file.parentPath, file.name)).toString("latin1"));
  expect(known, "the data is where the test looks").toBeGreaterThan(3);
  search("the log", lines.join("\n"));
  expect(lines.filter((line) => line.includes("upstox/agnidata001")).length).toBeGreaterThan(1);
  expect(found).toEqual([]);
  rmSync(persist, { recursive: true, force: true });
});
