use super::{Document, emodal, emodal_value, overrides};
use base::json;
use serde_json::{Value, json};

fn faults(value: Value) -> Vec<String> {
    let faults = Document::read(value).err().unwrap_or_default();
    faults.into_iter().map(|fault| format!("{} {}", fault.path, fault.what)).collect()
}

/// E-Modal's document with a member set, or without it.
fn with(path: &str, to: Value) -> Vec<String> {
    let mut value = emodal_value("pages");
    let (parent, name) = path.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(members) if to.is_null() => drop(members.remove(name).unwrap()),
        Value::Object(members) => drop(members.insert(name.to_owned(), to)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = to,
        other => panic!("{other}"),
    }
    faults(value)
}

#[test]
fn the_document_of_emodal_has_no_fault() {
    assert_eq!(faults(emodal_value("pages")), Vec::<String>::new());
    assert_eq!(emodal().operations.len(), 4);
    for (name, _) in overrides::emodal_pages() {
        let set = overrides::emodal_with("pages", None, "", [(name.clone(), json!(7))].into_iter().collect());
        let told = &set.unwrap_err()[0];
        assert!(told.starts_with(&format!(" is not of the right shape: {name}: a number, not ")), "{told}");
    }
}

#[test]
fn what_is_wrong_is_told_by_its_path() {
    let one = |path: &str, what: &str| vec![format!("{path} {what}")];
    let text = "must be text of 1 to 1,000 characters";
    let name = "must be 1 to 64 lower-case letters, digits or _";
    for (path, to, what) in [
        ("/login", Value::Null, "is missing"),
        ("/login", json!([]), "must be an object"),
        ("/login/path", json!("login"), "must begin with one /"),
        ("/login/path", json!(7), "is a number, not a string"),
        ("/login/username_input", json!(" "), text),
        ("/login/password_input", Value::Null, "is missing"),
        ("/login/totp", json!(true), "is unknown"),
        ("/login/logged_out", json!(["x", ""]), "has an empty text"),
        ("/keep_alive/path", json!("//x.example.com"), "must begin with one /"),
        ("/logout", json!({}), "/path is missing"),
        ("/user_agent", json!("é"), "must be visible ASCII"),
        ("/base_url", json!("http://portal.example.com"), "must be https"),
        ("/hosts", json!(["a b"]), "must be host names"),
        ("/name", json!("emodal"), "is unknown"),
        ("/operations/0/name", json!("Get"), name),
        ("/operations/1/name", json!("get_containers"), "stands there twice"),
        ("/operations/0/wizard", json!({ "name": "appointment", "until": "list" }), "one of them"),
        ("/operations/0/listing", Value::Null, "one of them"),
        ("/operations/0/fields/0/name", json!("username"), "is a name that every operation has"),
        ("/operations/0/fields/0/name", json!("skip"), "stands there twice"),
        ("/operations/0/fields/0/type", json!("bool"), "must be one of: text, number, flag"),
        ("/operations/0/fields/0/max", json!(7), "is unknown"),
        ("/operations/0/fields/1/max", json!(0), "is less than min"),
        ("/operations/0/fields/2/max", json!(0), "must be a whole number from 1 to 2000"),
        ("/operations/0/fields/3/required", json!(true), "that is not required"),
        ("/operations/0/listing/path", json!("/c/{skip}"), "has {…} that is no text field"),
        ("/operations/0/listing/table", Value::Null, "is missing"),
        ("/operations/0/listing/needed_column", Value::Null, "one of them"),
        ("/operations/1/listing/needed_column", json!("Date"), "one of them"),
        ("/operations/1/listing/columns/1/member", json!("milestone"), "stands there twice"),
        ("/wizards/0/order/confirmed_texts", json!([]), "must have a text"),
        ("/operations/0/listing/rows", json!("session_id"), "is a name that every answer has"),
        ("/operations/0/listing/rows", json!("stopped_reason"), "is another member of the answer"),
        ("/operations/0/listing/repeats", json!(["nothing"]), "names no field of the operation"),
        ("/operations/0/listing/paging/all", json!("skip"), "must name a flag field"),
        ("/operations/0/listing/paging/target_count", json!("none"), "must name a number field"),
        ("/operations/0/listing/paging/target/field", json!("skip"), "must name a text field"),
        ("/operations/1/listing/path", json!("/containers"), "must have {container_id} once"),
        ("/operations/1/listing/flags/0/row/0/member", json!("Milestone"), "is that of no column"),
        ("/operations/2/wizard/name", json!("nothing"), "is that of no wizard"),
        ("/operations/2/wizard/until", json!("end"), "must be one of: list, order"),
        ("/wizards/0/phases", json!([]), "must be there"),
        ("/wizards/0/phases/0/inputs/0/by", json!("hand"), "must be one of: label, text, tick"),
        ("/wizards/0/phases/1/inputs/0/field", json!("terminal"), "stands there twice"),
        ("/wizards/0/phases/1/inputs/2/max", json!(1), "is unknown"),
        ("/wizards/0/phases/0/inputs/3/needed", json!(true), "has nothing to say beside needed"),
        ("/wizards/0/phases/0/inputs/3/needed_for/field", json!("own_chassis"), "is no text field"),
        ("/wizards/0/list/count", json!("available_times"), "is another member of the answer"),
        ("/wizards/0/order/element", Value::Null, "is missing"),
        ("/wizards/0/order", Value::Null, "is an order, and the wizard has none"),
    ] {
        let told = with(path, to.clone());
        assert!(told.iter().any(|fault| fault.contains(what)), "{path} {to}: {told:?}");
    }
    assert_eq!(with("/login/path", json!("x")), one("/login/path", "must begin with one /"));
    assert_eq!(
        with("/wizards/0/phases/0/inputs/0/max", Value::Null),
        one("/wizards/0/phases/0/inputs/0/max", "is missing")
    );
    // What is left of a wizard would be gone on with as the other.
    let mut value = emodal_value("pages");
    let mut other = value["wizards"][0].clone();
    other["name"] = json!("other");
    value["wizards"].as_array_mut().unwrap().push(other);
    assert_eq!(faults(value), one("/wizards/1/form", "is that of another wizard"));
}

