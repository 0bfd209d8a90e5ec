"""The page on which a technician lets an API client act in their name, and the codes and refresh tokens it gives."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from integrations.sandbox.ninjaone.problems import OAuthProblem, Problem
from integrations.sandbox.wire import Answer, Request

AUTHORIZE_PATH = "/ninjaone/ws/oauth/authorize"
CODE_SECONDS = 300
_RETURN_PATH = "/connections/consent/"
_SCOPES = frozenset({"monitoring", "management", "control", "offline_access"})


@dataclass(frozen=True)
class Code:
    """What a code stands for until it is redeemed."""

    client_id: str
    scopes: str
    redirect_uri: str
    challenge: str
    ends_at: float


class Consents:
    """Codes and refresh tokens given out since the start: each opens once."""

    def __init__(self) -> None:
        self._codes: dict[str, Code] = {}
        self._refresh: dict[str, tuple[str, str]] = {}

    def page(self, request: Request, client_ids: frozenset[str]) -> Answer:
        """The consent page. Raises Problem for what no client of ours would ask."""
        asked = _asked(dict(request.query), client_ids)
        fields = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in asked.items()
        )
        body = (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>NinjaOne</title></head><body>'
            f"<h1>Allow {html.escape(asked['client_id'])} to act as Script Runner?</h1>"
            f"<p>{html.escape(asked['scope'])}</p>"
            f'<form method="post" action="{AUTHORIZE_PATH}">{fields}'
            '<button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button>'
            "</form></body></html>"
        )
        return Answer(200, body.encode(), (("Content-Type", "text/html; charset=utf-8"),))

    def decide(self, request: Request, client_ids: frozenset[str], *, now: float) -> Answer:
        """The technician's answer: back to the client, with a code or without. Raises Problem."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        decision = form.pop("decision", "")
        asked = _asked(form, client_ids)
        back = {"state": asked["state"]}
        if decision == "allow":
            code = back["code"] = secrets.token_urlsafe(24)
            self._codes[code] = Code(
                asked["client_id"], asked["scope"], asked["redirect_uri"], asked["code_challenge"], now + CODE_SECONDS
            )
        else:
            back["error"] = "access_denied"
        return Answer(302, b"", (("Location", f"{asked['redirect_uri']}?{urlencode(back)}"),))

    def redeem(self, form: Mapping[str, str], *, now: float) -> str:
        """The scopes that a code gives. Raises OAuthProblem."""
        code = self._codes.pop(form.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            code is None
            or code.ends_at < now
            or (code.client_id, code.redirect_uri) != (form.get("client_id"), form.get("redirect_uri"))
            or not hmac.compare_digest(proof.rstrip(b"="), code.challenge.encode())
        ):
            raise OAuthProblem(400, "invalid_grant")
        return code.scopes

    def renew(self, form: Mapping[str, str]) -> str:
        """The scopes that a refresh token gives; it is spent. Raises OAuthProblem."""
        client_id, scopes = self._refresh.pop(form.get("refresh_token", ""), ("", ""))
        if not client_id or client_id != form.get("client_id"):
            raise OAuthProblem(400, "invalid_grant")
        return scopes

    def give(self, client_id: str, scopes: str) -> str:
        """A new refresh token."""
        token = secrets.token_urlsafe(32)
        self._refresh[token] = (client_id, scopes)
        return token

    def forget(self, client_ids: frozenset[str]) -> None:
        """The refresh tokens of these clients end."""
        self._refresh = {token: given for token, given in self._refresh.items() if given[0] not in client_ids}


def _asked(given: Mapping[str, str], client_ids: frozenset[str]) -> dict[str, str]:
    names = ("response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")
    if any(not given.get(name) for name in names):
        raise Problem(400, "Something of the request is missing")
    asked = {name: given[name] for name in names}
    if asked["client_id"] not in client_ids:
        raise Problem(400, "There is no such client")
    if not urlsplit(asked["redirect_uri"]).path.endswith(_RETURN_PATH):
        raise Problem(400, "The redirect URI is not registered")
    if (asked["response_type"], asked["code_challenge_method"]) != ("code", "S256"):
        raise Problem(400, "Only codes with a challenge by S256 are given")
    if not set(asked["scope"].split()) <= _SCOPES:
        raise Problem(400, "There is no such scope")
    return asked
