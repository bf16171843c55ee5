// The programs that the bench has started. None of them outlives it: they are killed when it ends, and when it fails.

const running = new Set();
process.on("exit", () => killAll());

/** Takes a child over. `kill` is for one that has nothing to save, as its folder is deleted. */
export function own(child) {
  const ended = new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
  const kill = () => child.kill("SIGKILL");
  running.add(kill);
  return { ended: ended.finally(() => running.delete(kill)), kill };
}

export function killAll() {
  for (const kill of running) kill();
}
