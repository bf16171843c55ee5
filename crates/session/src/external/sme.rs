//! The bank's session service: `validate-session` over HTTP.

use super::{Channel, Question, Verdict, Verifier};
use base::call::json;
use base::call::{Answer, Call, Code, Failure};
use base::secret::Secret;
use serde_json::{Map, Value};
use std::time::Duration;

/// Behind the base URL, and behind `/api/v1` in the mock.
pub const PATH: &str = "/corporate/relationship-management/marketing/v1/customer/validate-session";

#[derive(Clone, Debug)]
pub struct Sme {
    pub base_url: String,
    pub api_key: Secret,
    pub timeout: Duration,
}

/// What is set of it for all channels.
#[derive(Clone, Debug)]
pub struct SmeSettings {
    pub base_url: Option<String>,
    pub api_key: Option<Secret>,
    pub timeout: Duration,
}

impl SmeSettings {
    /// The service of a channel: where the channel says, else where it is for all.
    pub fn of(&self, channel: &Channel) -> Option<Sme> {
        let base_url = channel.verify_base_url.clone().or_else(|| self.base_url.clone())?;
        Some(Sme { base_url, api_key: self.api_key.clone()?, timeout: self.timeout })
    }
}

impl Verifier for Sme {
    fn call(&self, question: &Question<'_>) -> Call {
        let headers = vec![
            ("content-type", Secret::new("application/json")),
            ("accept", Secret::new("application/json")),
            ("apikey", self.api_key.clone()),
            ("x-request-id", Secret::new(question.request_id)),
            ("x-session-token", question.token.clone()),
            ("x-user-id", Secret::new(question.cif)),
        ];
        Call {
            method: "POST",
            url: format!("{}{PATH}", self.base_url),
            headers,
            body: Some(Secret::new("{}")),
            binding: None,
            timeout: self.timeout,
        }
    }

