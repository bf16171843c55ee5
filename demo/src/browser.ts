// What a component wants to know of the browser.
import { useSyncExternalStore } from "react";

function listen(changed: () => void) {
  addEventListener("online", changed);
  addEventListener("offline", changed);
  return () => {
    removeEventListener("online", changed);
    removeEventListener("offline", changed);
  };
}

/** Whether there is a network, as far as the browser knows. */
export const useOnline = () =>
  useSyncExternalStore(
    listen,
    () => navigator.onLine,
    () => true,
  );

/** What this device is called in the list of sessions: short, and as its owner would know it. */
export function deviceName(): string {
  const agent = navigator.userAgent;
  const browser = /Firefox|Edg|Chrome|Safari/.exec(agent)?.[0] ?? "Browser";
  const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(agent)?.[0] ?? "this machine";
  return `${browser.replace("Edg", "Edge")} on ${system}`;
}
