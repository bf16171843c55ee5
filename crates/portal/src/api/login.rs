//! Logging in by the authorization code flow with PKCE (`OpenID` Connect Core 1.0 §3.1, RFC 7636), on the providers' own pages.

use super::ApiDriver;
use crate::browser::{Browser, Hop, Shown};
use crate::captcha::Solver;
use crate::code::{Code, Failure};
use crate::driver::{Credentials, Visit};
use crate::html::{Form, Kind};
use crate::net::Progress;
use crate::totp::{code_refused, one_time_password};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

/// More pages than these ask for nothing that is known.
const PAGES_MAX: usize = 10;

/// What was typed in so far, and what it is done with.
struct Typing<'a> {
    credentials: &'a Credentials,
    solver: Solver<'a>,
    /// Pages that were given the username.
    named: Vec<String>,
    password: bool,
    code: bool,
}

/// What a form asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Username,
    Password,
    Code,
}

impl ApiDriver {
    /// 1. Asks the provider for a code, and follows where that leads: to the pages of one provider or several.
    /// 2. Fills in what they ask for: the username, the password, a one-time password. Each is sent once, but after a captcha that
    ///    was not taken.
    /// 3. Stops at the redirect URI, which is not called, and believes its code only with the state that was sent (and the provider's
    ///    name, if it is told: RFC 9207).
    /// 4. Changes the code for tokens, once. An ID token must have the nonce that was sent.
    /// 5. Believes nothing but an access token that works.
    pub(super) async fn sign_in(
        &self,
        visit: &mut Visit<'_>,
        credentials: &Credentials,
    ) -> Result<(), Failure> {
        let (api, site) = (self.api()?, self.site()?);
        let unexpected = Failure::new(Code::UnexpectedResponse);
        let (state, nonce, verifier) = (random(visit)?, random(visit)?, random(visit)?);
        let challenge = Base64UrlUnpadded::encode_string(&Sha256::digest(verifier.as_bytes()));
        let end = Url::parse(&api.redirect_uri).map_err(|_| unexpected.clone())?;
        let mut authorize = Url::parse(&api.authorize_url).map_err(|_| unexpected.clone())?;
        authorize.query_pairs_mut().extend_pairs([
            ("client_id", api.client_id.as_str()),
            ("redirect_uri", &api.redirect_uri),
            ("response_type", "code"),
            ("scope", &api.scope),
            ("response_mode", "query"),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        visit.goes_to("login_page", format!("a form with the input {}", self.portal.login.username_input));
        let solver = Solver::new(&self.captcha, &credentials.captcha_api_key, visit.net.now());
        let mut typing = Typing { credentials, solver, named: Vec::new(), password: false, code: false };
        let mut browser = Browser::new(visit, &site);
        let mut hop = Hop::Goes(browser.to(&authorize)?);
        let mut pages = 0;
        let arrived = loop {
            match browser.follow_to(hop, &end).await? {
                Hop::Goes(arrived) => break arrived,
                Hop::Shown(_) if pages >= PAGES_MAX => return Err(unexpected),
                Hop::Shown(shown) => hop = self.answer(&mut browser, &shown, &mut typing).await?,
            }
            pages += 1;
        };
        let told = arrived.parameters();
        let told = |name: &str| told.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        visit.goes_to("code", "a code with the state that was sent");
        if told("state") != Some(&state) || told("iss").is_some_and(|iss| !is_of(iss, &authorize)) {
            return Err(Failure::with_message(
                Code::UnexpectedResponse,
                "The state is not the one that was sent",
            ));
        }
        if let Some(error) = told("error") {
            let code = if matches!(error, "server_error" | "temporarily_unavailable") {
                Code::ServerError
            } else {
                Code::UnexpectedResponse
            };
            return Err(Failure::with_message(code, &format!("The provider says {error}")));
        }
        let code = told("code").ok_or(unexpected)?;
        visit.net.progress(Progress::SignedIn(visit.jar.save()))?;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &api.redirect_uri),
            ("code_verifier", &verifier),
        ];
        visit.goes_to("token", "an access token");
        let got = self.token(visit, &fields).await.map_err(|failure| {
            // A code is good once: there is no session yet that could be over.
            let code = if failure.code == Code::LoggedOut { Code::UnexpectedResponse } else { failure.code };
            Failure { code, ..failure }
        });
        let (tokens, id_token) = got?;
        let claims = id_token.map(|token| claims(&token).ok_or(Failure::new(Code::UnexpectedResponse)));
        let claims = claims.transpose()?;
        if claims.as_ref().is_some_and(|claims| claims.get("nonce").and_then(Value::as_str) != Some(&nonce)) {
            return Err(Failure::with_message(
                Code::UnexpectedResponse,
                "The nonce is not the one that was sent",
            ));
        }
        visit.jar.tokens = Some(tokens);
        visit.goes_to("userinfo", "whose the token is");
        let owner = self.userinfo(visit).await?;
        let sub = |of: &Value| of.get("sub").and_then(Value::as_str).map(str::to_owned);
        // The two have to be of the same user (`OpenID` Connect Core 1.0 §5.3.2).
        if sub(&owner).is_none() || claims.is_some_and(|claims| sub(&claims) != sub(&owner)) {
            return Err(Failure::with_message(Code::UnexpectedResponse, "The token is another user's"));
        }
        visit.net.progress(Progress::SignedIn(visit.jar.save()))
    }

