//! A picture of a page, never of one with a password on it.

use super::super::code::{Code, Failure};
use super::super::pictures::Missing;
use super::{COMMAND_MAX, Tab, Unanswered, lost};
use base::secret::Secret;
use base64ct::{Base64, Encoding as _};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// A larger one is none. The page is as large as its window.
const BYTES_MAX: usize = 512 * 1024;
/// The most that is looked at of what a search has found.
const FOUND_MAX: u64 = 60;

/// What the page says of itself, beside its scripts.
#[derive(Deserialize)]
struct Looked {
    /// Of those that could be found.
    frames: usize,
    /// What cannot be looked into: it is covered.
    covered: Value,
}

#[derive(Deserialize)]
struct Described {
    #[serde(rename = "nodeName", default)]
    node_name: String,
}

impl Tab<'_> {
    /// What the window shows, with these lines above it, in JPEG. Whatever comes of it, the page is as it was, and what has happened
    /// to it is still to be found out by whoever asks next.
    pub async fn picture(
        &mut self,
        lines: &[String; 2],
        password: &Secret,
        within: Duration,
    ) -> Result<Vec<u8>, Missing> {
        let deadline = self.devtools.deadline;
        self.devtools.deadline = deadline.min(self.devtools.net.now().plus(within));
        let end = self.taken(lines, password).await;
        self.devtools.deadline = deadline;
        match end {
            Ok(taken) => taken,
            Err(failure) => {
                // Said once, and not to be lost here.
                self.devtools.page.strayed |= failure.code == Code::Redirected;
                Err(Missing::NotTaken)
            }
        }
    }

    async fn taken(
        &mut self,
        lines: &[String; 2],
        password: &Secret,
    ) -> Result<Result<Vec<u8>, Missing>, Failure> {
        if password.expose().is_empty() {
            return Ok(Err(Missing::Password));
        }
        let looked = self.call("look", vec![password.expose().into()]).await?;
        let Some(looked) = base::json::of::<Option<Looked>>(looked).map_err(|_| lost())? else {
            return Ok(Err(Missing::Password));
        };
        let document = self.devtools.page.context;
        // Scripts do not see into closed shadow trees; the browser does.
        self.devtools.command("DOM.enable", json!({})).await?;
        let may_be_taken = self.has_no_more(looked.frames).await;
        self.devtools.command("DOM.disable", json!({})).await?;
        if !may_be_taken? {
            return Ok(Err(Missing::Password));
        }
        let params = json!({ "format": "jpeg", "quality": 80, "optimizeForSpeed": true });
        let mut shot = match self.devtools.ask("Page.captureScreenshot", params, COMMAND_MAX).await {
            Ok(shot) => shot,
            Err(Unanswered::Failed(failure)) => return Err(failure),
            Err(Unanswered::Refused | Unanswered::Late) => return Ok(Err(Missing::NotTaken)),
        };
        let shot = shot.get_mut("data").map(Value::take).unwrap_or_default();
        let arguments = vec![shot, json!(lines), password.expose().into(), looked.covered];
        let stamped = self.call("stamp", arguments).await?;
        // Of another document nobody has looked whether it has a password.
        let is_same = document.is_some() && self.devtools.page.context == document;
        let bytes = stamped.as_str().filter(|_| is_same).and_then(|text| Base64::decode_vec(text).ok());
        Ok(bytes.filter(|bytes| !bytes.is_empty() && bytes.len() <= BYTES_MAX).ok_or(Missing::NotTaken))
    }

    /// Whether the browser knows of no input for a password, and of no frames beside those that a script has seen.
    async fn has_no_more(&mut self, frames: usize) -> Result<bool, Failure> {
        // Nodes have numbers only once the document has one.
        self.devtools.command("DOM.getDocument", json!({ "depth": 0 })).await?;
        if self.search("<iframe>").await?.is_none_or(|found| found.len() > frames) {
            return Ok(false);
        }
        let Some(found) = self.search("\"password\"").await? else { return Ok(false) };
        for node in found {
            let mut answer = self.devtools.command("DOM.describeNode", json!({ "nodeId": node })).await?;
            let node = answer.get_mut("node").map(Value::take).unwrap_or_default();
            let node: Described = base::json::of(node).map_err(|_| lost())?;
            // A script or a label may say the word.
            if node.node_name.is_empty() || node.node_name.eq_ignore_ascii_case("input") {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Searches everywhere: in frames of this page's own process, and in shadow trees. Nothing, if there is too much.
    async fn search(&mut self, query: &str) -> Result<Option<BTreeSet<u64>>, Failure> {
        let found = self.devtools.command("DOM.performSearch", json!({ "query": query })).await?;
        let count = found.get("resultCount").and_then(Value::as_u64).ok_or(lost())?;
        if count == 0 || count > FOUND_MAX {
            return Ok((count == 0).then(BTreeSet::new));
        }
        let params = json!({ "searchId": found.get("searchId"), "fromIndex": 0, "toIndex": count });
        let nodes = self.devtools.command("DOM.getSearchResults", params).await?;
        // What is in a frame is found once for each document around it.
        let nodes = nodes.get("nodeIds").and_then(Value::as_array).ok_or(lost())?;
        Ok(Some(nodes.iter().map(|node| node.as_u64().ok_or(lost())).collect::<Result<_, _>>()?))
    }
}
