// A Worker that verifies access tokens by itself: the signature by Sallyport's public keys, the session by its record in KV.
// It asks Sallyport only about what neither of them says.
import { createRemoteJWKSet, customFetch, errors, jwtVerify } from "jose";

/** Longer ones are none of Sallyport's. */
const TOKEN_BYTES_MAX = 4096;
/** A younger record may have been written late, over that of the session's end. */
const RECORD_AGE_MS = 5 * 60 * 1000;
/** For how long an instance keeps what it has read of a session: the least that KV takes is 30. */
const KV_CACHE_SECONDS = 30;
/** As `max-age` of the keys. Without Sallyport nobody is let in from then on. */
const KEYS_MS = 5 * 60 * 1000;
const PATIENCE_MS = 5_000;

let keys;
/** They stay while the instance lives; `jose` asks for them again when they are old, or when a key is missing. */
const keysOf = ({ SALLYPORT }) =>
  (keys ??= createRemoteJWKSet(new URL("https://sallyport/.well-known/jwks.json"), {
    [customFetch]: (url, options) => SALLYPORT.fetch(url, options),
    cacheMaxAge: KEYS_MS,
    timeoutDuration: PATIENCE_MS,
  }));

const refusal = (status, headers) =>
  new Response(null, { status, headers: { "cache-control": "no-store", ...headers } });
const unauthorized = (error) => refusal(401, { "www-authenticate": `Bearer error="${error}"` });
const unavailable = () => refusal(503, { "retry-after": "1" });

/** Who sends the request, or the answer for the client. */
async function verify(request, env, role) {
  const [, token] = /^Bearer +([\w.-]+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  if (token === undefined || token.length > TOKEN_BYTES_MAX) return unauthorized("invalid_token");
  let claims;
  try {
    const expected = {
      algorithms: ["EdDSA", "ES256"],
      typ: "at+jwt",
      issuer: env.TOKEN_ISSUER,
      audience: env.TOKEN_AUDIENCE,
      requiredClaims: ["sub", "sid", "exp"],
    };
    claims = (await jwtVerify(token, keysOf(env), expected)).payload;
  } catch (error) {
    return isOfTheToken(error) ? unauthorized("invalid_token") : unavailable();
  }

  const session = await sessionInKv(env.KV, claims.sid);
  if (session === "ended") return unauthorized("invalid_token");
  // Only `SESSION_CHECK` edge or local puts the account into the token.
  const roles = claims.account?.roles;
  if (session === "unknown" || (role && !roles)) return ask(token, env, role);
  if (role && !roles.includes(role)) return refusal(403, {});
  return { id: claims.sub, session: claims.sid, checked: "offline" };
}

/** Everything else is a failure to get the keys. */
const isOfTheToken = (error) =>
  [
    errors.JOSEAlgNotAllowed,
    errors.JOSENotSupported,
    errors.JWKSNoMatchingKey,
    errors.JWSInvalid,
    errors.JWSSignatureVerificationFailed,
    errors.JWTClaimValidationFailed,
    errors.JWTExpired,
    errors.JWTInvalid,
  ].some((kind) => error instanceof kind);

/** What KV says. It is a minute behind, or more. */
async function sessionInKv(kv, id) {
  try {
    const record = await kv.get(`session:${id}`, { type: "json", cacheTtl: KV_CACHE_SECONDS });
    if (record?.ended !== undefined) return "ended";
    return Date.now() - record.written_at >= RECORD_AGE_MS ? "live" : "unknown";
  } catch {
    return "unknown"; // There is no record, or none that can be read, or KV is down.
  }
}

async function ask(token, { SALLYPORT }, role) {
  const url = new URL("https://sallyport/auth/verify");
  if (role) url.searchParams.set("role", role);
  try {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await SALLYPORT.fetch(url, { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.status !== 200) return answer;
    const [id, session] = ["User", "Session"].map((name) => answer.headers.get(`X-Auth-${name}`));
    return { id, session, checked: "asked" };
  } catch {
    return unavailable();
  }
}

export default {
  async fetch(request, env) {
    const role = new URL(request.url).pathname.startsWith("/editors/") ? "editor" : undefined;

    const user = await verify(request, env, role);
    if (user instanceof Response) return user;

    return Response.json(user, { headers: { "cache-control": "no-store" } });
  },
};
