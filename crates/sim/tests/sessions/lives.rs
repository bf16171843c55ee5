//! Random lives of a session in its object, against the model, with time that moves, memory and alarms that are lost, steps
//! that break before and after their write, and another system that answers when it likes.

use super::model::{Kind, Model, Must, Reply, Step};
use super::support::*;
use base::account::{Account, EndReason};
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use base::ports::Clock as _;
use base::rpc::Class;
use proptest::prelude::*;
use session::{
    Acknowledgement, EndPropagated, Expire, Peek, Presence, RenewReply, Renewal, Revoke, Revoked, Rotate,
    RotateReply, SetAccount, State, Touch, Verdict,
};
use sim::World;
use std::time::Duration;

/// At least what is asked for: 10,000 sequences.
const SEQUENCES: u32 = 12_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Advance(u64),
    Evict,
    /// The memory is lost, and the alarm with it.
    LoseAlarm,
    /// A command, for a generation so many before the current one (-1 is one that was never made).
    Touch {
        back: i64,
        passive: bool,
    },
    /// A refresh token; of a post-login session the other system is asked, if it is the current one.
    Refresh {
        back: i64,
    },
    /// What the other system says at last. `None`: nothing that can be understood.
    Verdict(Option<Verdict>),
    Revoke,
    Expire,
    Peek,
    EndPropagated,
    SetAccount,
}

/// Where a step breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Break {
    /// Nothing is stored, nobody hears an answer.
    BeforeWrite,
    /// The process dies when the write is done: it is stored, and nobody hears the answer.
    AfterWrite,
}

fn action(kind: Kind) -> impl Strategy<Value = Action> {
    let generation = prop_oneof![6 => Just(0_i64), 4 => Just(1), 1 => 2_i64..4, 1 => Just(-1)];
    let verdict = prop_oneof![
        20 => Just(Some(Verdict::Valid)),
        3 => Just(None),
        1 => Just(Some(Verdict::Expired)),
        1 => Just(Some(Verdict::Refused)),
    ];
    let verdicts = if kind == Kind::External { 8 } else { 1 };
    prop_oneof![
        6 => prop_oneof![0_u64..3_000, 9_990_u64..10_010, 59_990_u64..60_010, 1_990_u64..2_010, 0_u64..130_000]
            .prop_map(Action::Advance),
        3 => Just(Action::Evict),
        1 => Just(Action::LoseAlarm),
        8 => (generation.clone(), any::<bool>()).prop_map(|(back, passive)| Action::Touch { back, passive }),
        8 => generation.prop_map(|back| Action::Refresh { back }),
        verdicts => verdict.prop_map(Action::Verdict),
        1 => Just(Action::Revoke),
        2 => Just(Action::Expire),
        2 => Just(Action::Peek),
        1 => Just(Action::EndPropagated),
        1 => Just(Action::SetAccount),
    ]
}

fn breaking() -> impl Strategy<Value = Option<Break>> {
    prop_oneof![8 => Just(None), 1 => Just(Some(Break::BeforeWrite)), 1 => Just(Some(Break::AfterWrite))]
}

/// A session in its object, and the other system.
struct Life {
    world: World,
    bank: Bank,
    id: SessionId,
    kind: Kind,
    /// Callers whose renewal is not answered yet.
    waiting: Vec<Heard>,
}

impl Life {
    fn new(kind: Kind) -> Self {
        let world = world(&[]);
        let (bank, id) = (Bank::of(&world), fresh_id(&world));
        let life = Self { world, bank, id, kind, waiting: Vec::new() };
        open(&life.world, &life.id, life.account());
        life
    }

    fn account(&self) -> Account {
        match self.kind {
            Kind::User => asha(),
            Kind::External => customer(),
        }
    }

    fn begin(&self, step: Step) -> Heard {
        let (world, id) = (&self.world, &self.id);
        match step {
            Step::Touch { generation, passive } => begin(world, id, &Touch { generation, passive }),
            Step::Rotate { generation } => {
                begin(world, id, &Rotate { generation, user_id: UserId::issued(7), change_id: None })
            }
            Step::Renew { generation } => {
                let (subject, request_id) = (SUBJECT.to_owned(), "r".to_owned());
                begin(world, id, &Renewal { generation, subject, request_id, change_id: None })
            }
            Step::Revoke => begin(world, id, &Revoke { reason: EndReason::Admin, token: None }),
            Step::Expire => begin(world, id, &Expire),
            Step::Peek => begin(world, id, &Peek),
            Step::EndPropagated => begin(world, id, &EndPropagated),
            Step::SetAccount => begin(world, id, &SetAccount { account: self.account(), account_version: 0 }),
            Step::Verified(_) => unreachable!("a verdict comes from nobody outside"),
        }
    }

