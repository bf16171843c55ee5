//! A deployment of sessions, users and the directory, and what a caller says to them.

use base::account::{Account, Owner};
use base::call::{Answer, Call};
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use base::rpc::{CallError, Class, Command, Name, Peers as _};
use base::secret::Secret;
use directory::{
    AffectedSessions, Create, CreateReply, EndReply, Get, GetReply, Login, LoginReply, Profile, Reserved,
    Update, UpdateReply, User, UserObject,
};
use session::{
    Device, ExternalToken, Live, Open, OpenReply, Pair, Peek, Presence, Revoke, Revoked, SessionObject,
    State, Tokens,
};
pub use sim::fakes::bank::{expired, outage, refused, valid};
use sim::net::{Answering, Upstream};
use sim::weather::Odds;
use sim::{SimHost, World};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

pub const MS: Duration = Duration::from_millis(1);

/// Short lives: an access token's 15 s, a refresh token's 200 s, a minute without activity, five minutes in all, a grace of
/// 10 s, 50 s of a post-login session.
pub const POLICY: session::Policy = session::Policy {
    access_ttl: Duration::from_secs(15),
    refresh_ttl: Duration::from_secs(200),
    idle: Duration::from_mins(1),
    absolute: Duration::from_mins(5),
    grace: Duration::from_secs(10),
    external_ttl: Duration::from_secs(50),
    told_within: Duration::from_mins(2),
    receivers: session::Receivers { webhook: base::event::EventTypes::NONE, logout: false },
};

const SETTINGS: &[(&str, &str)] = &[
    ("ACCESS_TOKEN_EXPIRE_SECONDS", "15"),
    ("REFRESH_TOKEN_EXPIRE_SECONDS", "200"),
    ("SESSION_INACTIVITY_TIMEOUT_SECONDS", "60"),
    ("SESSION_ABSOLUTE_LIFETIME_SECONDS", "300"),
    ("REFRESH_GRACE_SECONDS", "10"),
    ("SME_SESSION_TTL", "50"),
    ("SME_VERIFY_BASE_URL", "https://bank.example"),
    ("SME_VERIFY_TOKEN_KEY", "key"),
    ("SME_VERIFY_TIMEOUT_SECONDS", "5"),
];

/// Somebody externally authenticated.
pub const SUBJECT: &str = "VPB-SME-1";

pub fn world(settings: &[(&str, &str)]) -> World {
    let settings: Vec<_> = SETTINGS.iter().chain(settings).copied().collect();
    let world = World::new(&settings);
    world.register::<engine::session::Session<SimHost>>(Class::Session);
    world.register::<engine::user::User<SimHost>>(Class::User);
    world.register::<engine::directory::Directory<SimHost>>(Class::Directory);
    world
}

pub fn asha() -> Account {
    Account {
        user_id: UserId::issued(7),
        username: "asha".into(),
        roles: vec!["user".into()],
        created_at: Timestamp::default(),
    }
}

pub fn customer() -> Account {
    Account::post_login(SUBJECT.into(), Timestamp::default())
}

pub fn fresh_id(world: &World) -> SessionId {
    SessionId::issued(world.host().unique_id(Class::Session).unwrap())
}

pub fn tell<C>(world: &World, id: &SessionId, command: C) -> C::Reply
where
    C: Command<Object = SessionObject> + Clone + 'static,
    C::Reply: 'static,
{
    world.send(&session::address(id), &command).unwrap()
}

