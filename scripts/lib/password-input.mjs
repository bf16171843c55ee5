// Passwords come from the terminal, without echo, or from standard input. Never from arguments: other users see those.
import { Failure } from "./log.mjs";
import { randomPassword } from "./private-file.mjs";

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const ERASE = ["\u007f", "\b"];

/** A new password: `{ password, made }`, where `made` says that nobody has seen it yet. */
export async function newPassword({ fromStdin }) {
  if (fromStdin) {
    const password = (await readAll()).replace(/\r?\n$/, "");
    if (password === "") throw new Failure("Standard input held no password.", 2);
    return { password, made: false };
  }
  if (!process.stdin.isTTY) return { password: randomPassword(), made: true };
  const password = await ask("New password (empty: make one): ");
  if (password === "") return { password: randomPassword(), made: true };
  if ((await ask("Once more: ")) !== password) throw new Failure("The two differ; nothing was changed.", 2);
  return { password, made: false };
}

async function readAll() {
  process.stdin.setEncoding("utf8");
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  return text;
}

function ask(question) {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setEncoding("utf8");
  stdin.setRawMode(true);
  return new Promise((resolve, reject) => {
    let typed = [];
    const done = (settle, value) => {
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
      settle(value);
    };
    const onData = (text) => {
      for (const key of text) {
        if (key === "\r" || key === "\n") return done(resolve, typed.join(""));
        if (key === CTRL_C || key === CTRL_D) return done(reject, new Failure("Nothing was changed.", 130));
        if (ERASE.includes(key)) typed = typed.slice(0, -1);
        else typed.push(key);
      }
    };
    stdin.on("data", onData);
    stdin.resume();
  });
}
