// A person at a live browser: what they do goes by a DevTools connection of their own, to the page that the link names.
import { once } from "node:events";

/** Presses what stands in the page behind a `live_view_url` of a Chromium's own. */
export async function press(link: string, css: string): Promise<void> {
  const expression = `document.querySelector(${JSON.stringify(css)}).click()`;
  const socket = new WebSocket(`ws://${new URL(link).searchParams.get("ws")}`);
  // The page may be closed at once, before it has answered.
  const end = once(socket, "close");
  try {
    await Promise.race([once(socket, "open"), end]);
    socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression } }));
    await Promise.race([once(socket, "message"), end]);
  } finally {
    socket.close();
  }
}
