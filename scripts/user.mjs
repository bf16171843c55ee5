// npm run user: users, from the command line.
import { parseArgs } from "node:util";
import { changeUser, createUser, listUsers, removeUser } from "./lib/api.mjs";
import { Failure, say } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { newPassword } from "./lib/password-input.mjs";
import { targetOf } from "./lib/target.mjs";

const USAGE = `Usage: npm run user -- COMMAND [--url URL]
   add NAME [--role ROLE]… [--password-stdin]   a new user (role: user, unless others are named)
   list                                         all users
   password NAME [--password-stdin]             a new password
   roles NAME ROLE…                             exactly these roles
   disable NAME | enable NAME                   whether the user may log in
   remove NAME                                  for good
Passwords are asked for; an empty one, or no terminal, makes a random one and prints it once.
Who asks: SALLYPORT_BOOTSTRAP_KEY (makes the first admin), or SALLYPORT_ADMIN and SALLYPORT_ADMIN_PASSWORD;
locally neither is needed. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.`;

const COMMANDS = {
  async add(target, [name], options) {
    const password = await newPassword({ fromStdin: options["password-stdin"] });
    const roles = options.role ?? ["user"];
    const user = await target.as((who) =>
      createUser(target.base, who, { username: name, password: password.password, roles }),
    );
    say(`Made ${user.username} (${user.roles.join(", ")}).`);
    show(password);
  },
  async list(target) {
    await target.as(async (who) => {
      for await (const user of listUsers(target.base, who))
        console.log([user.username, user.is_active ? "active" : "disabled", user.roles.join(",")].join("\t"));
    });
  },
  async password(target, [name], options) {
    const password = await newPassword({ fromStdin: options["password-stdin"] });
    await target.as((who) => changeUser(target.base, who, name, { password: password.password }));
    say(`Changed the password of ${name}.`);
    show(password);
  },
  roles: async (target, [name, ...roles]) => {
    if (roles.length === 0) throw new Failure(`Which roles?\n${USAGE}`, 2);
    await target.as((who) => changeUser(target.base, who, name, { roles }));
    say(`${name} has the roles ${roles.join(", ")}.`);
  },
  disable: (target, [name]) => setActive(target, name, false),
  enable: (target, [name]) => setActive(target, name, true),
  async remove(target, [name]) {
    await target.as((who) => removeUser(target.base, who, name));
    say(`Removed ${name}.`);
  },
};

async function setActive(target, name, is_active) {
  await target.as((who) => changeUser(target.base, who, name, { is_active }));
  say(`${name} is ${is_active ? "active" : "disabled"}.`);
}

/** Passwords go to standard output, alone on a line. */
function show({ password, made }) {
  if (!made) return;
  say("Its password, shown this once:");
  console.log(password);
}

function parse(args) {
  const options = {
    role: { type: "string", multiple: true },
    url: { type: "string" },
    "password-stdin": { type: "boolean", default: false },
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
    if (command !== "list" && !rest[0]) throw new Failure(`Which user?\n${USAGE}`, 2);
    if (command !== "roles" && rest.length > 1) throw new Failure(`Too many words.\n${USAGE}`, 2);
    await COMMANDS[command](targetOf(values.url, { bootstrap: true }), rest, values);
  },
  { needs: "npm" },
);
