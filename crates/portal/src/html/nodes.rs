//! A page as a flat list of the elements that matter here.

use super::hidden::{self, Hiding};
use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};
use html5gum::{Error, HtmlString, Tokenizer};
use url::Url;

/// Elements that are asked about. Others only part words, or not even that ([`INLINE`]).
const KNOWN: [&str; 38] = [
    "a", "article", "aside", "body", "button", "datalist", "dd", "div", "dl", "dt", "fieldset", "form",
    "html", "input", "label", "legend", "li", "link", "main", "optgroup", "option", "p", "section", "select",
    "span", "table", "tbody", "td", "textarea", "tfoot", "th", "thead", "tr", "ul", "ol", "nav", "header",
    "footer",
];
/// Elements that do not even part words.
const INLINE: [&str; 20] = [
    "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "img", "kbd", "mark", "q", "s", "small",
    "strong", "sub", "sup", "u", "wbr",
];
/// Elements whose text nobody sees. The tokenizer takes all in them for text, but for templates.
const UNSEEN: [&str; 7] = ["iframe", "noembed", "script", "style", "template", "title", "noframes"];
/// What is in it is shown, since no script runs here. The tokenizer takes it for text.
const NOSCRIPT: &str = "noscript";
/// Elements whose end may not be left out: a page that ends within one may be cut off.
const ENDED: [&str; 10] =
    ["datalist", "div", "dl", "fieldset", "form", "ol", "select", "table", "textarea", "ul"];
const ATTRIBUTES: [&str; 27] = [
    "accept-charset",
    "action",
    "checked",
    "class",
    "colspan",
    "data-phase",
    "dirname",
    "disabled",
    "enctype",
    "form",
    "formaction",
    "formenctype",
    "formmethod",
    "hidden",
    "href",
    "id",
    "label",
    "method",
    "multiple",
    "name",
    "rel",
    "selected",
    "size",
    "src",
    "type",
    "value",
    "wrap",
];
/// A page of so many elements and texts is no portal's: an instance has 128 MB.
const NODES_MAX: usize = 1_000_000;

/// So much of a title is kept.
const TITLE_CHARS_MAX: usize = 200;

