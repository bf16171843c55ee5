//! Calls in JSON: with the access token, and those that get one.

use super::ApiDriver;
use crate::code::{Code, Failure};
use crate::driver::Visit;
use crate::html;
use crate::jar::Tokens;
use crate::net::{Answer, Fetch, Page, Progress};
use base::charset::Charset;
use base::secret::Secret;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// Of an access token whose life is not told (RFC 6749 §5.1 only recommends it). One that ends before is noticed by its 401.
const LIFE: Duration = Duration::from_hours(1);
const LIFE_MAX: u64 = 30 * 24 * 3600;

const JSON: &str = "application/json";

/// What is sent, if anything is, and its type.
pub(super) type Body<'a> = Option<(String, &'a str)>;

impl ApiDriver {
    /// Calls an address behind the base URL, for an answer that is good.
    pub(super) async fn call(
        &self,
        visit: &mut Visit<'_>,
        path: &str,
        json: &Value,
    ) -> Result<Value, Failure> {
        let page = self.ask(visit, path, json).await?;
        if page.status == 404 {
            let said = base::json::value(page.body.expose()).unwrap_or_default();
            let said = said.get("message").and_then(Value::as_str);
            let failure = said.map(|said| Failure::with_message(Code::NotFound, said));
            let failure = failure.unwrap_or(Failure::new(Code::NotFound));
            return Err(Failure { status: Some(404), ..failure });
        }
        read(&page)
    }

    /// The same, for any answer. A token that is refused is renewed once; nothing was done then, so the call may be made again.
    pub(super) async fn ask(&self, visit: &mut Visit<'_>, path: &str, json: &Value) -> Result<Page, Failure> {
        let url = self.site()?.at(path).ok_or(Failure::new(Code::UnexpectedResponse))?;
        self.authorized(visit, &url, Some(json.to_string())).await
    }

    /// A call that is made once, whatever the answer is.
    pub(super) async fn ask_once(
        &self,
        visit: &mut Visit<'_>,
        path: &str,
        json: &Value,
    ) -> Result<Page, Failure> {
        let url = self.site()?.at(path).ok_or(Failure::new(Code::UnexpectedResponse))?;
        let token = access_token(visit)?;
        self.fetch(visit, &url, Some((json.to_string(), JSON)), Some(&token)).await
    }

    /// Whose the access token is. Only a token that works has an answer.
    pub(super) async fn userinfo(&self, visit: &mut Visit<'_>) -> Result<Value, Failure> {
        let (url, token) = (address(&self.api()?.userinfo_url)?, access_token(visit)?);
        read(&self.fetch(visit, &url, None, Some(&token)).await?)
    }

    /// Whether the login is good, before something that is done once.
    pub(super) async fn prove(&self, visit: &mut Visit<'_>) -> Result<(), Failure> {
        let url = address(&self.api()?.userinfo_url)?;
        read(&self.authorized(visit, &url, None).await?).map(drop)
    }

    async fn authorized(
        &self,
        visit: &mut Visit<'_>,
        url: &Url,
        json: Option<String>,
    ) -> Result<Page, Failure> {
        let mut renewed = false;
        loop {
            let token = access_token(visit)?;
            let body = json.clone().map(|json| (json, JSON));
            let page = self.fetch(visit, url, body, Some(&token)).await?;
            match page.status {
                401 if renewed => return Err(Failure::with_status(Code::LoggedOut, 401)),
                401 => self.refresh(visit).await?,
                _ => return Ok(page),
            }
            renewed = true;
        }
    }

