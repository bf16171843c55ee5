// Sallyport beside the Workers of examples/.
import { type Server } from "./server.ts";

/** Sallyport, which can be told to fail like something that is down. */
export const SWITCHED = `import sallyport from "./entry.js";
export * from "./entry.js";
let mode = "up";
const throws = () => Promise.reject(new Error("no object"));
export default {
  ...sallyport,
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/switch") return new Response((mode = searchParams.get("to")));
    if (mode === "down") throw new Error("down");
    if (mode === "silent") await new Promise((resolve) => setTimeout(resolve, 20_000));
    if (mode === "blind") env = { ...env, SESSION: { idFromString: (id) => id, get: () => ({ command: throws }) } };
    return sallyport.fetch(request, env, ctx);
  },
};`;

export const turn = ({ client }: Server, mode: string): Promise<unknown> =>
  fetch(new URL(`/switch?to=${mode}`, client.base));
