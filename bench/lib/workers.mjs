// The Workers of examples/ beside Sallyport in one workerd, and one that lets everybody in: what a verified request adds.
import { join } from "node:path";
import { build } from "esbuild";
import { step } from "../../scripts/lib/log.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { rounds } from "./rounds.mjs";
import { startSallyport } from "./sallyport.mjs";
import { stateFolder } from "./state.mjs";
import { ratios, summary } from "./stats.mjs";

const WORKERS = [
  { name: "open", source: inRoot("bench", "peers", "open.js") },
  {
    name: "worker-binding",
    source: inRoot("examples", "worker-binding", "src", "index.js"),
    services: ["SALLYPORT"],
  },
];

export async function workers({ dist, connections, sessions, ...options }) {
  const state = stateFolder();
  const beside = await Promise.all(
    WORKERS.map(async ({ source, ...worker }) => ({
      ...worker,
      modules: [await bundled(state, worker, source)],
    })),
  );
  const sallyport = await step(`A server with ${sessions} sessions`, async () => {
    const started = await startSallyport(join(state, "server"), dist, { beside });
    await started.seed(sessions);
    return started;
  });
  const { server } = sallyport;
  const asked = sallyport.validate("/");
  for (const held of connections) {
    const subjects = [
      ...WORKERS.map(({ name }) => ({
        name,
        server: { ...server, port: server.ports[name] },
        source: asked,
      })),
      { name: "/auth/verify", server, source: sallyport.validate("/auth/verify") },
    ];
    const results = await rounds(subjects, { ...options, connections: held, title: "workers" });
    console.log(table(results, held));
  }
  await server.stop();
}

/** One module with the name of its Worker, for they lie beside each other. */
async function bundled(state, { name }, source) {
  const outfile = join(state, `${name}.js`);
  await build({ entryPoints: [source], bundle: true, format: "esm", external: ["cloudflare:*"], outfile });
  return outfile;
}

function table(results, held) {
  const rows = Object.entries(results).map(([name, found]) => {
    const ratio = ratios(found, results.open, "cpu_us");
    const { median } = summary(found.map(({ cpu_us }) => cpu_us));
    return [name, median.toFixed(0), ratio.median.toFixed(2), `± ${ratio.error.toFixed(2)}`];
  });
  const all = [["", "CPU, µs", "/ open", ""], ...rows];
  const widths = all[0].map((_, n) => Math.max(...all.map((row) => row[n].length)));
  const line = (row) => row.map((cell, n) => cell[n === 0 ? "padEnd" : "padStart"](widths[n])).join("  ");
  return `\n${held} connections:\n${all.map(line).join("\n")}`;
}
