// A bare workerd with one Worker: no Node beside it, whose time would be counted with the server's and which would read its log.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import workerd from "workerd";
import { Failure } from "../../scripts/lib/log.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { own } from "./children.mjs";
import { cpuSeconds, treeOf } from "./processes.mjs";

const READY_WITHIN_MS = 30_000;
const LAST_LINES = 20;

const text = JSON.stringify; // Cap'n Proto writes texts as JSON does, as long as they are ASCII.
const list = (items) => `[${items.join(", ")}]`;

/** Modules by their kind, each beside the configuration. */
function modulesOf(files) {
  const kind = (name) => (name.endsWith(".wasm") ? "wasm" : "esModule");
  return list(
    files.map((file) => `(name = ${text(basename(file))}, ${kind(file)} = embed ${text(basename(file))})`),
  );
}

const objects = (classes, worker) =>
  list(
    classes.map(
      (name) => `(className = ${text(name)}, uniqueKey = ${text(`${worker}-${name}`)}, enableSql = true)`,
    ),
  );

/**
 * A configuration. `worker.modules` are files, the first of which is the Worker's main module; `objects` are names of bindings
 * with their classes; `kv` and `rateLimits` are names of bindings; `vars` are texts. Sockets are on any free port of loopback,
 * or on `port`. `beside` are further Workers, each with a socket of its name: their `services` are bindings to the first one.
 */
export function configuration({
  modules,
  date,
  objects: bound = {},
  kv = [],
  rateLimits = [],
  vars = {},
  port = 0,
  beside = [],
}) {
  const bindings = [
    ...Object.entries(vars).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
    ...Object.entries(bound).map(
      ([name, of]) => `(name = ${text(name)}, durableObjectNamespace = ${text(of)})`,
    ),
    ...kv.map((name) => `(name = ${text(name)}, kvNamespace = "kv")`),
    ...rateLimits.map((name) => `(name = ${text(name)}, wrapped = (moduleName = "bench:ratelimit"))`),
  ];
  const stored = (classes, worker) =>
    classes.length === 0
      ? ""
      : `, durableObjectNamespaces = ${objects(classes, worker)}, durableObjectStorage = (localDisk = "disk")`;
  const worker = (name, files, bindings, classes) =>
    `(name = ${text(name)}, worker = (modules = ${modulesOf(files)}, compatibilityDate = ${text(date)},
      bindings = ${list(bindings)}${stored(classes, name)}))`;
  const services = [
    worker("worker", modules, bindings, Object.values(bound)),
    ...beside.map(({ name, modules, ...its }) => worker(name, modules, bindingsBeside(its), [])),
  ];
  if (kv.length > 0)
    services.push(worker("kv", ["kv.js"], ['(name = "STORE", durableObjectNamespace = "Store")'], ["Store"]));
  services.push('(name = "disk", disk = (path = "disk", writable = true))');
  // The fakes of upstreams are at loopback.
  services.push('(name = "internet", network = (allow = ["public", "private", "local"]))');
  const extensions =
    rateLimits.length === 0
      ? ""
      : `extensions = [(modules = [(name = "bench:ratelimit", internal = true, esModule = embed "ratelimit.js")])],`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = ${list(services)},
  ${extensions}
  sockets = ${list([socket("http", "worker", port), ...beside.map(({ name }) => socket(name, name, 0))])}
);
`;
}

const socket = (name, service, port) =>
  `(name = ${text(name)}, address = "127.0.0.1:${port}", http = (), service = ${text(service)})`;

const bindingsBeside = ({ services = [], kv = [], vars = {} }) => [
  ...services.map((name) => `(name = ${text(name)}, service = "worker")`),
  ...kv.map((name) => `(name = ${text(name)}, kvNamespace = "kv")`),
  ...Object.entries(vars).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
];

/** Writes a configuration, and the modules that it embeds, into a folder; its objects will keep their state there, too. */
export function prepare(folder, worker) {
  mkdirSync(join(folder, "disk"), { recursive: true });
  const runtime = ["kv.js", "ratelimit.js"].map((name) => inRoot("bench", "runtime", name));
  const files = [worker, ...(worker.beside ?? [])].flatMap(({ modules }) => modules);
  for (const file of [...files, ...runtime]) copyFileSync(file, join(folder, basename(file)));
  writeFileSync(join(folder, "config.capnp"), configuration(worker));
}

/**
 * Starts workerd in a folder that was prepared. What it prints goes into a file there, as a log that is kept would. `sockets` are
 * the names of those that it listens at.
 */
export async function startWorkerd(folder, { sockets = ["http"] } = {}) {
  const log = join(folder, "output.log");
  const output = openSync(log, "a");
  const args = ["serve", "config.capnp", "--experimental", "--control-fd=3"];
  const child = spawn(workerd.default, args, { cwd: folder, stdio: ["ignore", output, output, "pipe"] });
  closeSync(output);
  const { ended, kill } = own(child);
  const ports = await Promise.race([
    listening(child.stdio[3], sockets),
    ended.then(() => null),
    new Promise((resolve) => setTimeout(resolve, READY_WITHIN_MS, null).unref()),
  ]);
  const port = ports?.http;
  const server = {
    port,
    /** Of all sockets, by their names. */
    ports,
    base: `http://127.0.0.1:${port}`,
    folder,
    pid: child.pid,
    cpu: () => cpuSeconds(treeOf(child.pid)),
    async stop() {
      kill();
      await ended;
    },
  };
  if (ports !== null) return server;
  await server.stop();
  const lines = readFileSync(log, "utf8").trimEnd().split("\n").slice(-LAST_LINES).join("\n");
  throw new Failure(`workerd did not start in ${folder}:\n${lines}`);
}

/** The ports, from what workerd says of itself. */
function listening(stream, sockets) {
  const ports = {};
  return new Promise((resolve) => {
    createInterface({ input: stream }).on("line", (line) => {
      const said = JSON.parse(line);
      if (said.event === "listen") ports[said.socket] = said.port;
      if (sockets.every((name) => name in ports)) resolve(ports);
    });
  });
}
