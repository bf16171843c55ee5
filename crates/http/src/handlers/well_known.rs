//! `/.well-known/…`: what software of others finds by itself. The same for everybody, and for caches to keep.

use crate::answers::well_known::{Jwk, Jwks, Metadata};
use crate::error::Reason;
use crate::reply::Reply;
use crate::route::METADATA;
use base::settings::is_base_url;
use config::App;
use session::tokens::PublicTokenKey;

/// How long it may be kept. A key that is to sign has to be published for longer than that before: docs/signing-keys.md.
const KEPT: &str = "public, max-age=300";

/// How a client authenticates (RFC 8414 §2): [`super::oauth::client`].
const AUTH_METHODS: &[&str] = &["client_secret_basic", "client_secret_post"];

/// A refresh token was given to whoever shows it, and needs no client.
const TOKEN_AUTH_METHODS: &[&str] = &["none", "client_secret_basic", "client_secret_post"];
const GRANT_TYPES: &[&str] = &["refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"];

/// `GET /.well-known/jwks.json` (RFC 7517).
pub fn jwks(app: &App) -> Reply {
    let keys = app.keys.published().map(jwk).collect();
    Reply::json(200, &Jwks { keys }).with("cache-control", KEPT)
}

fn jwk(public: &PublicTokenKey) -> Jwk<'_> {
    let key = &public.key;
    Jwk {
        kty: key.family,
        crv: key.curve,
        x: &key.x,
        y: key.y.as_deref(),
        alg: public.algorithm.as_str(),
        usage: "sig",
        kid: &public.kid,
    }
}

/// `GET /.well-known/oauth-authorization-server` (RFC 8414), and the same document where software looks that knows only OIDC.
/// `path` is where it was asked for: that of the issuer has to follow (§3.1).
pub fn metadata(app: &App, path: &str) -> Result<Reply, Reason> {
    let issuer = app.config.issuer.as_str();
    if !is_base_url(issuer) {
        return Err(Reason::IssuerNotUrl);
    }
    let base = issuer.trim_end_matches('/');
    if path.strip_prefix(METADATA).is_some_and(|of_issuer| of_issuer != path_of(base)) {
        return Err(Reason::NotFound);
    }
    let at = |path: &str| [base, path].concat();
    let body = Metadata {
        issuer,
        jwks_uri: app.keys.published().next().map(|_| at("/.well-known/jwks.json")),
        token_endpoint: at("/oauth/token"),
        token_endpoint_auth_methods_supported: TOKEN_AUTH_METHODS,
        introspection_endpoint: at("/oauth/introspect"),
        introspection_endpoint_auth_methods_supported: AUTH_METHODS,
        revocation_endpoint: at("/oauth/revoke"),
        revocation_endpoint_auth_methods_supported: AUTH_METHODS,
        response_types_supported: &[],
        grant_types_supported: GRANT_TYPES,
    };
    Ok(Reply::json(200, &body).with("cache-control", KEPT))
}

/// What follows the host.
fn path_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default()
}
