//! What a portal's page says and offers. The tokenizer is WHATWG's; instead of a tree there is a flat list of what matters
//! here, and every question is one pass over it: broken, cut-off and hostile pages cost no more than good ones.

mod form;
mod form_reader;
mod hidden;
mod nodes;
mod refresh;
#[cfg(test)]
mod standard_tests;
mod submission;
mod table;
#[cfg(test)]
mod tests;

pub use form::{Choice, Choosing, Control, Form, Kind};
pub use submission::{Enctype, Method, Submission};
pub use table::Table;

use base::charset::Charset;
use nodes::{Node, attribute};
use std::time::Duration;
use url::Url;

/// A page that was read.
#[derive(Default)]
pub struct Document {
    nodes: Vec<Node>,
    text: String,
    /// The text in lower case: what a page says is looked for whichever case it is in.
    lower: String,
    site_key: Option<String>,
    submits_itself: bool,
    cut_off: bool,
    title: Option<String>,
    refresh: Option<String>,
    /// What it came in, and what its forms are sent in if they do not say.
    charset: Charset,
}

impl Document {
    pub fn parse(html: &str) -> Self {
        Self::of(nodes::read(html))
    }

    /// A page of this address, which came in this encoding. What it leads to is by its `<base>`, if it has one.
    pub fn parse_at(html: &str, url: &Url, charset: Charset) -> Self {
        let mut read = nodes::read(html);
        let base = read.base.as_deref().and_then(|base| url.join(base.trim()).ok());
        if let Some(base) = base.filter(|base| base != url) {
            nodes::rebase(&mut read.nodes, &base);
            read.refresh = read.refresh.map(|refresh| refresh::rebased(&refresh, &base));
        }
        Self { charset, ..Self::of(read) }
    }

    fn of(read: nodes::Read) -> Self {
        let text = visible(&read.nodes);
        let lower = text.to_lowercase();
        // A page with something to see or to do may be meant to be read.
        let is_bare = text.is_empty()
            && !read.nodes.iter().any(|n| matches!(n, Node::Start("a" | "form" | "input", _)));
        let location = read.location.filter(|_| is_bare).map(|to| format!("0;url={to}"));
        Self {
            nodes: read.nodes,
            text,
            lower,
            site_key: read.site_key,
            submits_itself: read.submits_itself,
            cut_off: read.cut_off,
            title: read.title,
            refresh: read.refresh.or(location),
            charset: Charset::default(),
        }
    }

    /// What somebody who looks at it sees, with single spaces. Without what can be selected.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it says one of these, in whichever case.
    pub fn says(&self, texts: &[String]) -> bool {
        says(&self.lower, texts)
    }

    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The captcha's key, if there is one to solve.
    pub fn site_key(&self) -> Option<&str> {
        self.site_key.as_deref()
    }

    /// Its end is missing.
    pub const fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// Where it leads to by itself, and after how long: by its header, else as it says itself. `None` for one that only loads
    /// itself again.
    pub fn refresh(&self, url: &Url, header: Option<&str>) -> Option<(Duration, Url)> {
        let (wait, target) = refresh::read(header.or(self.refresh.as_deref())?)?;
        let mut to = url.join(&target).ok()?;
        to.set_fragment(None);
        (to.as_str() != url.as_str().split('#').next().unwrap_or_default()).then_some((wait, to))
    }

    /// The form of a page that is there only to be sent on by its script, as OIDC's `form_post` makes them: a single one, of
    /// hidden inputs, where there is nothing to click on.
    pub fn form_that_submits_itself(&self) -> Option<Form> {
        let mut noscript = 0_usize;
        let mut links = self.nodes.iter().filter(|node| {
            match node {
                Node::Start("noscript", _) => noscript += 1,
                Node::End("noscript") => noscript = noscript.saturating_sub(1),
                _ => {}
            }
            // For whoever has no scripts; this one is taken for run.
            noscript == 0 && link(node).is_some()
        });
        if !self.submits_itself || links.next().is_some() {
            return None;
        }
        let mut forms = self.forms();
        let form = forms.pop().filter(|_| forms.is_empty())?;
        let hidden = |c: &Control| matches!(c.kind, Kind::Hidden(_) | Kind::Submit(_));
        let has_inputs = form.controls.iter().any(|c| matches!(c.kind, Kind::Hidden(_)));
        (form.closed && has_inputs && form.controls.iter().all(hidden)).then_some(form)
    }

    pub fn forms(&self) -> Vec<Form> {
        form_reader::forms(&self.nodes, self.charset)
    }

