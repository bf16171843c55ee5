//! A user's own password: changed, given again in a session, and whether the next login asks for one.

use super::guess_protocol::{ChangePasswordReply, CheckPasswordReply, Refused, RequireNewPassword, Unlock};
use super::protocol::{Done, GetReply};
use super::state::{Task, User};
use super::user::{Step, UserPolicy, affected, end, free_dead, has_opened_since, is_another, profile};
use base::account::EndReason;
use base::clock::{Timestamp, millis};
use base::ids::SessionId;

/// A new password whose old one has been compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPassword {
    /// The new one, hashed; none if the old one was wrong.
    pub hash: Option<String>,
    pub address: String,
    /// The session that it was changed in.
    pub keep: Option<SessionId>,
    /// See [`super::ChangePassword`].
    pub among: Option<Vec<SessionId>>,
}

/// A password that was given again in a session, and has been compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmedPassword {
    pub is_right: bool,
    pub address: String,
}

impl Step for ConfirmedPassword {
    type Reply = CheckPasswordReply;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> CheckPasswordReply {
        let Self { is_right, address } = self;
        let Some(stored) = user.profile.as_ref().filter(|_| is_right) else {
            let delay = user.throttle.failed(&address, &policy.throttle, now);
            let user_id = user.profile.as_ref().map(|p| p.account.user_id);
            return CheckPasswordReply::Refused(Refused { delay_ms: millis(delay), user_id, dearer: None });
        };
        if !stored.is_active {
            return CheckPasswordReply::Inactive;
        }
        // What is no news is not written.
        if !user.throttle.is_usual(&address, now) {
            user.throttle.succeeded(&address, now);
        }
        if user.must_change_password {
            CheckPasswordReply::MustChangePassword
        } else {
            CheckPasswordReply::Right
        }
    }
}

impl Step for OwnPassword {
    type Reply = ChangePasswordReply;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> ChangePasswordReply {
        let Self { hash, address, keep, among } = self;
        if hash.is_some() && has_opened_since(user, among.as_deref()) {
            return ChangePasswordReply::Overtaken;
        }
        let Some((stored, hash)) = user.profile.as_mut().zip(hash) else {
            let delay = user.throttle.failed(&address, &policy.throttle, now);
            let user_id = user.profile.as_ref().map(|p| p.account.user_id);
            return ChangePasswordReply::Refused(Refused { delay_ms: millis(delay), user_id, dearer: None });
        };
        stored.password = hash;
        stored.version += 1;
        stored.account_version += 1;
        user.must_change_password = false;
        user.throttle.succeeded(&address, now);
        free_dead(user, &[], now);
        let sessions = end(user, |id| keep.as_ref() != Some(id), EndReason::Password, now);
        let task = Some(Task::End(EndReason::Password));
        affected(user, sessions, task).map_or(ChangePasswordReply::NoUser, ChangePasswordReply::Changed)
    }
}

impl Step for RequireNewPassword {
    type Reply = GetReply;

    fn apply(self, user: &mut User, _: &UserPolicy, _: Timestamp) -> GetReply {
        let Self { user_id, required, expected_version } = self;
        let stored = user.profile.as_mut().filter(|stored| stored.account.user_id == user_id);
        let Some(stored) = stored else { return GetReply::NoUser };
        let is_meant = expected_version.is_none_or(|version| version == stored.account_version);
        if is_meant && user.must_change_password != required {
            user.must_change_password = required;
            // What was decided before, and comes late, does not undo it.
            stored.account_version += 1;
        }
        profile(user).map_or(GetReply::NoUser, GetReply::User)
    }
}

/// One that comes late forgets what has failed since: as many guesses more, once.
impl Step for Unlock {
    type Reply = Done;

    fn apply(self, user: &mut User, _: &UserPolicy, _: Timestamp) -> Done {
        if !is_another(user, Some(self.user_id)) {
            user.throttle.clear_failures();
        }
        Done::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Slot, Stored};
    use crate::{LimitPolicy, ThrottlePolicy, decide};
    use base::account::Account;
    use base::ids::UserId;
    use std::time::Duration;

