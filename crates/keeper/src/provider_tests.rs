//! Facturify and OAuth 2.0: which calls a task makes, and what is made of each answer. Upstox is in `upstox_tests.rs`.

use super::play_support::*;
use super::test_support::*;
use super::*;
use base::secret::Secret;

const OBTAIN: &str = "POST https://api-sandbox.facturify.com/api/v1/auth";
const REFRESH: &str = "GET https://api-sandbox.facturify.com/api/v1/token/refresh";

fn short() -> Answer {
    says(200, r#"{"message":"ok","jwt":{"token":"hidden-short","expires_in":240}}"#)
}

fn long() -> Answer {
    says(200, r#"{"message":"ok","jwt":{"token":"hidden-long","expires_in":43200}}"#)
}

fn refuses() -> Answer {
    says(401, r#"{"message":"Unauthenticated","code":null}"#)
}

/// One that holds a token of Facturify's.
fn holding(left: u64) -> Inputs {
    let mut k = Inputs::new(facturify());
    let grant = grant("hidden-held", k.now, secs(left));
    k.finish(protocol::Operation::Renew, Outcome::Granted(grant), 1);
    k
}

#[test]
fn facturify_s_tokens_are_short_below_five_minutes() {
    let k = Inputs::new(facturify());
    let obtained = |token: &str, seconds: u64| {
        let text = format!(r#"{{"message":"ok","jwt":{{"token":"{token}","expires_in":{seconds}}}}}"#);
        match play(&k, &Task::Obtain, vec![says(200, &text)]).1 {
            Outcome::Granted(grant) => (grant.provisional, grant.expires_at.since(k.now).as_secs()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(obtained("hidden", 299), (true, 299));
    assert_eq!(obtained("hidden", 300), (false, 300));
    // A token that says that it ends with this answer is not believed in that.
    for (seconds, life) in [(0, 300), (1, 300), (2, 2), (299, 299), (301, 300)] {
        let token = jwt("t", k.now, k.now.plus(secs(seconds)));
        assert_eq!(obtained(&token, 300), (false, life), "{seconds}");
    }
}

/// Name, what is held, the task, the answers; the calls, and the life of the token that comes of it.
type Row<'a> = (&'a str, Inputs, Task, Vec<Answer>, Vec<&'a str>, u64);

#[test]
fn facturify_makes_the_calls_of_each_task() {
    let none = || Inputs::new(facturify());
    let over = || {
        let mut k = holding(60);
        k.advance(secs(60));
        k
    };
    let table: Vec<Row<'_>> = vec![
        ("first", none(), Task::Renew, vec![short()], vec![OBTAIN], 240),
        ("held", holding(60), Task::Renew, vec![long()], vec![REFRESH], 43_200),
        ("expired", over(), Task::Renew, vec![short()], vec![OBTAIN], 240),
        ("refused", holding(60), Task::Renew, vec![refuses(), short()], vec![REFRESH, OBTAIN], 240),
        ("obtain", holding(60), Task::Obtain, vec![short()], vec![OBTAIN], 240),
        ("refresh", holding(60), Task::Refresh, vec![long()], vec![REFRESH], 43_200),
        ("nothing", none(), Task::Refresh, vec![short(), long()], vec![OBTAIN, REFRESH], 43_200),
        ("long at once", none(), Task::Refresh, vec![long()], vec![OBTAIN], 43_200),
        (
            "refused, then all of it",
            holding(60),
            Task::Refresh,
            vec![refuses(), short(), long()],
            vec![REFRESH, OBTAIN, REFRESH],
            43_200,
        ),
        (
            "the short one is kept",
            none(),
            Task::Refresh,
            vec![short(), Answer::TimedOut],
            vec![OBTAIN, REFRESH],
            240,
        ),
        ("whatever comes", none(), Task::Refresh, vec![short(), refuses()], vec![OBTAIN, REFRESH], 240),
    ];
    for (name, k, task, answers, expected, life) in table {
        let (calls, outcome) = play(&k, &task, answers);
        assert_eq!(lines(&calls), expected, "{name}");
        let grant = granted(outcome);
        assert_eq!((grant.expires_in, grant.provisional), (Some(life), life == 240), "{name}");
        let access = if life == 240 { "hidden-short" } else { "hidden-long" };
        assert_eq!((grant.access.expose(), grant.refresh), (access, None), "{name}");
        for call in &calls {
            assert_eq!(header(call, "accept"), "application/json");
            assert_eq!(call.timeout, secs(30));
            if call.url.ends_with("/auth") {
                assert_eq!(body(call), r#"{"api_key":"fy-key-hidden","api_secret":"fy-hidden"}"#);
                assert_eq!(header(call, "authorization"), "");
            }
        }
    }
    let (calls, _) = play(&holding(60), &Task::Renew, vec![long()]);
    assert_eq!((header(&calls[0], "authorization"), body(&calls[0])), ("Bearer hidden-held", ""));
}

#[test]
fn facturify_has_nothing_but_its_two_calls() {
    for task in [
        Task::Check,
        Task::Request,
        Task::Exchange(protocol::Exchange { code: Secret::new("hidden"), redirect_uri: None }),
    ] {
        assert_eq!(failure(play(&holding(60), &task, vec![]).1), (Code::NoTokenSource, None), "{task:?}");
    }
}

#[test]
fn facturify_refreshes_by_the_method_of_the_settings() {
    let settings = [
        ("FACTURIFY_API_KEY", "fy-key-hidden"),
        ("FACTURIFY_API_SECRET", "fy-hidden"),
        ("FACTURIFY_REFRESH_METHOD", "POST"),
    ];
    let mut k = holding(60);
    k.provider = provider(providers::FACTURIFY, "default", &settings);
    let (calls, _) = play(&k, &Task::Renew, vec![long()]);
    assert_eq!(calls[0].method, "POST");
}

#[test]
fn facturify_tells_final_refusals_from_disturbances() {
    for (answer, code, status) in disturbances() {
        let (_, outcome) = play(&Inputs::new(facturify()), &Task::Renew, vec![answer.clone()]);
        assert_eq!(failure(outcome), (code, status), "{answer:?}");
        let (calls, outcome) = play(&holding(60), &Task::Renew, vec![answer]);
        assert_eq!((calls.len(), failure(outcome)), (1, (code, status)), "nor is anything obtained for it");
        assert!(!code.is_final());
    }
    for (status, code) in [(401, Code::CredentialsRefused), (422, Code::InputRefused)] {
        for text in [r#"{"code":33,"message":"no","errors":[]}"#, r#"{"message":"no","code":null}"#] {
            let (_, outcome) = play(&Inputs::new(facturify()), &Task::Renew, vec![says(status, text)]);
            assert_eq!(failure(outcome), (code, Some(status)));
            assert!(code.is_final());
        }
    }
    // A page, a gateway's word, and a 403 are not Facturify's.
    for status in [401, 403, 422] {
        for text in [HTML, "{}", r#"{"message":"Unauthorized"}"#] {
            let (_, outcome) = play(&Inputs::new(facturify()), &Task::Renew, vec![says(status, text)]);
            assert_eq!(failure(outcome), (Code::UnexpectedResponse, Some(status)), "{text}");
        }
    }
    // The token is refused, and then the credentials are.
    let (_, outcome) = play(&holding(60), &Task::Renew, vec![refuses(), refuses()]);
    assert_eq!(failure(outcome), (Code::CredentialsRefused, Some(401)));
    for text in [
        r#"{"success":false,"message":"no","code":"x","pac":null}"#,
        r#"{"jwt":null}"#,
        r#"{"jwt":{"expires_in":240}}"#,
        r#"{"jwt":{"token":"","expires_in":240}}"#,
        r#"{"jwt":{"token":"a b","expires_in":240}}"#,
        "{\"jwt\":{\"token\":\"a\\nb\",\"expires_in\":240}}",
    ] {
        let (_, outcome) = play(&Inputs::new(facturify()), &Task::Renew, vec![says(200, text)]);
        assert_eq!(failure(outcome), (Code::UnexpectedResponse, Some(200)), "{text}");
    }
}

#[test]
fn facturify_lives_by_the_lesser_of_its_two_words() {
    let k = Inputs::new(facturify());
    let now = k.now;
    // Said, the JWT's end after now, and what is believed.
    for (said, end, life) in [(240, 240, 240), (240, 200, 200), (240, 900, 240), (43_200, 86_400, 43_200)] {
        let token = jwt("t", now, now.plus(secs(end)));
        let text = format!(r#"{{"jwt":{{"token":"{token}","expires_in":{said}}}}}"#);
        let (_, outcome) = play(&k, &Task::Renew, vec![says(200, &text)]);
        let grant = granted(outcome);
        assert_eq!(grant.expires_at, now.plus(secs(life)), "{said} {end}");
        assert_eq!(grant.expires_in, Some(said));
    }
    // One that says that it is over cannot be right, when it was just given.
    let token = jwt("t", now.minus(secs(500)), now.minus(secs(100)));
    let text = format!(r#"{{"jwt":{{"token":"{token}","expires_in":240}}}}"#);
    let (_, outcome) = play(&k, &Task::Renew, vec![says(200, &text)]);
    assert_eq!(granted(outcome).expires_at, now.plus(secs(240)));
}

const CREDENTIALS: &str = r#""grant":"client_credentials","scope":"read write""#;
const TOKEN: &str = r#"{"access_token":"hidden-at","token_type":"Bearer","expires_in":3600}"#;

#[test]
fn oauth2_asks_as_the_rfc_says() {
    let odd = r#","client_id":"a:b c","client_secret":"hidden%/+é&""#;
    let seed = r#""grant":"refresh_token","refresh_token":"hidden+seed","client_auth":"body""#;
    for (fields, expected, basic) in [
        (CREDENTIALS, "grant_type=client_credentials&scope=read+write", Some("cid:c-hidden")),
        (
            seed,
            "grant_type=refresh_token&refresh_token=hidden%2Bseed&client_id=cid&client_secret=c-hidden",
            None,
        ),
    ] {
        let (calls, outcome) = play(&Inputs::new(oauth2(fields)), &Task::Renew, vec![says(200, TOKEN)]);
        assert_eq!((lines(&calls), body(&calls[0])), (vec!["POST https://as/token".into()], expected));
        assert_eq!(header(&calls[0], "content-type"), "application/x-www-form-urlencoded");
        assert_eq!(header(&calls[0], "accept"), "application/json");
        assert_eq!(header(&calls[0], "authorization"), basic.map(of_pair).unwrap_or_default());
        assert_eq!(granted(outcome).expires_in, Some(3600));
    }
    // RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
    let account = format!(r#"{{"o1":{{"token_url":"https://as/token","grant":"client_credentials"{odd}}}}}"#);
    let k = Inputs::new(provider(providers::OAUTH2, "o1", &[("OAUTH2_ACCOUNTS", &account)]));
    let (calls, _) = play(&k, &Task::Renew, vec![says(200, TOKEN)]);
    assert_eq!(header(&calls[0], "authorization"), of_pair("a%3Ab+c:hidden%25%2F%2B%C3%A9%26"));
}

fn of_pair(pair: &str) -> String {
    use base64ct::{Base64, Encoding};
    format!("Basic {}", Base64::encode_string(pair.as_bytes()))
}

#[test]
fn oauth2_keeps_the_newest_refresh_token() {
    let mut k = Inputs::new(oauth2_rotating("hidden-seed"));
    let mut used = |rotated: Option<&str>| {
        let text = match rotated {
            Some(token) => {
                format!(r#"{{"access_token":"hidden","refresh_token":"{token}","expires_in":60}}"#)
            }
            None => TOKEN.to_owned(),
        };
        let (calls, outcome) = play(&k, &Task::Renew, vec![says(200, &text)]);
        k.finish(protocol::Operation::Renew, outcome, 1);
        body(&calls[0]).split("refresh_token=").nth(1).unwrap().to_owned()
    };
    assert_eq!(used(Some("hidden-1")), "hidden-seed");
    assert_eq!(used(None), "hidden-1");
    assert_eq!(used(Some("hidden-2")), "hidden-1", "not rotated means that it stays");
    assert_eq!(used(Some("")), "hidden-2");
    assert_eq!(used(None), "hidden-2");
    k.finish(protocol::Operation::Renew, Outcome::Failed(Failure::new(Code::Timeout)), 1);
    k.finish(protocol::Operation::Renew, Outcome::Failed(Failure::new(Code::GrantRefused)), 1);
    assert_eq!(k.tokens.as_ref().unwrap().refresh, Some(Secret::new("hidden-2")), "a failure loses nothing");
}

#[test]
fn oauth2_reads_each_answer() {
    let k = || Inputs::new(oauth2(CREDENTIALS));
    for (answer, code, status) in disturbances() {
        let (_, outcome) = play(&k(), &Task::Renew, vec![answer.clone()]);
        assert_eq!(failure(outcome), (code, status), "{answer:?}");
    }
    for (error, code) in [
        ("invalid_request", Code::InputRefused),
        ("invalid_client", Code::CredentialsRefused),
        ("invalid_grant", Code::GrantRefused),
        ("unauthorized_client", Code::CredentialsRefused),
        ("unsupported_grant_type", Code::InputRefused),
        ("invalid_scope", Code::InputRefused),
        ("slow_down", Code::UnexpectedResponse),
    ] {
        let text = format!(r#"{{"error":"{error}","error_description":"hidden"}}"#);
        let (_, outcome) = play(&k(), &Task::Renew, vec![says(400, &text)]);
        assert_eq!(failure(outcome), (code, Some(400)), "{error}");
        assert_eq!(code.is_final(), error != "slow_down");
    }
    // Without an end it is taken to live an hour.
    let (_, outcome) = play(&k(), &Task::Renew, vec![says(200, r#"{"access_token":"hidden"}"#)]);
    let grant = granted(outcome);
    assert_eq!((grant.expires_in, grant.expires_at), (None, k().now.plus(secs(3600))));
    for text in [r#"{"access_token":"a b"}"#, "{}"] {
        let (_, outcome) = play(&k(), &Task::Renew, vec![says(200, text)]);
        assert_eq!(failure(outcome), (Code::UnexpectedResponse, Some(200)), "{text}");
    }
    for task in [Task::Check, Task::Request] {
        assert_eq!(failure(play(&k(), &task, vec![]).1), (Code::NoTokenSource, None), "it has no such thing");
    }
}

#[test]
fn f20_only_the_server_s_own_words_are_final() {
    for status in [401, 403, 422, 400, 404] {
        for text in ["", HTML, "{}", r#"{"message":"no"}"#, r#"{"error":"slow_down"}"#] {
            let k = Inputs::new(oauth2(CREDENTIALS));
            let (_, outcome) = play(&k, &Task::Renew, vec![says(status, text)]);
            assert_eq!(failure(outcome), (Code::UnexpectedResponse, Some(status)), "{text}");
        }
    }
    // Its own words with a status that it has from somebody in front of it.
    for (status, code) in [
        (400, Code::CredentialsRefused),
        (401, Code::CredentialsRefused),
        (200, Code::CredentialsRefused),
        (403, Code::UnexpectedResponse),
        (503, Code::ServerError),
    ] {
        let k = Inputs::new(oauth2(CREDENTIALS));
        let (_, outcome) = play(&k, &Task::Renew, vec![says(status, r#"{"error":"invalid_client"}"#)]);
        assert_eq!(failure(outcome), (code, Some(status)));
    }
}

/// `"3599"`, `0`, nothing, and what is absurd: the token is taken, and with it the refresh token that was rotated.
#[test]
fn f19_a_good_answer_is_not_thrown_away() {
    for (life, said, lives) in [
        (r#""3599""#, Some(3599), 3599),
        ("0", None, 3600),
        ("-1", None, 3600),
        ("null", None, 3600),
        ("1e18", None, 3600),
        ("1e400", None, 3600),
        (r#""soon""#, None, 3600),
        ("[]", None, 3600),
        ("120.5", Some(120), 120),
    ] {
        let mut k = Inputs::new(oauth2_rotating("hidden-seed"));
        let text = format!(r#"{{"expires_in":{life},"access_token":"hidden","refresh_token":"hidden-r2"}}"#);
        let (_, outcome) = play(&k, &Task::Renew, vec![says(200, &text)]);
        k.finish(protocol::Operation::Renew, outcome, 1);
        let held = k.account.held.clone().unwrap();
        assert_eq!((held.expires_in, held.lifetime().as_secs()), (said, lives), "{life}");
        assert_eq!(held.guessed, said.is_none(), "{life}");
        let (calls, _) = play(&k, &Task::Renew, vec![says(200, TOKEN)]);
        assert!(body(&calls[0]).contains("refresh_token=hidden-r2"), "{life}");
        let facturify = format!(r#"{{"jwt":{{"token":"hidden","expires_in":{life}}}}}"#);
        let k = Inputs::new(super::test_support::facturify());
        let grant = granted(play(&k, &Task::Obtain, vec![says(200, &facturify)]).1);
        assert_eq!((grant.expires_in, grant.provisional), (said, said.is_none_or(|s| s < 300)), "{life}");
    }
    // Without a token that can be used, the refresh token is kept all the same.
    for text in [
        r#"{"refresh_token":"hidden-r2"}"#,
        r#"{"refresh_token":"hidden-r2","access_token":"a b","expires_in":3600}"#,
        r#"{"refresh_token":"hidden-r2","access_token":7}"#,
        r#"{"refresh_token":"hidden-r2","error":"temporarily_unavailable"}"#,
    ] {
        let mut k = Inputs::new(oauth2_rotating("hidden-seed"));
        let (_, outcome) = play(&k, &Task::Renew, vec![says(200, text)]);
        assert_eq!(refused(k.finish(protocol::Operation::Renew, outcome, 1)).0, Code::UnexpectedResponse);
        assert!(k.account.live(k.now).is_none());
        let (calls, _) = play(&k, &Task::Renew, vec![says(200, TOKEN)]);
        assert!(body(&calls[0]).contains("refresh_token=hidden-r2"), "{text}");
    }
}

#[test]
fn f19_an_error_in_a_200_is_the_error() {
    for (error, code) in [
        ("invalid_grant", Code::GrantRefused),
        ("invalid_client", Code::CredentialsRefused),
        ("temporarily_unavailable", Code::UnexpectedResponse),
    ] {
        let text = format!(r#"{{"error":"{error}","access_token":"hidden"}}"#);
        let (_, outcome) = play(&Inputs::new(oauth2(CREDENTIALS)), &Task::Renew, vec![says(200, &text)]);
        assert_eq!(failure(outcome), (code, Some(200)), "{error}");
    }
    let none = says(200, r#"{"error":null,"access_token":"hidden","expires_in":60}"#);
    granted(play(&Inputs::new(oauth2(CREDENTIALS)), &Task::Renew, vec![none]).1);
}

/// The least of what is said, the JWT's `exp`, and the account's own bound; and what a refusal has taught.
#[test]
fn f19_the_life_is_the_least_of_all_words() {
    let bounded = || oauth2(&format!(r#"{CREDENTIALS},"lifetime_seconds":1800"#));
    for (provider, said, exp, lives) in [
        (oauth2(CREDENTIALS), Some(7200), Some(3000), 3000),
        (oauth2(CREDENTIALS), Some(600), Some(3000), 600),
        (oauth2(CREDENTIALS), None, Some(7200), 7200),
        (bounded(), Some(7200), Some(3000), 1800),
        (bounded(), None, None, 1800),
    ] {
        let k = Inputs::new(provider);
        let token = exp.map_or("hidden".to_owned(), |exp| jwt("t", k.now, k.now.plus(secs(exp))));
        let said = said.map_or(String::new(), |said: u64| format!(r#","expires_in":{said}"#));
        let text = format!(r#"{{"access_token":"{token}"{said}}}"#);
        let grant = granted(play(&k, &Task::Renew, vec![says(200, &text)]).1);
        assert_eq!(grant.expires_at.since(k.now).as_secs(), lives, "{text}");
    }
    let mut k = Inputs::new(oauth2(CREDENTIALS));
    let unsaid = |k: &Inputs| Outcome::Granted(Grant { guessed: true, ..grant("t", k.now, secs(3600)) });
    let outcome = unsaid(&k);
    k.finish(protocol::Operation::Renew, outcome, 1);
    k.advance(secs(1200));
    k.finish(protocol::Operation::Check, Outcome::Failed(Failure::new(Code::TokenRefused)), 1);
    let outcome = unsaid(&k);
    k.finish(protocol::Operation::Renew, outcome, 1);
    assert_eq!(k.account.held.as_ref().unwrap().lifetime(), secs(1200), "it was dead at that age");
    let outcome = Outcome::Granted(grant("t", k.now, secs(3600)));
    k.finish(protocol::Operation::Renew, outcome, 1);
    assert_eq!(k.account.held.as_ref().unwrap().lifetime(), secs(3600), "who says it knows better");
}
