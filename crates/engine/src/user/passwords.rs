//! The steps that a password comes with. It is compared and hashed here, so that what is left is a pure step.

use super::User;
use crate::host::Host;
use base::clock::Timestamp;
use base::fault::Fault;
use directory::password::{self, Verdict};
use directory::{
    ChangePassword, ChangePasswordReply, CheckChange, CheckPassword, CheckPasswordReply, CheckedPassword,
    ConfirmedPassword, Create, CreateReply, ForNobody, HashParams, Login, LoginReply, NewPassword, NewUser,
    OwnPassword, Place, Refused, Throttled, Update, UpdateReply, UserChange, is_another, throttled,
};

impl<H: Host> User<H> {
    pub(super) fn login(&self, login: Login, now: Timestamp) -> Result<LoginReply, Fault> {
        let Login { password, address, session_id, replaces, device, nobody, refusal, confirms } = login;
        let address = device.map_or(address, |id| directory::device(&id));
        let app = self.host.app()?;
        let params = app.config.hashing;
        let refusal = params.or_dearer(refusal);
        let mut user = self.load()?;
        if let Some(throttled) = throttled(&user, &address, now) {
            return Ok(LoginReply::Throttled(throttled));
        }
        let Some(profile) = &user.profile else {
            return Ok(match Self::refuse_nobody(password.expose(), refusal, nobody) {
                Ok(refused) => LoginReply::Refused(refused),
                Err(throttled) => LoginReply::Throttled(throttled),
            });
        };
        let verdict = password::verify(password.expose(), &profile.password, params, refusal);
        let dearer = dearer(&profile.password, params);
        let outdated = verdict == Verdict::MatchOutdated;
        let rehashed = if outdated { self.hash(password.expose(), params)? } else { None };
        let place = Place { session_id, replaces, confirms };
        let reply =
            self.apply(&app, &mut user, CheckedPassword { verdict, rehashed, address, place }, now)?;
        Ok(match reply {
            LoginReply::Refused(refused) => LoginReply::Refused(Refused { dearer, ..refused }),
            other => other,
        })
    }

    pub(super) fn create(&self, create: Create, now: Timestamp) -> Result<CreateReply, Fault> {
        let Create { user_id, username, roles, password } = create;
        let app = self.host.app()?;
        match self.hash(password.expose(), app.config.hashing)? {
            Some(hash) => self.step(NewUser { user_id, username, roles, hash }, now),
            None => Ok(CreateReply::Failed),
        }
    }

    pub(super) fn update(&self, update: Update, now: Timestamp) -> Result<UpdateReply, Fault> {
        let Update {
            roles,
            is_active,
            password,
            user_id,
            expected_version,
            change_id,
            agreed,
            reset,
            removing,
            among,
        } = update;
        let mut change = UserChange {
            user_id,
            roles,
            is_active,
            hash: None,
            expected_version,
            change_id,
            agreed,
            reset,
            same_password: false,
            removing,
            among,
        };
        // What is not made costs no hash.
        if let Some(reply) = self.step(CheckChange(&change), now)? {
            if reply != UpdateReply::ResetUsed {
                return Ok(reply);
            }
            change.same_password = self.is_stored(password.as_ref())?;
            return Ok(self.step(CheckChange(&change), now)?.unwrap_or(reply));
        }
        if let Some(NewPassword(password)) = password {
            let Some(hash) = self.hash(password.expose(), self.host.app()?.config.hashing)? else {
                return Ok(UpdateReply::Failed);
            };
            change.hash = Some(hash);
        }
        self.step(change, now)
    }

