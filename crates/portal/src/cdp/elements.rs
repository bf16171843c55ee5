//! What is read and done on a page.

use super::super::code::{Code, Failure};
use super::tab::Condition;
use super::{COMMAND_MAX, GRACE, Tab, Unanswered, lost};
use base::clock::millis;
use base::secret::Secret;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// A table, as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// What came of choosing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Chosen,
    /// What there is instead.
    NotOffered(Vec<String>),
}

/// Rows that come as a list is scrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// What scrolls; the whole page, if nothing.
    pub scroll: Option<String>,
    pub rows: String,
    /// What is seen while rows load.
    pub busy: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrolled {
    More,
    End,
}

/// How long a list may take to close.
const CLOSED_WITHIN: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Point {
    x: f64,
    y: f64,
}

#[derive(Deserialize)]
struct Selected {
    chosen: bool,
    offered: Vec<String>,
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Failure> {
    base::json::of(value).map_err(|_| lost())
}

impl Tab<'_> {
    /// Calls what runs beside the page's scripts.
    pub(super) async fn call(&mut self, name: &str, arguments: Vec<Value>) -> Result<Value, Failure> {
        self.call_within(name, arguments, None).await
    }

    /// The same for what waits in the page: told for how long, and begun again in the next document if there is one.
    async fn call_within(
        &mut self,
        name: &str,
        arguments: Vec<Value>,
        within: Option<Duration>,
    ) -> Result<Value, Failure> {
        let began = self.devtools.net.now();
        let whole = self.devtools.left(within.unwrap_or(COMMAND_MAX))?;
        let until = began.plus(whole);
        loop {
            let left = until.since(self.devtools.net.now());
            let Some(context) = self.devtools.page.context else {
                if std::mem::take(&mut self.devtools.page.strayed) {
                    return Err(Failure::new(Code::Redirected));
                }
                match self.devtools.hear(until).await? {
                    Some(_) => continue,
                    None if within.is_some() => return Ok(Value::Null),
                    // A document that has no world for scripts does not answer at all.
                    None => return Err(lost()),
                }
            };
            let mut arguments: Vec<Value> = arguments.iter().map(|value| json!({ "value": value })).collect();
            if within.is_some() {
                arguments.push(json!({ "value": millis(left) }));
            }
            let params = json!({
                "functionDeclaration": format!("function(...all){{return sallyport.{name}(...all)}}"),
                "executionContextId": context,
                "arguments": arguments,
                "returnByValue": true,
                "awaitPromise": true,
            });
            let most = if within.is_some() { left + GRACE } else { COMMAND_MAX };
            match self.devtools.ask("Runtime.callFunctionOn", params, most).await {
                Ok(mut answer) => {
                    if answer.get("exceptionDetails").is_some() {
                        // A selector that is none; the page's own scripts are elsewhere.
                        return Err(Failure::new(Code::StepFailed));
                    }
                    return Ok(answer.pointer_mut("/result/value").map(Value::take).unwrap_or_default());
                }
                // The document went away meanwhile.
                Err(Unanswered::Refused) => {
                    if self.devtools.page.context == Some(context) {
                        self.devtools.page.context = None;
                    }
                }
                Err(why) => return Err(why.into_failure()),
            }
        }
    }

    /// Waits until a page shows it. `false`: it did not in time.
    pub async fn wait(&mut self, condition: &Condition, within: Duration) -> Result<bool, Failure> {
        let condition = serde_json::to_value(condition).unwrap_or_default();
        Ok(self.call_within("wait", vec![condition], Some(within)).await? == Value::Bool(true))
    }

    /// Whether it shows it now.
    pub async fn shows(&mut self, condition: &Condition) -> Result<bool, Failure> {
        let condition = serde_json::to_value(condition).unwrap_or_default();
        Ok(self.call("holds", vec![condition]).await? == Value::Bool(true))
    }

    pub async fn text(&mut self, css: Option<&str>) -> Result<String, Failure> {
        read(self.call("text", vec![css.into()]).await?)
    }

    pub async fn title(&mut self) -> Result<String, Failure> {
        read(self.call("title", vec![]).await?)
    }

    pub async fn html(&mut self) -> Result<String, Failure> {
        read(self.call("html", vec![]).await?)
    }

    pub async fn attribute(&mut self, css: &str, name: &str) -> Result<Option<String>, Failure> {
        read(self.call("attribute", vec![css.into(), name.into()]).await?)
    }

    pub async fn table(&mut self, css: &str) -> Result<Option<Table>, Failure> {
        read(self.call("table", vec![css.into()]).await?)
    }

    pub async fn list(&mut self, css: &str) -> Result<Vec<String>, Failure> {
        read(self.call("list", vec![css.into()]).await?)
    }

    pub async fn definitions(&mut self, css: &str) -> Result<Option<Vec<(String, String)>>, Failure> {
        read(self.call("definitions", vec![css.into()]).await?)
    }

