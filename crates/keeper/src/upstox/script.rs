//! The calls of one task, one after the other.

use super::answers::{exchanged, profile, requested, service_refused, service_token};
use super::candidate::Candidate;
use super::{SERVICE_READ, SERVICE_REFRESH, Upstox};
use crate::call::{Answer, Code, Failure, Outcome, Script, Step};
use base::clock::Timestamp;
use base::secret::Secret;

pub(super) enum Stage {
    /// What has the service got?
    Read,
    /// The service is to get a new one; then it is read.
    Refresh,
    /// A token that the service gave, held against Upstox.
    Confirm,
    Check {
        token: Secret,
    },
    Adopt {
        candidate: Candidate,
    },
    Exchange {
        code: Secret,
        redirect_uri: Option<String>,
    },
    Request,
}

pub(super) struct Calls {
    pub provider: Upstox,
    pub stage: Stage,
    /// Whether the service has been asked for a new token in this task: it is asked once.
    pub refreshed: bool,
    pub candidate: Option<Candidate>,
}

impl Script for Calls {
    fn next(&mut self, answer: Option<Answer>, now: Timestamp) -> Step {
        match answer {
            None => self.begin(now),
            Some(answer) => self.go_on(answer, now).unwrap_or_else(|f| Step::Done(Outcome::Failed(f))),
        }
    }
}

impl Calls {
    fn begin(&mut self, now: Timestamp) -> Step {
        let p = &self.provider;
        let app = p.app.as_ref();
        match &self.stage {
            Stage::Read | Stage::Confirm => p.service("GET", "token", SERVICE_READ),
            Stage::Refresh => {
                self.refreshed = true;
                p.service("POST", "refresh", SERVICE_REFRESH)
            }
            Stage::Check { token } => Step::Call(p.profile(token)),
            Stage::Adopt { candidate } if candidate.expires_at(now) <= now => {
                Step::Done(Outcome::Failed(Failure::new(Code::TokenRefused)))
            }
            Stage::Adopt { candidate } => Step::Call(p.profile(&candidate.token)),
            Stage::Exchange { code, redirect_uri } => match app {
                Some(app) => Step::Call(p.exchange(app, code, redirect_uri.as_deref())),
                None => Step::Done(Outcome::Failed(Failure::new(Code::NoTokenSource))),
            },
            Stage::Request => match app {
                Some(app) => Step::Call(p.request(app)),
                None => Step::Done(Outcome::Failed(Failure::new(Code::NoTokenSource))),
            },
        }
    }

    fn go_on(&mut self, answer: Answer, now: Timestamp) -> Result<Step, Failure> {
        match &self.stage {
            Stage::Read => {
                let (status, body) = answer.read()?;
                match service_token(status, &body) {
                    Ok(candidate) if candidate.expires_at(now) > now && !candidate.is_extended(now) => {
                        Ok(self.confirm(candidate))
                    }
                    // It has none, or an old one: a new one is asked for, once.
                    Ok(_) | Err(Failure { code: Code::NoTokenSource, .. }) if !self.refreshed => {
                        Ok(self.refresh(now))
                    }
                    // One that does not trade is none.
                    Ok(candidate) if candidate.is_extended(now) => Err(Failure::new(Code::NoTokenSource)),
                    Ok(_) => Err(Failure::new(Code::TokenRefused)),
                    Err(failure) => Err(failure),
                }
            }
            Stage::Refresh => {
                let (status, body) = answer.read()?;
                if !(200..=299).contains(&status) {
                    return Err(service_refused(status, &body));
                }
                // Its body is optional. One that has the token, as another Sallyport's does, is taken at its word: what would be
                // read next may be the one before for a while. Else what counts is the token that is read next.
                match service_token(status, &body) {
                    Ok(candidate) if candidate.expires_at(now) > now && !candidate.is_extended(now) => {
                        Ok(self.confirm(candidate))
                    }
                    _ => {
                        self.stage = Stage::Read;
                        Ok(self.begin(now))
                    }
                }
            }
            Stage::Confirm => self.confirmed(answer, now),
            Stage::Check { .. } => Ok(Step::Done(Outcome::Valid { user_id: profile(answer, None)? })),
            Stage::Adopt { candidate } => {
                let user_id = profile(answer, candidate.user_id.as_deref())?;
                Ok(Step::Done(Outcome::Granted(candidate.grant(now, user_id, true))))
            }
            Stage::Exchange { .. } => exchanged(answer, now),
            Stage::Request => requested(answer, now),
        }
    }

    fn refresh(&mut self, now: Timestamp) -> Step {
        self.stage = Stage::Refresh;
        self.begin(now)
    }

    fn confirm(&mut self, candidate: Candidate) -> Step {
        let call = self.provider.profile(&candidate.token);
        self.candidate = Some(candidate);
        self.stage = Stage::Confirm;
        Step::Call(call)
    }

    fn confirmed(&mut self, answer: Answer, now: Timestamp) -> Result<Step, Failure> {
        let candidate = self.candidate.take().ok_or(Failure::new(Code::UnexpectedResponse))?;
        match profile(answer, candidate.user_id.as_deref()) {
            Ok(user_id) => Ok(Step::Done(Outcome::Granted(candidate.grant(now, user_id, true)))),
            Err(Failure { code: Code::TokenRefused, .. }) if !self.refreshed => Ok(self.refresh(now)),
            Err(failure) if failure.code == Code::TokenRefused => Err(failure),
            // Upstox could not say. The service's newest token may be the only one that works, so it is kept, and checked
            // later: unknown is not invalid.
            Err(_) => Ok(Step::Done(Outcome::Granted(candidate.grant(now, None, false)))),
        }
    }
}
