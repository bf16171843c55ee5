use super::*;
use proptest::prelude::*;

const LOGIN: &str = r#"<!DOCTYPE html>
<html lang=en><head><title>Sign in &amp; more</title><style>p { content: "</p>" }</style>
<script>var x = "<form action='/evil'><input name=trap>"; // a link: <a href="/portal/logout"></script></head>
<body><!-- <form action="/old"><input name=gone></form> --><h1>Sign&nbsp;in</h1>
<div class='box validation-summary-errors' data-x=1><ul><li>Invalid username
   or password</li><li>It&#39;s <b>over</b></li></ul></div>
<form id='login' action="/identity/account/login?a=1&amp;b=2" method=POST>
<input value='tok"en&lt;' type=hidden name=__RequestVerificationToken>
<input name=Username value=""><input type=PASSWORD name="Password">
<input type=checkbox name=RememberLogin value=true><input type=hidden name=RememberLogin value=false>
<div class="g-recaptcha" data-sitekey="6Lfake"></div>
<button name=button value=login>Log in</button><button name=button value=cancel>Cancel</button>
</form></body></html>"#;

#[test]
fn a_login_page_is_read() {
    let document = Document::parse(LOGIN);
    assert!(!document.is_cut_off());
    assert_eq!(document.text(), "Sign in Invalid username or password It's over Log in Cancel");
    assert_eq!(document.site_key(), Some("6Lfake"));
    assert!(document.says(&["INVALID username or".to_owned()]) && !document.says(&[String::new()]));
    let classes = ["validation-summary-errors".to_owned()];
    assert_eq!(document.errors(&classes), ["Invalid username or password", "It's over"]);
    let mut forms = document.forms();
    assert_eq!(forms.len(), 1);
    let form = &mut forms[0];
    assert!(form.closed && form.has_password());
    assert_eq!(form.action.as_deref(), Some("/identity/account/login?a=1&b=2"));
    assert_eq!((form.method, form.id.as_deref()), (Method::Post, Some("login")));
    assert!(form.type_in("Username", "ann") && form.type_in("Password", "pw") && !form.type_in("X", ""));
    form.put("g-recaptcha-response", "solved");
    assert_eq!(
        form.entries(),
        [
            ("__RequestVerificationToken", "tok\"en<"),
            ("Username", "ann"),
            ("Password", "pw"),
            ("RememberLogin", "false"),
            ("button", "login"),
            ("g-recaptcha-response", "solved"),
        ]
    );
    assert!(form.tick("RememberLogin", true));
    let entries = form.entries();
    assert_eq!(entries[3..5], [("RememberLogin", "true"), ("RememberLogin", "false")]);
    assert!(document.form_that_submits_itself().is_none());
}

