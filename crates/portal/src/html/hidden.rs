//! Which text of a page a browser would not show, as far as the page itself says so: style sheets are not read.

use html5gum::emitters::default::StartTag;

/// Elements without an end.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "frame", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];
/// Elements whose end may be left out: the next one of its kind, or the end of what they are in, ends them.
const LEFT_OPEN: [&str; 5] = ["dd", "dt", "li", "p", "option"];
/// Elements that end a paragraph by beginning.
const BLOCKS: [&str; 22] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "div",
    "dl",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "header",
    "hr",
    "main",
    "nav",
    "ol",
    "pre",
    "section",
    "table",
    "ul",
];
/// Data, which is read whether or not it is shown: a column that somebody can switch on, the choices of a list that a script
/// shows in its own way.
const DATA: [&str; 13] = [
    "caption", "col", "colgroup", "optgroup", "option", "select", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr",
];
/// What shows a dialog that is a mere `class=modal`.
const SHOWS: [&str; 6] = ["active", "in", "is-active", "is-open", "open", "show"];

/// An element that hides what is in it.
pub struct Hiding {
    name: String,
    /// How many of its name are open in it.
    same: usize,
    /// If its own end may be left out: how many others are open in it.
    others: usize,
}

impl Hiding {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), same: 0, others: 0 }
    }

    fn is_left_open(&self) -> bool {
        LEFT_OPEN.contains(&self.name.as_str())
    }

    /// Whether the beginning of this element is its end.
    pub fn is_over(&mut self, name: &str) -> bool {
        if self.name == "p" && self.others == 0 && BLOCKS.contains(&name) {
            return true;
        }
        if VOID.contains(&name) {
            return false;
        }
        if self.is_left_open() {
            let item = |name: &str| matches!(name, "dd" | "dt");
            let over = self.others == 0 && (self.name == name || (item(&self.name) && item(name)));
            self.others += usize::from(!over && !LEFT_OPEN.contains(&name));
            return over;
        }
        self.same += usize::from(self.name == name);
        false
    }

    /// Whether the end of this element is its end.
    pub fn ends(&mut self, name: &str) -> bool {
        if self.name == name {
            self.same = match self.same.checked_sub(1) {
                Some(same) => same,
                None => return true,
            };
        } else if self.is_left_open() && !LEFT_OPEN.contains(&name) {
            self.others = match self.others.checked_sub(1) {
                Some(others) => others,
                // What it is in has ended.
                None => return true,
            };
        }
        false
    }
}

pub fn hides(tag: &StartTag<()>, name: &str) -> bool {
    if VOID.contains(&name) || DATA.contains(&name) {
        return false;
    }
    let value =
        |name: &[u8]| tag.attributes.get(name).map(|v| String::from_utf8_lossy(v).to_ascii_lowercase());
    let style = || {
        let style: String =
            value(b"style").unwrap_or_default().chars().filter(|c| !c.is_ascii_whitespace()).collect();
        style.contains("display:none") || style.contains("visibility:hidden")
    };
    let closed = || {
        let classes = value(b"class").unwrap_or_default();
        let has = |class: &str| classes.split_ascii_whitespace().any(|c| c == class);
        has("modal") && !SHOWS.iter().any(|class| has(class))
    };
    let is_dialog = name == "dialog" && value(b"open").is_none();
    is_dialog || value(b"hidden").is_some() || style() || closed()
}
