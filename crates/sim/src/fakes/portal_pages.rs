//! What the portal shows.

use base::page::{Answer, Page};
use base::secret::Secret;
use std::fmt::Write as _;

pub const LOGGED_OUT: &str = "<!doctype html><html><body><p>You are either not logged in or your session has \
    expired. Please use your back button</p></body></html>";

pub fn page(status: u16, body: &str) -> Answer {
    Answer::Page(Page::new(status, Some("text/html; charset=utf-8".to_owned()), body.as_bytes()))
}

pub fn to(location: &str) -> Answer {
    with(page(302, ""), |page| page.location = Some(location.to_owned()))
}

pub fn with(answer: Answer, change: impl FnOnce(&mut Page)) -> Answer {
    let Answer::Page(mut page) = answer else { return answer };
    change(&mut page);
    Answer::Page(page)
}

pub fn with_cookie(answer: Answer, cookie: &str) -> Answer {
    with(answer, |page| page.cookies.push(Secret::new(cookie)))
}

/// A page of a logged-in user.
pub fn inside(body: &str) -> Answer {
    page(
        200,
        &format!("<!doctype html><html><body><a href=\"/portal/logout\">Log out</a>{body}</body></html>"),
    )
}

fn error(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("<div class='validation-summary-errors'><ul><li>{text}</li></ul></div>")
}

pub fn login_form(text: &str) -> Answer {
    page(
        200,
        &format!(
            "<!doctype html><html><body>{}<form method=post action='/identity/login'><input name=Username><input \
             name=Password type=password><div class=g-recaptcha data-sitekey=6L></div><button>Log in</button></form>\
             </body></html>",
            error(text)
        ),
    )
}

/// It sends itself.
pub fn callback(identity: u32) -> Answer {
    page(
        200,
        &format!(
            "<form method=post action='https://portal.example.com/portal/signin-oidc'><input type=hidden name=code \
             value={identity}></form><script>document.forms[0].submit()</script>"
        ),
    )
}

pub fn containers(number: usize) -> Answer {
    let mut html =
        "<table id='containers'><thead><tr><th>Container #</th><th>Status</th></tr></thead><tbody>"
            .to_owned();
    for i in 0..number {
        let _ = write!(html, "<tr><td>MSCU{}</td><td>Gone</td></tr>", 1_000_000 + i);
    }
    html.push_str("</tbody></table>");
    inside(&html)
}

/// A form of a wizard; `filler` makes it as large as is wanted.
fn step(number: u32, phase: u8, action: &str, text: &str, body: &str) -> Answer {
    inside(&format!(
        "{}<form data-phase={phase} id='appointment' method=post action='/portal/appointments/{action}'><input \
         type=hidden name=WizardId value={number}>{body}<button>Next</button></form>",
        error(text)
    ))
}

pub fn first(number: u32, text: &str) -> Answer {
    let body = "<select name=TruckingCompanyId><option value=17>Harbor Freight</option></select>\
        <select name=TerminalId><option value=2>TraPac</option></select>\
        <select name=MoveType><option value=2>PICK FULL</option></select>\
        <input name=ContainerNumber><input name=BookingNumber>";
    step(number, 1, "1", text, body)
}

pub fn second(number: u32, text: &str) -> Answer {
    let body = "<input name=TruckPlate><input name=PinCode><input type=checkbox name=OwnChassis value=true>";
    step(number, 2, "2", text, body)
}

pub fn third(number: u32, text: &str, slots: usize) -> Answer {
    let mut body = "<select name=TimeSlot><option value=''>-- select --</option>".to_owned();
    for i in 1..=slots {
        let _ = write!(body, "<option value={i}>Slot {i}</option>");
    }
    body.push_str("</select>");
    step(number, 3, "book", text, &body)
}

pub fn confirmed() -> Answer {
    inside(
        "<div id=confirmation><h2>Appointment confirmed</h2><dl><dt>Confirmation Number</dt><dd>APT-1</dd></dl>\
         </div>",
    )
}
