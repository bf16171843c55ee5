"""What schemathesis is told about Sallyport: who it is, what it may not end, and what counts as a fault."""

import json
import os
import urllib.request

import schemathesis

BASE = os.environ["FUZZ_BASE"]
WHO = json.loads(os.environ["FUZZ_WHO"])
LEAVER = json.loads(os.environ["FUZZ_LEAVER"])
SERVICE_KEY = os.environ["FUZZ_SERVICE_KEY"]

# These end the session that calls them: each call has one of its own, of another user.
ENDS = ("/auth/logout", "/auth/logout-all", "/auth/password", "/auth/sessions/{id}")
# An account that has no token of the kind that is asked for. Everything else above 499 is a fault here: the upstreams are fakes
# and well.
NO_FAULT = "token_unavailable"
# They stay as they are, also where an answer has named them.
OURS = os.environ["FUZZ_OURS"].split(",")


# What frames a message. The platform answers for these by itself, and Sallyport sees nothing of it.
FRAMING = ("transfer-encoding", "content-length", "connection", "upgrade", "te", "trailer", "expect")


def login(user):
    body = json.dumps(user).encode()
    request = urllib.request.Request(f"{BASE}/auth/login", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["access_token"]


class Session:
    """The session that requests are made with. One of them may end it by its id, so what is refused begins another."""

    token = None

    def shown(self):
        self.token = self.token or login(WHO)
        return f"Bearer {self.token}"

    def refused(self, authorization):
        if authorization == f"Bearer {self.token}":
            self.token = None


session = Session()


def security_of(case):
    return case.operation.definition.raw.get("security", [])


@schemathesis.auth(refresh_interval=None)
class Credentials:
    def get(self, case, ctx):
        names = {name for one in security_of(case) for name in one}
        if any(name.startswith("serviceKey") for name in names):
            return "X-API-Key", SERVICE_KEY
        if "bearer" not in names:
            return None
        return "Authorization", f"Bearer {login(LEAVER)}" if case.operation.path in ENDS else session.shown()

    def set(self, case, data, ctx):
        if data is not None:
            case.headers = case.headers or {}
            case.headers[data[0]] = data[1]


@schemathesis.hook
def before_call(context, case, kwargs):
    if (case.path_parameters or {}).get("username") in OURS:
        case.path_parameters["username"] = "nobody"
    for name in [name for name in case.headers or {} if name.lower() in FRAMING]:
        del case.headers[name]


@schemathesis.hook
def after_call(context, case, response):
    # Where a token is optional, 401 is about something else.
    if response.status_code == 401 and {} not in security_of(case):
        session.refused(response.request.headers.get("Authorization"))


@schemathesis.check
def no_fault(ctx, response, case):
    if response.status_code < 500:
        return
    try:
        code = response.json().get("code")
    except (ValueError, AttributeError):
        code = None
    if (response.status_code, code) != (503, NO_FAULT):
        raise AssertionError(f"{response.status_code} {code}")


@schemathesis.hook
def before_load_schema(context, raw_schema):
    spell_out(raw_schema)


def spell_out(node):
    """Writes the schema `true` as `{}`: schemathesis 4.32.5 stumbles over the short form."""
    if isinstance(node, dict):
        if node.get("items") is True:
            node["items"] = {}
        properties = node.get("properties")
        if isinstance(properties, dict):
            node["properties"] = {name: {} if of is True else of for name, of in properties.items()}
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        spell_out(child)