    /// The answer, if it is there already.
    fn read(step: Step, heard: &Heard) -> Option<Reply> {
        let text = heard.borrow_mut().take()?.expect("an object in fair weather answers");
        Some(match step {
            Step::Touch { .. } | Step::Expire | Step::Peek => {
                serde_json::from_str::<Presence>(&text).unwrap().into()
            }
            Step::Rotate { .. } => serde_json::from_str::<RotateReply>(&text).unwrap().into(),
            Step::Renew { .. } | Step::Verified(_) => {
                serde_json::from_str::<RenewReply>(&text).unwrap().into()
            }
            Step::Revoke => serde_json::from_str::<Revoked>(&text).unwrap().into(),
            Step::EndPropagated | Step::SetAccount => {
                serde_json::from_str::<Acknowledgement>(&text).unwrap().into()
            }
        })
    }

    fn now(&self) -> Timestamp {
        self.world.host().now()
    }

    /// The instance is gone, with everybody who waits for it.
    fn evict(&mut self) {
        self.world.evict(Class::Session, self.id.as_str());
        self.waiting.clear();
        self.bank.says(&outage());
        self.world.settle();
    }

    /// Breaks off what `work` begins.
    fn broken(&mut self, at: Break, work: impl FnOnce(&Self)) {
        match at {
            Break::BeforeWrite => broken_before_write(&self.world, &self.id, || work(self)),
            Break::AfterWrite => {
                work(self);
                self.world.settle();
            }
        }
        self.evict();
    }

    /// All who waited are answered, and alike.
    fn answered(&mut self) -> Result<Option<Reply>, TestCaseError> {
        let mut replies = Vec::new();
        for heard in self.waiting.drain(..) {
            let reply = Self::read(Step::Verified(Verdict::Valid), &heard);
            prop_assert!(reply.is_some(), "nobody answers");
            replies.extend(reply);
        }
        prop_assert!(replies.windows(2).all(|pair| pair[0] == pair[1]), "{:?}", replies);
        Ok(replies.pop())
    }
}

/// The life of one session: each action is done to the object and to the model, and the two are compared.
fn live_through(kind: Kind, actions: &[(Action, Option<Break>)]) -> Result<(), TestCaseError> {
    let mut life = Life::new(kind);
    let mut model = Model::new(kind, life.now());
    for (action, at) in actions {
        act(&mut life, &mut model, *action, *at)?;
        if let Some(State::Live(session)) = stored(&life.world, &life.id)
            && model.ended.is_none()
        {
            prop_assert_eq!(session.grant.generation, model.generation);
        }
    }
    ends(&mut life)
}

impl Life {
    fn answer(&self, step: Step) -> Option<Reply> {
        let heard = self.begin(step);
        self.world.settle();
        Self::read(step, &heard)
    }
}

fn act(life: &mut Life, model: &mut Model, action: Action, at: Option<Break>) -> Result<(), TestCaseError> {
    if life.world.rows(Class::Session, life.id.as_str()).is_empty()
        && !matches!(action, Action::Advance(_) | Action::Evict | Action::LoseAlarm)
    {
        // It is over and its object is empty: nobody gets in, and nothing is kept of whoever tries.
        prop_assert!(model.must(life.now()) != Must::Live);
        let reply = life.answer(Step::Touch { generation: 0, passive: false });
        prop_assert!(matches!(reply, Some(Reply::Unknown)), "{:?}", reply);
        prop_assert!(life.world.rows(Class::Session, life.id.as_str()).is_empty());
        return Ok(());
    }
    let current = model.generation;
    let named = |back: i64| {
        if back < 0 { Some(current + 1) } else { current.checked_sub(back.unsigned_abs()) }
    };
    let step = match action {
        Action::Advance(by) => {
            life.world.advance(Duration::from_millis(by));
            // Those who wait are told when the other system takes too long. Nothing follows from it.
            if life.waiting.iter().any(|heard| heard.borrow().is_some()) {
                life.bank.says(&outage());
                let reply = life.answered()?;
                prop_assert!(matches!(reply, None | Some(Reply::Unverified)), "{:?}", reply);
            }
            return passed(life, model);
        }
        Action::Evict | Action::LoseAlarm => {
            life.evict();
            model.forgotten = true;
            if action == Action::LoseAlarm {
                life.world.lose_alarm(Class::Session, life.id.as_str());
            }
            return Ok(());
        }
        Action::Verdict(verdict) => return says(life, model, verdict, at),
        Action::Touch { back, passive } => named(back).map(|generation| Step::Touch { generation, passive }),
        Action::Refresh { back } => named(back).map(|generation| match life.kind {
            Kind::User => Step::Rotate { generation },
            Kind::External => Step::Renew { generation },
        }),
        Action::Revoke => Some(Step::Revoke),
        Action::Expire => Some(Step::Expire),
        Action::Peek => Some(Step::Peek),
        Action::EndPropagated => Some(Step::EndPropagated),
        Action::SetAccount => Some(Step::SetAccount),
    };
    let Some(step) = step else { return Ok(()) };
    if let Some(at) = at {
        life.broken(at, |life| drop(life.begin(step)));
        return broken(life, model, step, at);
    }
    let (calls, under_way) = (life.bank.calls(), !life.waiting.is_empty());
    let heard = life.begin(step);
    life.world.settle();
    let reply = Life::read(step, &heard);
    if reply.is_none() {
        prop_assert!(matches!(step, Step::Renew { .. }) && life.bank.waiting() == 1, "{:?}", step);
        prop_assert_eq!(life.bank.calls() - calls, usize::from(!under_way), "one call for all who wait");
        life.waiting.push(heard);
    }
    model.check(step, reply.as_ref(), life.now())
}

