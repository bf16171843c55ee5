// `worker-build --panic-unwind` calls `cargo +nightly`, `rustc +nightly` and `rustup … nightly` by these very words: it
// compiles std itself, which stable Rust allows only with RUSTC_BOOTSTRAP=1. This project has one tool chain, pinned in
// rust-toolchain.toml, and a second one would be one more thing to install and to drift. So these wrappers say its
// version instead of "nightly"; they stand on the PATH of that one build only.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { tools } from "./paths.mjs";
import { childEnv } from "./run.mjs";

const wrapper = (program, channel) => `#!/bin/sh
# Made by scripts/lib/nightly-shim.mjs, which says why.
PATH=$SALLYPORT_PATH_WITHOUT_SHIM
export PATH
for word do
  shift
  case $word in
    +nightly) word=+${channel} ;;
    nightly) word=${channel} ;;
  esac
  set -- "$@" "$word"
done
exec ${program} "$@"
`;

/** Writes the wrappers and returns the environment to run worker-build in. */
export function nightlyShim(channel) {
  const folder = join(tools, "shim");
  mkdirSync(folder, { recursive: true });
  for (const program of ["cargo", "rustc", "rustup"]) {
    writeFileSync(join(folder, program), wrapper(program, channel));
    chmodSync(join(folder, program), 0o755);
  }
  const { PATH } = childEnv();
  return { PATH: [folder, PATH].join(delimiter), SALLYPORT_PATH_WITHOUT_SHIM: PATH, RUSTC_BOOTSTRAP: "1" };
}
