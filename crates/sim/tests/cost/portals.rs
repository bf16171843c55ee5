//! Portal sessions that are kept alive, and looked after.

use crate::Row;
use crate::scenarios::row;
use crate::world::minutes;
use base::call::Actor;
use base::rpc::{Class, Peers as _};
use base::secret::Secret;
use portal::{Credentials, Get, GetReply, identity};
use sim::fakes::portal::{Door, HOSTS, Site};
use sim::{Usage, World};
use std::time::Duration;

/// Every five minutes, and a look every ten.
pub const KEEP_ALIVES_A_MONTH: u64 = 8_640;
pub const LOOKS_A_MONTH: u64 = 4_320;
/// What a month of one session may cost: two cents, in thousandths of a dollar for a million.
pub const MONTH: u64 = 20_000_000;

pub fn all() -> [Row; 3] {
    [keep_alive(), look(), supervision()]
}

/// A deployment with so many sessions, and the names of their objects.
fn portals(sessions: usize) -> (World, Vec<String>) {
    let world = World::complete(
        0,
        &[
            ("EMODAL_BASE_URL", "https://portal.example.com/portal"),
            ("EMODAL_HOSTS", "id.example.com"),
            ("CAPTCHA_BASE_URL", "https://captcha.example.com"),
            ("PORTAL_SESSIONS_MAX", "50"),
            ("PORTAL_KEEP_ALIVE_JITTER_PERCENT", "0"),
        ],
    );
    let site = Site::new(world.host());
    for host in HOSTS {
        world.upstream(host, Door(site.clone()));
    }
    let name = |n: usize| {
        let username = format!("driver{n}");
        site.state().passwords.insert(username.clone(), "driver-pass".to_owned());
        let (password, captcha_api_key) = (Secret::new("driver-pass"), Secret::new("ck"));
        let credentials = Credentials { username, password, captcha_api_key, totp_secret: None };
        let app = config::Settings::settings(&world.host()).unwrap();
        let name = identity::names(&app.vault, portal::EMODAL, &credentials).remove(0);
        let by = Actor { who: "key:a service".to_owned(), request_id: "r1".to_owned() };
        let command = Get { credentials, keep_alive: true, by, debug: false, storage_state: None };
        let (host, asked) = (world.host(), portal::Asked { name: name.clone(), command });
        let reply = world.run_until(async move { host.send(&portal::address(&asked.name), &asked).await });
        assert!(matches!(reply, Ok(GetReply::Session(_))), "{reply:?}");
        name
    };
    let names = (0..sessions).map(name).collect();
    // A login is known for an hour.
    world.advance(minutes(72));
    (world, names)
}

/// No object stays in memory for as long as that.
fn forget(world: &World, names: &[String]) {
    for name in names {
        world.evict(Class::Portal, name);
    }
}

/// A portal session that nobody uses.
fn keep_alive() -> Row {
    let (world, names) = portals(1);
    let before = world.usage();
    for _ in 0..100 {
        forget(&world, &names);
        // The page takes its time.
        world.advance(minutes(5) + Duration::from_secs(1));
    }
    let usage = world.usage() - before;
    Row {
        times: 100,
        ..row(
            "keep-alive of a portal session, each (8,640 a month)",
            usage,
            0,
            Some(MONTH / KEEP_ALIVES_A_MONTH),
        )
    }
}

/// What a Cron Trigger uses that looks at so many sessions.
fn looked(sessions: usize) -> Usage {
    let (world, names) = portals(sessions);
    // The first one finds what it has never seen.
    world.cron("* * * * *").unwrap();
    forget(&world, &names);
    let before = world.usage();
    world.cron("* * * * *").unwrap();
    world.usage() - before
}

fn look() -> Row {
    let usage = looked(11) - looked(1);
    Row { times: 10, ..row("reconciling a portal session, each (4,320 a month)", usage, 0, None) }
}

/// The rest of it, however many sessions there are; up to 45 for each sweeper.
fn supervision() -> Row {
    let usage = looked(1) - (looked(2) - looked(1));
    row("the Cron Trigger that reconciles portal sessions, in addition (4,320 a month)", usage, 0, None)
}