    const POLICY: UserPolicy = UserPolicy {
        limit: LimitPolicy { max: 5, evict: true },
        throttle: ThrottlePolicy { max_failures: 3, block_max: Duration::from_mins(15) },
        session_lifetime: Duration::from_hours(720),
    };

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn session(name: &str) -> SessionId {
        SessionId::issued(name)
    }

    fn user() -> User {
        let account = Account {
            user_id: UserId::issued(7),
            username: "u".into(),
            roles: vec!["user".into()],
            created_at: Timestamp::default(),
        };
        let slot = |name: &str| Slot {
            session_id: session(name),
            created_at: now(),
            expires_at: now().plus(POLICY.session_lifetime),
            reserved_until: None,
            evicts: Vec::new(),
            replaces: None,
            active_at: None,
        };
        let stored: Stored = serde_json::from_value(serde_json::json!({
            "account": account, "is_active": true, "password": "old", "version": 3,
        }))
        .unwrap();
        User {
            profile: Some(stored),
            slots: ["a", "b", "c"].map(slot).to_vec(),
            must_change_password: true,
            ..User::default()
        }
    }

    fn step(user: &mut User, hash: Option<&str>, keep: Option<&str>) -> ChangePasswordReply {
        step_among(user, hash, keep, None)
    }

    fn step_among(
        user: &mut User,
        hash: Option<&str>,
        keep: Option<&str>,
        among: Option<&[&str]>,
    ) -> ChangePasswordReply {
        let (hash, keep) = (hash.map(str::to_owned), keep.map(session));
        let among = among.map(|ids| ids.iter().copied().map(session).collect());
        decide(user, OwnPassword { hash, address: "home".into(), keep, among }, &POLICY, now()).reply
    }