    /// Fills in what a page asks for, and sends it.
    async fn answer(
        &self,
        browser: &mut Browser<'_, '_>,
        shown: &Shown,
        typing: &mut Typing<'_>,
    ) -> Result<Hop, Failure> {
        let failure = |code| Failure::with_status(code, shown.status);
        let login = &self.portal.login;
        let says = |texts: &[String]| shown.document.says(texts);
        let mut again = false;
        if shown.status == 403 || says(&login.refused_automation) {
            return Err(failure(Code::RefusedAutomation));
        }
        if !typing.named.is_empty() {
            if says(&login.account_locked) {
                return Err(failure(Code::AccountLocked));
            }
            if says(&login.credentials_refused) {
                return Err(failure(Code::CredentialsRefused));
            }
            again = says(&login.captcha_refused);
        }
        let mut forms = shown.document.forms().into_iter().filter(|form| form.closed);
        let asking = forms.find_map(|form| Some((self.asks(&form)?, form)));
        let (asks, mut form) = asking.ok_or_else(|| failure(Code::UnexpectedResponse))?;
        if shown.document.is_cut_off() {
            return Err(failure(Code::UnexpectedResponse));
        }
        let place = format!("{}{}", shown.url.origin().ascii_serialization(), shown.url.path());
        let Typing { credentials, .. } = *typing;
        type_in(&mut form, &login.username_input, &credentials.username);
        match asks {
            Asks::Username if typing.named.contains(&place) && !again => {
                return Err(failure(Code::UnexpectedResponse));
            }
            Asks::Password if typing.password && !again => return Err(failure(Code::UnexpectedResponse)),
            Asks::Code if typing.code => return Err(code_refused(shown.status)),
            Asks::Username => {}
            Asks::Password => {
                type_in(&mut form, &login.password_input, credentials.password.expose());
            }
            Asks::Code => {
                browser.visit.goes_to("one_time_password", "a page after the one-time password");
                let code = one_time_password(browser.visit, credentials).await?;
                type_in(&mut form, login.totp_input.as_deref().unwrap_or_default(), code.expose());
            }
        }
        browser.prepare(&shown.url, &form)?;
        if let Some(site_key) = shown.document.site_key() {
            let input = login.captcha_input.as_ref().ok_or_else(|| failure(Code::UnexpectedResponse))?;
            browser.visit.goes_to("captcha", "a solution of the captcha");
            browser.visit.net.progress(Progress::Paying)?;
            let solution = typing.solver.solve(browser.visit, site_key, &shown.url).await?;
            form.put(input, solution.expose());
        } else if again {
            return Err(failure(Code::CaptchaUnsolved));
        }
        let prepared = browser.prepare(&shown.url, &form)?;
        typing.named.push(place);
        if asks == Asks::Password {
            browser.visit.goes_to("password", "the redirect URI");
            browser.visit.net.may_send().await?;
            browser.visit.net.progress(Progress::Sending)?;
            typing.password = true;
        }
        typing.code |= asks == Asks::Code;
        browser.go(prepared).await
    }

    fn asks(&self, form: &Form) -> Option<Asks> {
        let totp = self.portal.login.totp_input.as_deref();
        if form.has_password() {
            Some(Asks::Password)
        } else if totp.is_some_and(|totp| input(form, totp).is_some()) {
            Some(Asks::Code)
        } else {
            input(form, &self.portal.login.username_input).map(|_| Asks::Username)
        }
    }
}

/// The input of this name as the form writes it: one provider's `Username` is another's `username`.
fn input(form: &Form, name: &str) -> Option<String> {
    let typed = |kind: &Kind| matches!(kind, Kind::Text(_) | Kind::Password(_));
    let input = form.controls.iter().find(|c| typed(&c.kind) && c.name.eq_ignore_ascii_case(name));
    input.map(|control| control.name.clone())
}

fn type_in(form: &mut Form, name: &str, text: &str) {
    if let Some(name) = input(form, name) {
        form.type_in(&name, text);
    }
}

/// 256 random bits, as they stand in an address.
fn random(visit: &Visit<'_>) -> Result<String, Failure> {
    Ok(Base64UrlUnpadded::encode_string(&visit.net.random()?))
}

fn is_of(issuer: &str, authorize: &Url) -> bool {
    Url::parse(issuer).is_ok_and(|issuer| issuer.origin() == authorize.origin())
}

/// What an ID token says. It came from the token endpoint itself, which vouches for it (`OpenID` Connect Core 1.0 §3.1.3.7).
fn claims(token: &str) -> Option<Value> {
    let payload = Base64UrlUnpadded::decode_vec(token.split('.').nth(1)?).ok()?;
    base::json::read_bytes(&payload).ok()
}
