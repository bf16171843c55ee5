// npm that is killed outright takes no child with it, and a server left behind keeps the port.

/** Calls back once when npm started this process and is gone. Without npm (`nohup node …`) nothing is watched. */
export function whenOrphaned(callback) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    callback();
  }, 500);
  watch.unref();
}
