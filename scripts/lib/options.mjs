// A command's options: described once, for reading them and for --help.
import util from "node:util";
import { Failure } from "./log.mjs";

/*
 * A program is `{ name, about, options, commands, notes }`. An option is one of `parseArgs` with `about`, and `value`, what its
 * value is called. A command is `{ words, about, options, run }`: the words that it takes ("NAME ROLE…"), which of the
 * program's options besides those `everywhere` (of one that `asksNobody`, only `--json`), and what it does.
 */

const HELP = { help: { type: "boolean", short: "h", about: "shows this" } };

/** Reads the options of a program without commands. Null: help was asked for, and has been shown. */
export function readOptions(program, args) {
  const { values } = parsed(program, args, { allowPositionals: false });
  return values.help ? showHelp(program) : values;
}

/** Runs one command of a program. It returns `{ json, say, out }`: for `--json`, for people, and what they may pipe on. */
export async function runCommand(program, args) {
  const { values, positionals } = parsed(program, args, { allowPositionals: true });
  if (values.help) return void showHelp(program);
  const [name, ...words] = positionals;
  const command = Object.hasOwn(program.commands, name ?? "") ? program.commands[name] : undefined;
  if (!command)
    throw wrongUse(program, name === undefined ? "A command is missing" : `There is no command "${name}"`);
  checkWords(program, name, command, words);
  const everywhere = command.asksNobody ? ["json"] : program.everywhere;
  const known = [...(command.options ?? []), ...everywhere];
  const stray = Object.keys(values).find((option) => !known.includes(option));
  if (stray) throw wrongUse(program, `"${name}" takes no --${stray}`);
  const { json, say, out } = await command.run(words, values);
  if (values.json) return void console.log(JSON.stringify(json, null, 2));
  if (say) process.stderr.write(`${say}\n`);
  if (out) console.log(out);
}

function checkWords(program, name, { words: wanted = "" }, given) {
  const names = wanted.split(" ").filter(Boolean);
  const missing = names[given.length];
  if (missing) throw wrongUse(program, `"${name}" needs ${missing}`);
  if (given.length > names.length && !wanted.endsWith("…"))
    throw wrongUse(program, `"${given[names.length]}" is one word too many for "${name}"`);
}

function parsed(program, args, { allowPositionals }) {
  const lost = leftToNpm(program.options);
  if (lost) throw wrongUse(program, `npm took --${lost} for its own: put -- before it`);
  try {
    return util.parseArgs({ args, options: { ...program.options, ...HELP }, allowPositionals });
  } catch (error) {
    // What follows tells how to quote what nobody meant.
    throw wrongUse(program, error.message.split(/\. |\.?\n/)[0]);
  }
}

/** npm keeps an option that stands before `--`, and tells of it in the environment only. */
function leftToNpm(options) {
  if (!process.env.npm_lifecycle_event) return undefined;
  return Object.keys(options).find((name) => `npm_config_${name.replaceAll("-", "_")}` in process.env);
}

/** An error of whoever called: one line, and where to look. */
export const wrongUse = ({ name }, what) =>
  new Failure(`${what}; \`${name} -- --help\` shows what there is.`, 2);

function showHelp(program) {
  console.log(helpOf(program));
  return null;
}

export function helpOf({ name, about, options, commands, notes }) {
  const rest = Object.keys(options).length > 0 ? " [OPTION]…" : "";
  const parts = [`Usage: ${name} --${commands ? " COMMAND" : ""}${rest}`, about];
  if (commands)
    parts.push(
      table(Object.entries(commands).map(([name, { words, about }]) => [`${name} ${words ?? ""}`, about])),
    );
  parts.push(
    table(
      Object.entries({ ...options, ...HELP }).map(([name, { short, value, about }]) => [
        `${short ? `-${short}, ` : ""}--${name}${value ? ` ${value}` : ""}`,
        about,
      ]),
    ),
  );
  if (notes) parts.push(notes);
  return parts.join("\n\n");
}

/** Two columns. */
export function table(rows, indent = "  ") {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${indent}${left.padEnd(width)}  ${right}`.trimEnd()).join("\n");
}