    async fn press(&mut self, Point { x, y }: Point) -> Result<(), Failure> {
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let count = u8::from(kind != "mouseMoved");
            let event = json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": count });
            self.devtools.command("Input.dispatchMouseEvent", event).await?;
        }
        Ok(())
    }

    /// Clicks it, once it can be seen, is enabled and nothing lies over it.
    pub async fn click(&mut self, css: &str, within: Duration) -> Result<(), Failure> {
        let point: Option<Point> = read(self.call_within("point", vec![css.into()], Some(within)).await?)?;
        self.press(point.ok_or(Failure::new(Code::StepFailed))?).await
    }

    /// Types a text in, in place of what stands there.
    pub async fn fill(&mut self, css: &str, text: &str, within: Duration) -> Result<(), Failure> {
        if self.call_within("focus", vec![css.into()], Some(within)).await? != Value::Bool(true) {
            return Err(Failure::new(Code::StepFailed));
        }
        if text.is_empty() {
            for kind in ["keyDown", "keyUp"] {
                let key = json!({ "type": kind, "key": "Backspace", "windowsVirtualKeyCode": 8 });
                self.devtools.command("Input.dispatchKeyEvent", key).await?;
            }
            return Ok(());
        }
        self.devtools.command("Input.insertText", json!({ "text": text })).await?;
        Ok(())
    }

    /// Chooses what is called so: of a `<select>`, or of the list that a combobox opens.
    pub async fn choose(&mut self, css: &str, label: &str, within: Duration) -> Result<Choice, Failure> {
        if !self.wait(&Condition::selector(css), within).await? {
            return Err(Failure::new(Code::StepFailed));
        }
        if self.call("kind", vec![css.into()]).await? == "select" {
            let selected: Selected = read(self.call("select", vec![css.into(), label.into()]).await?)?;
            return Ok(if selected.chosen { Choice::Chosen } else { Choice::NotOffered(selected.offered) });
        }
        let offered = self.open_list(css, within).await?;
        let point: Option<Point> = read(self.call("optionPoint", vec![label.into()]).await?)?;
        let Some(point) = point else {
            self.close_list(within).await?;
            return Ok(Choice::NotOffered(offered));
        };
        self.press(point).await?;
        self.call_within("listClosed", vec![], Some(within)).await?;
        Ok(Choice::Chosen)
    }

    /// What can be chosen there.
    pub async fn offered(&mut self, css: &str, within: Duration) -> Result<Vec<String>, Failure> {
        if !self.wait(&Condition::selector(css), within).await? {
            return Err(Failure::new(Code::StepFailed));
        }
        if self.call("kind", vec![css.into()]).await? == "select" {
            let nothing = Value::Null;
            let selected: Selected = read(self.call("select", vec![css.into(), nothing]).await?)?;
            return Ok(selected.offered);
        }
        let offered = self.open_list(css, within).await?;
        self.close_list(within).await?;
        Ok(offered)
    }

    async fn open_list(&mut self, css: &str, within: Duration) -> Result<Vec<String>, Failure> {
        self.click(css, within).await?;
        let offered: Option<Vec<String>> = read(self.call_within("offered", vec![], Some(within)).await?)?;
        offered.ok_or(Failure::new(Code::StepFailed))
    }

    async fn close_list(&mut self, within: Duration) -> Result<(), Failure> {
        for kind in ["keyDown", "keyUp"] {
            let key = json!({ "type": kind, "key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27 });
            self.devtools.command("Input.dispatchKeyEvent", key).await?;
        }
        if self.call_within("listClosed", vec![], Some(CLOSED_WITHIN.min(within))).await? == Value::Bool(true)
        {
            return Ok(());
        }
        // Some lists close only when something beside them is clicked.
        self.press(Point { x: 2.0, y: 2.0 }).await?;
        let closed = self.call_within("listClosed", vec![], Some(within)).await?;
        if closed == Value::Bool(true) { Ok(()) } else { Err(Failure::new(Code::StepFailed)) }
    }

    pub async fn tick(&mut self, css: &str, on: bool, within: Duration) -> Result<(), Failure> {
        if !self.wait(&Condition::selector(css), within).await? {
            return Err(Failure::new(Code::StepFailed));
        }
        if self.call("isTicked", vec![css.into()]).await? != Value::Bool(on) {
            self.click(css, within).await?;
        }
        Ok(())
    }

    /// Gives a captcha's solution to the page, as its widget would: into the input, and to the callback of the widget.
    pub async fn solve(&mut self, css: &str, input: &str, solution: &Secret) -> Result<(), Failure> {
        let callback = self.attribute(css, "data-callback").await?;
        // The callback is the page's own, so this runs in the page's world.
        let params = json!({
            "expression": format!(
                "(() => {{ const input = document.querySelector({input}); if (input) input.value = {solution}; \
                 const call = window[{callback}]; if (typeof call === 'function') call({solution}); \
                 return Boolean(input); }})()",
                input = json!(input),
                solution = json!(solution.expose()),
                callback = json!(callback.unwrap_or_default()),
            ),
            "returnByValue": true,
        });
        let done = self.devtools.command("Runtime.evaluate", params).await?;
        let is_done = done.pointer("/result/value") == Some(&Value::Bool(true));
        if is_done { Ok(()) } else { Err(Failure::new(Code::StepFailed)) }
    }

    /// Scrolls to the end of what is there, and waits for what that brings.
    pub async fn scroll(&mut self, rows: &Rows, within: Duration) -> Result<Scrolled, Failure> {
        let arguments = vec![rows.scroll.clone().into(), rows.rows.as_str().into(), rows.busy.clone().into()];
        match self.call_within("scroll", arguments, Some(within)).await?.as_str() {
            Some("more") => Ok(Scrolled::More),
            Some("end") => Ok(Scrolled::End),
            _ => Err(Failure::new(Code::StepFailed)),
        }
    }
}
