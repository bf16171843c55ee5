"""Holds the Upstox fake against the vendor's own SDK.

Usage: pip install upstox-python-sdk==2.30.0
       node tests/upstreams/main.ts --port 8788
       python tests/upstreams/sdk_check.py [http://127.0.0.1:8788]

Prints a line for each check; exits with 1 if one of them fails. It resets the fakes.
"""

import importlib.metadata
import json
import sys
import urllib.request

import upstox_client
from upstox_client.rest import ApiException

BASE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8788"
ACCOUNT = "agnidata001"
APP = {
    "client_id": f"client-{ACCOUNT}",
    "client_secret": f"app-secret-{ACCOUNT}",
    "redirect_uri": "https://app.example.com/callback",
    "grant_type": "authorization_code",
}
failures = 0


def check(what, got, wanted):
    global failures
    good = got == wanted
    failures += not good
    print(f"{'ok  ' if good else 'FAIL'} {what}" + ("" if good else f": {got!r}, not {wanted!r}"))


def control(**body):
    request = urllib.request.Request(
        f"{BASE}/_control", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def client(token=""):
    configuration = upstox_client.Configuration()
    configuration.host = f"{BASE}/upstox"
    configuration.access_token = token
    return upstox_client.ApiClient(configuration)


def profile(token):
    return upstox_client.UserApi(client(token)).get_profile("2.0")


def refused(what, call, status, code):
    """The call ends in an ApiException that carries the status and the body, both spellings of the keys in it."""
    try:
        got = call()
    except ApiException as error:
        problem = json.loads(error.body)["errors"][0]
        check(what, (error.status, problem["errorCode"], problem["error_code"]), (status, code, code))
        parsed = client().deserialize(Data(error.body), "ApiGatewayErrorResponse")
        check(f"{what}: its body is the SDK's error model", (parsed.status, parsed.errors[0].error_code), ("error", code))
    else:
        check(what, got, f"an ApiException of {status}")


class Data:
    """What the SDK's deserializer reads."""

    def __init__(self, body):
        self.data = body


def main():
    print(f"upstox-python-sdk {importlib.metadata.version('upstox-python-sdk')}")
    code = control(reset=True, issue_code={"account": ACCOUNT})["code"]
    login = upstox_client.LoginApi(client())

    issued = login.token("2.0", code=code, **APP)
    check("token: the model", type(issued).__name__, "TokenResponse")
    check("token: the user", (issued.email, issued.broker, issued.is_active), (f"{ACCOUNT}@example.com", "UPSTOX", True))
    check("token: nothing but the token is missing", [k for k, v in issued.to_dict().items() if v is None], ["extended_token"])
    refused("token: a used code", lambda: login.token("2.0", code=code, **APP), 401, "UDAPI100057")
    wrong = {**APP, "client_secret": "wrong"}
    refused("token: a wrong secret", lambda: login.token("2.0", code="x", **wrong), 401, "UDAPI100069")
    control(switches={"upstox": {"bad_code_status": 400}})
    refused("token: a code made up", lambda: login.token("2.0", code="x", **APP), 400, "UDAPI100057")

    shown = profile(issued.access_token)
    check("profile: the models", (type(shown).__name__, type(shown.data).__name__), ("GetProfileResponse", "ProfileData"))
    check("profile: the user", (shown.status, shown.data.user_id), ("success", issued.user_id))
    check("profile: no field is missing", [k for k, v in shown.data.to_dict().items() if v is None], [])
    refused("profile: a token made up", lambda: profile("made-up"), 401, "UDAPI100050")
    refused("profile: no token", lambda: profile(""), 401, "UDAPI100050")

    body = upstox_client.IndieUserTokenRequest(client_secret=APP["client_secret"])
    asked = login.init_token_request_for_indie_user(body, APP["client_id"])
    check("token request: the model", type(asked.data).__name__, "IndieUserInitTokenData")
    check("token request: the expiry is milliseconds", len(asked.data.authorization_expiry), 13)
    check("token request: the notifier", asked.data.notifier_url, f"https://app.example.com/notifier/{ACCOUNT}")
    body.client_secret = "wrong"
    ask = lambda: login.init_token_request_for_indie_user(body, APP["client_id"])
    refused("token request: a wrong secret", ask, 401, "UDAPI100069")

    ended = upstox_client.LoginApi(client(issued.access_token)).logout("2.0")
    check("logout", (type(ended).__name__, ended.status, ended.data), ("LogoutResponse", "success", True))
    refused("profile: after the logout", lambda: profile(issued.access_token), 401, "UDAPI100050")

    live = control(issue_token={"account": ACCOUNT})["access_token"]
    check("profile: another token", profile(live).data.user_id, issued.user_id)
    control(clock={"advance_ms": 86_400_000})
    refused("profile: a token that has expired", lambda: profile(live), 401, "UDAPI100050")

    # Without Retry-After: with it, urllib3 in the SDK waits and asks again by itself, and no error is seen.
    limited = {"upstream": "upstox", "fault": {"fault": "status", "status": 429}}
    control(reset=True, fail=limited)
    refused("profile: too many", lambda: profile(live), 429, "UDAPI10005")
    control(reset=True)
    print("all as the SDK has it" if failures == 0 else f"{failures} failed")
    sys.exit(1 if failures else 0)


main()
