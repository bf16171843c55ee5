//! The settings of post-login sessions.

use super::{Channel, PostLogin, SmeSettings, is_business_unit};
use base::settings::{self as s, Environment, Reader, is_base_url};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub fn post_login(r: &mut Reader<'_>, environment: Environment) -> PostLogin {
    let channels = channels(r, environment);
    PostLogin {
        sme: sme(r, &channels),
        channels,
        verify_at_init: r.word(&s::SME_VERIFY_AT_INIT) == "on",
        mock_routes: r.word(&s::MOCK_ROUTES) == "on",
    }
}

fn channels(r: &mut Reader<'_>, environment: Environment) -> BTreeMap<String, Channel> {
    let channels = r.json(&s::CHANNELS).into_iter().map(|(id, channel)| (id.into(), channel));
    let mut channels: BTreeMap<String, Channel> = channels.collect();
    if environment != Environment::Development && !r.is_set(&s::CHANNELS) {
        // A channel without a verifier believes its callers. Nobody has said here that it may.
        channels.retain(|_, channel| channel.verifier.is_some());
    }
    if channels.values().any(|channel| !is_business_unit(&channel.business_unit)) {
        r.faults.push("CHANNELS: a business_unit must be 1 to 16 capital letters, digits or _".to_owned());
    }
    // Their subjects are the same: whoever is believed by the one could be whom the other verifies.
    let units = |verified: bool| -> BTreeSet<&str> {
        let of = channels.values().filter(|channel| channel.verifier.is_some() == verified);
        of.map(|channel| channel.business_unit.as_str()).collect()
    };
    for unit in units(true).intersection(&units(false)) {
        r.faults.push(format!(
            "CHANNELS: {unit} has channels with a verifier and without; give them units of their own"
        ));
    }
    for (id, channel) in &mut channels {
        let Some(url) = &mut channel.verify_base_url else { continue };
        if !is_base_url(url) {
            r.faults.push(format!("CHANNELS: verify_base_url of {id} must be https://…"));
        }
        // Whoever wrote it means the channel to be verified, and it would not be.
        if channel.verifier.is_none() {
            r.faults.push(format!("CHANNELS: verify_base_url of {id} needs a verifier"));
        }
        url.truncate(url.trim_end_matches('/').len());
    }
    channels
}

fn sme(r: &mut Reader<'_>, channels: &BTreeMap<String, Channel>) -> SmeSettings {
    let base_url = r.url(&s::SME_VERIFY_BASE_URL);
    let api_key = r.credential(&s::SME_VERIFY_TOKEN_KEY);
    let timeout = Duration::from_secs(r.number(&s::SME_VERIFY_TIMEOUT_SECONDS));
    let has_address = base_url.is_some() || channels.values().any(|c| c.verify_base_url.is_some());
    // A call without the key would be answered 401, which ends the session that it was made for.
    if has_address != api_key.is_some() {
        r.faults.push(
            "SME_VERIFY_TOKEN_KEY goes together with SME_VERIFY_BASE_URL, or with a verify_base_url in \
             CHANNELS; one is missing"
                .to_owned(),
        );
    }
    SmeSettings { base_url, api_key, timeout }
}
