//! `/llms.txt` (llmstxt.org): what the API is, in a page of Markdown, for programs that read instead of running one.

use serde_json::Value;
use std::fmt::Write as _;

const BEGINNING: &str = "\
# Sallyport

> The session and token authority at this address: user sessions with rotating refresh tokens, sessions of users whom another system
> has logged in, upstream API tokens that are always fresh, and sessions at web portals that are kept alive.

- Bodies and answers are JSON; `/oauth/` takes forms. A refusal is `{\"detail\", \"code\"}`: decide by `code`, which is stable.
- Users: `POST /auth/login`, then `Authorization: Bearer <access token>`. When it expires, `POST /auth/refresh`; keep the new pair.
- Services: `Authorization: Bearer <service key>`, which an admin makes.
- 429 and 503 say in `Retry-After` when to come again. Neither logs anybody out.

## The whole of it

- [OpenAPI 3.1](/openapi.json): each request and each answer, with examples
- [The same to read](/docs): for people
";

/// From the document of `/openapi.json`.
pub fn text(document: &Value) -> String {
    let mut out = BEGINNING.to_owned();
    for tag in document.get("tags").and_then(Value::as_array).into_iter().flatten() {
        let (name, about) = (text_of(tag, "/name"), text_of(tag, "/description"));
        let _ = write!(out, "\n## {}\n\n", about.trim_end_matches('.'));
        for (path, method, operation) in operations(document) {
            // Of a route of all methods one is enough.
            let (id, summary) = (text_of(operation, "/operationId"), text_of(operation, "/summary"));
            let repeated = method != "get" && id.ends_with(&format!("-{method}"));
            if text_of(operation, "/tags/0") != name || repeated {
                continue;
            }
            let method = method.to_uppercase();
            let _ = writeln!(out, "- [{method} {path}](/docs#tag/{name}/operation/{id}): {summary}");
        }
    }
    out
}

/// Path, method, operation.
fn operations(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten().filter(|(name, _)| *name != "parameters");
        methods.map(move |(method, operation)| (path, method, operation))
    })
}

fn text_of<'a>(value: &'a Value, at: &str) -> &'a str {
    value.pointer(at).and_then(Value::as_str).unwrap_or_default()
}
