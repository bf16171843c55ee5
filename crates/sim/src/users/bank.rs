//! The system that external tokens are verified at, as it is at the moment.

use super::plan::Mood;
use crate::fakes::bank;
use crate::host::SimHost;
use crate::net::{Answering, Upstream, text};
use base::call::{Answer, Call};
use base::ports::Timer as _;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

pub const HOST: &str = "bank.example.com";

#[derive(Default)]
pub struct State {
    pub mood: Cell<Mood>,
    /// How often each token was found good.
    pub good: RefCell<BTreeMap<String, usize>>,
    /// Tokens that were found not to be, whether or not the answer arrived.
    pub rejected: RefCell<BTreeSet<String>>,
}

impl State {
    pub fn times_good(&self, token: &str) -> usize {
        self.good.borrow().get(token).copied().unwrap_or(0)
    }
}

#[derive(Clone)]
pub struct Bank {
    pub host: SimHost,
    pub state: Rc<State>,
}

impl Upstream for Bank {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        let header = call.headers.iter().find(|(name, _)| *name == "x-session-token");
        let token = header.map(|(_, value)| value.expose().to_owned()).unwrap_or_default();
        Box::pin(async move {
            let mood = self.state.mood.get();
            match mood {
                Mood::Well | Mood::Slow => {
                    *self.state.good.borrow_mut().entry(token).or_default() += 1;
                }
                Mood::Expired | Mood::Refused => {
                    self.state.rejected.borrow_mut().insert(token);
                }
                Mood::Down | Mood::Garbage => {}
            }
            match mood {
                Mood::Well => bank::valid(),
                Mood::Slow => {
                    self.host.sleep(Duration::from_secs(30)).await;
                    bank::valid()
                }
                Mood::Expired => bank::expired(),
                Mood::Refused => bank::refused(),
                Mood::Down => bank::outage(),
                Mood::Garbage => text(200, "<html>Welcome</html>"),
            }
        })
    }
}
