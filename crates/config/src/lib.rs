//! The settings of a deployment, read once, with all faults reported together.

mod app;
#[cfg(test)]
mod tests;

pub use app::{App, Faults, Settings};
pub use base::settings::{self, Environment, NamedKey, Origins};

use base::event::EventTypes;
use base::secret::Secret;
use base::settings::{self as s, Reader};
use base::trail::Keep;
use base::webhook;
use directory::{HashParams, LimitPolicy, ThrottlePolicy};
use keeper::Providers;
use portal::Portals;
use session::external::PostLogin;
use session::tokens::Algorithm;
use session::{PROPAGATE_AFTER, Policy, Receivers};
use std::time::Duration;

/// How strictly an access token is checked, and so when a revocation bites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Signature, then the session's object: at once.
    Strict,
    /// Signature and KV's records of ends: within about a minute, as KV spreads.
    Edge,
    /// Signature alone: when the token expires.
    Local,
}

#[derive(Clone, Debug)]
pub struct Config {
    pub issuer: String,
    pub audience: String,
    pub signing_keys: Vec<NamedKey>,
    /// The algorithm of those that sign.
    pub algorithm: Algorithm,
    pub sealing_keys: Vec<NamedKey>,
    pub bootstrap_key: Option<Secret>,
    pub admin_reset_key: Option<Secret>,
    pub session: Policy,
    /// How old a login may be for what asks for a recent one; zero where nothing does.
    pub recent_login: Duration,
    pub limit: LimitPolicy,
    pub check: Check,
    pub hashing: HashParams,
    pub throttle: ThrottlePolicy,
    /// Failed logins that one address may have.
    pub failures_per_address: u32,
    /// Whether service routes want a key.
    pub service_auth: bool,
    pub environment: Environment,
    /// Whose web pages may read the answers.
    pub origins: Origins,
    /// As it stands in the cookies.
    pub cookie_same_site: &'static str,
    pub debug_routes: bool,
    pub request_log: Option<u32>,
    pub audit_trail: Keep,
    pub providers: Providers,
    pub notifier_secret: Option<Secret>,
    pub alerts: Alerts,
    pub events: Events,
    pub post_login: PostLogin,
    pub portals: Portals,
}

/// Where alerts go.
#[derive(Clone, Debug)]
pub struct Alerts {
    pub url: Option<String>,
    pub keys: Vec<webhook::Key>,
    /// Which are sent there.
    pub types: EventTypes,
    /// How long before an expiry without a renewal in sight one is sent.
    pub warning: Duration,
    /// How long those of one cause are collected.
    pub collect: Duration,
}

/// Where events of sessions go. Which of them are told is in the policy of sessions.
#[derive(Clone, Debug)]
pub struct Events {
    pub url: Option<String>,
    pub keys: Vec<webhook::Key>,
    /// Where logout tokens go.
    pub logout_url: Option<String>,
}

