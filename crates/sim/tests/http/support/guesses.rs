//! Logins from chosen addresses, many at once, with the clock stopped.

use super::{Answer, Call, Server};
use base::clock::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// The setting's default: failures from one address before it is refused for a while.
pub const LOGIN_MAX_FAILURES: usize = 10;
pub const WRONG: &str = "wrong password";

impl Server {
    /// A client that no other test of this deployment is.
    pub fn address(&self) -> String {
        format!("2001:db8:1:{:x}::1", self.number())
    }

    pub fn login_from(&self, username: &str, password: &str, from: &str) -> Call<'_> {
        self.post("/auth/login")
            .header("cf-connecting-ip", from)
            .json(&json!({ "username": username, "password": password }))
    }

    /// Some guesses at once, that take no time: answers to failures are held back, and the clock is put back after that.
    pub fn at_once(&self, calls: Vec<Call<'_>>) -> Vec<Answer> {
        let now = self.world.now();
        let answers = self.all(calls);
        self.world.at(now);
        answers
    }

    /// One guess that takes no time.
    pub fn guess(&self, username: &str, password: &str, from: &str) -> Answer {
        self.at_once(vec![self.login_from(username, password, from)]).remove(0)
    }

    /// Wrong guesses at once.
    pub fn wrong_guesses(&self, n: usize, username: &str, from: &str) -> Vec<Answer> {
        self.at_once((0..n).map(|_| self.login_from(username, WRONG, from)).collect())
    }

    pub fn set_time(&self, start: Timestamp, millis: u64) {
        self.world.at(start.plus(Duration::from_millis(millis)));
    }
}

/// How many answers of each status.
pub fn by_status(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status).or_default() += 1;
    }
    counts
}
