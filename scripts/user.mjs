// npm run user: users, from the command line.
import { changeUser, createUser, listUsers, removeUser } from "./lib/api.mjs";
import { main } from "./lib/main.mjs";
import { runCommand } from "./lib/options.mjs";
import { newPassword } from "./lib/password-input.mjs";
import { TARGET_OPTIONS, targetOf } from "./lib/target.mjs";

/** Where `values` lead, and who asks there. */
const at = (values) =>
  targetOf(values.url, { bootstrap: true, named: { roles: "--role", username: "NAME" } });

const changed = async (name, values, change, say) => {
  const target = at(values);
  return { json: await target.as((who) => changeUser(target.base, who, name, change)), say };
};

/** A password that was made is shown this once: alone on standard output, so that it can go on to where it is kept. */
const withPassword = (json, say, { password, made }) =>
  made
    ? { json: { ...json, password }, say: `${say}\nThe password, shown this once:`, out: password }
    : { json, say };

const USER = {
  name: "npm run user",
  about: "Users, from the command line.",
  options: {
    role: {
      type: "string",
      multiple: true,
      value: "ROLE",
      about: "add: a role of the new user, as often as needed (else: user)",
    },
    "password-stdin": {
      type: "boolean",
      about: "add, password: the password is the first line of standard input",
    },
    ...TARGET_OPTIONS,
  },
  everywhere: Object.keys(TARGET_OPTIONS),
  commands: {
    add: {
      words: "NAME",
      about: "makes a user",
      options: ["role", "password-stdin"],
      async run([username], values) {
        const target = at(values);
        const password = await newPassword({ fromStdin: values["password-stdin"] });
        const wanted = { username, password: password.password, roles: values.role ?? ["user"] };
        const user = await target.as((who) => createUser(target.base, who, wanted));
        return withPassword(user, `Made ${user.username} (${user.roles.join(", ")}).`, password);
      },
    },
    list: {
      about: "all users: name, state, roles",
      async run(_words, values) {
        const target = at(values);
        const users = await target.as((who) => Array.fromAsync(listUsers(target.base, who)));
        const line = ({ username, is_active, roles }) =>
          [username, is_active ? "active" : "disabled", roles.join(",")].join("\t");
        return { json: users, out: users.map(line).join("\n") };
      },
    },
    password: {
      words: "NAME",
      about: "a new password; ends the user's sessions",
      options: ["password-stdin"],
      async run([name], values) {
        const target = at(values);
        const password = await newPassword({ fromStdin: values["password-stdin"] });
        const change = { password: password.password };
        const user = await target.as((who) => changeUser(target.base, who, name, change));
        return withPassword(user, `Changed the password of ${name}.`, password);
      },
    },
    roles: {
      words: "NAME ROLE…",
      about: "exactly these roles",
      run: ([name, ...roles], values) =>
        changed(name, values, { roles }, `${name} has the roles ${roles.join(", ")}.`),
    },
    disable: {
      words: "NAME",
      about: "lets the user log in no more; ends the user's sessions",
      run: ([name], values) => changed(name, values, { is_active: false }, `${name} is disabled.`),
    },
    enable: {
      words: "NAME",
      about: "undoes that",
      run: ([name], values) => changed(name, values, { is_active: true }, `${name} is active.`),
    },
    remove: {
      words: "NAME",
      about: "removes a user for good",
      async run([name], values) {
        const target = at(values);
        await target.as((who) => removeUser(target.base, who, name));
        return { json: { username: name, removed: true }, say: `Removed ${name}.` };
      },
    },
  },
  notes: `Passwords are asked for; an empty one, or no terminal, makes a random one and prints it once.
Who asks: SALLYPORT_BOOTSTRAP_KEY (makes the first admin), or SALLYPORT_ADMIN and SALLYPORT_ADMIN_PASSWORD; at the
local server neither is needed. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.`,
};

await main((args) => runCommand(USER, args), { needs: "npm" });
