//! The steps that a password comes with. It is compared and hashed here, so that what is left is a pure step.

use super::User;
use crate::host::Host;
use base::clock::Timestamp;
use base::fault::Fault;
use directory::password::{self, Verdict};
use directory::{
    ChangePassword, ChangePasswordReply, CheckChange, CheckedPassword, Create, CreateReply, ForNobody,
    HashParams, Login, LoginReply, NewPassword, NewUser, OwnPassword, Place, Refused, Throttled, Update,
    UpdateReply, UserChange, is_another, throttled,
};

impl<H: Host> User<H> {
    pub(super) fn login(&self, login: Login, now: Timestamp) -> Result<LoginReply, Fault> {
        let Login { password, address, session_id, replaces, device, nobody } = login;
        let address = device.map_or(address, |id| directory::device(&id));
        let app = self.host.app()?;
        let params = app.config.hashing;
        let mut user = self.load()?;
        if let Some(throttled) = throttled(&user, &address, now) {
            return Ok(LoginReply::Throttled(throttled));
        }
        let Some(profile) = &user.profile else {
            return Ok(match Self::refuse_nobody(password.expose(), params, nobody) {
                Ok(refused) => LoginReply::Refused(refused),
                Err(throttled) => LoginReply::Throttled(throttled),
            });
        };
        let verdict = password::verify(password.expose(), &profile.password, params);
        let outdated = verdict == Verdict::MatchOutdated;
        let rehashed = if outdated { self.hash(password.expose(), params)? } else { None };
        let place = Place { session_id, replaces };
        self.apply(&app, &mut user, CheckedPassword { verdict, rehashed, address, place }, now)
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
        let Update { roles, is_active, password, user_id, expected_version, change_id, agreed, reset } =
            update;
        let mut change =
            UserChange { user_id, roles, is_active, hash: None, expected_version, change_id, agreed, reset };
        // What is not made costs no hash.
        if let Some(reply) = self.step(CheckChange(&change), now)? {
            return Ok(reply);
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
        let ChangePassword { old, new: NewPassword(new), address, user_id, keep, nobody } = change;
        let app = self.host.app()?;
        let params = app.config.hashing;
        let mut user = self.load()?;
        if is_another(&user, user_id) {
            return Ok(ChangePasswordReply::NoUser);
        }
        if let Some(throttled) = throttled(&user, &address, now) {
            return Ok(ChangePasswordReply::Throttled(throttled));
        }
        let Some(profile) = &user.profile else {
            return Ok(match Self::refuse_nobody(old.expose(), params, nobody) {
                Ok(refused) => ChangePasswordReply::Refused(refused),
                Err(throttled) => ChangePasswordReply::Throttled(throttled),
            });
        };
        let hash = if password::verify(old.expose(), &profile.password, params) == Verdict::Mismatch {
            None
        } else {
            if !profile.is_active {
                return Ok(ChangePasswordReply::Inactive { user_id: profile.account.user_id });
            }
            let Some(hash) = self.hash(new.expose(), params)? else { return Ok(ChangePasswordReply::Failed) };
            Some(hash)
        };
        self.apply(&app, &mut user, OwnPassword { hash, address, keep }, now)
    }

    /// What is answered for a name that nobody has: what was counted for it elsewhere, after the same work. Nothing is kept here.
    fn refuse_nobody(
        password: &str,
        params: HashParams,
        nobody: Option<ForNobody>,
    ) -> Result<Refused, Throttled> {
        let user_id = None;
        let ForNobody { wait_ms, delay_ms } = nobody.unwrap_or(ForNobody { wait_ms: None, delay_ms: 0 });
        if let Some(retry_after_ms) = wait_ms {
            return Err(Throttled { retry_after_ms, user_id });
        }
        password::verify_nobody(password, params);
        Ok(Refused { delay_ms, user_id })
    }

    fn hash(&self, password: &str, params: HashParams) -> Result<Option<String>, Fault> {
        Ok(password::hash(password, params, self.host.random()?))
    }
}
