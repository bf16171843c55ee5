// Floors. F1: a constant. F3s: a validation without its checks. Four headers are read and four written, an object is asked by a
// command and answers with 230 bytes; no token is verified, nothing is stored. What is above it, Sallyport adds.
import { DurableObject } from "cloudflare:workers";

const COMMAND = '{"touch":{"generation":0,"passive":false}}';
const LIVE = JSON.stringify({
  live: {
    account: { user_id: 7, username: "bench7", roles: ["user"], created_at: 1795961843113 },
    generation: 0,
    last_activity: 1795961843113,
    idle_expires_at: 1795963643113,
    absolute_expires_at: 1798553843113,
  },
});
const READ = ["authorization", "x-request-id", "x-session-passive", "accept-language"];

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/constant") return Response.json({ user: "u", session: "s" });
    const [, id] = READ.map((name) => request.headers.get(name));
    await env.SESSION.getByName(pathname.slice(1)).command(COMMAND);
    return new Response('{"message":"Hello bench7!"}', {
      headers: {
        "content-type": "application/json; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": id ?? crypto.randomUUID(),
      },
    });
  },
};

export class Session extends DurableObject {
  command() {
    return LIVE;
  }
}
