//! Random lives of a session against a plain model of what the contract promises, with time that moves, memory that is
//! lost, and steps that break before and after their write.

use super::test_support::*;
use super::*;
use base::clock::{Timestamp, millis};
use proptest::prelude::*;
use std::collections::HashMap;
use std::time::Duration;

/// At least what is asked for: 10,000 sequences.
const SEQUENCES: u32 = 12_000;

#[derive(Clone, Copy, Debug)]
enum Action {
    Advance(u64),
    Evict,
    /// A command, for a generation so many before the current one (-1 is one that was never made).
    Touch {
        back: i64,
        passive: bool,
    },
    /// A refresh token; of a post-login session it only asks for the verification.
    Rotate {
        back: i64,
    },
    /// What the other system says at last, if the object is still there to hear it.
    Verdict {
        back: i64,
        verdict: Verdict,
    },
    Revoke,
    Expire,
    Peek,
    Settled,
    SetAccount,
}

fn action(kind: Kind) -> impl Strategy<Value = Action> {
    let generation = prop_oneof![6 => Just(0_i64), 4 => Just(1), 1 => 2_i64..4, 1 => Just(-1)];
    let verdict =
        prop_oneof![20 => Just(Verdict::Valid), 1 => Just(Verdict::Expired), 1 => Just(Verdict::Refused)];
    let verdicts = if kind == Kind::External { 8 } else { 0 };
    prop_oneof![
        6 => prop_oneof![0_u64..3_000, 9_990_u64..10_010, 59_990_u64..60_010, 1_990_u64..2_010, 0_u64..130_000]
            .prop_map(Action::Advance),
        3 => Just(Action::Evict),
        8 => (generation.clone(), any::<bool>()).prop_map(|(back, passive)| Action::Touch { back, passive }),
        8 => generation.clone().prop_map(|back| Action::Rotate { back }),
        verdicts => (generation, verdict).prop_map(|(back, verdict)| Action::Verdict { back, verdict }),
        1 => Just(Action::Revoke),
        2 => Just(Action::Expire),
        2 => Just(Action::Peek),
        1 => Just(Action::Settled),
        1 => Just(Action::SetAccount),
    ]
}

fn breaking() -> impl Strategy<Value = Option<Break>> {
    prop_oneof![8 => Just(None), 1 => Just(Some(Break::BeforeWrite)), 1 => Just(Some(Break::AfterWrite))]
}

/// What the contract promises, without storage, sealing or alarms.
struct Model {
    kind: Kind,
    ended: Option<EndReason>,
    born: Timestamp,
    /// The last activity that an answer, or a write that nobody heard of, has stood for.
    active: Timestamp,
    /// Since then, memory was lost.
    forgotten: bool,
    generation: u64,
    rotated: Timestamp,
    confirmed: bool,
    issued: Timestamp,
    /// Tokens that anybody was given, by generation.
    given: HashMap<u64, (String, String)>,
}

/// Whether the session must be over, must be live, or may be either (memory was lost and it is within the slack).
#[derive(Debug, PartialEq, Eq)]
enum Must {
    Live,
    Over(EndReason),
    Either,
}

impl Model {
    fn new(kind: Kind, now: Timestamp) -> Self {
        Self {
            kind,
            ended: None,
            born: now,
            active: now,
            forgotten: false,
            generation: 0,
            rotated: now,
            confirmed: true,
            issued: now,
            given: HashMap::new(),
        }
    }

    fn must(&self, now: Timestamp) -> Must {
        if let Some(reason) = self.ended {
            return Must::Over(reason);
        }
        let ttl = match self.kind {
            Kind::User => POLICY.refresh_ttl,
            Kind::External => POLICY.external_ttl,
        };
        let lifetime = self.born.plus(POLICY.absolute).min(self.issued.plus(ttl));
        let idle = self.active.plus(POLICY.idle);
        let slack = if self.forgotten { POLICY.activity_write() } else { Duration::ZERO };
        if now >= lifetime && lifetime <= idle {
            Must::Over(EndReason::Lifetime)
        } else if now > idle.plus(slack) && idle.plus(slack) < lifetime {
            Must::Over(EndReason::Inactivity)
        } else if now <= idle && now < lifetime {
            Must::Live
        } else {
            Must::Either
        }
    }

