//! Pages and forms to the letter of the standard.

use super::*;

fn form(html: &str) -> Form {
    Document::parse(html).forms().remove(0)
}

#[test]
fn f33_the_entry_list_is_to_the_letter() {
    for (controls, expected) in [
        // In the order of the page, wherever a control belongs.
        ("<input name=a></form><input form=f name=b><form></form><input form=f name=c>", "a=&b=&c="),
        // The first legend of a disabled fieldset is not disabled by it, the second is.
        (
            "<fieldset disabled><legend><input name=a></legend><input name=b><legend><input name=c></legend></fieldset>\
             <input name=d>",
            "a=&d=",
        ),
        ("<datalist><input name=a><option>x</datalist><input name=b>", "b="),
        // Of several that are shown none is chosen by itself.
        ("<select name=s size=3><option>A<option>B</select>", ""),
        ("<select name=s size=1><option>A<option>B</select>", "s=A"),
        ("<input type=hidden name=_charset_ value=x>", "_charset_=UTF-8"),
        ("<input name=a dirname=a.dir value=x>", "a=x&a.dir=ltr"),
        // The first button that can be pressed is, also if it is a picture.
        ("<button name=a value=1 disabled></button><button name=b value=2></button>", "b=2"),
        ("<input type=image><button name=b value=2></button>", "x=0&y=0"),
        ("<button name=b value=2></button><input type=image name=i>", "b=2"),
    ] {
        let form = form(&format!("<form id=f>{controls}"));
        let sent: Vec<_> = form.entries().iter().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(sent.join("&"), expected, "{controls}");
    }
}

#[test]
fn f33_the_button_says_where_and_how_it_is_sent() {
    let button =
        "<form action=/a><button formaction=/b formmethod=post formenctype=multipart/form-data name=x>";
    let of = form(button);
    let sent = of.submission();
    assert_eq!((sent.action, sent.method, sent.enctype), (Some("/b"), Method::Post, Enctype::Multipart));
    // One that is not pressed says nothing, nor does one that cannot be.
    for first in ["<button>", "<input type=submit>", "<input type=image>"] {
        let of = form(&format!("<form action=/a>{first}</button><button formaction=/b formmethod=post>"));
        assert_eq!((of.submission().action, of.submission().method), (Some("/a"), Method::Get), "{first}");
    }
    let of =
        form("<form action=/a method=post><button disabled formaction=/c></button><button formaction=/b>");
    assert_eq!((of.submission().action, of.submission().method), (Some("/b"), Method::Post));
    assert_eq!(form("<form method=dialog>").submission().method, Method::Dialog);
    let kept: Form = serde_json::from_value(serde_json::to_value(&of).unwrap()).unwrap();
    assert!(kept == of);
}

#[test]
fn f33_a_form_is_sent_in_its_own_encoding_else_in_that_of_the_page() {
    let url = Url::parse("https://p.example/x").unwrap();
    for (tag, page, expected) in [
        ("<form>", Charset::Windows1252, Charset::Windows1252),
        ("<form>", Charset::Utf8, Charset::Utf8),
        ("<form accept-charset='x-unknown latin1 utf-8'>", Charset::Utf8, Charset::Windows1252),
        ("<form accept-charset=utf-8>", Charset::Windows1252, Charset::Utf8),
    ] {
        let html = format!("{tag}<input name=a value=caf\u{e9}>");
        let form = Document::parse_at(&html, &url, page).forms().remove(0);
        assert_eq!(form.charset, expected, "{tag}");
    }
}

