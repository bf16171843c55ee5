//! 2captcha: somebody solves a picture puzzle for a fee. Its errors come with status 200, and mean different things.

use super::code::{Code, Failure};
use super::driver::Visit;
use super::net::{Answer, Fetch, Page};
use base::charset::Charset;
use base::clock::Timestamp;
use base::secret::Secret;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use url::Url;

#[derive(Clone, Debug)]
pub struct Captcha {
    pub base_url: String,
    /// Between two questions whether it is solved.
    pub poll: Duration,
    /// For all solutions of one login together.
    pub timeout: Duration,
    /// Most puzzles that one login may pay for.
    pub tasks_max: u32,
    pub call_timeout: Duration,
}

/// Solves the puzzles of one login.
pub struct Solver<'a> {
    captcha: &'a Captcha,
    key: &'a Secret,
    until: Timestamp,
    /// Puzzles that were taken, or may have been.
    tasks: u32,
    /// The service is not to be asked before.
    not_before: Timestamp,
}

/// What an answer says.
enum Said {
    /// The number of a puzzle, or its solution.
    Done(String),
    /// `CAPCHA_NOT_READY`, `ERROR_…`.
    Code(String),
    /// Nothing that is understood.
    Lost,
}

/// What came of one puzzle.
enum End {
    Solved(Secret),
    /// Another puzzle is needed: this is why, if there is none.
    Again(Code),
}

#[derive(Deserialize)]
struct Body {
    status: Value,
    request: Value,
}

impl<'a> Solver<'a> {
    pub fn new(captcha: &'a Captcha, key: &'a Secret, now: Timestamp) -> Self {
        Self { captcha, key, until: now.plus(captcha.timeout), tasks: 0, not_before: now }
    }

    /// A solution for the puzzle of a page. Ask again if the portal does not take it: that is another puzzle, as long as
    /// there may be one.
    pub async fn solve(
        &mut self,
        visit: &mut Visit<'_>,
        site_key: &str,
        page: &Url,
    ) -> Result<Secret, Failure> {
        let mut why = Code::CaptchaUnsolved;
        while self.tasks < self.captcha.tasks_max {
            match self.puzzle(visit, site_key, page).await? {
                End::Solved(solution) => return Ok(solution),
                End::Again(code) => why = code,
            }
            if self.tasks < self.captcha.tasks_max {
                self.pause(visit, why).await?;
            }
        }
        let named = self.not_before.since(visit.net.now());
        let retry_after = Some(named).filter(|named| !named.is_zero());
        Err(Failure { retry_after, ..Failure::new(why) })
    }

    async fn puzzle(&mut self, visit: &mut Visit<'_>, site_key: &str, page: &Url) -> Result<End, Failure> {
        let mut page = page.clone();
        page.set_query(None);
        page.set_fragment(None);
        let fields = [
            ("key", self.key.expose()),
            ("method", "userrecaptcha"),
            ("googlekey", site_key),
            ("pageurl", page.as_str()),
            ("json", "1"),
        ];
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        // Counted before it is known: an answer that is lost may have cost something.
        self.tasks += 1;
        let id = loop {
            match self.ask(visit, "/in.php", None, Some(&form)).await? {
                Said::Done(id) => break id,
                Said::Code(code) if code == "ERROR_NO_SLOT_AVAILABLE" => {
                    self.pause(visit, Code::CaptchaBusy).await?;
                }
                Said::Code(code) => return again_or_final(&code),
                Said::Lost => return Ok(End::Again(Code::CaptchaFailed)),
            }
        };
        let query = [("key", self.key.expose()), ("action", "get"), ("id", &id), ("json", "1")];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        loop {
            self.pause(visit, Code::CaptchaTimeout).await?;
            match self.ask(visit, "/res.php", Some(&query), None).await? {
                Said::Done(solution) => return Ok(End::Solved(Secret::new(solution))),
                Said::Code(code) if code == "CAPCHA_NOT_READY" => {}
                Said::Code(code) => return again_or_final(&code),
                // The puzzle is paid for: its solution is asked for as long as there is time.
                Said::Lost => {}
            }
        }
    }

