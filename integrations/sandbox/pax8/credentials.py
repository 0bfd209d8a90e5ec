"""Whose request it is: the token service, the tokens it gives out, and how many requests each MSP may make."""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.pax8.problems import Problem, TokenProblem
from integrations.sandbox.wire import Answer, Caller, Request, json_answer

TOKEN_SECONDS = 86_400
TOKEN_PATH = "/pax8/v1/token"  # noqa: S105  # a path, no password
AUDIENCES = {"https://api.pax8.com", "api://p8p.client", "api://provisioning", "api://usage"}
MOST_REQUESTS, WITHIN_SECONDS = 1000, 60
_FILE = Path(__file__).resolve().parent.parent / "world" / "credentials.json"


@dataclass(frozen=True)
class Credential:
    """One application of an MSP. Invented: it opens this sandbox and nothing else."""

    name: str
    owner: str
    label: str
    client_id: str
    client_secret: str


def load_credentials() -> tuple[Credential, ...]:
    """The applications of the demo world."""
    return tuple(Credential(**row) for row in json.loads(_FILE.read_text(encoding="utf-8"))["pax8"])


def connection_rows(base_url: str) -> list[Record]:
    """What an admin would enter to connect to a sandbox at this address, one entry an application."""
    return [
        {
            "name": one.name,
            "vendor": "pax8",
            "owner": one.owner,
            "label": one.label,
            "base_url": f"{base_url}/pax8",
            "client_id": one.client_id,
            "client_secret": one.client_secret,
        }
        for one in load_credentials()
    ]


class Tokens:
    """The tokens given out since the start, and each MSP's requests of the last minute. Both in memory only."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._known = load_credentials()
        self._tokens: dict[str, tuple[Credential, float]] = {}
        self._served: dict[str, deque[float]] = {}
        self._clock = clock

    def owners(self) -> list[str]:
        """The MSPs that have an application."""
        return sorted({one.owner for one in self._known})

    def issue(self, request: Request) -> Answer:
        """Answer a request for a token. Raises TokenProblem."""
        body = _body(request)
        if body.get("grant_type") != "client_credentials":
            raise TokenProblem(400, "unsupported_grant_type", "Unsupported grant type")
        if body.get("audience") not in AUDIENCES:
            raise TokenProblem(400, "invalid_request", "Unknown audience")
        known, given = self._named(body), str(body.get("client_secret", "")).encode()
        if known is None or not hmac.compare_digest(given, known.client_secret.encode()):
            raise TokenProblem(401, "access_denied", "Unauthorized")
        text = secrets.token_urlsafe(48)
        self._tokens[text] = (known, self._clock() + TOKEN_SECONDS)
        return json_answer(200, {"access_token": text, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"})

    def revoke(self, owner: str) -> None:
        """Let every token of an MSP end now."""
        self._tokens = {text: given for text, given in self._tokens.items() if given[0].owner != owner}

    def forget(self, owner: str) -> None:
        """Begin to count an MSP's requests anew."""
        self._served.pop(owner, None)

    def caller(self, request: Request) -> Caller | None:
        """Whose token a request carries, or who asks for one, whatever else is wrong with it; None if nobody."""
        found = self._named(_body(request)) if request.path == TOKEN_PATH else self._of(request)
        return Caller(owner=found.owner, member=found.client_id) if found else None

    def authenticate(self, request: Request) -> Credential:
        """The application whose token it is, if that still holds and the limit does. Raises Problem."""
        found = self._of(request)
        if found is None:
            raise Problem(401, "Unauthorized")
        now, served = self._clock(), self._served.setdefault(found.owner, deque())
        while served and served[0] <= now - WITHIN_SECONDS:
            served.popleft()
        if len(served) >= MOST_REQUESTS:
            raise Problem(429, "Too Many Requests", retry_after=int(served[0] + WITHIN_SECONDS - now) + 1)
        served.append(now)
        return found

    def limit_headers(self, request: Request) -> tuple[tuple[str, str], ...]:
        """How much of the limit is left, as the API tells it; nothing to whoever is unknown."""
        found = self._of(request)
        if found is None:
            return ()
        served = self._served.get(found.owner, deque())
        reset = int(served[0] + WITHIN_SECONDS - self._clock()) + 1 if served else 0
        left = max(MOST_REQUESTS - len(served), 0)
        told = {"Limit": MOST_REQUESTS, "Remaining": left, "Reset": reset}
        return tuple((f"X-RateLimit-{name}", str(value)) for name, value in told.items())

    def _of(self, request: Request) -> Credential | None:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        credential, ends_at = self._tokens.get(text, (None, 0.0))
        return credential if scheme.lower() == "bearer" and ends_at > self._clock() else None

    def _named(self, body: Record) -> Credential | None:
        return next((one for one in self._known if one.client_id == body.get("client_id")), None)


def _body(request: Request) -> Record:
    """The JSON of a request for a token; empty where it is none."""
    try:
        content: Json = request.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