    fn read(&self, question: &Question<'_>, answer: Answer) -> Result<Verdict, Failure> {
        let retry_after = answer.retry_after();
        let (status, body) = answer.read()?;
        let unclear = Failure { retry_after, ..Failure::with_status(Code::UnexpectedResponse, status) };
        match status {
            200 => {}
            401 => return Ok(Verdict::Refused),
            _ => return Err(unclear),
        }
        let Value::Object(body) = json(status, &body)? else { return Err(unclear) };
        let none = Map::new();
        let data = match (body.get("status"), body.get("data")) {
            (Some(Value::String(word)), Some(Value::Object(data))) if word == "success" => data,
            (None, Some(Value::Object(data))) => data,
            // Left out is as bad as expired; without the word it may be anybody's JSON.
            (Some(Value::String(word)), None | Some(Value::Null)) if word == "success" => &none,
            _ => return Err(unclear),
        };
        let same = match data.get("userId") {
            None | Some(Value::Null) => true,
            Some(Value::String(id)) => id == question.cif,
            Some(Value::Number(id)) => id.to_string() == question.cif,
            Some(_) => return Err(unclear),
        };
        match data.get("isExpire") {
            // Whose it is comes first: a stranger's token says nothing about this customer.
            Some(Value::Bool(_) | Value::Null) | None if !same => Ok(Verdict::Refused),
            Some(Value::Bool(false)) => Ok(Verdict::Valid),
            Some(Value::Bool(true) | Value::Null) | None => Ok(Verdict::Expired),
            Some(_) => Err(unclear),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sme() -> Sme {
        Sme {
            base_url: "https://sme.example.com/x".to_owned(),
            api_key: Secret::new("key"),
            timeout: Duration::from_secs(10),
        }
    }

    fn ask(answer: Answer) -> Result<Verdict, Code> {
        let token = Secret::new("t");
        let question = Question { cif: "123", token: &token, request_id: "r" };
        sme().read(&question, answer).map_err(|failure| failure.code)
    }

    fn response(status: u16, body: &str) -> Answer {
        Answer::Response { status, retry_after: None, body: Secret::new(body) }
    }

    #[test]
    fn the_call_is_that_of_the_contract() {
        let token = Secret::new("t");
        let call = sme().call(&Question { cif: "123", token: &token, request_id: "r" });
        assert_eq!((call.method, call.body.as_ref().map(Secret::expose)), ("POST", Some("{}")));
        assert_eq!(call.url, format!("https://sme.example.com/x{PATH}"));
        let header = |name: &str| call.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.expose());
        assert_eq!(header("apikey"), Some("key"));
        assert_eq!(header("x-session-token"), Some("t"));
        assert_eq!((header("x-user-id"), header("x-request-id")), (Some("123"), Some("r")));
    }

    #[test]
    fn an_answer_of_200_is_read() {
        for (body, expected) in [
            (r#"{"status":"success","data":{"isExpire":false,"userId":"123"}}"#, Ok(Verdict::Valid)),
            (r#"{"status":"success","data":{"isExpire":false,"userId":123}}"#, Ok(Verdict::Valid)),
            (r#"{"status":"success","data":{"isExpire":false}}"#, Ok(Verdict::Valid)),
            (r#"{"data":{"isExpire":false,"userId":null}}"#, Ok(Verdict::Valid)),
            (r#"{"status":"success","data":{"isExpire":true,"userId":"123"}}"#, Ok(Verdict::Expired)),
            (r#"{"status":"success","data":{"userId":"123"}}"#, Ok(Verdict::Expired)),
            (r#"{"status":"success","data":{"isExpire":null}}"#, Ok(Verdict::Expired)),
            (r#"{"status":"success","data":{}}"#, Ok(Verdict::Expired)),
            (r#"{"status":"success"}"#, Ok(Verdict::Expired)),
            (r#"{"status":"success","data":{"isExpire":false,"userId":"124"}}"#, Ok(Verdict::Refused)),
            (r#"{"status":"success","data":{"isExpire":true,"userId":"124"}}"#, Ok(Verdict::Refused)),
            (r#"{"status":"success","data":{"isExpire":false,"userId":""}}"#, Ok(Verdict::Refused)),
            (r#"{"status":"error","data":{"isExpire":false}}"#, Err(Code::UnexpectedResponse)),
            (r#"{"status":"error","data":null}"#, Err(Code::UnexpectedResponse)),
            (r#"{"status":"error"}"#, Err(Code::UnexpectedResponse)),
            (r#"{"status":"success","data":{"isExpire":"false"}}"#, Err(Code::UnexpectedResponse)),
            (
                r#"{"status":"success","data":{"isExpire":false,"userId":["123"]}}"#,
                Err(Code::UnexpectedResponse),
            ),
            (r#"{"status":"success","data":[]}"#, Err(Code::UnexpectedResponse)),
            (r#"{"unexpected":1}"#, Err(Code::UnexpectedResponse)),
            ("{}", Err(Code::UnexpectedResponse)),
            ("[]", Err(Code::UnexpectedResponse)),
            ("<html>", Err(Code::UnexpectedResponse)),
            ("", Err(Code::UnexpectedResponse)),
        ] {
            assert_eq!(ask(response(200, body)), expected, "{body}");
        }
    }

    #[test]
    fn only_401_refuses_and_everything_else_is_unknown() {
        let valid = r#"{"status":"success","data":{"isExpire":false}}"#;
        assert_eq!(ask(response(401, "")), Ok(Verdict::Refused));
        for (answer, code) in [
            (response(201, valid), Code::UnexpectedResponse),
            (response(204, ""), Code::UnexpectedResponse),
            (response(302, valid), Code::Redirected),
            (response(400, valid), Code::UnexpectedResponse),
            (response(403, valid), Code::UnexpectedResponse),
            (response(404, valid), Code::UnexpectedResponse),
            (response(429, ""), Code::RateLimited),
            (response(500, valid), Code::ServerError),
            (response(503, "<html>"), Code::ServerError),
            (Answer::TimedOut, Code::Timeout),
            (Answer::Unreachable, Code::Unreachable),
            (Answer::TooLong, Code::UnexpectedResponse),
        ] {
            assert_eq!(ask(answer.clone()), Err(code), "{answer:?}");
        }
    }
}
