"""Whose request it is: the token endpoint, and the bearer tokens it gives out.

Tokens live in memory only: a restarted sandbox knows none of them, and neither does one whose tokens were revoked.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from integrations.sandbox.json_types import Record
from integrations.sandbox.ninjaone.consent import Consents
from integrations.sandbox.ninjaone.problems import OAuthProblem, Problem
from integrations.sandbox.wire import Answer, Caller, Request, json_answer

TOKEN_SECONDS = 3600
TOKEN_PATH = "/ninjaone/ws/oauth/token"  # noqa: S105  # a path, no password
_CLIENTS_FILE = Path(__file__).resolve().parent.parent / "world" / "credentials.json"


@dataclass(frozen=True)
class ApiClient:
    """One API client of an MSP. Invented: it opens this sandbox and nothing else.

    `user_context` = its tokens may also run scripts, which most tenants allow only to tokens with a user behind them.
    """

    name: str
    owner: str
    label: str
    client_id: str
    client_secret: str
    scopes: str
    user_context: bool


@dataclass(frozen=True)
class Token:
    """What a bearer token stands for."""

    client: ApiClient
    scopes: frozenset[str]
    expires_at: float
    has_person: bool = False


def load_clients() -> tuple[ApiClient, ...]:
    """The API clients of the demo world."""
    return tuple(ApiClient(**row) for row in json.loads(_CLIENTS_FILE.read_text(encoding="utf-8"))["ninjaone"])


def connection_rows(base_url: str) -> list[Record]:
    """What an admin would enter to connect to a sandbox at this address, one entry a client."""
    return [
        {
            "name": client.name,
            "vendor": "ninjaone",
            "owner": client.owner,
            "label": client.label,
            "base_url": f"{base_url}/ninjaone",
            "client_id": client.client_id,
            "client_secret": client.client_secret,
        }
        for client in load_clients()
    ]


class Tokens:
    """The tokens given out since the start."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clients = load_clients()
        self._tokens: dict[str, Token] = {}
        self._clock = clock
        self.consents = Consents()

    def owners(self) -> list[str]:
        """The MSPs that have a client."""
        return sorted({client.owner for client in self._clients})

    def issue(self, request: Request) -> Answer:
        """Answer a request for a token. Raises OAuthProblem."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise OAuthProblem(400, "invalid_request")
        grant = form.get("grant_type")
        if grant not in ("client_credentials", "authorization_code", "refresh_token"):
            raise OAuthProblem(400, "unsupported_grant_type")
        client = next((one for one in self._clients if one.client_id == form.get("client_id")), None)
        given = form.get("client_secret", "").encode()
        if client is None or not hmac.compare_digest(given, client.client_secret.encode()):
            raise OAuthProblem(401, "invalid_client")
        if grant == "client_credentials":
            granted = form.get("scope", "monitoring")
        else:
            granted = (
                self.consents.renew(form) if grant == "refresh_token" else self.consents.redeem(form, now=self._clock())
            )
        scopes = frozenset(granted.split()) - {"offline_access"}
        if grant == "client_credentials" and not scopes <= set(client.scopes.split()):
            raise OAuthProblem(400, "invalid_scope")
        text = secrets.token_urlsafe(32)
        self._tokens[text] = Token(client, scopes, self._clock() + TOKEN_SECONDS, grant != "client_credentials")
        answer: Record = {
            "access_token": text,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join(sorted(scopes)),
        }
        if "offline_access" in granted.split():
            answer["refresh_token"] = self.consents.give(client.client_id, granted)
        return json_answer(200, answer)

    def authorize(self, request: Request) -> Answer:
        """The consent page, or the answer given on it. Raises Problem."""
        known = frozenset(one.client_id for one in self._clients)
        if request.method == "POST":
            return self.consents.decide(request, known, now=self._clock())
        return self.consents.page(request, known)

    def revoke(self, owner: str) -> int:
        """Let every token of an MSP end now; returns how many there were."""
        ended = [text for text, token in self._tokens.items() if token.client.owner == owner]
        self.consents.forget(frozenset(one.client_id for one in self._clients if one.owner == owner))
        for text in ended:
            del self._tokens[text]
        return len(ended)

    def of(self, request: Request) -> Token | None:
        """The token that a request carries, if it still holds."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = self._tokens.get(text) if scheme.lower() == "bearer" else None
        return token if token and token.expires_at > self._clock() else None

    def caller(self, request: Request) -> Caller | None:
        """Whose token a request carries, or who asks for one, whatever else is wrong with it; None if nobody."""
        if request.path == TOKEN_PATH:
            named = dict(parse_qsl(request.body.decode("utf-8", "replace"))).get("client_id")
            client = next((one for one in self._clients if one.client_id == named), None)
        else:
            token = self.of(request)
            client = token.client if token else None
        return Caller(owner=client.owner, member=client.client_id) if client else None

    def authenticate(self, request: Request, scope: str) -> Token:
        """The token, when it may do what needs `scope`. Raises Problem."""
        token = self.of(request)
        if token is None:
            raise Problem(401, "Access token is missing, expired or revoked")
        if scope not in token.scopes:
            raise Problem(403, f"The access token has not the scope {scope}")
        return token