#[test]
fn f33_what_a_page_leads_to_is_by_its_base() {
    let url = Url::parse("https://p.example/deep/x?y").unwrap();
    let html = "<base target=_top><base href='/app/'><base href=/other/><a href=home>h</a><a href='#x'>x</a><a rel=next \
        href='?p=2'>n</a><form action=save></form><form></form><form action='//id.example/y'></form>";
    let document = Document::parse_at(html, &url, Charset::Utf8);
    let links: Vec<_> = document.links().map(|(href, _)| href).collect();
    assert_eq!(links, ["https://p.example/app/home", "https://p.example/app/?p=2"]);
    let actions: Vec<_> = document.forms().into_iter().map(|form| form.action).collect();
    assert_eq!(
        actions,
        [Some("https://p.example/app/save".to_owned()), None, Some("https://id.example/y".to_owned())],
        "without an action it is sent to the page itself"
    );
    let plain = Document::parse_at("<a href=home>h</a>", &url, Charset::Utf8);
    assert_eq!(plain.links().map(|(href, _)| href).collect::<Vec<_>>(), ["home"]);
}

#[test]
fn f33_ends_that_are_left_out_do_not_cut_a_page_off() {
    let form = "<form id=f><input name=a>";
    for (html, cut_off, closed) in [
        (format!("<html><body>{form}</form><p>x"), false, true),
        (format!("<html><body>{form}</form><ul><li>x</ul>"), false, true),
        (format!("<html><body>{form}</body></html>"), false, true),
        (format!("<html><body>{form}</body>"), false, true),
        (format!("<html><body><div>{form}</div></html>"), false, true),
        // Here something is missing, or may be.
        (format!("<html><body>{form}"), true, false),
        (format!("<html><body>{form}</form><div>x"), true, true),
        (format!("<html><body>{form}</form><table><tr><td>x"), true, true),
        (format!("<html><body>{form}</form><p cla"), true, true),
        (format!("<html><body>{form}</form><!-- x"), true, true),
        (format!("<html><body>{form}</form><script>x"), true, true),
    ] {
        let document = Document::parse(&html);
        assert_eq!((document.is_cut_off(), document.forms()[0].closed), (cut_off, closed), "{html}");
    }
}

#[test]
fn f33_what_is_hidden_is_not_said() {
    let text = "Your session has expired";
    for hidden in [
        format!("<div class='modal fade'><div class=modal-body>{text}</div></div>"),
        format!("<dialog>{text}</dialog>"),
        format!("<p hidden>{text}"),
        format!("<h2 style='visibility: hidden'>{text}</h2>"),
        format!("<b hidden>{text} <b>b</b> {text}</b>"),
        format!("<ul><li hidden>{text} <b>x</b></ul>"),
        format!("<dl><dd hidden>{text}<dt></dl>"),
        format!("<template>{text}</template>"),
    ] {
        let document = Document::parse(&format!("<html><body>{hidden}<p>Hello</p></body></html>"));
        assert_eq!(document.text(), "Hello", "{hidden}");
    }
    for shown in [
        format!("<div class='modal fade show'>{text}</div>"),
        format!("<dialog open>{text}</dialog>"),
        format!("<input hidden>{text}"),
        format!("<ul><li hidden>x<li>{text}</ul>"),
        format!("<ul><li hidden>x</ul>{text}"),
        format!("<p hidden>x<div>{text}</div>"),
        format!("<noscript><p>{text}</p></noscript>"),
        format!("<noscript>{text}<script></noscript>"),
    ] {
        let document = Document::parse(&format!("<html><body>{shown}</body></html>"));
        assert!(document.says(&[text.to_owned()]), "{shown}: {}", document.text());
    }
}

/// Data is read whether or not its tab is open; what is hidden within a cell is not of it.
#[test]
fn f33_a_table_in_a_closed_tab_and_a_list_that_a_script_replaces_are_read() {
    let html = "<div hidden>x<table id=t><tr><td>A<span hidden>no</span></td></tr></table>y<form><select name=s \
        style='display:none'><option value=1>One</select></form></div>";
    let document = Document::parse(html);
    assert_eq!(document.table("t").unwrap().rows, [["A"]]);
    let mut form = document.forms().remove(0);
    assert_eq!(form.choose("s", "One"), Choosing::Chosen);
    assert!(!document.text().contains('y') && !document.text().contains('x'));
}
