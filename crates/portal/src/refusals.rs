//! Refusals of a username, whatever the password: who may send another one. A portal that locks an account counts them so.

use super::code::Code;
use super::driver::Credentials;
use super::protocol::Refusal;
use super::state::Refused;
use base::clock::{Timestamp, seconds_up};
use base::vault::Vault;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the hash of a username is for, apart from all others under the same key.
const PURPOSE: &str = "portal-refusals";
/// So many refusals in a row hold nobody else back: someone who mistypes, or whose password was changed, is no danger to
/// an account yet.
const FREE: u32 = 3;
/// From then on another password waits for as long as a refused one does, but no longer than this, unless the setting is
/// longer: whoever knows the right one must get in although others go on with wrong ones.
const WAIT_MAX: Duration = Duration::from_hours(1);

/// Keyed hashes of a username at a portal, by each sealing key, the first key's first. Portals do not tell cases apart.
pub fn usernames(vault: &Vault, portal: &str, credentials: &Credentials) -> Vec<String> {
    vault.names(PURPOSE, &format!("{portal}:{}", credentials.username.trim().to_lowercase()))
}

/// The last refusal of one password, as its login has reported it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    pub refused: Refused,
    pub at: Timestamp,
}

/// A username with which nobody is to log in for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub code: Code,
    pub until: Timestamp,
}

impl Held {
    pub fn refusal(self, now: Timestamp) -> Refusal {
        let retry_after_seconds = Some(seconds_up(self.until.since(now)).max(1));
        Refusal { retry_after_seconds, ..Refusal::new(self.code) }
    }
}

/// What there is against sending a password for the username that these refusals are of.
pub fn held(reported: &[Reported], cooldown: Duration, now: Timestamp) -> Option<Held> {
    let known = || reported.iter().filter(|r| r.refused.forgotten_at() > now);
    let held = |code, until| Some(Held { code, until }).filter(|held| held.until > now);
    let locked = known().filter(|r| r.refused.code == Code::AccountLocked).map(|r| r.refused.until).max();
    if let Some(held) = locked.and_then(|until| held(Code::AccountLocked, until)) {
        return Some(held);
    }
    let times: u32 = known().map(|r| r.refused.times).fold(0, u32::saturating_add);
    let surplus = times.checked_sub(FREE)?;
    let wait = cooldown.saturating_mul(1 << surplus.min(16)).min(WAIT_MAX.max(cooldown));
    held(Code::CredentialsRefused, known().map(|r| r.at).max()?.plus(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_mins(15);

    fn reported(code: Code, times: u32, at: u64) -> Reported {
        let at = Timestamp::from_millis(at * 1000);
        Reported { refused: Refused { code, until: at.plus(COOLDOWN), times }, at }
    }

    /// In seconds.
    fn held_at(all: &[Reported], now: u64) -> Option<(Code, u64)> {
        held(all, COOLDOWN, Timestamp::from_millis(now * 1000)).map(|held| (held.code, held.until.seconds()))
    }

    #[test]
    fn a_locked_account_holds_everybody_for_as_long_as_the_one_who_was_told() {
        let all = [reported(Code::AccountLocked, 1, 0), reported(Code::CredentialsRefused, 1, 100)];
        assert_eq!(held_at(&all, 899), Some((Code::AccountLocked, 900)));
        assert_eq!(held_at(&all, 900), None);
    }

    #[test]
    fn refusals_count_together_and_the_wait_grows_up_to_an_hour() {
        use Code::{CredentialsRefused as R, UnexpectedResponse as U};
        for (all, expected) in [
            (vec![], None),
            (vec![reported(R, 1, 0), reported(R, 1, 5)], None),
            (vec![reported(R, 1, 0), reported(R, 1, 5), reported(U, 1, 9)], Some((R, 909))),
            (vec![reported(R, 3, 0), reported(R, 1, 5)], Some((R, 1805))),
            (vec![reported(R, 40, 0), reported(R, 1, 5)], Some((R, 3605))),
            (vec![reported(R, u32::MAX, 0), reported(R, u32::MAX, 5)], Some((R, 3605))),
        ] {
            assert_eq!(held_at(&all, 10), expected, "{all:?}");
            let end = expected.map_or(10, |(_, until)| until);
            assert_eq!(held_at(&all, end), None, "{all:?}");
        }
        // Those of long ago count no longer.
        let old = [reported(R, 2, 0), reported(R, 2, 100_000)];
        assert_eq!(held_at(&old, 100_001), None);
    }

    #[test]
    fn spellings_of_a_username_are_one() {
        let vault = crate::test_support::vault(&["s1"]);
        let of = |username: &str, password: &str| {
            let credentials = Credentials {
                username: username.to_owned(),
                password: base::secret::Secret::new(password),
                captcha_api_key: base::secret::Secret::new("ck"),
                totp_secret: None,
            };
            usernames(&vault, "emodal", &credentials)
        };
        assert_eq!(of("driver", "a"), of(" Driver", "b"));
        assert_ne!(of("driver", "a"), of("driver2", "a"));
    }
}
