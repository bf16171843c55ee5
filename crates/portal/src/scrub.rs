//! A page as a person may read it who has to find out what has changed: its structure and what it says. What was typed in, what
//! scripts hold, and what addresses carry is not in it.

use super::driver::Credentials;
use html5gum::Tokenizer;
use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Attributes that say what an element is. Of all others only the name is left.
const SHOWN: [&str; 24] = [
    "autocomplete",
    "charset",
    "checked",
    "class",
    "colspan",
    "data-phase",
    "disabled",
    "enctype",
    "for",
    "form",
    "formmethod",
    "hidden",
    "http-equiv",
    "id",
    "label",
    "lang",
    "maxlength",
    "method",
    "multiple",
    "name",
    "rel",
    "required",
    "selected",
    "type",
];
/// Attributes that are addresses: without what is behind the path.
const ADDRESSES: [&str; 4] = ["action", "formaction", "href", "src"];
/// Elements whose text is a program's.
const PROGRAMS: [&str; 2] = ["script", "style"];
const LEFT_OUT: &str = "…";

/// Nothing, if the page has the password in it, however it is written: then nobody is shown any of it.
pub fn page(html: &str, credentials: &Credentials) -> Option<String> {
    let password = credentials.password.expose();
    let spellings = [
        password.to_owned(),
        escaped(password),
        utf8_percent_encode(password, NON_ALPHANUMERIC).to_string(),
        form_urlencoded::byte_serialize(password.as_bytes()).collect(),
        serde_json::to_string(password).unwrap_or_default().trim_matches('"').to_owned(),
    ];
    let scrubbed = scrubbed(html);
    // As it came, and as it is shown: references are resolved there.
    let found = |text: &str| spellings.iter().any(|spelling| text.contains(spelling.as_str()));
    if password.is_empty() || found(html) || found(&scrubbed) || found(&plain(html)) {
        return None;
    }
    Some(scrubbed)
}

fn tokens(html: &str) -> impl Iterator<Item = Token<()>> + '_ {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).map(|token| {
        let Ok(token) = token;
        token
    })
}

/// All texts and values of a page, with their references resolved.
fn plain(html: &str) -> String {
    let mut all = String::new();
    for token in tokens(html) {
        match token {
            Token::String(text) => all.push_str(&String::from_utf8_lossy(&text.value)),
            Token::StartTag(tag) => {
                for value in tag.attributes.values() {
                    all.push('\n');
                    all.push_str(&String::from_utf8_lossy(value));
                }
            }
            Token::EndTag(_) | Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    all
}

fn scrubbed(html: &str) -> String {
    let mut out = String::new();
    let mut program: Option<&'static str> = None;
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => {
                out.push_str(&start(&tag));
                program = PROGRAMS.into_iter().find(|name| tag.name.0 == name.as_bytes()).or(program);
            }
            Token::EndTag(tag) => {
                if program.is_some_and(|name| tag.name.0 == name.as_bytes()) {
                    program = None;
                    out.push_str(LEFT_OUT);
                }
                out.push_str("</");
                out.push_str(&String::from_utf8_lossy(&tag.name));
                out.push('>');
            }
            Token::String(text) if program.is_none() => {
                out.push_str(&escaped(&String::from_utf8_lossy(&text.value)));
            }
            Token::String(_) | Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    out
}

fn start(tag: &StartTag<()>) -> String {
    let mut out = format!("<{}", String::from_utf8_lossy(&tag.name));
    for (name, value) in &tag.attributes {
        let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        let value = if SHOWN.contains(&&*name) {
            escaped(&value)
        } else if ADDRESSES.contains(&&*name) {
            let end = value.find(['?', '#', ';']).unwrap_or(value.len());
            escaped(value.get(..end).unwrap_or_default())
        } else {
            LEFT_OUT.to_owned()
        };
        out.push(' ');
        out.push_str(&escaped(&name));
        out.push_str("=\"");
        out.push_str(&value);
        out.push('"');
    }
    out.push('>');
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::secret::Secret;

    fn with_password(html: &str, password: &str) -> Option<String> {
        let credentials = Credentials {
            username: "ann".to_owned(),
            password: Secret::new(password),
            captcha_api_key: Secret::new("ck"),
            totp_secret: None,
        };
        page(html, &credentials)
    }

    #[test]
    fn what_a_page_is_is_left_and_what_it_carries_is_not() {
        let html = "<!doctype html><html lang=en><head><title>Sign in</title><script>var t = 'secret1';</script>\
            <meta http-equiv=refresh content='0; url=/x?code=secret2'></head><body data-user=secret3><!-- secret4 -->\
            <form method=post action='/login?state=secret5#secret6'><input type=hidden name=__Token value=secret7>\
            <input name=Username value='secret8'><button>Log in &amp; go</button></form><a href='/p;s=secret9?a=b'>x</a>";
        let scrubbed = with_password(html, "pw-of-ann").unwrap();
        assert_eq!(
            scrubbed,
            "<html lang=\"en\"><head><title>Sign in</title><script>…</script><meta content=\"…\" \
             http-equiv=\"refresh\"></head><body data-user=\"…\"><form action=\"/login\" method=\"post\"><input \
             name=\"__Token\" type=\"hidden\" value=\"…\"><input name=\"Username\" value=\"…\"><button>Log in &amp; \
             go</button></form><a href=\"/p\">x</a>"
        );
    }

    #[test]
    fn f31_a_page_with_the_password_in_it_is_shown_to_nobody() {
        let password = "p&w \"ä+<1>";
        for written in [
            "p&w \"ä+<1>",
            "p&amp;w &quot;ä+&lt;1&gt;",
            "p&#38;w&#32;&#x22;&auml;+&lt;1>",
            "p%26w%20%22%C3%A4%2B%3C1%3E",
            "p%26w+%22%C3%A4%2B%3C1%3E",
            r#"p&w \"ä+<1>"#,
        ] {
            for html in [
                format!("<p>{written}</p>"),
                format!("<input value='{written}'>"),
                format!("<script>x = '{written}'</script>"),
                format!("<!-- {written} -->"),
                format!("<a href='/x?p={written}'>"),
            ] {
                // A reference is none in a program or a comment.
                let plain = written.contains("&#") && (html.contains("<script") || html.contains("<!--"));
                assert!(plain || with_password(&html, password).is_none(), "{html}");
            }
        }
        assert!(with_password("<p>anything</p>", "").is_none());
        assert!(with_password("<p>anything</p>", "other").is_some());
    }
}
