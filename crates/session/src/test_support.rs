//! A session's object without the platform: storage as text, memory that can be lost, a clock that is set by hand.

use super::*;
use base::clock::Timestamp;
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
};

pub(super) fn account() -> Account {
    Account { user_id: 7, username: "u".into(), roles: vec!["user".into()], created_at: Timestamp::default() }
}

pub(super) fn external_account() -> Account {
    Account::post_login("VPB-SME-1".into(), Timestamp::default())
}

pub(super) fn open_command() -> Command {
    Command::Open { account: account(), device: Device::default(), external: None }
}

/// Whose session it is: a user's, or that of somebody whom another system has logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    External,
}

impl Kind {
    pub fn open(self) -> Command {
        let vouched = || Vouched { channel: "sme".into(), token: Secret::new("outside") };
        match self {
            Self::User => open_command(),
            Self::External => Command::Open {
                account: external_account(),
                device: Device::default(),
                external: Some(vouched()),
            },
        }
    }

    /// A refresh token of this generation comes.
    pub fn refresh(self, generation: u64) -> Command {
        match self {
            Self::User => Command::Rotate { generation, user_id: 7 },
            Self::External => Command::Renew { generation, subject: "VPB-SME-1".into() },
        }
    }
}

/// What a renewal is answered that is to be verified first.
pub(super) fn verify() -> Reply {
    Reply::Verify { channel: "sme".into(), subject: "VPB-SME-1".into() }
}

pub(super) fn touch(generation: u64) -> Command {
    Command::Touch { generation, passive: false }
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
            counted_from: grant.issued_at,
        })
    }

    fn seal(&self, pair: &Pair) -> Result<String, Fault> {
        if self.fails { Err(Fault) } else { Ok(format!("sealed{}", serde_json::to_string(pair).unwrap())) }
    }

    fn open(&self, sealed: &str) -> Result<Pair, Fault> {
        if self.fails { Err(Fault) } else { Ok(serde_json::from_str(&sealed["sealed".len()..]).unwrap()) }
    }
}

/// Where a step breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// The write fails: nothing is stored, nobody hears an answer.
    BeforeWrite,
    /// The process dies when the write is done: it is stored, and nobody hears the answer.
    AfterWrite,
}

pub(super) struct Harness {
    pub policy: Policy,
    pub now: Timestamp,
    pub state: Option<State>,
    pub alarm: Option<Timestamp>,
    pub writes: u32,
    pub mint_fails: bool,
    pub kind: Kind,
    storage: Option<String>,
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
        let (state, alarm, kind, storage) = (None, None, Kind::User, None);
        Self { policy, now, state, alarm, writes: 0, mint_fails: false, kind, storage }
    }

    pub fn advance(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    /// The object loses its memory and reads storage again.
    pub fn evict(&mut self) {
        self.state = self
            .storage
            .as_deref()
            .map(|text| serde_json::from_str::<State>(text).unwrap().recovered(&self.policy));
    }

    pub fn stored(&self) -> String {
        self.storage.clone().unwrap_or_default()
    }

    pub fn try_run(&mut self, command: Command) -> Result<Reply, Fault> {
        self.break_run(command, None).map(|reply| reply.expect("only a break loses the answer"))
    }

    /// One step as the object does it, perhaps broken off. `None` is an answer that nobody heard.
    pub fn break_run(&mut self, command: Command, at: Option<Break>) -> Result<Option<Reply>, Fault> {
        let mint = PlainMint { fails: self.mint_fails };
        let decision = match decide(self.state.clone(), command, &self.policy, self.now, &mint) {
            Ok(decision) => decision,
            Err(fault) => {
                self.evict();
                return Err(fault);
            }
        };
        if at == Some(Break::BeforeWrite) {
            self.evict();
            return Ok(None);
        }
        if decision.save {
            self.storage = decision.state.as_ref().map(|s| serde_json::to_string(s).unwrap());
            self.writes += 1;
        }
        self.alarm = decision.alarm.or(self.alarm);
        self.state = decision.state;
        if at == Some(Break::AfterWrite) {
            self.evict();
            return Ok(None);
        }
        Ok(Some(decision.reply))
    }

    pub fn run(&mut self, command: Command) -> Reply {
        self.try_run(command).expect("the mint works")
    }

    pub fn open(&mut self) -> Pair {
        let Reply::Tokens { pair, .. } = self.run(self.kind.open()) else { panic!("not opened") };
        pair
    }

    pub fn touch(&mut self, generation: u64) -> Reply {
        self.run(touch(generation))
    }

    pub fn renew(&mut self, generation: u64) -> Reply {
        self.run(Kind::External.refresh(generation))
    }

    pub fn verified(&mut self, generation: u64, verdict: Verdict) -> Reply {
        self.run(Command::Verified { generation, verdict })
    }

    /// A renewal that the other system agrees to.
    pub fn renewed(&mut self, generation: u64) -> Pair {
        assert_eq!(self.renew(generation), verify(), "generation {generation}");
        match self.verified(generation, Verdict::Valid) {
            Reply::Tokens { pair, .. } => pair,
            other => panic!("no tokens for generation {generation}: {other:?}"),
        }
    }

    pub fn rotate(&mut self, generation: u64) -> Reply {
        self.run(Command::Rotate { generation, user_id: 7 })
    }

    pub fn tokens(&mut self, generation: u64) -> Pair {
        match self.rotate(generation) {
            Reply::Tokens { pair, .. } => pair,
            other => panic!("no tokens for generation {generation}: {other:?}"),
        }
    }

    pub fn peek(&mut self) -> Live {
        match self.run(Command::Peek) {
            Reply::Live(live) => live,
            other => panic!("not live: {other:?}"),
        }
    }
}