impl Config {
    /// Reads every setting through `lookup`. The error lists every fault by the setting's name. It never holds a value, but of an
    /// origin, which every page of it tells everybody.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let mut r = Reader::new(lookup);
        let environment = environment(&mut r);
        let check = match r.word(&s::SESSION_CHECK).as_str() {
            "edge" => Check::Edge,
            "local" => Check::Local,
            _ => Check::Strict,
        };
        let events = Events {
            url: r.url(&s::EVENT_WEBHOOK_URL),
            keys: r.webhook_keys(&s::EVENT_WEBHOOK_SECRET),
            logout_url: r.url(&s::BACKCHANNEL_LOGOUT_URL),
        };
        let types = r.event_types(&s::EVENT_TYPES);
        let told = if events.url.is_some() { types } else { EventTypes::NONE };
        let receivers = Receivers {
            webhook: told.among(EventTypes::named("session")),
            logout: events.logout_url.is_some(),
        };
        let alert_secret = r.secret(&s::ALERT_WEBHOOK_SECRET);
        let alerts = alerts(&mut r, alert_secret.as_ref(), &events, types);
        let idle =
            r.duration(&s::SESSION_INACTIVITY_TIMEOUT_MINUTES, 60, &s::SESSION_INACTIVITY_TIMEOUT_SECONDS);
        let config = Self {
            issuer: r.text(&s::TOKEN_ISSUER),
            audience: r.text(&s::TOKEN_AUDIENCE),
            signing_keys: r.keys_and_pairs(&s::TOKEN_SIGNING_KEYS, &session::tokens::is_private_key),
            algorithm: Algorithm::of_pairs(&r.word(&s::JWT_ALG)).unwrap_or(Algorithm::Hs256),
            sealing_keys: r.keys(&s::SEALING_KEYS),
            bootstrap_key: r.secret(&s::BOOTSTRAP_KEY),
            admin_reset_key: r.secret(&s::ADMIN_RESET_KEY),
            session: Policy {
                access_ttl: r.duration(&s::ACCESS_TOKEN_EXPIRE_MINUTES, 60, &s::ACCESS_TOKEN_EXPIRE_SECONDS),
                refresh_ttl: r.duration(
                    &s::REFRESH_TOKEN_EXPIRE_DAYS,
                    86_400,
                    &s::REFRESH_TOKEN_EXPIRE_SECONDS,
                ),
                idle,
                absolute: r.duration(
                    &s::SESSION_ABSOLUTE_LIFETIME_DAYS,
                    86_400,
                    &s::SESSION_ABSOLUTE_LIFETIME_SECONDS,
                ),
                grace: Duration::from_secs(r.number(&s::REFRESH_GRACE_SECONDS)),
                external_ttl: Duration::from_secs(r.number(&s::SME_SESSION_TTL)),
                // Mostly its alarm comes before. Where KV lets people in, that is not soon enough.
                receivers,
                told_within: if check == Check::Edge { PROPAGATE_AFTER } else { idle + PROPAGATE_AFTER },
            },
            recent_login: r.duration(&s::RECENT_LOGIN_MINUTES, 60, &s::RECENT_LOGIN_SECONDS),
            limit: LimitPolicy {
                max: usize::try_from(r.number(&s::MAX_CONCURRENT_SESSIONS_PER_USER)).unwrap_or(1),
                evict: r.word(&s::SESSION_LIMIT_POLICY) == "evict_oldest",
            },
            check,
            hashing: HashParams {
                memory_kib: r.number32(&s::ARGON2_MEMORY_KIB),
                iterations: r.number32(&s::ARGON2_ITERATIONS),
            },
            throttle: ThrottlePolicy {
                max_failures: r.number32(&s::LOGIN_MAX_FAILURES),
                block_max: Duration::from_secs(r.number(&s::LOGIN_BLOCK_MAX_SECONDS)),
            },
            failures_per_address: r.number32(&s::LOGIN_MAX_FAILURES_PER_ADDRESS),
            service_auth: r.word(&s::SERVICE_AUTH) != "off",
            environment,
            origins: r.origins(&s::ALLOWED_ORIGINS, environment),
            cookie_same_site: if r.word(&s::COOKIE_SAME_SITE) == "lax" { "Lax" } else { "Strict" },
            debug_routes: r.word(&s::DEBUG_ROUTES) == "on",
            request_log: r.share(&s::REQUEST_LOG),
            audit_trail: match r.word(&s::AUDIT_TRAIL).as_str() {
                "on" => Keep::Most,
                "all" => Keep::Everything,
                _ => Keep::Nothing,
            },
            providers: keeper::settings::providers(&mut r, environment),
            notifier_secret: r.secret(&s::UPSTOX_NOTIFIER_SECRET),
            alerts,
            events,
            post_login: session::external::settings::post_login(&mut r, environment),
            portals: portal::settings::portals(&mut r, told.among(EventTypes::named("portal"))),
        };
        // The entry reads these; a wrong one is found with the others.
        for setting in [&s::JURISDICTION, &s::LOCATION_HINT, &s::UPSTREAM_LOCATION_HINT] {
            r.word(setting);
        }
        config.check_together(&mut r.faults, alert_secret.as_ref());
        if r.faults.is_empty() { Ok(config) } else { Err(r.faults) }
    }

    /// What is only wrong in company.
    fn check_together(&self, faults: &mut Vec<String>, alert_secret: Option<&Secret>) {
        let signs =
            |key: &NamedKey| Algorithm::of_pairs(&key.kid).unwrap_or(Algorithm::Hs256) == self.algorithm;
        // Where an entry is wrong, it may be the one.
        if !self.signing_keys.iter().any(signs) && !faults.iter().any(|f| f.starts_with("TOKEN_SIGNING_KEYS"))
        {
            let algorithm = self.algorithm.as_str();
            faults.push(format!(
                "TOKEN_SIGNING_KEYS has no key that JWT_ALG={algorithm} signs with; `npm run key -- signing` makes one"
            ));
        }
        let policy = &self.session;
        if policy.access_ttl > policy.absolute {
            faults
                .push("ACCESS_TOKEN_EXPIRE_MINUTES is longer than SESSION_ABSOLUTE_LIFETIME_DAYS".to_owned());
        }
        if !self.service_auth && self.environment != Environment::Development {
            faults.push("SERVICE_AUTH is off, which only ENVIRONMENT=development allows".to_owned());
        }
        if self.post_login.mock_routes && self.environment != Environment::Development {
            faults.push("MOCK_ROUTES is on, which only ENVIRONMENT=development allows".to_owned());
        }
        // OWASP's equivalents, from 7 MiB with 5 passes to 46 MiB with 1; this product separates them.
        if u64::from(self.hashing.memory_kib) * u64::from(self.hashing.iterations) < 7_168 * 5
            && self.hashing.iterations != 0
        {
            faults.push("ARGON2_MEMORY_KIB times ARGON2_ITERATIONS is under 35840".to_owned());
        }
        if self.events.url.is_some() && self.events.keys.is_empty() {
            faults.push("EVENT_WEBHOOK_SECRET is required with EVENT_WEBHOOK_URL".to_owned());
        }
        let in_path =
            |s: &Secret| s.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if !self.notifier_secret.as_ref().is_none_or(in_path) {
            faults.push("UPSTOX_NOTIFIER_SECRET is part of a path: only letters, digits, - and _".to_owned());
        }
        let others = [
            self.bootstrap_key.as_ref(),
            self.admin_reset_key.as_ref(),
            self.notifier_secret.as_ref(),
            alert_secret,
        ];
        let all: Vec<&str> = self
            .signing_keys
            .iter()
            .chain(&self.sealing_keys)
            .map(|k| k.secret.expose())
            .chain(others.into_iter().flatten().map(Secret::expose))
            .collect();
        if all.iter().enumerate().any(|(i, a)| all.iter().skip(i + 1).any(|b| a == b)) {
            faults.push(
                "TOKEN_SIGNING_KEYS, SEALING_KEYS, BOOTSTRAP_KEY, ADMIN_RESET_KEY, UPSTOX_NOTIFIER_SECRET and \
                 ALERT_WEBHOOK_SECRET share a secret; each needs its own"
                    .to_owned(),
            );
        }
    }
}

