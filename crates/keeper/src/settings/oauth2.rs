//! The accounts behind OAuth 2.0, member by member.

use super::members::{Members, shown};
use super::{SLACK, Shared, joined, own_faults, put_faulty};
use crate::providers::{ClientAuth, OAUTH2, OAuth2, OAuth2Account, OAuth2Grant, Providers, Rules};
use base::ids::AccountName;
use base::secret::Secret;
use base::settings::{self as s, Reader, TWICE, is_url_with_query};
use serde_json::Value;

/// Life of a token that a setting may allow, in seconds: a minute to a year.
const LIFETIME_SECONDS: std::ops::RangeInclusive<u64> = 60..=31_536_000;
/// What is sent by members of their own, or never with these grants.
const OWN_PARAMETERS: [&str; 7] =
    ["grant_type", "client_id", "client_secret", "refresh_token", "scope", "audience", "resource"];
/// What a form needs, and what belongs to the connection.
const OWN_HEADERS: [&str; 11] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub fn read(r: &mut Reader<'_>, all: &mut Providers, shared: &Shared) {
    let rules = Rules::automatic(shared.backoff, shared.patience, 1, shared.timeout + SLACK);
    for (id, value) in r.document(&s::OAUTH2_ACCOUNTS).unwrap_or_default() {
        let Some(id) = AccountName::parse(&id) else {
            r.faults.push(format!("OAUTH2_ACCOUNTS: {} is no account id", shown(&id)));
            continue;
        };
        let Read { account, faults, known } = account(value);
        let provider = OAuth2 { account, timeout: shared.timeout, rules };
        let own = joined(faults.into_iter().map(Some));
        all.faults.extend(own.as_ref().map(|fault| format!("OAUTH2_ACCOUNTS, {id}: {fault}")));
        let own = own.map(|fault| format!("OAUTH2_ACCOUNTS: {fault}"));
        match joined([shared.fault.clone(), own]) {
            Some(fault) => put_faulty(all, (OAUTH2, id), &provider, fault, known),
            None => drop(all.oauth2.insert(id, provider)),
        }
    }
    if own_faults(r, all).is_some() {
        all.unread.push(OAUTH2);
    }
}

struct Read {
    account: OAuth2Account,
    faults: Vec<String>,
    /// Whether all could be read that makes its identity.
    known: bool,
}

fn account(value: Value) -> Read {
    let mut m = Members::new(value);
    let token_url = m.needed("token_url");
    if !token_url.is_empty() && !is_url_with_query(&token_url) {
        m.wrong("token_url", "must be https://… without credentials or a fragment");
    }
    let grant = grant(&mut m);
    let client_id = m.needed("client_id");
    let (scope, refresh_token) = (m.text("scope"), m.secret("refresh_token"));
    if grant == OAuth2Grant::RefreshToken && refresh_token.is_none() {
        m.wrong("refresh_token", "is missing, which the grant refresh_token begins with");
    }
    let parameters = parameters(&mut m);
    let headers = m.pairs("headers");
    let headers = self::headers(&mut m, headers);
    let known = m.faults.is_empty();
    let client_secret = m.secret("client_secret");
    let client_auth = client_auth(&mut m, client_secret.is_some());
    if client_auth == ClientAuth::Basic && headers.iter().any(|(name, _)| *name == "authorization") {
        m.wrong("headers", "may not have authorization, where the client shows itself (client_auth basic)");
    }
    let lifetime_seconds = lifetime(&mut m);
    let account = OAuth2Account {
        token_url,
        grant,
        client_id,
        client_secret,
        client_auth,
        scope,
        lifetime_seconds,
        refresh_token,
        parameters,
        headers,
    };
    Read { account, faults: m.finish(), known }
}

fn grant(m: &mut Members) -> OAuth2Grant {
    let faults = m.faults.len();
    match m.word("grant", &["client_credentials", "refresh_token"]) {
        Some("refresh_token") => OAuth2Grant::RefreshToken,
        None if m.faults.len() == faults => {
            m.wrong("grant", "is missing: client_credentials or refresh_token");
            OAuth2Grant::ClientCredentials
        }
        _ => OAuth2Grant::ClientCredentials,
    }
}

/// How the client shows itself. The names of RFC 7591 §2 are as good as ours.
fn client_auth(m: &mut Members, has_secret: bool) -> ClientAuth {
    let faults = m.faults.len();
    let words = ["basic", "body", "none", "client_secret_basic", "client_secret_post"];
    let auth = match m.word("client_auth", &words) {
        Some("body" | "client_secret_post") => ClientAuth::Body,
        Some("none") => ClientAuth::None,
        _ => ClientAuth::Basic,
    };
    if m.faults.len() == faults {
        match auth {
            ClientAuth::None if has_secret => {
                m.wrong("client_secret", "is there, and client_auth none shows none");
            }
            ClientAuth::Basic | ClientAuth::Body if !has_secret => {
                m.wrong("client_secret", "is missing; a public client has client_auth none");
            }
            _ => {}
        }
    }
    auth
}

fn lifetime(m: &mut Members) -> Option<u64> {
    let value = m.take("lifetime_seconds")?;
    let seconds = value.as_u64().filter(|seconds| LIFETIME_SECONDS.contains(seconds));
    if seconds.is_none() {
        let (min, max) = (LIFETIME_SECONDS.start(), LIFETIME_SECONDS.end());
        m.wrong("lifetime_seconds", &format!("must be a whole number from {min} to {max}"));
    }
    seconds
}

/// `audience`, `resource` (RFC 8707 §2, each may be there several times), and what the server wants besides.
fn parameters(m: &mut Members) -> Vec<(String, Secret)> {
    let mut all = Vec::new();
    for name in ["audience", "resource"] {
        let texts = m.texts(name);
        if texts.iter().any(String::is_empty) {
            m.wrong(name, "is empty");
        }
        all.extend(texts.into_iter().map(|text| (name.to_owned(), Secret::new(text))));
    }
    for (name, value) in m.pairs("parameters") {
        if OWN_PARAMETERS.contains(&name.as_str()) {
            m.wrong("parameters", &format!("may not have {name}, which is sent by other members"));
        } else if name.is_empty() || name.ends_with(TWICE) {
            m.wrong("parameters", "has an empty name, or one twice");
        }
        all.push((name, Secret::new(value)));
    }
    all
}

/// Their values are secrets as any: some servers know a client by one.
fn headers(m: &mut Members, pairs: Vec<(String, String)>) -> Vec<(&'static str, Secret)> {
    let mut all: Vec<(&'static str, Secret)> = Vec::new();
    for (name, value) in pairs {
        let name = name.to_ascii_lowercase();
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let is_value = |b: u8| b.is_ascii_graphic() || b == b' ';
        if name.is_empty() || !name.bytes().all(is_token) {
            m.wrong(
                "headers",
                &format!("has {}, which is no name of a header, or there twice", shown(&name)),
            );
        } else if OWN_HEADERS.contains(&name.as_str()) {
            m.wrong("headers", &format!("may not have {name}"));
        } else if all.iter().any(|(other, _)| *other == name) {
            m.wrong("headers", &format!("has {name} twice"));
        } else if value.is_empty() || value.trim() != value || !value.bytes().all(is_value) {
            m.wrong("headers", &format!("has {name}, whose value must be visible ASCII"));
        } else {
            // Settings are read once in the life of an instance, so this is not more than they are.
            all.push((name.leak(), Secret::new(value)));
        }
    }
    all
}
