"""Signing in to one tenant: the sign-in service beside Graph, its tokens, and what its refusals mean.

A token is fenced to its tenant. The only way into another client's tenant would be the wrong token, so each is kept
under its tenant's id, and what it says of itself is held against the tenant it was asked for.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from pydantic import JsonValue, ValidationError

from integrations import guard
from integrations.bearer import Bearer
from integrations.errors import (
    AddressRefused,
    NotConsented,
    ToolUnavailable,
    VendorError,
    VendorGarbled,
    VendorUnauthorized,
)
from integrations.http import VendorSession
from integrations.microsoft365 import endpoints, schemas
from integrations.warrants import Errand

LABEL = "Microsoft 365"
VERSION = "/v1.0"

SIGN_IN = {
    "graph.microsoft.com": "https://login.microsoftonline.com",
    "graph.microsoft.us": "https://login.microsoftonline.us",
    "dod-graph.microsoft.us": "https://login.microsoftonline.us",
    "microsoftgraph.chinacloudapi.cn": "https://login.chinacloudapi.cn",
}
"""Graph's hosts, and where one signs in for each. The list is fixed: the secret goes to no other host."""

_NUMBER = re.compile(r"AADSTS(\d{4,7})")
_NOT_CONSENTED = frozenset({"65001", "700016", "7000229", "500011", "650052", "7000112"})
_NO_TENANT = frozenset({"90002", "900023", "90013"})


def sign_in_address(base_url: str) -> str:
    """The sign-in service that belongs to an address of Graph.

    Raises:
        AddressRefused: it is no address of Graph, and none that the operator listed as local either.
    """
    target = guard.target_of(base_url)
    if target.host in SIGN_IN:
        return SIGN_IN[target.host]
    if guard.is_local_target(target.host, target.port):
        return f"{base_url.rstrip('/').removesuffix(VERSION)}/login"
    raise AddressRefused(f"Microsoft Graph is at {', '.join(SIGN_IN)}, and nowhere else.")


def consent_address(base_url: str, *, client_id: str, tenant: str, redirect_uri: str = "", state: str = "") -> str:
    """Where an administrator of a tenant consents to the app: Microsoft's own page. Raises AddressRefused.

    Without `redirect_uri` the page sends them to the first address that is registered with the app.
    """
    query = {"client_id": client_id, "redirect_uri": redirect_uri, "state": state}
    given = urlencode({name: value for name, value in query.items() if value})
    return f"{sign_in_address(base_url)}/{tenant}/adminconsent?{given}"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of itself: whose tenant it opens, which permissions were consented there, and as what.

    `principal` = the id of what stands for the app in the tenant; empty where it is not told.
    """

    tenant: str
    roles: frozenset[str]
    principal: str = ""


def claims_of(token: str) -> Claims:
    """What stands in a token. Its signature is for the vendor to check. Raises VendorGarbled."""
    try:
        middle = token.split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        tenant, roles = told["tid"], told.get("roles") or []
        if not isinstance(tenant, str) or not isinstance(roles, list):
            raise TypeError("claims of another kind")
    except (IndexError, KeyError, TypeError, AttributeError, ValueError, binascii.Error):
        raise VendorGarbled(f"{LABEL} gave a token that does not say which tenant it is for.", sent=True) from None
    principal = told.get("oid")
    return Claims(
        tenant.lower(),
        frozenset(one for one in roles if isinstance(one, str)),
        principal.lower() if isinstance(principal, str) else "",
    )


class SignIn:
    """The sign-in service, on one errand."""

    def __init__(self, *, base_url: str, credentials: schemas.Credentials, errand: Errand, lane: str) -> None:
        """Raises AddressRefused for a base URL that is no address of Graph."""
        self._id, self._secret = credentials.client_id, credentials.client_secret.get_secret_value()
        self._home = credentials.tenant_id.lower()
        self._scope = f"{_origin(base_url)}/.default"
        self._session = VendorSession(
            label=LABEL,
            base_url=sign_in_address(base_url),
            endpoints=endpoints.LOGIN_ENDPOINTS,
            errand=errand,
            headers={"Accept": "application/json"},
            secrets=(self._secret,),
            explain=schemas.LoginError.words,
            lane=f"{lane}:login",
        )

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def ask(self, tenant: str) -> Bearer:
        """A token for one tenant.

        Raises:
            NotConsented: the tenant has not consented.
            ToolUnavailable: it is not there.
            VendorUnauthorized: the credentials are not accepted.
            VendorGarbled: the token is for another tenant.
        """
        asked_at = time.monotonic()
        form = {
            "grant_type": "client_credentials",
            "client_id": self._id,
            "client_secret": self._secret,
            "scope": self._scope,
        }
        try:
            content = self._session.send("POST", endpoints.TOKEN.path(tenant=tenant), form=form).content
        except VendorError as refused:
            raise self._meaning(refused, tenant) from refused
        token = _token(content)
        claims = claims_of(token.access_token)
        if claims.tenant != tenant:
            raise VendorGarbled(
                f"{LABEL} gave a token for another tenant than was asked for; it is not used.", sent=True
            )
        return Bearer(token.access_token, asked_at + token.expires_in, " ".join(sorted(claims.roles)))

    def _meaning(self, refused: VendorError, tenant: str) -> Exception:
        """What a refusal means, in words that say what to do."""
        found = _NUMBER.search(str(refused))
        number = found[1] if found else ""
        if number in _NOT_CONSENTED and tenant != self._home:
            return NotConsented(
                "This company's tenant has not consented to the app: an administrator there has to, once. The button"
                f" for it stands beside the company under Integrations, Companies. (AADSTS{number})"
            )
        if number in _NO_TENANT:
            return ToolUnavailable(f"There is no tenant {tenant} at Microsoft. (AADSTS{number})")
        if number:
            return VendorUnauthorized(str(refused), sent=True, status=refused.status)
        return refused


def _token(content: JsonValue) -> schemas.Token:
    try:
        return schemas.Token.model_validate(content)
    except ValidationError:
        raise VendorGarbled(f"{LABEL} answered a sign-in with something else than a token.", sent=True) from None


def _origin(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def missing(granted: str, wanted: Iterable[str]) -> list[str]:
    """Of the permissions that `wanted` names, those that were not consented."""
    have = set(granted.split())
    names = {name for words in wanted for name in words.split(" and ")}
    return sorted(name for name in names if name not in have and not _covered(name, have))


def _covered(name: str, have: set[str]) -> bool:
    """Whether a permission to write, which was consented, holds that to read."""
    return name.replace(".Read.", ".ReadWrite.").replace(".Read", ".ReadWrite") in have if ".Read" in name else False