    /// The table with this id.
    pub fn table(&self, id: &str) -> Option<Table> {
        let (inside, closed) =
            self.inside(|name, node| name == "table" && attribute(node, "id") == Some(id))?;
        Some(table::read(inside, closed))
    }

    /// Addresses with their `rel`, of links of either kind.
    pub fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        self.nodes.iter().filter_map(link)
    }

    /// Where a link of this kind leads.
    pub fn link(&self, rel: &str) -> Option<&str> {
        let fits = |words: &str| words.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(rel));
        self.links().find(|(_, words)| fits(words)).map(|(href, _)| href)
    }

    /// The terms and definitions within the element with this id. `None` without such an element, or without its end.
    pub fn definitions(&self, id: &str) -> Option<Vec<(String, String)>> {
        let (inside, closed) = self.inside(|_, node| attribute(node, "id") == Some(id))?;
        closed.then(|| table::definitions(inside))
    }

    /// What it says within elements of these classes, which are those for what is wrong. Each once.
    pub fn errors(&self, classes: &[String]) -> Vec<String> {
        let is_error = |node: &Node| {
            let own = attribute(node, "class").unwrap_or_default();
            own.split_ascii_whitespace().any(|class| classes.iter().any(|c| c == class))
        };
        let (mut found, mut from) = (Vec::new(), 0);
        while let Some(rest) = self.nodes.get(from..)
            && let Some(at) = rest.iter().position(is_error)
        {
            let (inside, _) = nodes::inside(rest, at);
            // Items are said one after the other, each by itself.
            for item in inside.split(|node| matches!(node, Node::Start("li", _))) {
                let text = visible(item);
                if !text.is_empty() && !found.contains(&text) && found.len() < ERRORS_MAX {
                    found.push(text);
                }
            }
            from += at + 1 + inside.len();
        }
        found
    }

    /// What is in the first element that fits, and whether it ends.
    fn inside(&self, fits: impl Fn(&'static str, &Node) -> bool) -> Option<(&[Node], bool)> {
        let at =
            self.nodes.iter().position(|node| matches!(node, Node::Start(name, _) if fits(name, node)))?;
        Some(nodes::inside(&self.nodes, at))
    }
}

fn link(node: &Node) -> Option<(&str, &str)> {
    let Node::Start("a" | "link", _) = node else { return None };
    let href = attribute(node, "href")?.trim();
    let real = !href.is_empty() && !href.starts_with('#') && !href.starts_with("javascript:");
    real.then(|| (href, attribute(node, "rel").unwrap_or_default()))
}

/// More than these say nothing more.
const ERRORS_MAX: usize = 20;

/// Whether a text in lower case has one of these in it.
pub fn says(lower: &str, texts: &[String]) -> bool {
    texts.iter().any(|text| !text.is_empty() && lower.contains(&text.to_lowercase()))
}

/// Text with single spaces. What can be selected or typed in is none of it, nor is what is hidden.
fn visible(nodes: &[Node]) -> String {
    text_of(nodes, false)
}

/// The same of what is hidden, too: what a list offers is chosen from, however it is shown.
fn said(nodes: &[Node]) -> String {
    text_of(nodes, true)
}

fn text_of(nodes: &[Node], all: bool) -> String {
    let mut words = Words::default();
    // What can be selected or typed in, and how many of its name are open since.
    let mut input: Option<(&'static str, usize)> = None;
    for node in nodes {
        match (node, &mut input) {
            (Node::Start(name, _), Some((open, depth))) if name == open => *depth += 1,
            (Node::End(name), Some((open, depth))) if name == open => {
                *depth -= 1;
                if *depth == 0 {
                    input = None;
                    words.gap();
                }
            }
            (Node::Start(name @ ("select" | "textarea" | "datalist"), _), None) => input = Some((name, 1)),
            (_, Some(_))
            | (Node::Start("a" | "span" | "label", _) | Node::End("a" | "span" | "label"), None) => {}
            (Node::Start(..) | Node::End(_) | Node::Break, None) => words.gap(),
            (Node::Text(text), None) => words.push(text),
            (Node::Hidden(text), None) if all => words.push(text),
            (Node::Hidden(_), None) => {}
        }
    }
    words.text
}

/// Text that is put together with single spaces.
#[derive(Default)]
struct Words {
    text: String,
    gap: bool,
}

impl Words {
    const fn gap(&mut self) {
        self.gap = true;
    }

    fn push(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_whitespace() {
                self.gap = true;
                continue;
            }
            if std::mem::take(&mut self.gap) && !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push(c);
        }
    }
}
