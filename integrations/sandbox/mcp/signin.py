"""Where people sign in for the asset register: an authorization server with PKCE that takes clients it never saw."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.wire import Answer, Request, json_answer

ROOT = "/mcp/auth"
RESOURCE = "/mcp/resource"
TOKEN_SECONDS = 600
CODE_SECONDS = 300
_ASKED = ("client_id", "redirect_uri", "state", "code_challenge", "resource", "scope")


@dataclass(frozen=True)
class _Code:
    owner: str
    client_id: str
    redirect_uri: str
    challenge: str
    resource: str
    ends_at: float


class SignIn:
    """Clients, codes and tokens given out since the start; a refresh token opens once."""

    def __init__(self) -> None:
        self._clients: dict[str, list[str]] = {}
        self._codes: dict[str, _Code] = {}
        self._refresh: dict[str, tuple[str, str, str]] = {}
        self._access: dict[str, tuple[str, float]] = {}

    def owner_of(self, token: str) -> str | None:
        """Whose access token it is, while it holds."""
        owner, ends_at = self._access.get(token, (None, 0.0))
        return owner if ends_at > time.time() else None

    def end_all(self) -> None:
        """Every token ends now, those that give new ones among them."""
        self._access, self._refresh = {}, {}

    def answer(self, request: Request, owners: list[str]) -> Answer:
        """Serve one request to the authorization server, or for what the register says of it."""
        match (request.method, request.path):
            case ("GET", path) if path == RESOURCE:
                return json_answer(200, _resource(request.base_url))
            case ("GET", path) if path == f"{ROOT}/.well-known/openid-configuration":
                return json_answer(200, _metadata(request.base_url))
            case ("POST", path) if path == f"{ROOT}/register":
                return self._register(request)
            case ("GET", path) if path == f"{ROOT}/authorize":
                return self._page(dict(request.query), owners)
            case ("POST", path) if path == f"{ROOT}/authorize":
                return self._decide(_form(request), owners, request.base_url)
            case ("POST", path) if path == f"{ROOT}/token":
                return self._token(_form(request))
        return json_answer(404, {"error": "not_found"})

    def _register(self, request: Request) -> Answer:
        try:
            wanted: Json = request.json()
        except ValueError:
            wanted = None
        uris = wanted.get("redirect_uris") if isinstance(wanted, dict) else None
        if not isinstance(wanted, dict) or not isinstance(uris, list) or not uris:
            return json_answer(400, {"error": "invalid_redirect_uri"})
        client_id = f"client-{secrets.token_hex(8)}"
        self._clients[client_id] = [str(one) for one in uris]
        told: Record = {**wanted, "client_id": client_id, "token_endpoint_auth_method": "none"}
        return json_answer(201, told)

    def _page(self, asked: Mapping[str, str], owners: list[str]) -> Answer:
        if not self._is_known(asked):
            return json_answer(400, {"error": "invalid_request"})
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(asked.get(name, ""))}">' for name in _ASKED
        )
        buttons = "".join(f'<button name="owner" value="{one}">Sign in as {one}</button>' for one in owners)
        body = (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Asset register</title></head><body>'
            f'<h1>Let Junto read the asset register?</h1><form method="post" action="{ROOT}/authorize">'
            f"{fields}{buttons}"
            '<button name="owner" value="">Refuse</button></form></body></html>'
        )
        return Answer(200, body.encode(), (("Content-Type", "text/html; charset=utf-8"),))

    def _decide(self, form: Mapping[str, str], owners: list[str], base_url: str) -> Answer:
        if not self._is_known(form):
            return json_answer(400, {"error": "invalid_request"})
        back = {"state": form.get("state", ""), "iss": f"{base_url}{ROOT}"}
        if form.get("owner") in owners:
            code = back["code"] = secrets.token_urlsafe(24)
            self._codes[code] = _Code(
                owner=form["owner"],
                client_id=form["client_id"],
                redirect_uri=form["redirect_uri"],
                challenge=form["code_challenge"],
                resource=form.get("resource", ""),
                ends_at=time.time() + CODE_SECONDS,
            )
        else:
            back["error"] = "access_denied"
        return Answer(302, b"", (("Location", f"{form['redirect_uri']}?{urlencode(back)}"),))

    def _token(self, form: Mapping[str, str]) -> Answer:
        owner, client_id, resource = "", "", ""
        if form.get("grant_type") == "authorization_code":
            code = self._codes.pop(form.get("code", ""), None)
            proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            if (
                code is not None
                and code.ends_at > time.time()
                and (code.client_id, code.redirect_uri) == (form.get("client_id"), form.get("redirect_uri"))
                and hmac.compare_digest(proof.rstrip(b"="), code.challenge.encode())
            ):
                owner, client_id, resource = code.owner, code.client_id, code.resource
        elif form.get("grant_type") == "refresh_token":
            owner, client_id, resource = self._refresh.pop(form.get("refresh_token", ""), ("", "", ""))
        if not owner or client_id != form.get("client_id") or resource != form.get("resource"):
            return json_answer(400, {"error": "invalid_grant"})
        access, refresh = f"at-{secrets.token_urlsafe(24)}", f"rt-{secrets.token_urlsafe(24)}"
        self._access[access] = (owner, time.time() + TOKEN_SECONDS)
        self._refresh[refresh] = (owner, client_id, resource)
        return json_answer(
            200,
            {
                "access_token": access,
                "token_type": "Bearer",
                "expires_in": TOKEN_SECONDS,
                "refresh_token": refresh,
                "scope": "assets",
            },
        )

    def _is_known(self, asked: Mapping[str, str]) -> bool:
        uris = self._clients.get(asked.get("client_id", ""), [])
        return asked.get("redirect_uri") in uris and bool(asked.get("code_challenge")) and bool(asked.get("state"))


def _resource(base_url: str) -> Record:
    servers: list[Json] = [f"{base_url}{ROOT}"]
    return {"resource": f"{base_url}/mcp", "authorization_servers": servers, "scopes_supported": ["assets"]}


def _metadata(base_url: str) -> Record:
    issuer = f"{base_url}{ROOT}"
    told: Record = json.loads(
        json.dumps(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "registration_endpoint": f"{issuer}/register",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "authorization_response_iss_parameter_supported": True,
            }
        )
    )
    return told


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