fn entries(controls: &str) -> Vec<(String, String)> {
    let document = Document::parse(&format!("<form>{controls}</form>"));
    let form = document.forms().remove(0);
    form.entries().into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

#[test]
fn what_is_sent_is_what_a_browser_sends() {
    for (controls, expected) in [
        (
            "<input name=a disabled><input type=radio name=r value=1><input type=radio name=r value=2 checked>",
            "r=2",
        ),
        ("<input name=c type=checkbox checked>", "c=on"),
        ("<select name=s><option>One two<option value=2>Two</select>", "s=One two"),
        ("<select name=s><option disabled value=x>-<option value=2>Two</select>", "s=2"),
        ("<select name=s><option value=1 selected>A<option value=2 selected>B</select>", "s=2"),
        ("<select name=s multiple><option value=1 selected>A<option value=2 selected>B</select>", "s=1&s=2"),
        ("<select name=s multiple><option value=1>A</select>", ""),
        ("<select name=s></select>", ""),
        ("<select name=s><optgroup disabled><option value=1>A</optgroup><option value=2>B</select>", "s=2"),
        ("<textarea name=t>\n a &lt;b> </textarea>", "t= a <b> "),
        (
            "<fieldset disabled><input name=a><fieldset><input name=b></fieldset></fieldset><input name=c>",
            "c=",
        ),
        (
            "<input type=file name=f><input type=image name=i><input type=reset name=x><button type=button name=y>",
            "f=&i.x=0&i.y=0",
        ),
        ("<input type=submit name=go><input type=submit name=no value=No>", "go=Submit"),
        ("<button>Go</button><button name=b value=1>", ""),
        ("<input value=nameless><input name='' value=x>", ""),
        ("<input type=date name=d value='2026-01-02'><input type=weird name=w value=1>", "d=2026-01-02&w=1"),
    ] {
        let sent: Vec<_> = entries(controls).iter().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(sent.join("&"), expected, "{controls}");
    }
}

#[test]
fn controls_find_their_form() {
    let html = "<input name=lost><form id=a><input name=x><form id=b><input name=y></form><input name=lost>\
        <form id=c data-phase=2></form><input form=c name=far><input form=nowhere name=z><form><input name=w";
    let forms = Document::parse(html).forms();
    let names = |i: usize| forms[i].controls.iter().map(|c| c.name.clone()).collect::<Vec<_>>().join(",");
    assert_eq!(forms.len(), 3);
    assert_eq!([names(0), names(1), names(2)], ["x,y", "far", ""]);
    assert_eq!(forms[1].phase.as_deref(), Some("2"));
    assert!(forms[0].closed && forms[1].closed && !forms[2].closed);
}

#[test]
fn options_are_chosen_by_their_label() {
    let html = "<form><select name=s><option value=''>-- select --<option value=17>Harbor &amp; \n Sons</option>\
        <option value=18 disabled>Gone</option><option value=19 label=Named>x</option></select></form>";
    let mut form = Document::parse(html).forms().remove(0);
    assert_eq!(form.choose("s", "Harbor & Sons"), Choosing::Chosen);
    assert_eq!(form.entries(), [("s", "17")]);
    for (name, label, expected) in [
        ("s", "harbor & sons", Choosing::NotOffered),
        ("s", "17", Choosing::NotOffered),
        ("s", "Gone", Choosing::NotOffered),
        ("t", "Named", Choosing::NoSuchControl),
        ("s", "Named", Choosing::Chosen),
    ] {
        assert_eq!(form.choose(name, label), expected, "{label}");
    }
    assert_eq!(form.entries(), [("s", "19")]);
    let kept: Form = serde_json::from_value(serde_json::to_value(&form).unwrap()).unwrap();
    assert!(kept == form);
}

#[test]
fn tables_are_rows_of_text() {
    let html = r#"<table id=other><tr><td>no</table><table class="x" id="containers"><caption>All</caption>
        <thead><tr><th>Container #</th><th>Holds</th></tr></thead>
        <tbody><tr><td>A1</td><td>a &lt;b&gt; &amp; c<br><span>CUSTOMS</span> x</td></tr>
        <tr><td>B2<td></tr><tr><td colspan=2>No more data</td></tr>
        <tr><td>C3</td><td><table><tr><td>in</td><td>side</td></tr></table></td></tr></tbody>
        <tfoot><tr><td>Sum</td><td>3</td></tr></tfoot></table>"#;
    let table = Document::parse(html).table("containers").unwrap();
    assert_eq!(table.columns, ["Container #", "Holds"]);
    assert_eq!(table.rows, [["A1", "a <b> & c CUSTOMS x"], ["B2", ""], ["C3", "in side"]]);
    assert!(table.closed);
    let cut = Document::parse(&html[..html.len() - 120]).table("containers").unwrap();
    assert!(!cut.closed);
    assert!(Document::parse(html).table("missing").is_none());
    let bare =
        Document::parse("<table id=t><tr><th>A<th>B<tr><td>1<td>2<tr><th>3<td>4</table>").table("t").unwrap();
    assert_eq!((bare.columns, bare.rows.len()), (vec!["A".to_owned(), "B".to_owned()], 2));
}

#[test]
fn links_definitions_and_hidden_text_are_found() {
    let html = "<a rel='nofollow NEXT' href=' /p?page=2&amp;x=1 '>More</a><a rel=next href='#'>x</a>\
        <section id=confirmation><dl><dt>Number<dd>APT-1<dt>Terminal</dt><dd>A &amp; B</dd><dd>C</dd></dl></section>\
        <div style='DISPLAY : none'>Your session <div>has</div> expired</div><p>seen</p><noscript>Submit</noscript>\
        <template>no</template><select><option>Log out</select><span hidden>no</span>!";
    let document = Document::parse(html);
    assert_eq!(document.link("next"), Some("/p?page=2&x=1"));
    assert_eq!(document.link("prev"), None);
    let expected = [("Number", "APT-1"), ("Terminal", "A & B, C")].map(|(t, d)| (t.to_owned(), d.to_owned()));
    assert_eq!(document.definitions("confirmation").unwrap(), expected);
    assert!(document.definitions("x").is_none());
    assert!(Document::parse("<div id=x><dl><dt>a<dd>b").definitions("x").is_none());
    assert_eq!(document.text(), "Morex Number APT-1 Terminal A & B C seen Submit !");
}

#[test]
fn only_a_page_that_is_nothing_else_submits_itself() {
    let form = "<form method=post action=/in><input type=hidden name=code value=1></form>";
    let script = "<script>window.addEventListener('load', () => document.forms[0].submit());</script>";
    let noscript = "<noscript><button>Submit this form</button></noscript>";
    for (html, expected) in [
        (format!("{form}{noscript}{script}"), true),
        (format!("<body onload='document.forms[0].submit()'>{form}"), true),
        (form.to_owned(), false),
        (format!("{form}{script}<a href=/portal/logout>Log out</a>"), false),
        (format!("{form}{form}{script}"), false),
        (format!("<form><input type=hidden name=a><input name=b></form>{script}"), false),
        (format!("<form><input type=submit></form>{script}"), false),
        (format!("{script}<form method=post action=/in><input type=hidden name=code"), false),
    ] {
        assert_eq!(Document::parse(&html).form_that_submits_itself().is_some(), expected, "{html}");
    }
}

#[test]
fn a_script_leads_on_from_a_page_that_is_nothing_else() {
    let script = "<script>window.location.href = '/next';</script>";
    let url = Url::parse("https://portal.example.com/app/").unwrap();
    for (html, expected) in [
        (format!("<html><head><title>Redirecting</title></head><body>{script}</body></html>"), true),
        (format!("<base href=/other/>{script}"), true),
        (format!("{script}<p>Welcome"), false),
        (format!("{script}<form><input name=a></form>"), false),
        (format!("<script>var a = 1;</script>{script}"), true),
    ] {
        let refresh = Document::parse_at(&html, &url, Charset::default()).refresh(&url, None);
        let to = refresh.map(|(wait, to)| (wait, to.path().to_owned()));
        assert_eq!(to, expected.then(|| (Duration::ZERO, "/next".to_owned())), "{html}");
    }
}

#[test]
fn a_page_that_is_cut_off_is_known() {
    let whole = Document::parse(LOGIN);
    assert!(!whole.is_cut_off());
    assert!(Document::parse(&LOGIN[..LOGIN.len() / 2]).is_cut_off());
    assert!(!Document::parse("<p>a fragment</p>").is_cut_off());
}

/// Everything that can be asked of a page.
fn ask_all(html: &str) {
    let document = Document::parse(html);
    let _ = (document.text(), document.site_key(), document.link("next"), document.links().count());
    let _ = (document.table("t"), document.definitions("t"), document.form_that_submits_itself());
    let _ = document.errors(&["e".to_owned()]);
    let url = Url::parse("https://p.example/").unwrap();
    let _ = Document::parse_at(html, &url, Charset::Windows1252).refresh(&url, None);
    for mut form in document.forms() {
        form.type_in("a", "b");
        form.tick("a", true);
        form.choose("a", "b");
        form.put("a", "b");
        let _ = form.entries().len();
    }
}

#[test]
fn hostile_pages_cost_no_more_than_others() {
    let all = "<table id=t><tr><td><dl id=t><dt><div class=e><form id=f><select name=a><option><textarea>";
    for part in [
        "<div class=e>",
        "<div id=t>",
        "<table id=t>",
        "<td>",
        "<dl id=t><dt>",
        "<form id=a>",
        "<select><option>",
        "<fieldset disabled>",
        "<div hidden>",
        "<input form=x name=a>",
        "<!--",
        "<![CDATA[",
        "<script>",
        "<a href=x rel=",
        "&amp",
        "<a b=c ",
        "</",
        "\u{0}<",
        "<option><optgroup>",
        "<span class=e></span>",
        "<noscript>",
        "<noscript></noscript>",
        "<li hidden>",
        "<p hidden><b>",
        "<div hidden><table id=t>",
        "<base href=//>",
        "<fieldset disabled><legend>",
        all,
    ] {
        ask_all(&part.repeat(400_000 / part.len()));
        ask_all(&format!("<html>{}</html>", part.repeat(40_000 / part.len())));
    }
    let attributes = (0..50_000).map(|i| format!(" a{i}=1")).collect::<Vec<_>>().concat();
    ask_all(&format!("<form{attributes}><input{attributes}>"));
}

const PARTS: [&str; 36] = [
    "<noscript>",
    "</noscript>",
    "<base href=/a>",
    "<meta http-equiv=refresh content='1;url=x'>",
    "<p hidden>",
    "<li class=modal>",
    "<legend>",
    "<datalist>",
    "<form id=t>",
    "</form>",
    "<input name=a type=checkbox>",
    "<select name=a>",
    "<option value=1 selected>",
    "</select>",
    "<textarea name=a>",
    "</textarea>",
    "<table id=t>",
    "</table>",
    "<tr>",
    "<td colspan=2>",
    "</td>",
    "<th>",
    "<thead>",
    "</thead>",
    "<dl id=t>",
    "<dt>",
    "<dd>",
    "</dl>",
    "<div class=e hidden>",
    "</div>",
    "<fieldset disabled>",
    "</fieldset>",
    "<script>submit()",
    "</script>",
    "text &amp; ",
    "<a rel=next href=x>",
];

proptest! {
    #[test]
    fn no_page_makes_it_panic(html in "\\PC{0,300}") {
        ask_all(&html);
    }

    #[test]
    fn no_markup_makes_it_panic(parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..60), cut in 0..400_usize) {
        let html = parts.concat();
        ask_all(&html);
        ask_all(html.get(..cut.min(html.len())).unwrap_or_default());
    }
}