    fn may_repeat(&self, now: Timestamp) -> bool {
        now <= self.rotated.plus(POLICY.grace) || !self.confirmed
    }

    fn moved(&mut self, now: Timestamp) {
        self.active = now;
        self.forgotten = false;
    }
}

/// The command of an action, and the generation that it names.
fn command(action: Action, kind: Kind, generation: u64) -> Option<Command> {
    let named =
        |back: i64| if back < 0 { Some(generation + 1) } else { generation.checked_sub(back.unsigned_abs()) };
    Some(match action {
        Action::Advance(_) | Action::Evict => return None,
        Action::Touch { back, passive } => Command::Touch { generation: named(back)?, passive },
        Action::Rotate { back } => kind.refresh(named(back)?),
        Action::Verdict { back, verdict } => Command::Verified { generation: named(back)?, verdict },
        Action::Revoke => Command::Revoke { reason: EndReason::Admin },
        Action::Expire => Command::Expire,
        Action::Peek => Command::Peek,
        Action::Settled => Command::Settled,
        Action::SetAccount => Command::SetAccount {
            account: match kind {
                Kind::User => account(),
                Kind::External => external_account(),
            },
        },
    })
}

/// What a step that was carried out does to the model, and whether its answer (if anybody heard it) is right.
fn check(
    m: &mut Model,
    command: &Command,
    reply: Option<&Reply>,
    now: Timestamp,
) -> Result<(), TestCaseError> {
    let before = m.must(now);
    // A session that may be over or not is what its answer says; unheard, it is left open by asking again.
    if let Must::Over(reason) = before {
        m.ended = Some(reason);
        match reply {
            None => {}
            Some(Reply::Ended(ended)) => prop_assert_eq!(ended.reason, reason),
            // A tombstone that was told of, or forgotten after its time.
            Some(Reply::Done) => prop_assert_eq!(command, &Command::Settled),
            Some(other) => prop_assert!(false, "{:?} of a session that is over: {:?}", command, other),
        }
        return Ok(());
    }
    if let (Must::Either, Some(Reply::Ended(ended))) = (before, reply)
        && matches!(ended.reason, EndReason::Inactivity | EndReason::Lifetime)
    {
        m.ended = Some(ended.reason);
        return Ok(());
    }
    match *command {
        Command::Touch { generation, .. }
        | Command::Rotate { generation, .. }
        | Command::Renew { generation, .. }
            if generation > m.generation =>
        {
            prop_assert!(matches!(reply, None | Some(Reply::Unknown)));
        }
        Command::Touch { generation, passive } => {
            prop_assert!(matches!(reply, None | Some(Reply::Live(_))), "{:?}", reply);
            m.confirmed |= generation == m.generation;
            if !passive {
                m.moved(now);
            }
        }
        Command::Renew { generation, .. } if generation == m.generation => {
            let asks = matches!(reply, None | Some(Reply::Verify { .. }));
            prop_assert!(asks, "{:?}", reply);
            m.confirmed = true;
            m.moved(now);
        }
        Command::Rotate { generation, .. } | Command::Verified { generation, verdict: Verdict::Valid }
            if generation == m.generation =>
        {
            m.generation += 1;
            (m.rotated, m.issued, m.confirmed) = (now, now, false);
            m.moved(now);
            tokens(m, reply)?;
        }
        Command::Verified { verdict: Verdict::Valid, .. } => {
            prop_assert!(matches!(reply, None | Some(Reply::Unknown)));
        }
        Command::Verified { .. } => {
            let disowned = matches!(reply, None | Some(Reply::Disowned { .. }));
            prop_assert!(disowned, "{:?}", reply);
            m.ended = Some(EndReason::External);
        }
        Command::Rotate { generation, .. } | Command::Renew { generation, .. }
            if generation + 1 == m.generation && m.may_repeat(now) =>
        {
            m.moved(now);
            tokens(m, reply)?;
        }
        Command::Rotate { .. } | Command::Renew { .. } => {
            prop_assert!(matches!(reply, None | Some(Reply::Reused(_))), "{:?}", reply);
            m.ended = Some(EndReason::Reuse);
        }
        Command::Revoke { reason } => {
            prop_assert!(matches!(reply, None | Some(Reply::Ended(_))));
            m.ended = Some(reason);
        }
        Command::Expire | Command::Peek => prop_assert!(matches!(reply, None | Some(Reply::Live(_)))),
        Command::Settled => prop_assert!(matches!(reply, None | Some(Reply::Unknown))),
        Command::SetAccount { .. } => prop_assert!(matches!(reply, None | Some(Reply::Done))),
        Command::Open { .. } => {}
    }
    Ok(())
}

