// The Workers of examples/ each beside a Sallyport in one workerd, and one that lets everybody in: what a verified request adds.
import { join } from "node:path";
import { build } from "esbuild";
import { step } from "../../scripts/lib/log.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { randomSecret } from "../../scripts/lib/private-file.mjs";
import { rounds } from "./rounds.mjs";
import { startSallyport } from "./sallyport.mjs";
import { stateFolder } from "./state.mjs";
import { ratios, summary } from "./stats.mjs";

const example = (name) => ({
  name,
  source: inRoot("examples", name, "src", "index.js"),
});
const peer = (name) => ({
  name,
  source: inRoot("bench", "peers", `${name}.js`),
});

/** What Sallyport signs with by default, and what others can verify. */
const ASKED = [peer("open"), { ...example("worker-binding"), services: ["SALLYPORT"] }];
const OFFLINE = [
  {
    ...example("worker-offline"),
    services: ["SALLYPORT"],
    kv: ["KV"],
    vars: { TOKEN_ISSUER: "sallyport", TOKEN_AUDIENCE: "sallyport" },
  },
  { ...peer("age"), kv: ["KV"] },
];
const pairs = () => ({
  JWT_ALG: "EdDSA",
  TOKEN_SIGNING_KEYS: `EdDSA:${randomSecret()}`,
  SESSION_CHECK: "edge",
});

export async function workers({ dist, connections, sessions, ...options }) {
  const state = stateFolder();
  const beside = (all) =>
    Promise.all(
      all.map(async ({ source, ...worker }) => ({
        ...worker,
        modules: [await bundled(state, worker, source)],
      })),
    );
  const started = async (name, settings, all) => {
    const sallyport = await startSallyport(join(state, name), dist, {
      settings,
      beside: await beside(all),
    });
    await sallyport.seed(sessions);
    return sallyport;
  };
  const [asked, offline] = await step(`Two servers with ${sessions} sessions each`, () =>
    Promise.all([started("asked", {}, ASKED), started("offline", pairs(), OFFLINE)]),
  );
  // It asks about younger sessions.
  await fetch(`http://127.0.0.1:${offline.server.ports.age}`);
  const through = (sallyport, name) => ({
    name,
    server: { ...sallyport.server, port: sallyport.server.ports[name] },
    source: sallyport.validate("/"),
  });
  for (const held of connections) {
    const subjects = [
      through(asked, "open"),
      through(asked, "worker-binding"),
      {
        name: "/auth/verify",
        server: asked.server,
        source: asked.validate("/auth/verify"),
      },
      through(offline, "worker-offline"),
    ];
    const results = await rounds(subjects, {
      ...options,
      connections: held,
      title: "workers",
    });
    console.log(table(results, held));
  }
  await Promise.all([asked, offline].map(({ server }) => server.stop()));
}

/** One module with the name of its Worker, for they lie beside each other. */
async function bundled(state, { name }, source) {
  const outfile = join(state, `${name}.js`);
  await build({
    entryPoints: [source],
    bundle: true,
    format: "esm",
    external: ["cloudflare:*"],
    outfile,
  });
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