    /// Gets tokens (RFC 6749 §3.2), and the ID token if one came. A code or refresh token that is refused is [`Code::LoggedOut`].
    pub(super) async fn token(
        &self,
        visit: &mut Visit<'_>,
        fields: &[(&str, &str)],
    ) -> Result<(Tokens, Option<String>), Failure> {
        let api = self.api()?;
        let asked = visit.net.now();
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &api.client_id)
            .extend_pairs(fields)
            .finish();
        let body = Some((form, "application/x-www-form-urlencoded"));
        let page = self.fetch(visit, &address(&api.token_url)?, body, None).await?;
        let unexpected = Failure::with_status(Code::UnexpectedResponse, page.status);
        let answer = base::json::value(page.body.expose()).map_err(|_| unexpected.clone())?;
        if page.status >= 300 {
            let error = answer.get("error").and_then(Value::as_str).unwrap_or("no error code");
            let code = if error == "invalid_grant" { Code::LoggedOut } else { Code::UnexpectedResponse };
            let failure = Failure::with_message(code, &format!("The token endpoint says {error}"));
            return Err(Failure { status: Some(page.status), ..failure });
        }
        let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let life =
            answer.get("expires_in").and_then(Value::as_u64).map(|s| Duration::from_secs(s.min(LIFE_MAX)));
        let tokens = Tokens {
            access_token: Secret::new(text("access_token").ok_or(unexpected)?),
            refresh_token: text("refresh_token").map(Secret::new),
            expires_at: asked.plus(life.unwrap_or(LIFE)),
            issued_at: asked,
        };
        Ok((tokens, text("id_token").map(str::to_owned)))
    }

    /// A new access token. The new refresh token is kept before anything else: the old one may be over. An answer that is lost is
    /// asked for once more, with the old one.
    pub(super) async fn refresh(&self, visit: &mut Visit<'_>) -> Result<(), Failure> {
        let old = visit.jar.tokens.as_ref().and_then(|tokens| tokens.refresh_token.clone());
        let old = old.ok_or(Failure::new(Code::LoggedOut))?;
        let fields = [("grant_type", "refresh_token"), ("refresh_token", old.expose())];
        let got = match self.token(visit, &fields).await {
            Err(failure) if matches!(failure.code, Code::Timeout | Code::Unreachable) => {
                self.token(visit, &fields).await
            }
            got => got,
        };
        let (tokens, _) = got?;
        let refresh_token = tokens.refresh_token.or(Some(old));
        visit.jar.tokens = Some(Tokens { refresh_token, ..tokens });
        visit.net.progress(Progress::Renewed(visit.jar.save()))
    }

    /// Takes the refresh token back, and with it what was made of it.
    pub(super) async fn revoke(&self, visit: &mut Visit<'_>) -> Result<(), Failure> {
        let api = self.api()?;
        let token = visit.jar.tokens.take().and_then(|tokens| tokens.refresh_token);
        let (Some(url), Some(token)) = (&api.revocation_url, token) else { return Ok(()) };
        let fields = [
            ("client_id", api.client_id.as_str()),
            ("token", token.expose()),
            ("token_type_hint", "refresh_token"),
        ];
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let body = Some((form, "application/x-www-form-urlencoded"));
        let page = self.fetch(visit, &address(url)?, body, None).await?;
        if page.status < 300 { Ok(()) } else { Err(unexpected(&page)) }
    }

    /// One call, no sooner after the last than the document says. Its status is below 500 and no redirect.
    async fn fetch(
        &self,
        visit: &mut Visit<'_>,
        url: &Url,
        body: Body<'_>,
        token: Option<&Secret>,
    ) -> Result<Page, Failure> {
        let now = visit.net.now();
        let interval = self.api()?.interval;
        let wait = visit.called_at.map(|at| at.plus(interval).since(now)).unwrap_or_default();
        if !wait.is_zero() {
            let wait = visit.left(wait)?;
            visit.net.wait(wait).await;
        }
        let timeout = visit.left(self.timeout)?;
        let mut headers = vec![
            ("accept", Secret::new("application/json")),
            ("user-agent", Secret::new(self.portal.user_agent.as_str())),
        ];
        headers.extend(token.map(base::call::bearer));
        headers.extend(body.as_ref().map(|(_, kind)| ("content-type", Secret::new(*kind))));
        headers.extend(visit.jar.header(url).map(|cookies| ("cookie", cookies)));
        let method = if body.is_some() { "POST" } else { "GET" };
        let body = body.map(|(text, _)| Secret::new(text));
        let fetch =
            Fetch { method, url: url.as_str().to_owned(), headers, body, charset: Charset::Utf8, timeout };
        visit.asks(url);
        let answer = visit.call(url, &fetch).await;
        visit.called_at = Some(visit.net.now());
        let page = match answer {
            Answer::Page(page) => page,
            Answer::TooLong => return Err(Failure::new(Code::UnexpectedResponse)),
            Answer::TimedOut if timeout < self.timeout => return Err(Failure::new(Code::OutOfTime)),
            Answer::TimedOut => return Err(Failure::new(Code::Timeout)),
            Answer::Unreachable => return Err(Failure::new(Code::Unreachable)),
        };
        for cookie in &page.cookies {
            visit.jar.take(cookie, url);
        }
        let failure =
            |code| Failure { retry_after: page.retry_after, ..Failure::with_status(code, page.status) };
        // A page in place of JSON is not the API's own answer: a firewall in front of it forbids, or asks whether this is a robot.
        let is_page = page.body.expose().trim_start().starts_with('<');
        if is_page {
            visit.sees(page.status, None, &page.body);
            let document = html::Document::parse(page.body.expose());
            if page.status == 403 || document.says(&self.portal.login.refused_automation) {
                return Err(failure(Code::RefusedAutomation));
            }
        }
        match page.status {
            429 => Err(failure(Code::RateLimited)),
            500.. => Err(failure(Code::ServerError)),
            300..=399 => Err(failure(Code::Redirected)),
            _ => Ok(page),
        }
    }
}

fn address(url: &str) -> Result<Url, Failure> {
    Url::parse(url).map_err(|_| Failure::new(Code::UnexpectedResponse))
}

fn access_token(visit: &Visit<'_>) -> Result<Secret, Failure> {
    let token = visit.jar.tokens.as_ref().map(|tokens| tokens.access_token.clone());
    token.ok_or(Failure::new(Code::LoggedOut))
}

fn unexpected(page: &Page) -> Failure {
    Failure::with_status(Code::UnexpectedResponse, page.status)
}

/// The JSON of a good answer.
pub(super) fn read(page: &Page) -> Result<Value, Failure> {
    if page.status >= 300 {
        return Err(unexpected(page));
    }
    base::json::value(page.body.expose()).map_err(|_| unexpected(page))
}
