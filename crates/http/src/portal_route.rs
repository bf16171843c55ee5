//! The routes of portal sessions.

/// One of them. A session id is as the path has it, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortalRoute {
    Get,
    /// The name of a declared operation.
    Run(&'static str),
    List,
    Close(String),
}

impl PortalRoute {
    /// The route as it stands in logs: never with what a caller put into it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Get => "POST /get_session",
            Self::Run(operation) => match operation.as_bytes() {
                b"get_containers" => "POST /get_containers",
                b"get_container_timeline" => "POST /get_container_timeline",
                b"check_appointments" => "POST /check_appointments",
                b"make_appointment" => "POST /make_appointment",
                _ => "POST /{operation}",
            },
            Self::List => "GET /sessions",
            Self::Close(_) => "DELETE /sessions/{session_id}",
        }
    }
}

/// What is allowed on a path, and the route of this method there; nothing if the path is not one of ours. `method` is `GET`
/// for `HEAD`.
pub fn find(method: &str, path: &[Option<&str>]) -> Option<(&'static str, Option<PortalRoute>)> {
    let path: Vec<&str> = path.iter().map_while(|segment| *segment).collect();
    let post = |route: PortalRoute| Some(("POST, OPTIONS", (method == "POST").then_some(route)));
    match path.as_slice() {
        ["get_session"] => post(PortalRoute::Get),
        ["sessions"] => Some(("GET, HEAD, OPTIONS", (method == "GET").then_some(PortalRoute::List))),
        ["sessions", id] if !id.is_empty() => {
            let close = || PortalRoute::Close((*id).to_owned());
            Some(("DELETE, OPTIONS", (method == "DELETE").then(close)))
        }
        [name] => post(PortalRoute::Run(portal::operation(name)?.name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_routes() {
        for (method, path, expected) in [
            ("POST", "get_session", Some(PortalRoute::Get)),
            ("POST", "get_containers", Some(PortalRoute::Run("get_containers"))),
            ("POST", "make_appointment", Some(PortalRoute::Run("make_appointment"))),
            ("GET", "sessions", Some(PortalRoute::List)),
            ("DELETE", "sessions/session_1_a", Some(PortalRoute::Close("session_1_a".to_owned()))),
            ("GET", "get_session", None),
            ("GET", "sessions/session_1_a", None),
        ] {
            let segments: Vec<_> = path.split('/').map(Some).collect();
            assert_eq!(find(method, &segments).unwrap().1, expected, "{method} {path}");
        }
        for path in ["get_sessions", "sessions/", "sessions/a/b", "get_containers/x", ""] {
            let segments: Vec<_> = path.split('/').map(Some).collect();
            assert_eq!(find("POST", &segments), None, "{path}");
        }
    }

    #[test]
    fn every_operation_has_its_name_in_the_logs() {
        for operation in portal::operation::operations() {
            assert_eq!(PortalRoute::Run(operation.name).name(), format!("POST /{}", operation.name));
        }
    }
}
