//! Upstreams, by host name or behind a binding: an answer may be lost.

use super::SimHost;
use crate::executor::Owner;
use crate::net::host_of;
use crate::weather::Kind;
use base::call::{self, Call};
use base::page::{self, Fetch};
use base::ports::Net;
use base::socket::{Connect, Opened};
use std::time::Duration;

impl Net for SimHost {
    async fn call(&self, call: &Call) -> call::Answer {
        self.gate().await;
        let bound = call.binding.as_ref().map(|name| binding(name));
        let at = bound.as_deref().unwrap_or(host_of(&call.url));
        let upstream = self.world.upstreams.borrow().get(at).cloned();
        let Some(upstream) = upstream else { return call::Answer::Unreachable };
        // What an upstream has begun it ends, whoever has been killed meanwhile.
        let (sender, receiver) = crate::executor::channel();
        let (world, sent) = (self.world.clone(), call.clone());
        self.world.executor.spawn(Owner::World, async move {
            let answer = upstream.call(&sent).await;
            let lost = world.weather.strikes(Kind::AnswerLost, 1).is_some();
            sender.send(if lost { call::Answer::Unreachable } else { answer });
        });
        match within(self, call.timeout, receiver).await {
            Some(answer) => answer.unwrap_or(call::Answer::Unreachable),
            None => call::Answer::TimedOut,
        }
    }

    async fn fetch(&self, fetch: &Fetch) -> page::Answer {
        self.gate().await;
        let upstream = self.world.upstreams.borrow().get(host_of(&fetch.url)).cloned();
        let Some(upstream) = upstream else { return page::Answer::Unreachable };
        let (sender, receiver) = crate::executor::channel();
        let (world, sent) = (self.world.clone(), fetch.clone());
        self.world.executor.spawn(Owner::World, async move {
            let answer = upstream.fetch(&sent).await;
            let lost = world.weather.strikes(Kind::AnswerLost, 1).is_some();
            sender.send(if lost { page::Answer::Unreachable } else { answer });
        });
        match within(self, fetch.timeout, receiver).await {
            Some(answer) => answer.unwrap_or(page::Answer::Unreachable),
            None => page::Answer::TimedOut,
        }
    }

    async fn connect(&self, to: &Connect) -> Opened {
        self.gate().await;
        let bound = to.binding.as_ref().map(|name| binding(name));
        let at = bound.as_deref().unwrap_or(host_of(&to.url));
        let upstream = self.world.upstreams.borrow().get(at).cloned();
        match upstream {
            Some(upstream) => upstream.connect(to).await,
            None => Opened::Unreachable,
        }
    }
}

/// Where whoever is behind a binding stands beside those with host names.
pub(crate) fn binding(name: &str) -> String {
    format!("binding {name}")
}

/// What comes within a time. `None`: nothing did.
async fn within<F: Future + Unpin>(host: &SimHost, time: Duration, work: F) -> Option<F::Output> {
    use futures_util::future::{Either, select};
    let sleep = Box::pin(host.world.executor.sleep(time));
    match select(work, sleep).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
