"""Reads a JWKS and verifies an access token by it with joserfc: the address of the JWKS, issuer, audience, algorithm; the token on stdin."""

import json
import sys
import urllib.request

from joserfc import jwt
from joserfc.jwk import KeySet

address, issuer, audience, algorithm = sys.argv[1:]
with urllib.request.urlopen(address) as answer:
    keys = KeySet.import_key_set(json.load(answer))
token = jwt.decode(sys.stdin.read(), keys, algorithms=[algorithm])
jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": issuer},
    aud={"essential": True, "value": audience},
    exp={"essential": True},
    sub={"essential": True},
).validate(token.claims)
if token.header["typ"] != "at+jwt":
    raise ValueError("no access token")
print(json.dumps({"header": token.header, "claims": token.claims}))