pub fn user<C>(world: &World, owner: Owner<'_>, command: C) -> C::Reply
where
    C: Command<Object = UserObject> + Clone + 'static,
    C::Reply: 'static,
{
    world.send(&directory::owner_address(owner), &command).unwrap()
}

pub const ASHA: Owner<'_> = Owner::User("asha");
pub const ASHA_OBJECT: &str = "user/asha";
pub const PASSWORD: &str = "correct horse";

pub fn create_asha(world: &World) {
    let create = Create {
        user_id: UserId::issued(7),
        username: "asha".into(),
        roles: vec!["user".into()],
        password: Secret::new(PASSWORD),
    };
    assert!(matches!(user(world, ASHA, create), CreateReply::User(_)));
}

/// As a Worker of the first release logs in, which does not say that the session is open.
pub fn login(world: &World, session_id: &SessionId, password: &str) -> LoginReply {
    login_of(world, session_id, password, false)
}

pub fn login_of(world: &World, session_id: &SessionId, password: &str, confirms: bool) -> LoginReply {
    let (address, session_id) = ("net".to_owned(), session_id.clone());
    let password = Secret::new(password);
    let (replaces, device, nobody, refusal) = (None, None, None, None);
    user(world, ASHA, Login { password, address, session_id, replaces, device, nobody, refusal, confirms })
}

/// A login that gets its place and opens its session.
pub fn logged_in(world: &World) -> (SessionId, Reserved) {
    let id = fresh_id(world);
    let LoginReply::Reserved(reserved) = login(world, &id, PASSWORD) else { panic!("no place") };
    open(world, &id, reserved.account.clone());
    (id, reserved)
}

pub fn open_command(account: Account) -> Open {
    let external = account.user().is_none();
    let token = || ExternalToken { channel: "sme".into(), token: Secret::new("outside") };
    Open {
        account,
        device: Device::default(),
        external: external.then(token),
        account_version: 0,
        until: None,
    }
}

pub fn open(world: &World, id: &SessionId, account: Account) -> Pair {
    match tell(world, id, open_command(account)) {
        OpenReply::Tokens(Tokens { pair, .. }) => pair,
        other => panic!("not opened: {other:?}"),
    }
}

pub fn peek(world: &World, id: &SessionId) -> Live {
    match tell(world, id, Peek) {
        Presence::Live(live) => live,
        other => panic!("not live: {other:?}"),
    }
}

/// What KV says of a session that has ended: nothing else than a note without a name.
pub fn noted(world: &World, id: &SessionId) -> Option<String> {
    let entry = world.kv().remove(&format!("session:{id}"))?;
    let note: serde_json::Value = serde_json::from_str(&entry.value).unwrap();
    let reason = note["ended"].as_str()?.to_owned();
    assert_eq!(entry.metadata, Some(serde_json::json!({ "ended": true })));
    assert!(note["ended_at"].is_number() && note.get("username").is_none() && note.get("user_id").is_none());
    Some(reason)
}

pub fn revoke(world: &World, id: &SessionId, reason: session::EndReason) -> session::Ended {
    let Revoked { ended, .. } = tell(world, id, Revoke { reason, token: None });
    ended
}

pub fn profile(world: &World) -> Profile {
    match user(world, ASHA, Get) {
        GetReply::User(profile) => profile,
        GetReply::NoUser => panic!("no user"),
    }
}

pub fn affected(reply: EndReply) -> AffectedSessions {
    match reply {
        EndReply::Sessions(affected) => affected,
        EndReply::NoUser => panic!("no user"),
    }
}

pub fn updated(world: &World, update: Update) -> AffectedSessions {
    match user(world, ASHA, update) {
        UpdateReply::Sessions(affected) => affected,
        other => panic!("{other:?}"),
    }
}

/// What a session's object has stored.
pub fn stored(world: &World, id: &SessionId) -> Option<State> {
    world.rows(Class::Session, id.as_str()).get("session").map(|text| serde_json::from_str(text).unwrap())
}

/// What asha's object has stored.
pub fn stored_user(world: &World) -> User {
    let rows = world.rows(Class::User, ASHA_OBJECT);
    rows.get("user").map(|text| serde_json::from_str(text).unwrap()).unwrap_or_default()
}

pub type Heard = Rc<RefCell<Option<Result<String, CallError>>>>;

/// Sends a command and waits for nothing.
pub fn begin<C: Command<Object = SessionObject>>(world: &World, id: &SessionId, command: &C) -> Heard {
    let heard = Heard::default();
    let (host, json, slot) = (world.host(), command.to_json().unwrap(), heard.clone());
    let name = Name::Id(id.to_string());
    world.spawn(async move {
        let reply = host.attempt(Class::Session, &name, C::METHOD, &json).await;
        *slot.borrow_mut() = Some(reply);
    });
    heard
}

/// Does something with a session's object that breaks before what it writes is durable: the write is lost, and nobody hears
/// an answer.
pub fn broken_before_write(world: &World, id: &SessionId, work: impl FnOnce()) {
    world.weather().rough(Odds { flush: 1000, ..Odds::default() });
    work();
    world.settle();
    world.kill(Class::Session, id.as_str());
    world.settle();
    world.weather().clear();
}

/// The other system, which answers when it is told what.
#[derive(Clone, Default)]
pub struct Bank {
    calls: Rc<Cell<usize>>,
    waiting: Rc<RefCell<Vec<sim::executor::Sender<Answer>>>>,
}

impl Bank {
    pub fn of(world: &World) -> Self {
        let bank = Self::default();
        world.upstream("bank.example", bank.clone());
        bank
    }

    pub fn calls(&self) -> usize {
        self.calls.get()
    }

    /// How many calls wait for their answer.
    pub fn waiting(&self) -> usize {
        self.waiting.borrow().len()
    }

    /// Answers all who wait.
    pub fn says(&self, answer: &Answer) {
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        for sender in waiting {
            sender.send(answer.clone());
        }
    }
}

impl Upstream for Bank {
    fn call<'a>(&'a self, _call: &'a Call) -> Answering<'a, Answer> {
        self.calls.set(self.calls.get() + 1);
        let (sender, receiver) = sim::executor::channel();
        self.waiting.borrow_mut().push(sender);
        Box::pin(async move { receiver.await.unwrap_or(Answer::Unreachable) })
    }
}
