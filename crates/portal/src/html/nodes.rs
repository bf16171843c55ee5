//! A page as a flat list of the elements that matter here.

use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};
use html5gum::{HtmlString, Tokenizer};

/// Elements that are asked about. Others only part words, or not even that ([`INLINE`]).
const KNOWN: [&str; 35] = [
    "a", "article", "button", "dd", "div", "dl", "dt", "fieldset", "form", "html", "input", "label",
    "legend", "li", "link", "main", "optgroup", "option", "p", "section", "select", "span", "table", "tbody",
    "td", "textarea", "tfoot", "th", "thead", "tr", "ul", "ol", "nav", "header", "footer",
];
/// Elements that do not even part words.
const INLINE: [&str; 20] = [
    "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "img", "kbd", "mark", "q", "s", "small",
    "strong", "sub", "sup", "u", "wbr",
];
/// Elements whose text nobody sees where scripts run. The tokenizer takes all in them for text.
const UNSEEN: [&str; 8] =
    ["iframe", "noembed", "noscript", "script", "style", "template", "title", "noframes"];
const ATTRIBUTES: [&str; 18] = [
    "action",
    "checked",
    "class",
    "colspan",
    "data-phase",
    "disabled",
    "form",
    "hidden",
    "href",
    "id",
    "label",
    "method",
    "multiple",
    "name",
    "rel",
    "selected",
    "type",
    "value",
];
/// A page of so many elements and texts is no portal's: an instance has 128 MB.
const NODES_MAX: usize = 1_000_000;

/// So much of a title is kept.
const TITLE_CHARS_MAX: usize = 200;

pub enum Node {
    Start(&'static str, Option<Box<Attributes>>),
    End(&'static str),
    Text(Box<str>),
    /// Something that parts words.
    Break,
}

pub type Attributes = Vec<(&'static str, String)>;

pub fn attribute<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    let Node::Start(_, Some(attributes)) = node else { return None };
    attributes.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
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
pub struct Read {
    pub nodes: Vec<Node>,
    pub site_key: Option<String>,
    pub submits_itself: bool,
    pub cut_off: bool,
    pub title: Option<String>,
    /// The element whose text is not seen, while it is open.
    unseen: Option<&'static str>,
}

pub fn read(html: &str) -> Read {
    let mut read = Read::default();
    let mut emitter = DefaultEmitter::default();
    // What is in a script or a text area is no markup.
    emitter.naively_switch_states(true);
    let (mut begun, mut ended) = (false, false);
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok(token) = token;
        if read.nodes.len() >= NODES_MAX {
            (begun, ended) = (true, false);
            break;
        }
        match token {
            Token::StartTag(tag) => {
                begun |= tag.name.0 == b"html";
                read.start(&tag);
            }
            Token::EndTag(tag) => {
                ended |= tag.name.0 == b"html";
                read.end(&tag.name);
            }
            Token::String(text) => read.text(&String::from_utf8_lossy(&text.value)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    read.cut_off = begun && !ended;
    read
}

impl Read {
    fn start(&mut self, tag: &StartTag<()>) {
        let name = std::str::from_utf8(&tag.name).unwrap_or_default();
        if let Some(unseen) = find(&UNSEEN, name) {
            self.unseen.get_or_insert(unseen);
            return;
        }
        if self.unseen.is_some() {
            return;
        }
        let value = |name: &[u8]| tag.attributes.get(name).map(|v| String::from_utf8_lossy(v).into_owned());
        if self.site_key.is_none() {
            self.site_key = value(b"data-sitekey").filter(|key| !key.trim().is_empty());
        }
        self.submits_itself |= value(b"onload").is_some_and(|script| script.contains("submit("));
        let Some(known) = find(&KNOWN, name) else { return self.part(name) };
        let mut attributes = Attributes::new();
        let invisible = value(b"style").is_some_and(|style| {
            let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
            style.to_ascii_lowercase().contains("display:none")
        });
        if invisible {
            attributes.push(("hidden", String::new()));
        }
        for (name, value) in &tag.attributes {
            if let Some(name) = std::str::from_utf8(name).ok().and_then(|name| find(&ATTRIBUTES, name)) {
                attributes.push((name, String::from_utf8_lossy(value).into_owned()));
            }
        }
        self.nodes.push(Node::Start(known, (!attributes.is_empty()).then(|| Box::new(attributes))));
    }

    fn end(&mut self, name: &HtmlString) {
        let name = std::str::from_utf8(name).unwrap_or_default();
        match self.unseen {
            Some(unseen) if unseen == name => self.unseen = None,
            Some(_) => {}
            None => match find(&KNOWN, name) {
                Some(known) => self.nodes.push(Node::End(known)),
                None => self.part(name),
            },
        }
    }

    /// Many in a row part words no more than one does.
    fn part(&mut self, name: &str) {
        if !INLINE.contains(&name) && !matches!(self.nodes.last(), Some(Node::Break)) {
            self.nodes.push(Node::Break);
        }
    }

    fn text(&mut self, text: &str) {
        match self.unseen {
            Some("title") if self.title.is_none() => {
                let words: Vec<&str> = text.split_whitespace().collect();
                self.title = Some(words.join(" ").chars().take(TITLE_CHARS_MAX).collect());
            }
            Some("script") => self.submits_itself |= text.contains("submit("),
            Some(_) => {}
            None => self.nodes.push(Node::Text(text.into())),
        }
    }
}

fn find(names: &[&'static str], name: &str) -> Option<&'static str> {
    names.iter().find(|known| **known == name).copied()
}
