// npm run key: service keys, from the command line.
import { parseArgs } from "node:util";
import { createKey, listKeys, revokeKey } from "./lib/api.mjs";
import { Failure, say } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { targetOf } from "./lib/target.mjs";

const USAGE = `Usage: npm run key -- COMMAND [--url URL]
   add NAME --scope SCOPE [--scope SCOPE]… [--expires-in-days N]   a new key, printed once
   list                                                            all keys
   revoke ID                                                       a key is no longer let in
Scopes: tokens:read, tokens:write, portal, introspect, login:proxy. Without --expires-in-days a key does not expire.
Who asks: SALLYPORT_ADMIN and SALLYPORT_ADMIN_PASSWORD; locally neither is needed.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage.`;

const COMMANDS = {
  async add(target, name, { scope, "expires-in-days": days }) {
    if (!scope) throw new Failure(`Which scopes?\n${USAGE}`, 2);
    if (days !== undefined && !/^[1-9]\d{0,3}$/.test(days))
      throw new Failure(`--expires-in-days "${days}" is not a number of days.`, 2);
    const wanted = { name, scopes: scope, ...(days && { expires_in_days: Number(days) }) };
    const made = await target.as((who) => createKey(target.base, who, wanted));
    const until = made.expires_at ? `, until ${made.expires_at}` : "";
    say(`Made ${made.name} (${made.scopes.join(", ")}${until}), with the id ${made.id}.`);
    say("The key, shown this once:");
    // Alone on standard output, so that it can go on to where it is kept.
    console.log(made.key);
  },
  async list(target) {
    const keys = await target.as((who) => listKeys(target.base, who));
    for (const key of keys)
      console.log(
        [key.id, key.status, key.scopes.join(","), key.expires_at ?? "-", `…${key.last4}`, key.name].join(
          "\t",
        ),
      );
  },
  async revoke(target, id) {
    await target.as((who) => revokeKey(target.base, who, id));
    say(`Revoked ${id}. It may be let in for up to 10 seconds more.`);
  },
};

function parse(args) {
  const options = {
    scope: { type: "string", multiple: true },
    "expires-in-days": { type: "string" },
    url: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  };
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new Failure(`${error.message}\n${USAGE}`, 2);
  }
}

await main(
  async (args) => {
    const { values, positionals } = parse(args);
    const [command, ...rest] = positionals;
    if (values.help) return void console.log(USAGE);
    if (!command || !Object.hasOwn(COMMANDS, command))
      throw new Failure(`${command ? `I don't know "${command}".\n` : ""}${USAGE}`, 2);
    if (command !== "list" && !rest[0]) throw new Failure(`Which key?\n${USAGE}`, 2);
    if (rest.length > (command === "list" ? 0 : 1)) throw new Failure(`Too many words.\n${USAGE}`, 2);
    await COMMANDS[command](targetOf(values.url), rest[0], values);
  },
  { needs: "npm" },
);