/// Everybody who is given a generation is given the same two tokens.
fn tokens(m: &mut Model, reply: Option<&Reply>) -> Result<(), TestCaseError> {
    match reply {
        None => {}
        Some(Reply::Tokens { pair, .. }) => {
            let pair = (pair.access.expose().to_owned(), pair.refresh.expose().to_owned());
            let given = m.given.entry(m.generation).or_insert_with(|| pair.clone());
            prop_assert_eq!(&*given, &pair);
        }
        Some(other) => prop_assert!(false, "no tokens: {:?}", other),
    }
    Ok(())
}

/// The life of one session: each action is done to the object and to the model, and the two are compared.
fn live_through(kind: Kind, actions: Vec<(Action, Option<Break>)>) -> Result<(), TestCaseError> {
    let mut object = Harness::new();
    object.kind = kind;
    object.open();
    let mut model = Model::new(kind, object.now);
    for (action, at) in actions {
        match action {
            Action::Advance(by) => object.advance(Duration::from_millis(by)),
            Action::Evict => {
                object.evict();
                model.forgotten = true;
            }
            _ => {}
        }
        let Some(command) = command(action, kind, model.generation) else { continue };
        let reply = object.break_run(command.clone(), at).expect("the mint works");
        if at != Some(Break::BeforeWrite) {
            // Unheard and in doubt: whether it ended is seen from what is left of it.
            let undecided = reply.is_none() && model.must(object.now) == Must::Either;
            if let (true, Some(State::Ended(tombstone))) = (undecided, &object.state) {
                model.ended = Some(tombstone.reason);
            } else {
                check(&mut model, &command, reply.as_ref(), object.now)?;
            }
        }
        if at.is_some() {
            model.forgotten = true;
            unwritten_touch(&mut model, &object);
        }
        if let Some(State::Live(session)) = &object.state {
            prop_assert_eq!(session.grant.generation, model.generation);
            prop_assert!(model.ended.is_none());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: SEQUENCES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_session_does_what_the_contract_says(
        actions in proptest::collection::vec((action(Kind::User), breaking()), 1..40)
    ) {
        live_through(Kind::User, actions)?;
    }

    #[test]
    fn a_post_login_session_does_so_too(
        actions in proptest::collection::vec((action(Kind::External), breaking()), 1..40)
    ) {
        live_through(Kind::External, actions)?;
    }

    #[test]
    fn the_deadline_after_lost_memory_is_late_by_the_slack_at_most(
        touches in proptest::collection::vec(0_u64..3_000, 1..50)
    ) {
        let mut object = Harness::new();
        object.open();
        for gap in touches {
            object.advance(Duration::from_millis(gap));
            object.touch(0);
        }
        let truth = object.now.plus(POLICY.idle);
        object.evict();
        let late = millis(object.peek().idle_expires_at.since(truth));
        prop_assert!(object.peek().idle_expires_at >= truth);
        prop_assert!(late <= millis(POLICY.activity_write()), "{} ms", late);
    }
}

/// A touch that nobody heard of and that needed no write has left no trace; the activity is what storage says, or later.
fn unwritten_touch(model: &mut Model, object: &Harness) {
    if let Some(State::Live(session)) = &object.state {
        model.active = model.active.min(session.last_activity.plus(POLICY.activity_write()));
    }
}
