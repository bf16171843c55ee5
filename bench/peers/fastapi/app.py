"""P1: sessions with FastAPI and Redis: uvicorn (uvloop, httptools), redis.asyncio (hiredis), PyJWT."""

import os
import secrets
import time

import jwt
import redis.asyncio as redis
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

SECRET = os.environ["SECRET"]
ISSUED = {"iss": "bench", "aud": "bench"}
IDLE_SECONDS = 1800
LIFE_SECONDS = {"access": 86_400, "refresh": 7 * 86_400}

db = redis.Redis(port=int(os.environ["REDIS_PORT"]), decode_responses=True)
bearer = HTTPBearer()
app = FastAPI()

# Takes a new refresh token's id where the presented one is current; anything else ends the session.
ROTATE = db.register_script(
    """
if redis.call('HGET', KEYS[1], 'jti') ~= ARGV[1] then redis.call('DEL', KEYS[1]) return 0 end
redis.call('HSET', KEYS[1], 'jti', ARGV[2], 'last', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1"""
)


class Login(BaseModel):
    username: str


class Refresh(BaseModel):
    refresh_token: str


def mint(subject: str, session: str, kind: str) -> tuple[str, str]:
    now, jti = int(time.time()), secrets.token_hex(16)
    claims = {"sub": subject, "sid": session, "jti": jti, "typ": kind, "iat": now, "exp": now + LIFE_SECONDS[kind]}
    return jwt.encode(ISSUED | claims, SECRET, "HS256"), jti


def pair_of(subject: str, session: str) -> tuple[dict, str]:
    access, _ = mint(subject, session, "access")
    refresh, jti = mint(subject, session, "refresh")
    return {"access_token": access, "refresh_token": refresh}, jti


def verified(token: str, kind: str) -> dict:
    try:
        claims = jwt.decode(token, SECRET, ["HS256"], issuer=ISSUED["iss"], audience=ISSUED["aud"])
    except jwt.InvalidTokenError:
        raise HTTPException(401, "invalid token")
    if claims["typ"] != kind:
        raise HTTPException(401, "wrong type of token")
    return claims


async def live(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> dict:
    """The claims of a token that is not revoked and whose session lives; notes the activity."""
    claims = verified(credentials.credentials, "access")
    key = "session:" + claims["sid"]
    revoked, session = await db.pipeline(transaction=False).get("revoked:" + claims["jti"]).hgetall(key).execute()
    now = time.time()
    if revoked or not session or now - float(session["last"]) > IDLE_SECONDS:
        raise HTTPException(401, "session ended")
    await db.pipeline(transaction=False).hset(key, "last", now).expire(key, IDLE_SECONDS).execute()
    return claims


@app.get("/p1")
async def protected(claims: dict = Depends(live)) -> dict:
    return {"user": claims["sub"], "session": claims["sid"]}


@app.post("/auth/refresh")
async def refresh(body: Refresh) -> dict:
    claims = verified(body.refresh_token, "refresh")
    pair, jti = pair_of(claims["sub"], claims["sid"])
    args = [claims["jti"], jti, time.time(), IDLE_SECONDS]
    if not await ROTATE(keys=["session:" + claims["sid"]], args=args):
        raise HTTPException(401, "session ended")
    return pair


@app.post("/session")
async def session(body: Login) -> dict:
    """A session for whoever asks: passwords are not measured here."""
    id = secrets.token_hex(16)
    pair, jti = pair_of(body.username, id)
    key = "session:" + id
    await db.hset(key, mapping={"user": body.username, "last": time.time(), "jti": jti})
    await db.expire(key, IDLE_SECONDS)
    return pair
