//! A session that steps are decided for, one after another, with a clock that is set by hand.

use super::*;
use base::clock::Timestamp;
use base::ids::UserId;
use base::secret::Secret;
use std::time::Duration;

pub(super) const MS: Duration = Duration::from_millis(1);

pub(super) const POLICY: Policy = Policy {
    access_ttl: Duration::from_secs(15),
    refresh_ttl: Duration::from_secs(200),
    idle: Duration::from_mins(1),
    absolute: Duration::from_mins(5),
    grace: Duration::from_secs(10),
    external_ttl: Duration::from_secs(50),
    told_within: Duration::from_mins(2),
    receivers: Receivers { webhook: base::event::EventTypes::NONE, logout: false },
};

pub(super) fn account() -> Account {
    Account {
        user_id: UserId::issued(7),
        username: "u".into(),
        roles: vec!["user".into()],
        created_at: Timestamp::default(),
    }
}

pub(super) fn external_account() -> Account {
    Account::post_login("VPB-SME-1".into(), Timestamp::default())
}

pub(super) fn open_command() -> Open {
    Open { account: account(), device: Device::default(), external: None, account_version: 0, until: None }
}

/// Whose session it is: a user's, or that of somebody externally authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    External,
}

impl Kind {
    pub fn open(self) -> Open {
        match self {
            Self::User => open_command(),
            Self::External => Open {
                account: external_account(),
                device: Device::default(),
                external: Some(ExternalToken { channel: "sme".into(), token: Secret::new("outside") }),
                account_version: 0,
                until: None,
            },
        }
    }
}

/// What a renewal shows that is to be verified first.
pub(super) fn verify() -> RenewStart {
    RenewStart::Verify { channel: "sme".into() }
}

pub(super) fn touch(generation: u64) -> Touch {
    Touch { generation, passive: false }
}

struct PlainMint {
    fails: bool,
}

impl Mint for PlainMint {
    fn mint(&self, grant: &Grant, account: &Account) -> Result<Pair, Fault> {
        if self.fails {
            return Err(Fault);
        }
        let text = |kind: &str| {
            format!("{kind}-{}-{}-{}", account.subject(), grant.generation, grant.issued_at.millis())
        };
        Ok(Pair {
            access: Secret::new(text("access")),
            refresh: Secret::new(text("refresh")),
            access_expires_at: grant.access_expires_at,
            // Not of the mint's making: whoever gives the pair out says from when.
            counted_from: Timestamp::default(),
        })
    }
}

/// A session and the clock, one step after another.
pub(super) struct Harness {
    pub policy: Policy,
    pub now: Timestamp,
    pub state: Option<State>,
    pub alarm: Option<Timestamp>,
    pub mint_fails: bool,
    pub kind: Kind,
}

impl Harness {
    pub fn new() -> Self {
        Self::with(POLICY)
    }

    pub fn external() -> Self {
        Self { kind: Kind::External, ..Self::new() }
    }

    pub fn with(policy: Policy) -> Self {
        let now = Timestamp::from_seconds(1_800_000_000);
        Self { policy, now, state: None, alarm: None, mint_fails: false, kind: Kind::User }
    }

    pub fn advance(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    /// The state as it is when its object has lost its memory.
    pub fn recover(&mut self) {
        let text = serde_json::to_string(&self.state).unwrap();
        let state: Option<State> = serde_json::from_str(&text).unwrap();
        self.state = state.map(|state| state.recovered(&self.policy));
    }

    pub fn try_run<S: Step>(&mut self, step: S) -> Result<S::Reply, Fault> {
        let mint = PlainMint { fails: self.mint_fails };
        let decision = decide(self.state.clone(), step, &self.policy, self.now, &mint)?;
        assert!(decision.save || decision.state.is_some() == self.state.is_some());
        self.alarm = decision.alarm.or(self.alarm);
        self.state = decision.state;
        Ok(decision.reply)
    }

    pub fn run<S: Step>(&mut self, step: S) -> S::Reply {
        self.try_run(step).expect("the mint works")
    }

    pub fn open(&mut self) -> Pair {
        let OpenReply::Tokens(Tokens { pair, .. }) = self.run(self.kind.open()) else { panic!("not opened") };
        pair
    }

    pub fn touch(&mut self, generation: u64) -> Presence {
        self.run(touch(generation))
    }

    pub fn revoke(&mut self, reason: EndReason) -> Ended {
        self.run(Revoke { reason, token: None }).ended
    }

    pub fn renew(&mut self, generation: u64) -> RenewStart {
        self.run(Renew { generation, subject: "VPB-SME-1".into(), change_id: None })
    }

    pub fn verified(&mut self, generation: u64, verdict: Verdict) -> RenewReply {
        self.run(Verified { generation, verdict, change_ids: vec![] })
    }

    /// A renewal that the other system agrees to.
    pub fn renewed(&mut self, generation: u64) -> Pair {
        assert_eq!(self.renew(generation), verify(), "generation {generation}");
        match self.verified(generation, Verdict::Valid) {
            RenewReply::Tokens(Tokens { pair, .. }) => pair,
            other => panic!("no tokens for generation {generation}: {other:?}"),
        }
    }

    pub fn rotate(&mut self, generation: u64) -> RotateReply {
        self.run(Rotate { generation, user_id: UserId::issued(7), change_id: None })
    }

    pub fn tokens(&mut self, generation: u64) -> Pair {
        match self.rotate(generation) {
            RotateReply::Tokens(Tokens { pair, .. }) => pair,
            other => panic!("no tokens for generation {generation}: {other:?}"),
        }
    }

    pub fn peek(&mut self) -> Live {
        match self.run(Peek) {
            Presence::Live(live) => live,
            other => panic!("not live: {other:?}"),
        }
    }
}
