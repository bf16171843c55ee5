//! A deployment with one portal, its callers, and the hand that moves its time.

use base::call::Actor;
use base::clock::Timestamp;
use base::ids::PortalId;
use base::rpc::{Class, Command as _, Method, Name};
use base::secret::Secret;
use config::{App, Settings as _};
use portal::protocol::LoginCommand;
use portal::registry::{Find, FindReply, List, Listed, Row};
use portal::{
    Asked, Close, CloseReply, Credentials, End, Get, GetReply, Login, Look, LookReply, Refusal, Request, Run,
    RunReply, Session, identity,
};
use serde_json::{Value, json};
use sim::World;
use sim::fakes::portal::{Door, HOSTS, Site};
use sim::portals::Watch;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

pub fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub const MILLI: Duration = Duration::from_millis(1);

pub fn credentials(username: &str, key: &str) -> Credentials {
    Credentials {
        username: username.to_owned(),
        password: Secret::new(format!("{username}-pass")),
        captcha_api_key: Secret::new(key),
        totp_secret: None,
    }
}

pub fn actor() -> Actor {
    Actor { who: "key:a service".to_owned(), request_id: "r1".to_owned() }
}

pub fn get_of(credentials: Credentials, keep_alive: bool) -> Get {
    Get { credentials, keep_alive, by: actor(), debug: false, storage_state: None }
}

/// What will be there when it has come.
pub struct Pending<T>(Rc<RefCell<Option<T>>>);

impl<T: Clone> Pending<T> {
    pub fn now(&self) -> Option<T> {
        self.0.borrow().clone()
    }

    pub fn is_there(&self) -> bool {
        self.0.borrow().is_some()
    }
}

pub struct Play {
    pub world: World,
    pub site: Rc<Site>,
    pub watch: RefCell<Watch>,
    /// The object that is watched: that of the driver's credentials.
    pub name: String,
    next_look: Cell<Timestamp>,
    /// Not watched where there are several logins.
    pub alone: Cell<bool>,
    /// When a caller last was served, and when one last came.
    pub used_ok: Rc<Cell<Timestamp>>,
    pub used: Rc<Cell<Timestamp>>,
}

impl Play {
    pub fn new(settings: &[(&str, &str)]) -> Self {
        Self::seeded(0, settings)
    }

    /// With several logins, none of which is watched.
    pub fn of_many(settings: &[(&str, &str)]) -> Self {
        let play = Self::new(settings);
        play.alone.set(false);
        play
    }

    pub fn seeded(seed: u64, settings: &[(&str, &str)]) -> Self {
        let mut all = vec![
            ("EMODAL_BASE_URL", "https://portal.example.com/portal"),
            ("EMODAL_HOSTS", "id.example.com"),
            ("CAPTCHA_BASE_URL", "https://captcha.example.com"),
            ("CAPTCHA_POLL_MILLISECONDS", "1000"),
        ];
        all.extend(settings);
        let world = World::seeded(seed, &all);
        world.register::<engine::portal::Portal<sim::SimHost>>(Class::Portal);
        world.register::<engine::portal_registry::PortalRegistry<sim::SimHost>>(Class::PortalRegistry);
        let site = Site::new(world.host());
        for host in HOSTS {
            world.upstream(host, Door(site.clone()));
        }
        for driver in 0..40 {
            let username = format!("driver{driver}");
            let password = format!("{username}-pass");
            site.state().passwords.insert(username, password);
        }
        site.state().passwords.insert("driver".to_owned(), "driver-pass".to_owned());
        let now = world.now();
        let app = world.host().app().unwrap();
        let name = identity::names(&app.vault, portal::EMODAL, &credentials("driver", "ck")).remove(0);
        let watch = Watch::new(name.clone(), now);
        Self {
            world,
            site,
            name,
            next_look: Cell::new(now),
            alone: Cell::new(true),
            used_ok: watch.used_ok.clone(),
            used: watch.used.clone(),
            watch: RefCell::new(watch),
        }
    }

    /// What the deployment makes of its settings.
    pub fn app(&self) -> Rc<App> {
        self.world.host().app().unwrap()
    }

    pub fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// What an object of these credentials is called, by the first sealing key.
    pub fn name_of(&self, credentials: &Credentials) -> String {
        identity::names(&self.app().vault, portal::EMODAL, credentials).remove(0)
    }

    // ---- time

    /// Lets time go by, watching each turn, with the Cron Trigger every minute.
    pub fn run_for(&self, time: Duration) {
        self.run_until(self.now().plus(time));
    }

    pub fn run_until(&self, end: Timestamp) {
        loop {
            let until = end.min(self.next_look.get());
            while self.turn(until) {}
            self.world.advance(until.since(self.now()));
            if self.next_look.get() <= self.now() {
                self.next_look.set(self.now().plus(secs(60)));
                self.start(self.name.clone(), Look);
                while self.turn(self.now()) {}
                self.watch.borrow_mut().over_time(&self.world, &self.site).unwrap();
            } else if self.now() >= end {
                return;
            }
        }
    }

    /// From here on the Cron Trigger does not come.
    pub fn without_cron(&self) {
        self.next_look.set(Timestamp::from_millis(u64::MAX));
    }

    /// One turn of the world, looked at.
    pub fn turn(&self, until: Timestamp) -> bool {
        let more = self.world.step(until);
        if std::mem::take(&mut self.site.state().crashed) {
            self.die();
        }
        if self.alone.get() {
            self.watch.borrow_mut().look(&self.world, &self.site).unwrap();
        }
        more
    }

    /// Memory is lost; storage and the alarm are not.
    pub fn die(&self) {
        self.world.kill(Class::Portal, &self.name);
        self.watch.borrow_mut().died(&self.world, &self.site);
    }