    fn changed(reply: ChangePasswordReply) -> Vec<SessionId> {
        match reply {
            ChangePasswordReply::Changed(affected) => affected.sessions,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn f12_a_new_password_ends_the_other_sessions_and_is_asked_for_no_more() {
        let mut user = user();
        assert_eq!(changed(step(&mut user, Some("new"), Some("b"))), ["a", "c"].map(session));
        let stored = user.profile.as_ref().unwrap();
        assert_eq!((stored.password.as_str(), stored.version, user.must_change_password), ("new", 4, false));
        assert_eq!(user.slots.iter().map(|s| &s.session_id).collect::<Vec<_>>(), [&session("b")]);
        assert!(user.pending.iter().all(|p| p.task == Task::End(EndReason::Password)));
        let all = changed(step(&mut user, Some("newer"), None));
        assert_eq!(all, ["a", "c", "b"].map(session), "and those that are still to be ended");
    }

    /// Its message comes late, and its user, who was told that it failed, has logged in with the old one.
    #[test]
    fn f12_a_change_that_a_login_has_overtaken_ends_nothing_and_changes_nothing() {
        let mut user = user();
        let before = user.clone();
        let asked = Some(&["a", "b"][..]);
        assert_eq!(
            step_among(&mut user, Some("new"), Some("b"), asked),
            ChangePasswordReply::Overtaken,
            "c is new"
        );
        assert_eq!((&user.profile, &user.slots, &user.pending), (&before.profile, &before.slots, &vec![]));
        // A wrong one counts whatever has happened since.
        assert!(matches!(step_among(&mut user, None, Some("b"), asked), ChangePasswordReply::Refused(_)));
        // One that is gone by now is no new one.
        let asked = Some(&["a", "b", "c", "d"][..]);
        assert_eq!(changed(step_among(&mut user, Some("new"), Some("b"), asked)), ["a", "c"].map(session));
    }

    #[test]
    fn f12_a_wrong_old_password_is_a_failed_guess_and_changes_nothing() {
        let mut user = user();
        for n in 0..3 {
            let ChangePasswordReply::Refused(refused) = step(&mut user, None, Some("b")) else {
                panic!("{n}")
            };
            assert_eq!(refused.user_id, Some(UserId::issued(7)));
        }
        assert!(user.throttle.wait("home", now()).is_some());
        assert_eq!((user.slots.len(), user.profile.as_ref().unwrap().version), (3, 3));
        assert!(user.must_change_password);
    }

    #[test]
    fn f06_a_password_given_again_counts_as_a_login_does_and_changes_nothing_else() {
        let mut user = User { must_change_password: false, ..user() };
        let before = user.clone();
        let give = |user: &mut User, is_right| {
            let confirmed = ConfirmedPassword { is_right, address: "home".into() };
            decide(user, confirmed, &POLICY, now())
        };
        for n in 0..3 {
            let CheckPasswordReply::Refused(refused) = give(&mut user, false).reply else { panic!("{n}") };
            assert_eq!(refused.user_id, Some(UserId::issued(7)));
        }
        assert!(user.throttle.wait("home", now()).is_some());
        assert_eq!(give(&mut user, true).reply, CheckPasswordReply::Right);
        assert_eq!(user.throttle.wait("home", now()), None);
        let again = give(&mut user, true);
        assert_eq!((again.reply, again.save), (CheckPasswordReply::Right, false), "it is no news");
        user.must_change_password = true;
        assert_eq!(give(&mut user, true).reply, CheckPasswordReply::MustChangePassword);
        user.profile.as_mut().unwrap().is_active = false;
        assert_eq!(give(&mut user, true).reply, CheckPasswordReply::Inactive);
        assert_eq!((&user.slots, &user.pending), (&before.slots, &before.pending));
    }

    #[test]
    fn f06_an_admin_unlocks_without_a_new_password() {
        let mut user = user();
        for _ in 0..4 {
            step(&mut user, None, None);
        }
        let unlock =
            |user: &mut User, id| decide(user, Unlock { user_id: UserId::issued(id) }, &POLICY, now());
        unlock(&mut user, 8);
        assert!(user.throttle.wait("home", now()).is_some());
        unlock(&mut user, 7);
        assert_eq!(user.throttle.wait("home", now()), None);
        assert_eq!((user.slots.len(), user.profile.as_ref().unwrap().version), (3, 3));
    }

    #[test]
    fn f12_another_user_of_the_name_is_not_asked_for_a_new_password() {
        let mut user = user();
        for (id, required, after) in [(8, false, true), (7, false, false), (8, true, false), (7, true, true)]
        {
            let require =
                RequireNewPassword { user_id: UserId::issued(id), required, expected_version: None };
            let reply = decide(&mut user, require, &POLICY, now()).reply;
            assert_eq!(user.must_change_password, after, "{id} {required}");
            assert_eq!(matches!(reply, GetReply::User(p) if p.must_change_password == after), id == 7);
        }
    }

    /// Of two that come in the other order, or of one that comes once more, the older one does nothing.
    #[test]
    fn f12_what_was_asked_for_before_the_last_change_is_not_asked_for_any_more() {
        let mut user = user();
        let version = |user: &User| user.profile.as_ref().map(|stored| stored.account_version);
        let require = |user: &mut User, required, expected_version| {
            let require = RequireNewPassword { user_id: UserId::issued(7), required, expected_version };
            decide(user, require, &POLICY, now());
            user.must_change_password
        };
        let first = version(&user);
        assert!(!require(&mut user, false, first));
        assert!(!require(&mut user, true, first), "it was decided before that");
        let second = version(&user);
        assert!(require(&mut user, true, second));
        let after = version(&user);
        assert!(!require(&mut user, false, after));
        assert!(!require(&mut user, true, second), "once more, late");
        let third = version(&user);
        assert!(require(&mut user, true, third));
        changed(step(&mut user, Some("new"), None));
        assert!(!require(&mut user, true, third), "the user has a new password since");
    }
}
