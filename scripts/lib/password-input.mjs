// Passwords come from the terminal, without echo, or from standard input. Never from arguments: other users see those.
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { Writable } from "node:stream";
import { Failure } from "./log.mjs";
import { randomPassword } from "./private-file.mjs";

/** A new password: `{ password, made }`, where `made` says that nobody has seen it yet. */
export async function newPassword({ fromStdin }) {
  if (fromStdin) {
    const password = (await text(process.stdin)).replace(/\r?\n$/, "");
    if (password === "") throw new Failure("--password-stdin: standard input held no password.", 2);
    return { password, made: false };
  }
  if (!process.stdin.isTTY) return { password: randomPassword(), made: true };
  const [password, again] = await asked("New password (empty: make one): ", "Once more: ");
  if (password === "") return { password: randomPassword(), made: true };
  if (again !== password) throw new Failure("The two differ; nothing was changed.", 2);
  return { password, made: false };
}

/** Asks one after the other, and no more after an empty answer. Of what is typed nothing is shown. */
async function asked(...questions) {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const left = new AbortController();
  prompt.once("SIGINT", () => left.abort()).once("close", () => left.abort());
  const answers = [];
  try {
    for (const question of questions) {
      process.stderr.write(question);
      answers.push(
        await prompt.question("", { signal: left.signal }).finally(() => process.stderr.write("\n")),
      );
      if (answers.at(-1) === "") break;
    }
    return answers;
  } catch (error) {
    throw left.signal.aborted ? new Failure("Nothing was changed.", 130) : error;
  } finally {
    prompt.close();
  }
}
