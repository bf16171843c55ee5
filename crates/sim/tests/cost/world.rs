//! A deployment whose use is counted.

use serde_json::{Value, json};
use sim::{Answered, Usage, World};
use std::time::Duration;

pub const PASSWORD: &str = "correct horse battery";

pub fn minutes(n: u64) -> Duration {
    Duration::from_mins(n)
}

pub struct Deployment {
    pub world: World,
}

pub struct Tokens {
    pub access: String,
    pub refresh: String,
    /// What a known device shows.
    pub device: String,
}

impl Deployment {
    /// With a user, `asha`, and what an instance learns with its first login.
    pub fn new(settings: &[(&str, &str)]) -> Self {
        let deployment = Self { world: World::complete(0, settings) };
        let bootstrap = sim::SETTINGS.iter().find(|(name, _)| *name == "BOOTSTRAP_KEY").unwrap().1;
        let user =
            |name: &str, role: &str| json!({ "username": name, "password": PASSWORD, "roles": [role] });
        let made = deployment.post("/admin/users", &[("x-bootstrap-key", bootstrap)], &user("root", "admin"));
        assert_eq!(made.status, 201, "{made:?}");
        let root = format!("Bearer {}", deployment.log_in("root").access);
        let root = [("authorization", root.as_str())];
        let made = deployment.post("/admin/users", &root, &user("asha", "user"));
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(deployment.post("/auth/logout", &root, &json!({})).status, 200);
        // Until nothing is left to do for that.
        deployment.world.advance(minutes(60));
        deployment
    }

    pub fn post(&self, path: &str, headers: &[(&'static str, &str)], body: &Value) -> Answered {
        self.world.request("POST", path, headers, Some(body))
    }

    pub fn log_in(&self, name: &str) -> Tokens {
        self.log_in_with(name, &[])
    }

    pub fn log_in_with(&self, name: &str, headers: &[(&'static str, &str)]) -> Tokens {
        let answer = self.post("/auth/login", headers, &json!({ "username": name, "password": PASSWORD }));
        assert_eq!(answer.status, 200, "{answer:?}");
        let token = |member: &str| answer.json()[member].as_str().unwrap().to_owned();
        let device = answer.header("x-device-token").unwrap_or_default().to_owned();
        Tokens { access: token("access_token"), refresh: token("refresh_token"), device }
    }

    pub fn get(&self, path: &str, token: &str) -> Answered {
        self.world.request("GET", path, &[("authorization", &format!("Bearer {token}"))], None)
    }

    pub fn validate(&self, access: &str) {
        assert_eq!(self.get("/auth/verify", access).status, 200);
    }

    pub fn refresh(&self, refresh: &str) -> Answered {
        self.post("/auth/refresh", &[], &json!({ "refresh_token": refresh }))
    }

    /// What is used while this is done, and by what it leaves to be done at once.
    pub fn uses(&self, work: impl FnOnce()) -> Usage {
        let before = self.world.usage();
        work();
        self.world.settle();
        self.world.usage() - before
    }
}

/// The id of a session, as its token says it.
pub fn session_id(access: &str) -> String {
    use base64ct::{Base64UrlUnpadded, Encoding as _};
    let claims = Base64UrlUnpadded::decode_vec(access.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["sid"].as_str().unwrap().to_owned()
}
