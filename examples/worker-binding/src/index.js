// A Worker that asks Sallyport about each request through a service binding, and answers only who is let in.

/** What Sallyport reads: nothing else of the request has to leave this Worker. */
const SHOWN = ["authorization", "x-session-passive", "x-request-id"];
/** Sallyport answers within milliseconds. */
const PATIENCE_MS = 5_000;

/** Sallyport's answer: 200 with `X-Auth-…` headers, else the one for the client. It has no body. */
async function verify({ headers }, sallyport, role) {
  const shown = SHOWN.filter((name) => headers.has(name)).map((name) => [name, headers.get(name)]);
  // The binding says whom this goes to, not the host.
  const url = new URL("https://sallyport/auth/verify");
  if (role) url.searchParams.set("role", role);
  try {
    return await sallyport.fetch(url, { headers: shown, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    return new Response(null, { status: 503, headers: { "retry-after": "1", "cache-control": "no-store" } });
  }
}

/** What the service itself does. */
function service(request, user) {
  return Response.json(user, { headers: { "cache-control": "no-store" } });
}

export default {
  async fetch(request, env) {
    const role = new URL(request.url).pathname.startsWith("/editors/") ? "editor" : undefined;

    const verified = await verify(request, env.SALLYPORT, role);
    if (verified.status !== 200) return verified;
    const [id, name, session, roles] = ["User", "Username", "Session", "Roles"].map((of) =>
      verified.headers.get(`X-Auth-${of}`),
    );

    return service(request, {
      id,
      name: decodeURIComponent(name),
      session,
      roles: roles.split(",").filter(Boolean),
    });
  },
};