    /// Until it is there.
    pub fn wait<T: Clone>(&self, pending: &Pending<T>) -> T {
        let end = self.now().plus(secs(3600));
        while !pending.is_there() {
            assert!(self.turn(end), "it does not come");
        }
        pending.now().unwrap()
    }

    // ---- callers

    pub fn start<C>(&self, name: String, command: C) -> Pending<Option<C::Reply>>
    where
        C: LoginCommand + Clone + 'static,
        C::Reply: Clone + 'static,
    {
        let slot = Rc::new(RefCell::new(None));
        let (host, kept) = (self.world.host(), slot.clone());
        self.world.spawn(async move {
            use base::rpc::Peers as _;
            let reply = host.send(&portal::address(&name), &Asked { name: name.clone(), command }).await;
            *kept.borrow_mut() = Some(reply.ok());
        });
        Pending(slot)
    }

    /// The same, and if the object is gone it is not asked again.
    pub fn start_once<C>(&self, command: C) -> Pending<Option<String>>
    where
        C: LoginCommand + 'static,
    {
        let json = Asked { name: self.name.clone(), command }.to_json().unwrap();
        let slot = Rc::new(RefCell::new(None));
        let (host, kept, name) = (self.world.host(), slot.clone(), Name::Name(self.name.clone()));
        self.world.spawn(async move {
            use base::rpc::Peers as _;
            let reply = host.attempt(Class::Portal, &name, Method::Ask, &json).await;
            *kept.borrow_mut() = Some(reply.ok());
        });
        Pending(slot)
    }

    pub fn tell<C>(&self, name: &str, command: C) -> C::Reply
    where
        C: LoginCommand + Clone + 'static,
        C::Reply: Clone + 'static,
    {
        let pending = self.start(name.to_owned(), command);
        self.wait(&pending).expect("the object answers")
    }

    pub fn start_get(&self, credentials: Credentials, keep_alive: bool) -> Pending<Option<GetReply>> {
        let name = self.name_of(&credentials);
        self.used.set(self.now());
        self.start(name, get_of(credentials, keep_alive))
    }

    pub fn get_reply(&self, keep_alive: bool) -> GetReply {
        let pending = self.start_get(credentials("driver", "ck"), keep_alive);
        self.wait(&pending).expect("the object answers")
    }

    /// The session of the driver's.
    pub fn get(&self, keep_alive: bool) -> Session {
        match self.get_reply(keep_alive) {
            GetReply::Session(session) => {
                self.used_ok.set(self.now());
                self.used.set(self.now());
                session
            }
            other => panic!("{other:?}"),
        }
    }

    /// Why there is none.
    pub fn get_refused(&self, keep_alive: bool) -> Refusal {
        match self.get_reply(keep_alive) {
            GetReply::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }

    pub fn run_command(session_id: &PortalId, operation: &str, fields: &Value) -> Run {
        Run {
            session_id: Some(session_id.clone()),
            credentials: None,
            keep_alive: false,
            operation: Request {
                operation: operation.to_owned(),
                fields: fields.as_object().cloned().unwrap_or_default(),
                wizard: None,
            },
            wizard_id: None,
            by: actor(),
        }
    }

    pub fn start_run(&self, session_id: &PortalId) -> Pending<Option<RunReply>> {
        self.used.set(self.now());
        self.start(self.name.clone(), Self::run_command(session_id, "get_containers", &json!({})))
    }

    pub fn run(&self, session_id: &PortalId) -> RunReply {
        let pending = self.start_run(session_id);
        let reply = self.wait(&pending).expect("the object answers");
        self.used.set(self.now());
        if let RunReply::Done(done) = &reply
            && done.result.is_ok()
        {
            self.used_ok.set(self.now());
        }
        reply
    }

    pub fn close_command(session_id: &PortalId, reason: End) -> Close {
        Close { session_id: session_id.clone(), reason, by: actor(), wait: true }
    }

    pub fn close(&self, session_id: &PortalId) -> CloseReply {
        self.tell(&self.name.clone(), Self::close_command(session_id, End::Closed))
    }

    pub fn look(&self) -> LookReply {
        self.tell(&self.name.clone(), Look)
    }

    // ---- what is there

    pub fn login(&self) -> Login {
        self.login_of(&self.name)
    }

    pub fn login_of(&self, name: &str) -> Login {
        let rows = self.world.rows(Class::Portal, name);
        rows.get("login").map(|text| serde_json::from_str(text).unwrap()).unwrap_or_default()
    }

    pub fn session_id(&self) -> Option<PortalId> {
        self.login().session.map(|live| live.session_id)
    }

    pub fn alarm(&self) -> Option<Timestamp> {
        self.world.alarm(Class::Portal, &self.name)
    }

    /// The rows that the registry has.
    pub fn listed(&self) -> Vec<Row> {
        let Listed::Rows(rows) = self.world.send(&portal::registry_address(), &List).unwrap();
        rows
    }

    pub fn find(&self, session_id: &PortalId) -> FindReply {
        let find = Find { session_id: session_id.clone(), now: self.now() };
        self.world.send(&portal::registry_address(), &find).unwrap()
    }

    /// The names of the rows that are stored.
    pub fn row_names(&self) -> Vec<String> {
        self.world.rows(Class::Portal, &self.name).into_keys().collect()
    }

    /// Nothing is left of what was, but the memory of it.
    pub fn is_quiet(&self) -> bool {
        let login = self.login();
        let work = login.task.is_some() || login.logout.is_some() || login.pending_sync.is_some();
        let sealed = ["credentials", "jar", "farewell", "wizards"];
        let rows = self.row_names().iter().any(|row| sealed.contains(&row.as_str()));
        !rows && !work && login.session.is_none() && !login.signed_in
    }
}