#[test]
fn all_faults_are_told_at_once() {
    assert_eq!(faults(json!([])), [" must be an object"]);
    assert_eq!(
        faults(json!({ "base_url": "x", "more": 1 })),
        [
            "/user_agent is missing",
            "/login is missing",
            "/keep_alive is missing",
            "/logout is missing",
            "/base_url must be https://… without a query or credentials (http:// for loopback only)",
            "/more is unknown",
        ]
    );
    let many = json::read::<Value>(
        r#"{"user_agent":"","login":{"path":"x"},"keep_alive":[],"logout":{"path":"/out","by":"GET"},
            "operations":[{"name":"A"},7]}"#,
    );
    assert_eq!(
        faults(many.unwrap()),
        [
            "/user_agent must be visible ASCII",
            "/login/path must begin with one /",
            "/login/username_input is missing",
            "/login/password_input is missing",
            "/keep_alive must be an object",
            "/logout/by is unknown",
            "/operations/1 must be an object",
            "/operations/0/name must be 1 to 64 lower-case letters, digits or _",
            "/operations/0/listing or wizard: one of them must be there",
        ]
    );
}

#[test]
fn what_is_wrong_with_a_step_is_told() {
    let example = || json::value(super::EXAMPLE).unwrap();
    assert_eq!(faults(emodal_value("browser")), Vec::<String>::new());
    assert_eq!(faults(example()), Vec::<String>::new());
    let step = |step: &Value| {
        let mut value = example();
        let operation = &mut value["operations"][0];
        operation["fields"] = json!([{ "name": "dock", "type": "text", "max": 20 }]);
        operation["steps"] = json!([step]);
        faults(value).join("; ")
    };
    for (given, what) in [
        (json!({}), "steps/0/ must have one of: go, fill,"),
        (json!({ "go": "/a", "click": "#b" }), "steps/0/ must have one of"),
        (json!({ "go": "a" }), "steps/0/go must begin with one /"),
        (json!({ "go": "/{nothing}" }), "steps/0/go has {nothing}, which nothing stands for there"),
        (json!({ "fill": "#a", "with": "{password}" }), "steps/0/with has {password}, which nothing stands"),
        (json!({ "fill": "#a" }), "steps/0/with is missing"),
        (json!({ "tick": "#a", "on": "nothing" }), "steps/0/on names no field of the operation"),
        (json!({ "captcha": "#a", "into": "#b" }), "steps/0/captcha can be solved in a login only"),
        (json!({ "wait_for": {} }), "steps/0/wait_for/selector or text, gone, path, any, all: one of them"),
        (json!({ "wait_for": { "selector": "#a", "class": "b" } }), "steps/0/wait_for/class is unknown"),
        (json!({ "read": "page", "from": "#a", "into": "b" }), "steps/0/read must be one of: table, list,"),
        (json!({ "read": "text", "from": "#a", "into": "dock" }), "steps/0/into is a field of the operation"),
        (json!({ "when": { "given": "nothing" } }), "steps/0/when/given names no field of the operation"),
        (json!({ "repeat": [], "until": { "gone": "#a" } }), "steps/0/at_most is missing"),
        (json!({ "answer": { "success": true } }), "steps/0/answer has a name that every answer has"),
        (json!({ "fail": "unknown" }), "steps/0/fail must be one of: portal_not_found,"),
        (json!({ "click": "#a", "within": 301 }), "steps/0/within must be a whole number from 1 to 300"),
        (json!({ "click": "#a", "wait": 1 }), "steps/0/wait is unknown"),
    ] {
        let told = step(&given);
        assert!(told.contains(what), "{given}: {told}");
    }
    assert_eq!(step(&json!({ "choose": "#a", "label": "{dock}", "commit": true })), "");
    // What one logs in with stands in no address, and a login commits nothing.
    let mut value = example();
    value["login"]["steps"] = json!([{ "go": "/{password}" }, { "click": "#a", "commit": true }]);
    value["login"]["path"] = json!("/enter");
    assert_eq!(
        faults(value),
        [
            "/login/steps/0/go has a secret, which is for fill alone",
            "/login/steps/1/commit is for the own steps of an operation",
            "/login/path is unknown",
        ]
    );
    // So deep as nobody reads it.
    let mut deep = json!({ "click": "#a" });
    for _ in 0..6 {
        deep = json!({ "when": { "selector": "#b" }, "then": [deep] });
    }
    assert!(step(&deep).contains("/then lies too deep"));
}
