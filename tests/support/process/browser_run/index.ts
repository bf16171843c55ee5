// A stand-in for Cloudflare's Browser Run, as a binding has it: its routes, each browser of it being the same Chromium. What it was asked is
// told at /asked, and /refuse has it refuse.
interface Env {
  CHROMIUM: string;
}

const asked: string[] = [];
let given = 0;
let refused: { path: string; status: number; headers?: Record<string, string> } | null = null;

export default {
  async fetch(request: Request, { CHROMIUM }: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/asked") return Response.json(asked.splice(0));
    if (pathname === "/refuse") {
      refused = (await request.json()) as typeof refused;
      return new Response(null, { status: 204 });
    }
    asked.push(`${request.method} ${pathname}`);
    if (refused && pathname.includes(refused.path))
      return Response.json({}, { status: refused.status, headers: refused.headers ?? {} });
    if (pathname === "/v1/acquire") {
      // More than ten minutes of keeping alive is not had.
      if (!(Number(searchParams.get("keep_alive")) <= 600_000)) return Response.json({}, { status: 400 });
      given += 1;
      return Response.json({ sessionId: `browser-${given}` });
    }
    if (request.method === "DELETE") return Response.json({ status: "closing" });
    const version = await (await fetch(`${CHROMIUM}/json/version`)).json();
    const { webSocketDebuggerUrl } = version as { webSocketDebuggerUrl: string };
    return fetch(webSocketDebuggerUrl.replace(/^ws/, "http"), { headers: { Upgrade: "websocket" } });
  },
};
