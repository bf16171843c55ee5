//! The settings of post-login sessions.

use super::Environment;
use super::reader::Reader;
use super::settings as s;
use crate::session::external::{Channel, PostLogin, Sme, is_business_unit};
use std::collections::BTreeMap;
use std::time::Duration;

pub fn post_login(r: &mut Reader<'_>, environment: Environment) -> PostLogin {
    let mut channels: BTreeMap<String, Channel> = r.json(&s::CHANNELS);
    if environment != Environment::Development && !r.is_set(&s::CHANNELS) {
        // A channel without a verifier believes its callers. Nobody has said here that it may.
        channels.retain(|_, channel| channel.verifier.is_some());
    }
    if channels.values().any(|channel| !is_business_unit(&channel.business_unit)) {
        r.faults.push("CHANNELS: a business_unit must be 1 to 16 capital letters, digits or _".to_owned());
    }
    PostLogin {
        channels,
        sme: sme(r),
        verify_at_init: r.word(&s::SME_VERIFY_AT_INIT) == "on",
        mock_routes: r.word(&s::MOCK_ROUTES) == "on",
    }
}

fn sme(r: &mut Reader<'_>) -> Option<Sme> {
    let base_url = r.url(&s::SME_VERIFY_BASE_URL);
    let api_key = r.credential(&s::SME_VERIFY_TOKEN_KEY);
    let timeout = Duration::from_secs(r.number(&s::SME_VERIFY_TIMEOUT_SECONDS));
    // A call without the key would be answered 401, which ends the session that it was made for.
    if base_url.is_some() != api_key.is_some() {
        r.faults.push("SME_VERIFY_BASE_URL and SME_VERIFY_TOKEN_KEY go together; one is missing".to_owned());
    }
    Some(Sme { base_url: base_url?, api_key: api_key?, timeout })
}
