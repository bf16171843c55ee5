// Two bundles of Sallyport side by side: what a change does to a request.
import { join, resolve } from "node:path";
import { say, step } from "../../scripts/lib/log.mjs";
import { coldSallyport, coldStarts } from "./cold.mjs";
import { rounds } from "./rounds.mjs";
import { startSallyport } from "./sallyport.mjs";
import { stateFolder } from "./state.mjs";
import { ratios, summary } from "./stats.mjs";
import { wasmSize } from "./suite.mjs";

/** The loads, as sources of requests. */
const PATHS = {
  validate: (sallyport) => sallyport.validate("/api/v1/protected"),
  verify: (sallyport) => sallyport.validate("/auth/verify"),
  refresh: (sallyport) => sallyport.refresh(),
  login: (sallyport) => (count) => sallyport.logins(count),
};

export const COMPARED = [...Object.keys(PATHS), "cold", "size"];

export async function compare({ dists, only, ...options }) {
  const state = stateFolder();
  const bundles = { A: resolve(dists[0]), B: resolve(dists[1]) };
  const paths = only.filter((name) => name in PATHS);
  const lines = paths.length > 0 ? await loads(state, bundles, paths, options) : [];
  if (only.includes("cold")) {
    const subjects = { A: coldSallyport(bundles.A), B: coldSallyport(bundles.B) };
    const times = await coldStarts(subjects, { state, rounds: options.rounds });
    lines.push({ name: "cold start, ms", key: "ms", digits: 1, a: times.A, b: times.B });
  }
  for (const [name, dist] of Object.entries(bundles)) {
    const kib = (wasmSize(dist).gzipped / 1024).toFixed(1);
    say(`${name}: ${dist}${only.includes("size") ? `, ${kib} KiB of wasm gzipped` : ""}`);
  }
  if (lines.length > 0) console.log(table(lines));
}

async function loads(state, bundles, paths, { connections, sessions, logins, ...options }) {
  const names = Object.keys(bundles);
  const sallyports = await step(`Two servers with ${sessions} sessions each`, () =>
    Promise.all(
      names.map(async (name) => {
        const sallyport = await startSallyport(join(state, name), bundles[name]);
        if (paths.some((path) => path !== "login")) await sallyport.seed(sessions);
        return sallyport;
      }),
    ),
  );
  const lines = [];
  for (const path of paths)
    for (const held of connections) {
      const subjects = names.map((name, n) => ({
        name,
        server: sallyports[n].server,
        source: PATHS[path](sallyports[n]),
      }));
      // Logins are so slow that a number of them is a better bound than a time.
      const bound = path === "login" ? { count: logins, seconds: 60 } : {};
      const results = await rounds(subjects, { ...options, ...bound, connections: held, title: path });
      lines.push({
        name: `${path}, ${held} connections, µs`,
        key: "cpu_us",
        digits: 0,
        a: results.A,
        b: results.B,
      });
    }
  await Promise.all(sallyports.map(({ server }) => server.stop()));
  return lines;
}

function table(lines) {
  const rows = lines.map(({ name, key, digits, a, b }) => {
    const of = (rounds, what) => summary(rounds.map((round) => round[what] ?? NaN)).median;
    const ratio = ratios(b, a, key);
    const range = `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`;
    const rate = (rounds) => (key === "cpu_us" ? of(rounds, "rps").toFixed(0) : "");
    const others = key === "cpu_us" ? of([...a, ...b], "others").toFixed(2) : "";
    const figures = [of(a, key).toFixed(digits), of(b, key).toFixed(digits), ratio.median.toFixed(3)];
    return [name, ...figures, `± ${ratio.error.toFixed(3)}`, range, rate(a), rate(b), others];
  });
  const head = ["", "A", "B", "B / A", "", "range", "A req/s", "B req/s", "others"];
  const all = [head, ...rows];
  const widths = head.map((_, n) => Math.max(...all.map((row) => row[n].length)));
  const line = (row) => row.map((cell, n) => cell[n === 0 ? "padEnd" : "padStart"](widths[n])).join("  ");
  return `
CPU of the server's processes for a request. B / A is the median over the rounds, ± its standard error;
"others" is how many cores other programs kept busy meanwhile.

${all.map(line).join("\n")}`;
}