/// Alerts are events where they have no receiver of their own.
fn alerts(r: &mut Reader, secret: Option<&Secret>, events: &Events, types: EventTypes) -> Alerts {
    let about_tokens = EventTypes::named("token");
    let asked = types.among(about_tokens);
    let (url, keys, types) = match (r.url(&s::ALERT_WEBHOOK_URL), &events.url) {
        (Some(url), _) => {
            if secret.is_none() {
                r.faults.push("ALERT_WEBHOOK_SECRET is required with ALERT_WEBHOOK_URL".to_owned());
            }
            let key = secret.map(|secret| webhook::Key::of_text(secret.expose()));
            (Some(url), key.into_iter().collect(), about_tokens)
        }
        (None, Some(url)) if !asked.is_none() => (Some(url.clone()), events.keys.clone(), asked),
        (None, _) => (None, Vec::new(), EventTypes::NONE),
    };
    Alerts {
        url,
        keys,
        types,
        warning: Duration::from_secs(r.number(&s::ALERT_EXPIRY_WARNING_MINUTES) * 60),
        collect: Duration::from_secs(r.number(&s::ALERT_COLLECT_SECONDS)),
    }
}

fn environment(r: &mut Reader) -> Environment {
    match r.word(&s::ENVIRONMENT).as_str() {
        "development" => Environment::Development,
        _ => Environment::Production,
    }
}

/// The origins alone, where other settings are wrong; none, if they are wrong themselves.
fn origins(lookup: &dyn Fn(&str) -> Option<String>) -> Origins {
    let mut r = Reader::new(lookup);
    let environment = environment(&mut r);
    let origins = r.origins(&s::ALLOWED_ORIGINS, environment);
    if r.faults.is_empty() { origins } else { Origins::default() }
}

/// The table of docs/settings.md.
pub fn settings_table() -> String {
    use std::fmt::Write as _;
    let mut table =
        String::from("| setting | values | default | what it does |\n| --- | --- | --- | --- |\n");
    for setting in s::SETTINGS {
        let values = match setting.kind {
            s::Kind::Number { min, max } => format!("{min} to {max}"),
            s::Kind::Word(words) => words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", "),
            s::Kind::Text => "text".to_owned(),
            s::Kind::Keys => "`kid:secret,…`".to_owned(),
            s::Kind::SigningKeys => "`kid:secret,…`, `EdDSA:…`, `ES256:…`".to_owned(),
            s::Kind::Secret => "32 bytes or more".to_owned(),
            s::Kind::Credential => "1 to 1024 bytes".to_owned(),
            s::Kind::Url => "`https://…`".to_owned(),
            s::Kind::Base => "1.0 to 10.0".to_owned(),
            s::Kind::Share => "`on`, `off`, 0.0 to 1.0".to_owned(),
            s::Kind::Accounts => "account ids".to_owned(),
            s::Kind::Json => "JSON".to_owned(),
            s::Kind::Hosts => "host names".to_owned(),
            s::Kind::Origins => "`https://host`, several separated by commas".to_owned(),
            s::Kind::WebhookKeys => "`whsec_…`, several separated by commas".to_owned(),
            s::Kind::EventTypes => "types of events, separated by commas".to_owned(),
        };
        let default =
            if setting.default.is_empty() { "–".to_owned() } else { format!("`{}`", setting.default) };
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| `{}` | {values} | {default} | {} |", setting.name, setting.about);
    }
    table
}