    /// Waits until the next call. `code` is why there is none, if the time is up before.
    async fn pause(&self, visit: &mut Visit<'_>, code: Code) -> Result<(), Failure> {
        let named = self.not_before.since(visit.net.now());
        let wait = self.captcha.poll.max(named);
        if self.left(visit) <= wait {
            let retry_after = Some(named).filter(|named| !named.is_zero());
            return Err(Failure { retry_after, ..Failure::new(code) });
        }
        visit.net.wait(wait).await;
        Ok(())
    }

    fn left(&self, visit: &Visit<'_>) -> Duration {
        self.until.min(visit.deadline).since(visit.net.now())
    }

    async fn ask(
        &mut self,
        visit: &mut Visit<'_>,
        path: &str,
        query: Option<&str>,
        form: Option<&str>,
    ) -> Result<Said, Failure> {
        let timeout = self.left(visit).min(self.captcha.call_timeout);
        if timeout.is_zero() {
            return Err(Failure::new(Code::CaptchaTimeout));
        }
        let url = Url::parse(&format!("{}{path}", self.captcha.base_url.trim_end_matches('/')));
        let mut url = url.map_err(|_| Failure::new(Code::CaptchaFailed))?;
        url.set_query(query);
        let mut headers = vec![("accept", Secret::new("application/json"))];
        if form.is_some() {
            headers.push(("content-type", Secret::new("application/x-www-form-urlencoded")));
        }
        let method = if form.is_some() { "POST" } else { "GET" };
        let fetch = Fetch {
            method,
            url: url.as_str().to_owned(),
            headers,
            body: form.map(Secret::new),
            charset: Charset::Utf8,
            timeout,
        };
        let answer = visit.call(&url, &fetch).await;
        if let Answer::Page(Page { retry_after: Some(wait), .. }) = &answer {
            self.not_before = visit.net.now().plus(*wait);
        }
        Ok(match answer {
            Answer::Page(page) if page.status < 300 => said(page.body.expose()),
            // Codes come with other statuses, too, but then only codes are believed.
            Answer::Page(page) if (400..500).contains(&page.status) && page.status != 429 => {
                match said(page.body.expose()) {
                    Said::Code(code) => Said::Code(code),
                    _ => Said::Lost,
                }
            }
            _ => Said::Lost,
        })
    }
}

/// Errors come as bare text at times, also where JSON was asked for.
fn said(body: &str) -> Said {
    let body = body.trim();
    let is_code = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_';
    if (body.starts_with("ERROR_") || body == "CAPCHA_NOT_READY" || body == "IP_BANNED")
        && body.bytes().all(is_code)
    {
        return Said::Code(body.to_owned());
    }
    let Ok(Body { status, request }) = base::json::read(body) else { return Said::Lost };
    let request = match request {
        Value::String(text) if !text.is_empty() => text,
        Value::Number(number) => number.to_string(),
        _ => return Said::Lost,
    };
    match status {
        Value::Number(n) if n.as_u64() == Some(1) => Said::Done(request),
        Value::Number(n) if n.as_u64() == Some(0) => Said::Code(request),
        _ => Said::Lost,
    }
}

fn again_or_final(code: &str) -> Result<End, Failure> {
    Err(Failure::new(match code {
        "ERROR_CAPTCHA_UNSOLVABLE" => return Ok(End::Again(Code::CaptchaUnsolved)),
        "ERROR_WRONG_USER_KEY" | "ERROR_KEY_DOES_NOT_EXIST" => Code::CaptchaKeyRefused,
        "ERROR_ZERO_BALANCE" => Code::CaptchaNoBalance,
        _ => Code::CaptchaFailed,
    }))
}
