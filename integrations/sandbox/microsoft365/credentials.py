"""The sign-in service: whose app asks, for which tenant, and what an administrator there has consented to.

Tokens live in memory only: a restarted sandbox knows none of them, and neither does one whose tokens were revoked.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.microsoft365.consent import consent_page
from integrations.sandbox.microsoft365.problems import LoginProblem, Problem
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer, Caller, Request, json_answer

TOKEN_SECONDS = 3599
_CLIENTS_FILE = Path(__file__).resolve().parent.parent / "world" / "credentials.json"


@dataclass(frozen=True)
class App:
    """An app registration of an MSP. Invented: it opens this sandbox and nothing else.

    `reading` = only what it takes to look was ever added to it.
    """

    name: str
    owner: str
    label: str
    client_id: str
    client_secret: str
    tenant_id: str
    reading: bool = False


@dataclass(frozen=True)
class Token:
    """What a bearer token stands for."""

    app: App
    tenant: str
    roles: frozenset[str]
    expires_at: float


def load_apps() -> tuple[App, ...]:
    """The app registrations of the demo world."""
    return tuple(App(**row) for row in json.loads(_CLIENTS_FILE.read_text(encoding="utf-8"))["microsoft365"])


def connection_rows(base_url: str) -> list[Record]:
    """What an admin would enter to connect to a sandbox at this address, one entry an app."""
    return [
        {
            "name": app.name,
            "vendor": "microsoft365",
            "owner": app.owner,
            "label": app.label,
            "base_url": f"{base_url}/microsoft365/v1.0",
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "tenant_id": app.tenant_id,
        }
        for app in load_apps()
    ]


class Tokens:
    """The tokens given out since the start."""

    def __init__(self, worlds: Callable[[str], World], clock: Callable[[], float] = time.time) -> None:
        self._apps = load_apps()
        self._tokens: dict[str, Token] = {}
        self._worlds = worlds
        self._clock = clock

    def owners(self) -> list[str]:
        """The MSPs that have an app."""
        return sorted({app.owner for app in self._apps})

    def home_of(self, owner: str) -> str:
        """An MSP's own tenant."""
        return next(app.tenant_id for app in self._apps if app.owner == owner)

    def issue(self, request: Request, tenant: str) -> Answer:
        """Answer a request for a token of one tenant. Raises LoginProblem."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        app = self._app(form)
        if form.get("grant_type") != "client_credentials":
            raise LoginProblem(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if app is None:
            named = form.get("client_id", "")[:40]
            raise LoginProblem(400, "unauthorized_client", 700016, f"Application '{named}' was not found.")
        if not hmac.compare_digest(form.get("client_secret", "").encode(), app.client_secret.encode()):
            raise LoginProblem(401, "invalid_client", 7000215, "Invalid client secret provided.")
        if not form.get("scope", "").endswith("/.default"):
            raise LoginProblem(400, "invalid_scope", 1002012, "The provided value for scope is not valid.")
        consented = self._consented(app, tenant)
        text = _written(tenant, app, consented, int(self._clock()))
        self._tokens[text] = Token(app, tenant, consented, self._clock() + TOKEN_SECONDS)
        return json_answer(
            200,
            {
                "token_type": "Bearer",
                "expires_in": TOKEN_SECONDS,
                "ext_expires_in": TOKEN_SECONDS,
                "access_token": text,
            },
        )

    def discover(self, request: Request, tenant: str) -> Answer:
        """Where the sign-in service is for a tenant, as libraries ask before they sign in."""
        place = f"{request.base_url}/microsoft365/login/{tenant}"
        told: Record = {
            "token_endpoint": f"{place}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "issuer": f"{place}/v2.0",
            "authorization_endpoint": f"{place}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{place}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{place}/discovery/v2.0/keys",
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
        }
        return json_answer(200, told)

    def consent(self, request: Request, tenant: str) -> Answer:
        """The page for an administrator of a tenant. Raises LoginProblem."""
        app = self._app(dict(request.query))
        if app is None:
            raise LoginProblem(400, "unauthorized_client", 700016, "The application was not found.")
        world = self._worlds(app.owner)
        found = next((one for one in world.all("tenants") if one["tenantId"] == tenant), None)
        return consent_page(request, found, world, app.label)

    def revoke(self, owner: str) -> int:
        """Let every token of an MSP end now; returns how many there were."""
        ended = [text for text, token in self._tokens.items() if token.app.owner == owner]
        for text in ended:
            del self._tokens[text]
        return len(ended)

    def of(self, request: Request) -> Token | None:
        """The token that a request carries, if it still holds."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = self._tokens.get(text) if scheme.lower() == "bearer" else None
        return token if token and token.expires_at > self._clock() else None

    def caller(self, request: Request, *, signs_in: bool) -> Caller | None:
        """Whose token a request carries, or who asks for one, whatever else is wrong with it; None if nobody."""
        if signs_in:
            app = self._app(dict(parse_qsl(request.body.decode("utf-8", "replace"))))
        else:
            token = self.of(request)
            app = token.app if token else None
        return Caller(owner=app.owner, member=app.client_id) if app else None

    def authenticate(self, request: Request) -> Token:
        """The token. Raises Problem."""
        token = self.of(request)
        if token is None:
            raise Problem(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
        return token

    def _app(self, form: dict[str, str]) -> App | None:
        return next((one for one in self._apps if one.client_id == form.get("client_id")), None)

    def _consented(self, app: App, tenant: str) -> frozenset[str]:
        """What the app may do in a tenant of its own MSP. Raises LoginProblem."""
        found = next((one for one in self._worlds(app.owner).all("tenants") if one["tenantId"] == tenant), None)
        if found is None:
            raise LoginProblem(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
        if not found["consented"]:
            raise LoginProblem(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{app.client_id}' was not found in the directory"
                f" '{found['displayName']}'. This can happen if the application has not been installed by the"
                " administrator of the tenant or consented to by any user in the tenant.",
            )
        withheld = found["withheld"]
        held_back = {str(one) for one in withheld} if isinstance(withheld, list) else set()
        granted = READING if app.reading else READING | ACTING
        return frozenset(granted - held_back)


READING = frozenset(
    {
        "Organization.Read.All",
        "DelegatedAdminRelationship.Read.All",
        "Domain.Read.All",
        "User.Read.All",
        "Group.Read.All",
        "GroupMember.Read.All",
        "LicenseAssignment.Read.All",
        "AuditLog.Read.All",
        "UserAuthenticationMethod.Read.All",
        "IdentityRiskyUser.Read.All",
        "MailboxSettings.Read",
        "DeviceManagementManagedDevices.Read.All",
        "SecurityAlert.Read.All",
    }
)
ACTING = frozenset(
    {
        "User.ReadWrite.All",
        "User-PasswordProfile.ReadWrite.All",
        "User.RevokeSessions.All",
        "LicenseAssignment.ReadWrite.All",
        "GroupMember.ReadWrite.All",
        "UserAuthenticationMethod.ReadWrite.All",
        "MailboxSettings.ReadWrite",
        "DeviceManagementManagedDevices.PrivilegedOperations.All",
    }
)


def principal_of(tenant: str, client_id: str) -> str:
    """The id of what stands for an app in a tenant."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"microsoft365/principal/{tenant}/{client_id}"))


def _written(tenant: str, app: App, roles: frozenset[str], now: int) -> str:
    """A token as the vendor writes it, but for the signature, which nobody but the vendor checks."""
    claims: Json = {
        "aud": "https://graph.microsoft.com",
        "tid": tenant,
        "appid": app.client_id,
        "oid": principal_of(tenant, app.client_id),
        "roles": [*sorted(roles)],
        "iat": now,
        "exp": now + TOKEN_SECONDS,
    }
    parts = (json.dumps({"typ": "JWT", "alg": "RS256"}), json.dumps(claims))
    encoded = [base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, secrets.token_urlsafe(24)])