    pub(super) fn change_password(
        &self,
        change: ChangePassword,
        now: Timestamp,
    ) -> Result<ChangePasswordReply, Fault> {
        let ChangePassword { old, new: NewPassword(new), address, user_id, keep, nobody, refusal, among } =
            change;
        let app = self.host.app()?;
        let params = app.config.hashing;
        let refusal = params.or_dearer(refusal);
        let mut user = self.load()?;
        if is_another(&user, user_id) {
            return Ok(ChangePasswordReply::NoUser);
        }
        if let Some(throttled) = throttled(&user, &address, now) {
            return Ok(ChangePasswordReply::Throttled(throttled));
        }
        let Some(profile) = &user.profile else {
            return Ok(match Self::refuse_nobody(old.expose(), refusal, nobody) {
                Ok(refused) => ChangePasswordReply::Refused(refused),
                Err(throttled) => ChangePasswordReply::Throttled(throttled),
            });
        };
        let dearer = dearer(&profile.password, params);
        let verdict = password::verify(old.expose(), &profile.password, params, refusal);
        let hash = if verdict == Verdict::Mismatch {
            None
        } else {
            if !profile.is_active {
                return Ok(ChangePasswordReply::Inactive { user_id: profile.account.user_id });
            }
            let Some(hash) = self.hash(new.expose(), params)? else { return Ok(ChangePasswordReply::Failed) };
            Some(hash)
        };
        Ok(match self.apply(&app, &mut user, OwnPassword { hash, address, keep, among }, now)? {
            ChangePasswordReply::Refused(refused) => {
                ChangePasswordReply::Refused(Refused { dearer, ..refused })
            }
            other => other,
        })
    }

    pub(super) fn check_password(
        &self,
        check: CheckPassword,
        now: Timestamp,
    ) -> Result<CheckPasswordReply, Fault> {
        let CheckPassword { password, user_id, address, device, refusal } = check;
        let address = device.map_or(address, |id| directory::device(&id));
        let app = self.host.app()?;
        let params = app.config.hashing;
        let mut user = self.load()?;
        let Some(profile) = user.profile.as_ref().filter(|p| p.account.user_id == user_id) else {
            return Ok(CheckPasswordReply::NoUser);
        };
        if let Some(throttled) = throttled(&user, &address, now) {
            return Ok(CheckPasswordReply::Throttled(throttled));
        }
        let dearer = dearer(&profile.password, params);
        let verdict =
            password::verify(password.expose(), &profile.password, params, params.or_dearer(refusal));
        let confirmed = ConfirmedPassword { is_right: verdict != Verdict::Mismatch, address };
        Ok(match self.apply(&app, &mut user, confirmed, now)? {
            CheckPasswordReply::Refused(refused) => {
                CheckPasswordReply::Refused(Refused { dearer, ..refused })
            }
            other => other,
        })
    }

    /// Whether this is the password that the user has already.
    fn is_stored(&self, password: Option<&NewPassword>) -> Result<bool, Fault> {
        let (Some(NewPassword(password)), Some(stored)) = (password, self.load()?.profile) else {
            return Ok(false);
        };
        let params = self.host.app()?.config.hashing;
        Ok(password::verify(password.expose(), &stored.password, params, params) != Verdict::Mismatch)
    }

    /// What is answered for a name that nobody has: what was counted for it elsewhere, after the same work. Nothing is kept here.
    fn refuse_nobody(
        password: &str,
        refusal: HashParams,
        nobody: Option<ForNobody>,
    ) -> Result<Refused, Throttled> {
        let user_id = None;
        let delay_ms = nobody.map_or(0, |nobody| nobody.delay_ms);
        if let Some(retry_after_ms) = nobody.and_then(|nobody| nobody.wait_ms) {
            return Err(Throttled { retry_after_ms, user_id, busy: false });
        }
        password::verify_nobody(password, refusal);
        Ok(Refused { delay_ms, user_id, dearer: None })
    }

    fn hash(&self, password: &str, params: HashParams) -> Result<Option<String>, Fault> {
        Ok(password::hash(password, params, self.host.random()?))
    }
}

/// What a stored hash was made with, if that costs more than a new one: whoever has no user must be refused at that cost, too.
fn dearer(stored: &str, params: HashParams) -> Option<HashParams> {
    password::made_with(stored).filter(|made| made.cost() > params.cost())
}
