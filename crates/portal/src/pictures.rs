//! Pictures of pages, for whoever asks with `debug` what an operation has seen. They are there for that alone: one that cannot be
//! taken or kept is told, and changes nothing else.

use super::cdp::Tab;
use super::driver::{Request, Visit};
use base::clock::Timestamp;
use base::ids::PortalId;
use base::ports::Stored;
use base::secret::Secret;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The most of one operation, with those that were not taken.
pub const PICTURES_MAX: usize = 20;
/// How long one may take, and all of an operation.
const ONE_MAX: Duration = Duration::from_secs(5);
const ALL_MAX: Duration = Duration::from_secs(30);
/// An operation with less time than this left has better things to do.
const LEFT_LEAST: Duration = Duration::from_secs(15);
/// Of what is written on a picture and kept with it, in characters.
const TEXT_MAX: usize = 200;

/// A picture of a page, with what is written on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// JPEG.
    pub bytes: Vec<u8>,
    pub taken_at: Timestamp,
    /// What was done last.
    pub step: String,
    /// Of the page, without its query.
    pub address: String,
    pub username: String,
    pub container: Option<String>,
}

impl Picture {
    /// As it lies in a bucket.
    pub fn stored(&self, kept: Duration) -> Stored {
        let facts = [
            (EXPIRES_AT, self.taken_at.plus(kept).seconds().to_string()),
            ("taken_at", self.taken_at.rfc3339()),
            ("step", self.step.clone()),
            ("address", self.address.clone()),
            ("username", self.username.clone()),
        ];
        let container = self.container.clone().map(|container| ("container", container));
        let facts = facts.into_iter().chain(container);
        Stored {
            bytes: self.bytes.clone(),
            content_type: CONTENT_TYPE.to_owned(),
            metadata: facts.map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }
}

/// Why there is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// There is a password on the page, or it cannot be told that there is none.
    Password,
    NotTaken,
    NotStored,
    /// There were as many, or they have taken as long, as an operation may have.
    Limit,
}

impl Missing {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::NotTaken => "not_taken",
            Self::NotStored => "not_stored",
            Self::Limit => "limit",
        }
    }
}

/// Those of an operation.
#[derive(Clone, Debug)]
pub struct Pictures {
    username: String,
    /// Not to be seen on any.
    password: Secret,
    container: Option<String>,
    kept: Vec<Value>,
    missing: Vec<Value>,
    spent: Duration,
    is_over: bool,
}

impl Pictures {
    pub fn new(username: &str, password: Secret, request: &Request) -> Self {
        Self {
            username: shown(username),
            password,
            container: container(request),
            kept: Vec::new(),
            missing: Vec::new(),
            spent: Duration::ZERO,
            is_over: false,
        }
    }

    /// As an answer's `debug` has them.
    pub fn told(&self) -> (Vec<Value>, Vec<Value>) {
        (self.kept.clone(), self.missing.clone())
    }

    /// In `debug`.
    pub fn tell(&self, debug: &mut Map<String, Value>) {
        let (kept, missing) = self.told();
        tell(debug, kept, missing);
    }

    async fn add(&mut self, visit: &Visit<'_>, tab: &mut Tab<'_>, step: &str) -> Result<(), Missing> {
        let began = visit.net.now();
        if self.kept.len() + self.missing.len() >= PICTURES_MAX
            || self.spent >= ALL_MAX
            || visit.deadline.since(began) < LEFT_LEAST
        {
            self.is_over = true;
            return Err(Missing::Limit);
        }
        let kept = self.take(visit, tab, step).await;
        self.spent += visit.net.now().since(began);
        self.kept.push(kept?);
        Ok(())
    }

    async fn take(&self, visit: &Visit<'_>, tab: &mut Tab<'_>, step: &str) -> Result<Value, Missing> {
        let taken_at = visit.net.now();
        let (address, path) = match tab.url() {
            Some(url) => (format!("{}{}", url.origin().ascii_serialization(), url.path()), url.path()),
            None => (String::new(), ""),
        };
        let (address, path) = (shown(&address), shown(path));
        let container = self.container.as_ref().map(|container| format!("   container {container}"));
        let lines = [
            format!("{}   {address}", taken_at.rfc3339()),
            format!("user {}{}   {step}", self.username, container.unwrap_or_default()),
        ];
        let bytes = tab.picture(&lines, &self.password, ONE_MAX).await?;
        let picture = Picture {
            bytes,
            taken_at,
            step: step.to_owned(),
            address,
            username: self.username.clone(),
            container: self.container.clone(),
        };
        let url = visit.net.keep_picture(&picture).await.ok_or(Missing::NotStored)?;
        Ok(json!({ "url": url, "taken_at": taken_at.rfc3339(), "step": step, "path": path }))
    }
}

/// Puts them where an answer has them.
pub fn tell(debug: &mut Map<String, Value>, kept: Vec<Value>, missing: Vec<Value>) {
    debug.insert("screenshots".to_owned(), kept.into());
    if !missing.is_empty() {
        debug.insert("screenshots_missing".to_owned(), missing.into());
    }
}

/// Takes one of what the page shows now, if pictures are wanted of this visit.
pub(super) async fn picture(visit: &mut Visit<'_>, tab: &mut Tab<'_>, step: &str) {
    let Some(mut pictures) = visit.pictures.take() else { return };
    let step = shown(step);
    if !pictures.is_over
        && let Err(why) = pictures.add(visit, tab, &step).await
    {
        pictures.missing.push(json!({ "step": step, "reason": why.as_str() }));
    }
    visit.pictures = Some(pictures);
}

/// The container that an operation is about, by the names that fields have for it.
fn container(request: &Request) -> Option<String> {
    let before = request.wizard.iter().flat_map(|wizard| &wizard.fields);
    let mut fields = request.fields.iter().chain(before).filter(|(name, _)| name.contains("container"));
    fields.find_map(|(_, value)| value.as_str()).map(shown)
}

/// On one line, and not too long.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_MAX).collect()
}

/// Where it lies. `session` is a keyed hash: whoever sees the names of all objects learns no session's id.
pub fn key(session: &str, name: &str) -> String {
    ["screenshots/", session, "/", name].concat()
}

/// What is hashed for it.
pub const KEY_PURPOSE: &str = "portal/screenshots";
/// With an object: when it may no longer be read, in seconds since 1970.
const EXPIRES_AT: &str = "expires_at";
pub const CONTENT_TYPE: &str = "image/jpeg";

/// Whether it may be read still. Of what does not say until when, nobody knows.
pub fn is_current(stored: &Stored, now: Timestamp) -> bool {
    let until = stored.metadata.get(EXPIRES_AT).and_then(|seconds| seconds.parse().ok());
    until.is_some_and(|until| now < Timestamp::from_seconds(until))
}

/// Where callers read it.
pub fn path(session_id: &PortalId, name: &str) -> String {
    ["/sessions/", session_id.as_str(), "/screenshots/", name].concat()
}

const SUFFIX: &str = ".jpg";

/// What a picture is called, by 128 random bits in hexadecimal.
pub fn name(random: &str) -> String {
    [random, SUFFIX].concat()
}

pub fn is_name(name: &str) -> bool {
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    name.strip_suffix(SUFFIX).is_some_and(|random| random.len() == 32 && random.bytes().all(is_hex))
}