/// Time has gone by: what is over its alarm has ended, unless that was lost, and nothing else.
fn passed(life: &Life, model: &mut Model) -> Result<(), TestCaseError> {
    let must = model.must(life.now());
    if let Some(State::Ended(tombstone)) = stored(&life.world, &life.id) {
        let timely = matches!(tombstone.reason, EndReason::Inactivity | EndReason::Lifetime);
        prop_assert!(must == Must::Over(tombstone.reason) || (must == Must::Either && timely), "{:?}", must);
        model.ended = Some(tombstone.reason);
    } else if matches!(must, Must::Over(_)) {
        // An alarm that was set by an object without memory is late by what it did not know.
        let late = |at: Timestamp| at.since(life.now()) <= POLICY.activity_write();
        prop_assert!(life.world.alarm(Class::Session, life.id.as_str()).is_none_or(late));
    }
    Ok(())
}

/// The other system answers those who wait.
fn says(
    life: &mut Life,
    model: &mut Model,
    verdict: Option<Verdict>,
    at: Option<Break>,
) -> Result<(), TestCaseError> {
    let answer = match verdict {
        Some(Verdict::Valid) => valid(),
        Some(Verdict::Expired) => expired(),
        Some(Verdict::Refused) => refused(),
        None => outage(),
    };
    let Some(at) = at else {
        life.bank.says(&answer);
        life.world.settle();
        let Some(reply) = life.answered()? else { return Ok(()) };
        if let Some(verdict) = verdict {
            return model.check(Step::Verified(verdict), Some(&reply), life.now());
        }
        prop_assert_eq!(reply, Reply::Unverified);
        return Ok(());
    };
    let verdict = verdict.filter(|_| !life.waiting.is_empty());
    life.broken(at, |life| life.bank.says(&answer));
    if let Some(verdict) = verdict {
        return broken(life, model, Step::Verified(verdict), at);
    }
    model.forgotten = true;
    unwritten_touch(life, model);
    Ok(())
}

/// A step was broken off, and nobody has heard anything.
fn broken(life: &Life, model: &mut Model, step: Step, at: Break) -> Result<(), TestCaseError> {
    if at == Break::AfterWrite {
        // In doubt: whether it ended is seen from what is left of it.
        match stored(&life.world, &life.id) {
            Some(State::Ended(tombstone)) if model.must(life.now()) == Must::Either => {
                model.ended = Some(tombstone.reason);
            }
            _ => model.check(step, None, life.now())?,
        }
    }
    model.forgotten = true;
    unwritten_touch(life, model);
    Ok(())
}

/// A touch that nobody heard of and that needed no write has left no trace; the activity is what storage says, or later.
fn unwritten_touch(life: &Life, model: &mut Model) {
    if let Some(State::Live(session)) = stored(&life.world, &life.id) {
        model.active = model.active.min(session.last_activity.plus(POLICY.activity_write()));
    }
}

/// Left alone, every session ends, is told of, and is forgotten in the end.
fn ends(life: &mut Life) -> Result<(), TestCaseError> {
    // If its alarm was lost, whoever asks sets it again.
    life.answer(Step::Peek);
    life.world.advance(POLICY.absolute + Duration::from_mins(2));
    match stored(&life.world, &life.id) {
        None | Some(State::Ended(_)) => {}
        other => prop_assert!(false, "it lives for ever: {:?}", other),
    }
    life.world.advance(Duration::from_mins(10));
    prop_assert!(life.world.rows(Class::Session, life.id.as_str()).is_empty());
    prop_assert_eq!(life.world.alarm(Class::Session, life.id.as_str()), None);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: SEQUENCES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_session_does_what_the_contract_says(
        actions in proptest::collection::vec((action(Kind::User), breaking()), 1..40)
    ) {
        live_through(Kind::User, &actions)?;
    }

    #[test]
    fn a_post_login_session_does_so_too(
        actions in proptest::collection::vec((action(Kind::External), breaking()), 1..40)
    ) {
        live_through(Kind::External, &actions)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_deadline_after_lost_memory_is_late_by_the_slack_at_most(
        touches in proptest::collection::vec(0_u64..3_000, 1..50)
    ) {
        let life = Life::new(Kind::User);
        for gap in touches {
            life.world.advance(Duration::from_millis(gap));
            life.answer(Step::Touch { generation: 0, passive: false });
        }
        let truth = life.now().plus(POLICY.idle);
        life.world.evict(Class::Session, life.id.as_str());
        let after = peek(&life.world, &life.id).idle_expires_at;
        prop_assert!(after >= truth && after <= truth.plus(POLICY.activity_write()), "{:?} for {:?}", after, truth);
    }
}