pub enum Node {
    Start(&'static str, Option<Box<Attributes>>),
    End(&'static str),
    Text(Box<str>),
    /// Text that a browser would not show.
    Hidden(Box<str>),
    /// Something that parts words.
    Break,
}

pub type Attributes = Vec<(&'static str, String)>;

pub fn attribute<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    let Node::Start(_, Some(attributes)) = node else { return None };
    attributes.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
}

/// Puts what leads somewhere behind a base.
pub fn rebase(nodes: &mut [Node], base: &Url) {
    for node in nodes {
        let Node::Start(_, Some(attributes)) = node else { continue };
        for (name, value) in attributes.iter_mut() {
            // An empty action is the page itself, whatever its base.
            if matches!(*name, "action" | "formaction" | "href")
                && !value.trim().is_empty()
                && !value.trim_start().starts_with('#')
                && let Ok(url) = base.join(value.trim())
            {
                *value = url.into();
            }
        }
    }
}

/// What is between the element that starts at `at` and its end, or the end of all, and whether it has an end.
pub fn inside(nodes: &[Node], at: usize) -> (&[Node], bool) {
    let Some(Node::Start(element, _)) = nodes.get(at) else { return (&[], false) };
    let rest = nodes.get(at + 1..).unwrap_or_default();
    let mut depth = 1_usize;
    for (i, node) in rest.iter().enumerate() {
        match node {
            Node::Start(name, _) if name == element => depth += 1,
            Node::End(name) if name == element => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (rest.get(..i).unwrap_or_default(), true);
        }
    }
    (rest, false)
}

#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // Each says something else of the page.
pub struct Read {
    pub nodes: Vec<Node>,
    pub site_key: Option<String>,
    pub submits_itself: bool,
    pub cut_off: bool,
    pub title: Option<String>,
    /// The first `<base href>`.
    pub base: Option<String>,
    /// What the first `<meta http-equiv=refresh>` says.
    pub refresh: Option<String>,
    /// Where a script leads to.
    pub location: Option<String>,
    /// The element whose text is not seen, while it is open.
    unseen: Option<&'static str>,
    hiding: Option<Hiding>,
    /// A table with an id is read as data where what it is in is hidden, too, such as a tab that is not open: what hides it
    /// goes on after it. With the number of tables that are open until then.
    suspended: Option<(Hiding, usize)>,
    /// How many of [`ENDED`] are open.
    open: [usize; ENDED.len()],
    /// Whether `<html>` has begun, and whether it or `<body>` has ended.
    begun: bool,
    ended: bool,
    /// What is in a `<noscript>` that is open.
    noscript: Option<String>,
}

pub fn read(html: &str) -> Read {
    let mut read = Read::default();
    let broken = read.consume(html);
    if let Some(noscript) = read.noscript.take() {
        read.consume(&noscript);
    }
    let is_open = read.open.iter().any(|open| *open > 0) || read.unseen.is_some();
    read.cut_off |= read.begun && !read.ended && (broken || is_open);
    read
}

impl Read {
    /// Says whether it ends in the middle of a tag or comment.
    fn consume(&mut self, html: &str) -> bool {
        let mut emitter = DefaultEmitter::default();
        // What is in a script or a text area is no markup.
        emitter.naively_switch_states(true);
        let mut broken = false;
        for token in Tokenizer::new_with_emitter(html, emitter) {
            let Ok(token) = token;
            if self.nodes.len() >= NODES_MAX {
                self.cut_off = true;
                return true;
            }
            match token {
                Token::StartTag(tag) => self.start(&tag),
                Token::EndTag(tag) => self.end(&tag.name),
                Token::String(text) => self.text(&String::from_utf8_lossy(&text.value)),
                Token::Error(error) => broken |= is_end(error.value),
                Token::Comment(_) | Token::Doctype(_) => {}
            }
        }
        broken
    }

    fn start(&mut self, tag: &StartTag<()>) {
        let name = std::str::from_utf8(&tag.name).unwrap_or_default();
        if self.unseen.is_some() || self.noscript.is_some() {
            return;
        }
        if name == NOSCRIPT {
            self.noscript = Some(String::new());
            return;
        }
        if let Some(unseen) = find(&UNSEEN, name) {
            self.unseen = Some(unseen);
            return;
        }
        let value = |name: &[u8]| tag.attributes.get(name).map(|v| String::from_utf8_lossy(v).into_owned());
        if self.site_key.is_none() {
            self.site_key = value(b"data-sitekey").filter(|key| !key.trim().is_empty());
        }
        self.submits_itself |= value(b"onload").is_some_and(|script| script.contains("submit("));
        match name {
            "base" if self.base.is_none() => self.base = value(b"href"),
            "meta" if self.refresh.is_none() => {
                let is_refresh =
                    value(b"http-equiv").is_some_and(|v| v.trim().eq_ignore_ascii_case("refresh"));
                self.refresh = value(b"content").filter(|_| is_refresh);
            }
            "html" => self.begun = true,
            _ => {}
        }
        self.opens(name, 1);
        self.hide(tag, name);
        let Some(known) = find(&KNOWN, name) else { return self.part(name) };
        let mut attributes = Attributes::new();
        for (name, value) in &tag.attributes {
            if let Some(name) = std::str::from_utf8(name).ok().and_then(|name| find(&ATTRIBUTES, name)) {
                attributes.push((name, String::from_utf8_lossy(value).into_owned()));
            }
        }
        self.nodes.push(Node::Start(known, (!attributes.is_empty()).then(|| Box::new(attributes))));
    }

    fn end(&mut self, name: &HtmlString) {
        let name = std::str::from_utf8(name).unwrap_or_default();
        if name == NOSCRIPT
            && let Some(html) = self.noscript.take()
        {
            self.nodes.push(Node::Start(NOSCRIPT, None));
            self.consume(&html);
            // What is left open in it ends with it.
            (self.noscript, self.unseen) = (None, None);
            self.nodes.push(Node::End(NOSCRIPT));
            return;
        }
        match self.unseen {
            Some(unseen) if unseen == name => self.unseen = None,
            Some(_) => {}
            None => {
                self.ended |= matches!(name, "html" | "body");
                self.opens(name, -1);
                self.show(name);
                match find(&KNOWN, name) {
                    Some(known) => self.nodes.push(Node::End(known)),
                    None => self.part(name),
                }
            }
        }
    }

    fn opens(&mut self, name: &str, change: isize) {
        if let Some(open) = ENDED.iter().position(|ended| *ended == name).and_then(|at| self.open.get_mut(at))
        {
            *open = open.saturating_add_signed(change);
        }
    }

    fn hide(&mut self, tag: &StartTag<()>, name: &str) {
        if self.hiding.as_mut().is_some_and(|hiding| hiding.is_over(name)) {
            self.hiding = None;
        }
        if name == "table" {
            if let Some((_, open)) = &mut self.suspended {
                *open += 1;
            } else if tag.attributes.contains_key(b"id".as_slice())
                && let Some(hiding) = self.hiding.take()
            {
                self.suspended = Some((hiding, 1));
            }
        }
        if self.hiding.is_none() && hidden::hides(tag, name) {
            self.hiding = Some(Hiding::new(name));
        }
    }

    fn show(&mut self, name: &str) {
        if self.hiding.as_mut().is_some_and(|hiding| hiding.ends(name)) {
            self.hiding = None;
        }
        if name == "table"
            && let Some((hiding, open)) = self.suspended.take()
        {
            if open > 1 {
                self.suspended = Some((hiding, open - 1));
            } else {
                self.hiding = Some(hiding);
            }
        }
    }

    /// Many in a row part words no more than one does.
    fn part(&mut self, name: &str) {
        if !INLINE.contains(&name) && !matches!(self.nodes.last(), Some(Node::Break)) {
            self.nodes.push(Node::Break);
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(noscript) = &mut self.noscript {
            noscript.push_str(text);
            return;
        }
        match self.unseen {
            Some("title") if self.title.is_none() => {
                let words: Vec<&str> = text.split_whitespace().collect();
                self.title = Some(words.join(" ").chars().take(TITLE_CHARS_MAX).collect());
            }
            Some("script") => {
                self.submits_itself |= text.contains("submit(");
                self.location = self.location.take().or_else(|| super::refresh::by_script(text));
            }
            Some(_) => {}
            None if self.hiding.is_some() => self.nodes.push(Node::Hidden(text.into())),
            None => self.nodes.push(Node::Text(text.into())),
        }
    }
}

/// Whether the page ends where none can end.
const fn is_end(error: Error) -> bool {
    matches!(
        error,
        Error::EofBeforeTagName
            | Error::EofInCdata
            | Error::EofInComment
            | Error::EofInDoctype
            | Error::EofInScriptHtmlCommentLikeText
            | Error::EofInTag
    )
}

fn find(names: &[&'static str], name: &str) -> Option<&'static str> {
    names.iter().find(|known| **known == name).copied()
}
