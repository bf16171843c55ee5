// Ports on loopback.
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

/** Listens on a port, or on any; `close` ends the connections as well. */
export async function listenOn(
  server: Server,
  port = 0,
): Promise<{ port: number; close: () => Promise<void> }> {
  const connections = new Set<{ destroy: () => unknown }>();
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    const closed = once(server, "close");
    server.close();
    for (const connection of connections) connection.destroy();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, close };
}

/** One that nobody has. */
export async function freePort(): Promise<number> {
  const { port, close } = await listenOn(createServer());
  await close();
  return port;
}
