"""Whose request it is: the identity server, and the tokens it gives out. They live in memory only."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from integrations.sandbox.json_types import Record
from integrations.sandbox.sophos.problems import IdentityProblem, Problem
from integrations.sandbox.wire import Answer, Caller, Request, json_answer

TOKEN_SECONDS = 3600
TOKEN_PATH = "/sophos/api/v2/oauth2/token"  # noqa: S105  # a path, no password
_FILE = Path(__file__).resolve().parent.parent / "world" / "credentials.json"


@dataclass(frozen=True)
class Credential:
    """One API credential. Invented: it opens this sandbox and nothing else.

    `kind` is partner, organization or tenant; one of a tenant names its `company`.
    """

    name: str
    owner: str
    label: str
    client_id: str
    client_secret: str
    kind: str
    company: str
    may_write: bool

    @property
    def id(self) -> str:
        """What `whoami` calls whoever it belongs to."""
        return uid(self.owner, "tenant", self.company) if self.kind == "tenant" else uid(self.owner, self.kind)


def uid(owner: str, *parts: object) -> str:
    """The same UUID at every filling, of version 4 by its form: public clients insist on that."""
    named = hashlib.sha256("/".join(["sophos", owner, *map(str, parts)]).encode()).digest()
    return str(uuid.UUID(bytes=named[:16], version=4))


def load_credentials() -> tuple[Credential, ...]:
    """The API credentials of the demo world."""
    return tuple(Credential(**row) for row in json.loads(_FILE.read_text(encoding="utf-8"))["sophos"])


def connection_rows(base_url: str) -> list[Record]:
    """What an admin would enter to connect to a sandbox at this address, one entry a credential."""
    return [
        {
            "name": one.name,
            "vendor": "sophos",
            "owner": one.owner,
            "label": one.label,
            "base_url": f"{base_url}/sophos",
            "client_id": one.client_id,
            "client_secret": one.client_secret,
        }
        for one in load_credentials()
    ]


class Tokens:
    """The tokens given out since the start."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._known = load_credentials()
        self._tokens: dict[str, tuple[Credential, float]] = {}
        self._clock = clock

    def owners(self) -> list[str]:
        """The MSPs that have a credential."""
        return sorted({one.owner for one in self._known})

    def issue(self, request: Request) -> Answer:
        """Answer a request for a token. Raises IdentityProblem."""
        form = _form(request)
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise IdentityProblem(400, "oauth.invalid_request", "Bad Request")
        if form.get("grant_type") != "client_credentials":
            raise IdentityProblem(400, "oauth.unsupported_grant_type", "Bad Request")
        if form.get("scope", "token") != "token":
            raise IdentityProblem(400, "oauth.invalid_scope", "Bad Request")
        known = self._named(form)
        given = form.get("client_secret", "").encode()
        if known is None or not hmac.compare_digest(given, known.client_secret.encode()):
            raise IdentityProblem(401, "oauth.invalid_client_secret", "Unauthorized")
        text = secrets.token_urlsafe(48)
        self._tokens[text] = (known, self._clock() + TOKEN_SECONDS)
        return json_answer(
            200,
            {
                "access_token": text,
                "refresh_token": secrets.token_urlsafe(32),
                "token_type": "bearer",
                "message": "OK",
                "errorCode": "success",
                "expires_in": TOKEN_SECONDS,
            },
        )

    def revoke(self, owner: str) -> None:
        """Let every token of an MSP end now."""
        self._tokens = {text: given for text, given in self._tokens.items() if given[0].owner != owner}

    def caller(self, request: Request) -> Caller | None:
        """Whose token a request carries, or who asks for one, whatever else is wrong with it; None if nobody."""
        found = self._named(_form(request)) if request.path == TOKEN_PATH else self._of(request)
        return Caller(owner=found.owner, member=found.client_id, may_write=found.may_write) if found else None

    def authenticate(self, request: Request) -> Credential:
        """The credential whose token it is, if that still holds. Raises Problem."""
        found = self._of(request)
        if found is None:
            raise Problem(401, "Unauthorized", "The access token is missing, expired or revoked")
        return found

    def _of(self, request: Request) -> Credential | None:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        credential, ends_at = self._tokens.get(text, (None, 0.0))
        return credential if scheme.lower() == "bearer" and ends_at > self._clock() else None

    def _named(self, form: dict[str, str]) -> Credential | None:
        return next((one for one in self._known if one.client_id == form.get("client_id")), None)


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))
