// npm run key: service keys, and keys that sign tokens, from the command line.
import { createKey, listKeys, revokeKey, rotateKey } from "./lib/api.mjs";
import { main } from "./lib/main.mjs";
import { runCommand, wrongUse } from "./lib/options.mjs";
import { ALGORITHMS, inUnits, longestLife, newSigningKey, timesOf, variablesOf } from "./lib/signing-key.mjs";
import { TARGET_OPTIONS, targetOf } from "./lib/target.mjs";

/** Where `values` lead, and who asks there. */
const at = (values) =>
  targetOf(values.url, {
    named: {
      name: "NAME",
      scopes: "--scope",
      accounts: "--account",
      expires_in_days: "--expires-in-days",
      overlap_hours: "--overlap-hours",
    },
  });

const KEY = {
  name: "npm run key",
  about:
    "Service keys, from the command line: what programs show that call the service routes. And keys that sign tokens.",
  options: {
    scope: {
      type: "string",
      multiple: true,
      value: "SCOPE",
      about:
        "add: tokens:read, tokens:write, portal, portal:own, portal:state, introspect, login:proxy, sessions:exchange, metrics or audit; as often as needed",
    },
    account: {
      type: "string",
      multiple: true,
      value: "PATTERN",
      about: "add: the upstream accounts it is for, such as upstox/agnidata* (else: all); as often as needed",
    },
    "expires-in-days": { type: "string", value: "N", about: "add: when it ends (else: never)" },
    "overlap-hours": {
      type: "string",
      value: "N",
      about: "rotate: how long both are good (24; 720 at the most)",
    },
    alg: { type: "string", value: "ALG", about: "signing: HS256, EdDSA or ES256 (else: JWT_ALG)" },
    env: {
      type: "string",
      value: "NAME",
      about: "signing: the environment of wrangler.toml whose settings count (production)",
    },
    ...TARGET_OPTIONS,
  },
  everywhere: Object.keys(TARGET_OPTIONS),
  commands: {
    add: {
      words: "NAME",
      about: "makes a key and prints it, this once",
      options: ["scope", "account", "expires-in-days"],
      async run([name], values) {
        const { scope: scopes, account: accounts, "expires-in-days": days } = values;
        if (!scopes) throw wrongUse(KEY, "A key needs --scope");
        if (days !== undefined && !/^[1-9]\d{0,3}$/.test(days))
          throw wrongUse(KEY, `--expires-in-days takes a number of days, not "${days}"`);
        const target = at(values);
        const wanted = {
          name,
          scopes,
          ...(accounts && { accounts }),
          ...(days && { expires_in_days: Number(days) }),
        };
        const made = await target.as((who) => createKey(target.base, who, wanted));
        const until = made.expires_at ? `, until ${made.expires_at}` : "";
        const rights = [...made.scopes, ...(made.accounts ?? [])].join(", ");
        const say = `Made ${made.name} (${rights}${until}), with the id ${made.id}.\nThe key, shown this once:`;
        // Alone on standard output, so that it can go on to where it is kept.
        return { json: made, say, out: made.key };
      },
    },
    list: {
      about: "all keys: id, state, scopes and accounts, end, last use, last four, name",
      async run(_words, values) {
        const target = at(values);
        const keys = await target.as((who) => listKeys(target.base, who));
        const line = ({ id, status, scopes, accounts = [], expires_at, last_used_at, last4, name }) =>
          [
            id,
            status,
            [...scopes, ...accounts].join(","),
            expires_at ?? "-",
            last_used_at ?? "-",
            `…${last4}`,
            name,
          ].join("\t");
        return { json: keys, out: keys.map(line).join("\n") };
      },
    },
    rotate: {
      words: "ID",
      about: "makes a key that takes another's place and prints it, this once; both are good for a while",
      options: ["overlap-hours"],
      async run([id], values) {
        const { "overlap-hours": hours } = values;
        if (hours !== undefined && !/^\d{1,3}$/.test(hours))
          throw wrongUse(KEY, `--overlap-hours takes a number of hours, not "${hours}"`);
        const target = at(values);
        const body = hours === undefined ? {} : { overlap_hours: Number(hours) };
        const made = await target.as((who) => rotateKey(target.base, who, id, body));
        const say = `Made ${made.id} in the place of ${id}, which is good until ${made.replaces.expires_at}.\nThe key, shown this once:`;
        return { json: made, say, out: made.key };
      },
    },
    signing: {
      about: "makes a key for TOKEN_SIGNING_KEYS and prints it; says what to do with it, and when",
      options: ["alg", "env"],
      asksNobody: true,
      async run(_words, { alg: given, env = "production" }) {
        const vars = await variablesOf(env);
        if (!vars) throw wrongUse(KEY, `--env "${env}" is not in wrangler.toml, or has no variables`);
        const current = vars.JWT_ALG || "HS256";
        const alg = given ?? current;
        if (!ALGORITHMS.includes(alg))
          throw wrongUse(KEY, `--alg takes ${ALGORITHMS.join(", ")}, not "${alg}"`);
        const now = new Date();
        const { entry, ...made } = newSigningKey(alg, now);
        const life = longestLife(vars);
        const times = timesOf(now, life);
        const say = steps({ ...made, current, env, life, times });
        return { json: { ...made, entry, ...times }, say, out: entry };
      },
    },
    revoke: {
      words: "ID",
      about: "lets a key in no more",
      async run([id], values) {
        const target = at(values);
        await target.as((who) => revokeKey(target.base, who, id));
        const say = `Revoked ${id}. It may be let in for up to 10 seconds more.`;
        return { json: { id, status: "revoked" }, say };
      },
    },
  },
  notes: `Who asks: SALLYPORT_ADMIN and SALLYPORT_ADMIN_PASSWORD; at the local server neither is needed.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage.`,
};

/** The rotation, step by step: docs/signing-keys.md. */
function steps({ alg, kid, current, env, life, times }) {
  const set = `npx wrangler secret put TOKEN_SIGNING_KEYS --env ${env}`;
  const front =
    alg === current
      ? `move it to the front of the list (${set})`
      : `set JWT_ALG = "${alg}" under [env.${env}.vars] of wrangler.toml, and deploy`;
  return `Made a key of ${alg}, with the kid ${kid}. It is stored nowhere.
1. Now: put it at the end of TOKEN_SIGNING_KEYS, behind the keys that are there (${set}).
   It verifies and is published from then on, and does not sign.
2. From ${times.signs_from} on, when nobody has an older list of public keys: ${front}. It signs from then on.
3. From ${times.old_counts_zero_from} on, ${inUnits(life)} after step 2, when no token lives that the old key has signed: it counts zero. Take it out of the list.
A step that is done later puts off the next one by as much. The key, shown this once:`;
}

await main((args) => runCommand(KEY, args), { needs: "npm" });
