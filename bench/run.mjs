// npm run bench: what requests cost, beside Sallyport's peers, into docs/performance.md. `npm run bench -- --help` says more.
import { main } from "../scripts/lib/main.mjs";

/** A bundle that is given is measured as it is, and needs no Rust. */
const given = process.argv.some((arg) => /^(--dist|--report|--help|-h)/.test(arg));

// Not imported above: it needs npm's packages and the pinned Node, which `main` sees to.
await main(async (args) => (await import("./lib/bench.mjs")).bench(args), {
  needs: given ? "npm" : "everything",
});
