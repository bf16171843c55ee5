//! The audit trail: what is kept, how it is asked for, and what the answer says where something is missing.

use super::support::tokens::session_of;
use super::support::{Answer, Server};
use base::rpc::Class;
use base::trail::SHARDS;
use serde_json::{Value, json};
use sim::fakes::accounts::{Fake as _, FakeFacturify};
use std::cell::RefCell;
use std::time::Duration;

const ON: (&str, &str) = ("AUDIT_TRAIL", "on");
const HOUR: Duration = Duration::from_hours(1);
const ACCOUNT: &str = "facturify/default";

impl Server {
    /// What the trail answers, when all has reached it.
    fn trail(&self, query: &str) -> Answer {
        let admin = self.fresh_admin();
        self.world.advance(Duration::from_secs(2));
        let answer = self.get(&format!("/admin/audit?{query}")).token(&admin).send();
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    fn audit_records(&self, query: &str) -> Vec<Value> {
        self.trail(query).json["records"].as_array().unwrap().clone()
    }

    /// The actions and outcomes, the newest first.
    fn done(&self, query: &str) -> Vec<(String, String)> {
        let text = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
        self.audit_records(query).iter().map(|r| (text(r, "action"), text(r, "outcome"))).collect()
    }
}

fn is(records: &[(String, String)], wanted: &[(&str, &str)]) {
    let records: Vec<_> =
        records.iter().map(|(action, outcome)| (action.as_str(), outcome.as_str())).collect();
    assert_eq!(records, wanted);
}

/// With an account at a Facturify that can be down.
fn with_account() -> (Server, std::rc::Rc<std::cell::Cell<bool>>) {
    let server = Server::with(&[
        ON,
        ("FACTURIFY_BASE_URL", "https://facturify.test"),
        ("FACTURIFY_API_KEY", "fy-key"),
        ("FACTURIFY_API_SECRET", "fy-secret"),
        ("SESSION_INACTIVITY_TIMEOUT_MINUTES", "30"),
    ]);
    let (fake, began) = (RefCell::new(FakeFacturify::default()), server.world.now());
    let down = std::rc::Rc::new(std::cell::Cell::new(false));
    let is_down = down.clone();
    let answer = move |call: &base::call::Call| {
        if is_down.get() {
            return sim::net::text(500, "");
        }
        let (status, body) = fake.borrow_mut().serve(call, began);
        sim::net::text(status, &body)
    };
    server.world.upstream("facturify.test", sim::net::Answers(answer));
    (server, down)
}

#[test]
fn what_users_services_and_alarms_do_is_found_by_each_filter() {
    let (server, down) = with_account();
    let (user, tokens) = server.someone();
    server.try_log_in(&user.username, "wrong password").refused(401, "invalid_credentials");
    let session = session_of(&tokens.access);
    let key = server.service_key("tokens:write");
    let refresh =
        || server.post("/api/v1/facturify/auth/token/refresh").token(&key).header("x-request-id", "r-1");
    assert_eq!(refresh().send().status, 200);
    server.world.advance(HOUR);

    let of_user = format!("user_id={}", user.id);
    is(
        &server.done(&of_user),
        &[("expire", "ok"), ("login", "invalid_credentials"), ("login", "ok"), ("create_user", "ok")],
    );
    is(&server.done(&format!("{of_user}&outcome=failed")), &[("login", "invalid_credentials")]);
    is(&server.done(&format!("{of_user}&outcome=invalid_credentials")), &[("login", "invalid_credentials")]);
    is(&server.done(&format!("{of_user}&outcome=ok&action=login")), &[("login", "ok")]);
    is(&server.done(&format!("session_id={session}")), &[("expire", "ok"), ("login", "ok")]);
    let expiry = &server.audit_records(&format!("action=expire&session_id={session}"))[0];
    assert_eq!((&expiry["reason"], &expiry["user_id"]), (&json!("inactivity"), &json!(user.id)));

    let renewal = &server.audit_records(&format!("account={ACCOUNT}&service=key:a%20gateway"))[0];
    assert_eq!((&renewal["action"], &renewal["outcome"]), (&json!("refresh_token"), &json!("ok")));
    assert_eq!((&renewal["request_id"], &renewal["calls"]), (&json!("r-1"), &json!(1)));

    // What fails is in the timeline, since when, and when it is over.
    down.set(true);
    assert_eq!(refresh().unchecked().status, 502);
    server.world.advance(12 * HOUR);
    down.set(false);
    server.world.advance(HOUR);
    let failing = server.audit_records("action=token.failing");
    assert_eq!((failing.len(), &failing[0]["account"]), (1, &json!(ACCOUNT)), "{failing:?}");
    assert_ne!(failing[0]["outcome"], json!("ok"));
    is(&server.done("action=token.recovered"), &[("token.recovered", "ok")]);

    let at = |record: &Value| record["at"].as_str().unwrap().to_owned();
    let since = server.audit_records(&format!("since={}&action=token.failing", at(&failing[0])));
    assert_eq!(since.len(), 1, "the moment itself is asked for by `since`");
    let until = server.audit_records(&format!("until={}&action=token.failing", at(&failing[0])));
    assert_eq!(until.len(), 0, "and not by `until`");
}

#[test]
fn a_page_has_the_newest_and_the_next_ones_stay_as_they_are_while_others_come() {
    let server = Server::with(&[ON]);
    let users: Vec<_> = (0..5).map(|_| server.someone().0).collect();
    let all = server.audit_records("action=create_user");
    assert_eq!(all.len(), users.len());
    let ids = |records: &Value| -> Vec<Value> {
        records.as_array().unwrap().iter().map(|record| record["id"].clone()).collect()
    };
    let (mut found, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = server.trail(&format!("action=create_user&limit=2&cursor={cursor}")).json;
        found.extend(ids(&page["records"]));
        pages += 1;
        server.make_user();
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!((found, pages), (ids(&json!(all)), 3));
    let times: Vec<_> = all.iter().map(|record| record["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
}

#[test]
fn what_is_asked_for_wrongly_is_named() {
    let server = Server::with(&[ON]);
    let wrong = |query: &str| -> Vec<String> {
        let answer = server.get(&format!("/admin/audit?{query}")).token(&server.admin()).send();
        answer.wrong_fields().into_iter().map(str::to_owned).collect()
    };
    for (query, fields) in [
        ("since=yesterday", "since"),
        ("until=2026-06-01", "until"),
        ("since=2026-06-01T06:00:01Z&until=2026-06-01T06:00:00Z", "until"),
        ("action=logn", "action"),
        ("action=session.created", "action"),
        ("outcome=OK", "outcome"),
        ("user_id=asha", "user_id"),
        ("user_id=-1", "user_id"),
        ("session_id=a%0Ab", "session_id"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=1.'or'1", "cursor"),
        ("limit=x&since=x&account=%00", "account since limit"),
    ] {
        assert_eq!(wrong(query).join(" "), fields, "{query}");
    }
    assert_eq!(wrong(&format!("service={}", "x".repeat(201))), ["service"]);
    // Empty parameters are none, and what nobody did is no mistake.
    assert!(!server.audit_records("since=&cursor=&limit=").is_empty());
    assert!(server.audit_records("account=upstox/nobody").is_empty());
}

#[test]
fn it_is_for_admins_and_for_services_whose_key_has_the_scope() {
    let server = Server::with(&[ON]);
    let (_, tokens) = server.someone();
    let get = || server.get("/admin/audit");
    get().send().refused(401, "not_authenticated");
    get().token(&tokens.access).send().refused(403, "forbidden");
    get().token(&server.service_key("metrics")).send().refused(403, "forbidden");
    assert_eq!(get().token(&server.service_key("audit")).send().status, 200);
    assert_eq!(get().token(&server.admin()).send().status, 200);
}

#[test]
fn where_it_is_off_nothing_is_sent_and_the_route_says_so() {
    let server = Server::new();
    let (_, tokens) = server.someone();
    server.refresh(&tokens.refresh).tokens();
    server.world.advance(HOUR);
    let off = server.get("/admin/audit").token(&server.admin()).send();
    off.refused(404, "audit_trail_off");
    assert!(off.json["detail"].as_str().unwrap().contains("AUDIT_TRAIL"));
    assert!(server.world.ids(Class::AuditTrail).is_empty());
}

#[test]
fn refreshes_that_go_well_are_there_only_if_all_is_asked_for() {
    for (setting, kept) in [("on", 0), ("all", 1)] {
        let server = Server::with(&[("AUDIT_TRAIL", setting)]);
        let (_, tokens) = server.someone();
        let next = server.refresh(&tokens.refresh).tokens();
        server.refresh(&next.refresh).tokens();
        // Of before the grace: theft, which is found on the fast path.
        server.refresh(&tokens.refresh).refused_as("refresh_token_reused");
        server.refresh("no token").refused(401, "token_invalid");
        let of_session = format!("session_id={}", session_of(&tokens.access));
        assert_eq!(
            server.audit_records(&format!("{of_session}&action=refresh")).len(),
            2 * kept,
            "{setting}"
        );
        is(&server.done(&format!("{of_session}&action=reuse")), &[("reuse", "refresh_token_reused")]);
        let invalid = server.done("action=refresh&outcome=token_invalid");
        assert_eq!(invalid.len(), kept, "of nobody: anybody can do that as often as they like");
    }
}

impl Answer {
    fn refused_as(&self, code: &str) {
        assert_eq!((self.status, self.code()), (401, code), "{}", self.text);
    }
}

#[test]
fn a_part_that_cannot_be_asked_is_named_and_without_any_there_is_no_answer() {
    let server = Server::with(&[ON]);
    for _ in 0..12 {
        server.someone();
        server.world.advance(Duration::from_secs(2));
    }
    let whole = server.audit_records("action=create_user&limit=200").len();
    assert_eq!(whole, 12);
    let broken = "ALTER TABLE chunks RENAME TO kept; CREATE VIEW chunks AS SELECT * FROM missing";
    server.world.sql(Class::AuditTrail, "trail/1", broken);
    let admin = server.admin();
    let get = || server.get("/admin/audit?action=create_user&limit=200").token(&admin);
    let partial = get().send();
    assert_eq!(partial.json["unreachable"], json!(["trail/1"]));
    let there = partial.json["records"].as_array().unwrap().len();
    assert!((1..whole).contains(&there), "{there}");
    for shard in 0..SHARDS {
        server.world.sql(Class::AuditTrail, &format!("trail/{shard}"), broken);
    }
    let none = get().unchecked();
    assert_eq!((none.status, none.code()), (503, "service_unavailable"));
}

#[test]
fn a_login_does_not_wait_for_the_trail_and_what_was_lost_is_counted() {
    let server = Server::with(&[ON]);
    let user = server.make_user();
    server.world.advance(Duration::from_secs(2));
    let broken = "ALTER TABLE chunks RENAME TO kept; CREATE VIEW chunks AS SELECT * FROM kept";
    for shard in 0..SHARDS {
        // A view cannot be written to.
        server.world.sql(
            Class::AuditTrail,
            &format!("trail/{shard}"),
            "CREATE TABLE IF NOT EXISTS chunks (seq)",
        );
        server.world.sql(Class::AuditTrail, &format!("trail/{shard}"), broken);
    }
    let before = server.world.now();
    server.log_in(&user.username);
    assert_eq!(server.world.now(), before, "the answer is there before the batch is sent");
    server.world.advance(Duration::from_secs(2));
    for shard in 0..SHARDS {
        let mended = "DROP VIEW chunks; DROP TABLE kept";
        server.world.sql(Class::AuditTrail, &format!("trail/{shard}"), mended);
    }
    let answer = server.trail("").json;
    assert_eq!(answer["left_out"], json!(1), "{answer}");
    server.log_in(&user.username);
    is(&server.done(&format!("user_id={}&action=login", user.id)), &[("login", "ok")]);
}

#[test]
fn records_are_there_for_a_day() {
    let server = Server::with(&[ON]);
    let user = server.make_user();
    let of_user = format!("user_id={}", user.id);
    let began = server.world.now();
    server.world.advance(23 * HOUR);
    is(&server.done(&of_user), &[("create_user", "ok")]);
    server.world.advance(HOUR);
    let answer = server.trail(&of_user).json;
    assert_eq!(answer["records"], json!([]));
    let since = base::clock::Timestamp::parse_rfc3339(answer["complete_since"].as_str().unwrap()).unwrap();
    assert_eq!(since, server.world.now().minus(24 * HOUR));
    assert!(since > began);
    // The alarm has them deleted, whether or not somebody asks.
    server.world.advance(3 * HOUR);
    for id in server.world.ids(Class::AuditTrail) {
        let text = format!("{:?}", server.world.sql(Class::AuditTrail, &id, "SELECT records FROM chunks"));
        assert!(!text.contains("create_user"), "{text}");
    }
}
