//! Messages between objects: late, overtaken, lost, or said to be lost and come all the same.

use super::SimHost;
use crate::deployment::Deployment;
use crate::executor::Owner;
use crate::weather::Kind;
use base::current;
use base::rpc::{CallError, Class, Method, Name, Peers, Unreachable};

impl SimHost {
    /// What a message meets on its way. Says whether it arrives.
    async fn way(&self, lost: Kind) -> bool {
        if let Some(time) = self.world.weather.strikes(Kind::Slow, 50) {
            self.pause(time).await;
        }
        if let Some(time) = self.world.weather.strikes(Kind::VerySlow, 60_000) {
            self.pause(time).await;
        }
        self.world.weather.strikes(lost, 1).is_none()
    }
}

impl Peers for SimHost {
    async fn attempt(
        &self,
        class: Class,
        name: &Name,
        method: Method,
        json: &str,
    ) -> Result<String, CallError> {
        self.gate().await;
        let Some(object) = self.world.object(class, name) else {
            let text = "the id is none of this namespace".to_owned();
            return Err(CallError { text, retryable: false, overloaded: false });
        };
        self.world.used(|u| u.object_requests += 1);
        let broken = |text: &str| CallError { text: text.to_owned(), retryable: true, overloaded: false };
        let id = current::request_id();
        if self.world.weather.is_clear() {
            let reply = self.world.deliver(&object, method, json.to_owned(), id).await;
            return reply.unwrap_or_else(|| Err(broken("the object was reset")));
        }
        // A message that is on its way arrives, whoever has been killed meanwhile.
        let (sender, receiver) = crate::executor::channel();
        let (host, json) = (self.clone(), json.to_owned());
        let way = async move {
            if let Some(time) = host.world.weather.strikes(Kind::Stray, 60_000) {
                sender.send(Err(broken("Network connection lost.")));
                host.pause(time).await;
                // Nobody waits for its reply.
                drop(host.world.deliver(&object, method, json, id).await);
                return;
            }
            if !host.way(Kind::RequestLost).await {
                sender.send(Err(broken("Network connection lost.")));
                return;
            }
            let reply = host.world.deliver(&object, method, json, id).await;
            let arrives = host.way(Kind::ReplyLost).await;
            sender.send(match reply {
                None => Err(broken("the object was reset")),
                Some(_) if !arrives => Err(broken("Network connection lost.")),
                Some(reply) => reply,
            });
        };
        self.world.executor.spawn(Owner::World, way);
        let gone = CallError { text: "the world has ended".to_owned(), retryable: false, overloaded: false };
        receiver.await.unwrap_or(Err(gone))
    }

    fn unique_id(&self, class: Class) -> Result<String, Unreachable> {
        Ok(self.world.fresh_id(class))
    }

    fn is_id(&self, class: Class, id: &str) -> bool {
        Deployment::is_id(class, id)
    }
}
