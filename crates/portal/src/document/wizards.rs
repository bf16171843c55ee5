//! Wizards, as a document has them: forms or calls, one after the other.

use super::members::Members;
use super::operations::{Answers, is_text, kind, known_once, name, text_kind};
use super::{api, browser};
use crate::operation::{By, Field, FieldKind, Input, List, Need, Order, Stepper, Steps};

pub(super) fn steps(one: &mut Members<'_>, driver: &str) -> Steps {
    let (mut path, mut form) = (String::new(), String::new());
    let mut stepper = (driver == "browser").then(|| {
        let open = browser::steps(one, "open", "wizards", &mut browser::Names::of(&[]));
        Stepper { open, phases: Vec::new(), errors: one.text("errors") }
    });
    let mut api = (driver == "api").then(|| api::wizard(one));
    if driver == "pages" {
        path = one.path("path");
        form = one.text("form");
    }
    let mut before: Vec<Field> = Vec::new();
    let mut phases = Vec::new();
    let names = |fields: &[Field]| -> Vec<String> { fields.iter().map(|field| field.name.clone()).collect() };
    for (i, mut phase) in one.objects(kind("phase", driver), "phases").into_iter().enumerate() {
        let mut inputs = Vec::new();
        if let Some(stepper) = &mut stepper {
            let at = format!("wizards/phases/{i}");
            let send = browser::steps(&mut phase, "send", &at, &mut browser::Names::of(&[]));
            stepper.phases.push((phase.text("shown"), send));
        }
        for mut item in phase.objects(kind("input", driver), "inputs") {
            let input = input(&mut item, &before, driver == "api");
            before.push(input.field.clone());
            inputs.push(input);
        }
        if let Some(api) = &mut api {
            api.phases.push(api::phase(&mut phase, &names(&before), i + 1));
        }
        phases.push(inputs);
    }
    if phases.is_empty() || phases.len() > usize::from(u8::MAX) {
        one.fault("phases", "must be there");
    }
    let mut answers = Answers::default();
    let list = one.object("list", "list").map(|mut list| {
        let control = list.text("input");
        let last: &[Input] = phases.last().map_or(&[], Vec::as_slice);
        let options = last.iter().find(|input| input.control == control).and_then(|i| i.options.clone());
        if driver == "api" && options.is_none() {
            list.fault("input", "has the options of no input of the last phase");
        }
        let (rows, count) = (answers.take(&mut list, "rows"), answers.take(&mut list, "count"));
        List { control, rows, count, options }
    });
    let order = one.optional_object(kind("order", driver), "order").map(|mut order| {
        let mut of = Order::default();
        if driver == "api" {
            of.api = Some(api::order(&mut order, &names(&before), phases.len()));
        } else {
            of.element = order.text("element");
            of.confirmed_texts = confirmed_texts(&mut order);
            of.gone_texts = order.texts("gone_texts");
            of.expired_texts = order.texts("expired_texts");
        }
        of.confirmed = answers.take(&mut order, "confirmed");
        of.details = answers.take(&mut order, "details");
        of
    });
    let steps = Steps { path, form, phases, list: list.unwrap_or_default(), in_browser: stepper, api, order };
    api::check(one, &steps);
    steps
}

/// Without one, nobody would ever know that it is done.
fn confirmed_texts(order: &mut Members<'_>) -> Vec<String> {
    let texts = order.texts("confirmed_texts");
    if texts.is_empty() {
        order.fault("confirmed_texts", "must have a text");
    }
    texts
}

fn input(item: &mut Members<'_>, before: &[Field], is_api: bool) -> Input {
    let name = name(item, "field");
    known_once(item, "field", &name, before);
    let by = match item.word("by", &["label", "text", "tick"]) {
        "label" => By::Label,
        "text" => By::Text,
        _ => By::Tick,
    };
    let kind = if by == By::Tick { FieldKind::Bool } else { text_kind(item) };
    let always = item.flag("needed");
    let needed_for = item.optional_object("needed_for", "needed_for").map(|mut need| {
        let (field, values) = (need.text("field"), need.texts("values"));
        if !before.iter().any(|other| other.name == field && is_text(other)) {
            need.fault("field", "is no text field of an input before");
        }
        Need::For { field, values }
    });
    if always && needed_for.is_some() {
        item.fault("needed_for", "has nothing to say beside needed");
    }
    let need = needed_for.unwrap_or(if always { Need::Always } else { Need::Never });
    // What a form needs it asks for when it comes to it.
    let field = Field { name, kind, required: false };
    // What is typed or ticked stands in a call by the field's name.
    let options = (is_api && by == By::Label).then(|| api::options(item));
    let control = if is_api && by != By::Label { String::new() } else { item.text("input") };
    Input { field, control, by, need, options }
}
