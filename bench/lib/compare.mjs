// Two bundles of Sallyport side by side: what a change does to a request.
import { join, resolve } from "node:path";
import { say, step } from "../../scripts/lib/log.mjs";
import { rounds } from "./rounds.mjs";
import { startSallyport } from "./sallyport.mjs";
import { stateFolder } from "./state.mjs";
import { ratios, summary } from "./stats.mjs";

/** What can be compared, as sources of requests. */
const PATHS = {
  validate: (sallyport) => sallyport.validate("/api/v1/protected"),
  verify: (sallyport) => sallyport.validate("/auth/verify"),
  refresh: (sallyport) => sallyport.refresh(),
  login: (sallyport) => (count) => sallyport.logins(count),
};

export const COMPARED = Object.keys(PATHS);

export async function compare({ dists, only, connections, sessions, logins, ...options }) {
  const state = stateFolder();
  const names = ["A", "B"];
  const sallyports = await step(`Two servers with ${sessions} sessions each`, () =>
    Promise.all(
      names.map(async (name, n) => {
        const sallyport = await startSallyport(join(state, name), resolve(dists[n]));
        await sallyport.seed(sessions);
        return sallyport;
      }),
    ),
  );
  const lines = [];
  for (const path of only)
    for (const held of connections) {
      const subjects = names.map((name, n) => ({
        name,
        server: sallyports[n].server,
        source: PATHS[path](sallyports[n]),
      }));
      const bound = path === "login" ? { count: logins } : {};
      const results = await rounds(subjects, { ...options, ...bound, connections: held, title: path });
      lines.push({ path, held, a: results.A, b: results.B });
    }
  await Promise.all(sallyports.map(({ server }) => server.stop()));
  names.forEach((name, n) => say(`${n === 0 ? "\n" : ""}${name}: ${resolve(dists[n])}`));
  console.log(table(lines));
}

function table(lines) {
  const rows = lines.map(({ path, held, a, b }) => {
    const cpu = (results) => summary(results.map(({ cpu_us }) => cpu_us)).median.toFixed(0);
    const rps = (results) => summary(results.map((one) => one.rps)).median.toFixed(0);
    const ratio = ratios(b, a, "cpu_us");
    const others = summary([...a, ...b].map((one) => one.others)).median.toFixed(2);
    const figures = [cpu(a), cpu(b), ratio.median.toFixed(3), `± ${ratio.error.toFixed(3)}`];
    return [
      path,
      held,
      ...figures,
      `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`,
      rps(a),
      rps(b),
      others,
    ];
  });
  const head = ["", "conns", "A µs", "B µs", "B / A", "", "range", "A req/s", "B req/s", "others"];
  const all = [head, ...rows];
  const widths = head.map((_, n) => Math.max(...all.map((row) => String(row[n]).length)));
  const line = (row) =>
    row.map((cell, n) => String(cell)[n === 0 ? "padEnd" : "padStart"](widths[n])).join("  ");
  return `\nCPU a request of the server's processes; ± is the standard error.\n\n${all.map(line).join("\n")}`;
}
