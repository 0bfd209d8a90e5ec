"""The client of Sophos Central: signing in, and finding the tenants and the servers they live on.

Three kinds of servers take part: one signs in, one knows the tenants, and each data region has its own for everything
else. Where a tenant lives is told by the vendor; the address guard believes it only within the vendor's own hosts.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pydantic import JsonValue

from integrations import guard
from integrations.bearer import Bearer, credentials_mark, shelf
from integrations.contracts import CompanyRecord, CredentialField
from integrations.errors import ToolUnavailable, VendorGarbled, VendorNotFound, VendorUnauthorized
from integrations.http import MOST_PAGES, VendorSession
from integrations.pace import Pace
from integrations.sophos import endpoints, schemas
from integrations.warrants import Endpoint, Errand
from integrations.wire import is_uuid, normal_uuid, record_of

LABEL = "Sophos Central"
HOME = "https://api.central.sophos.com"
IDENTITY = "https://id.sophos.com"
FAMILY = re.compile(r"api(?:-[a-z0-9]{2,12})?\.central\.sophos\.com")
"""What the hosts of the APIs are called: `api-eu01` and so on for the data regions."""

ADDRESS_HELP = "https://api.central.sophos.com, whatever your region: Junto finds each client's own."
TENANT_PAGE_SIZE = 100
PER_MINUTE = 66
"""The vendor takes 100; with what may leave at once (traffic.BURST) no minute holds more."""
KEPT_SECONDS = 3600.0
"""So long a process remembers on which server a tenant lives: the vendor counts each question against the limit."""

CREDENTIAL_FIELDS = (
    CredentialField(
        "client_id", "Client ID", "Of a credential under Settings & Policies > API Credentials Management."
    ),
    CredentialField("client_secret", "Client secret", "Shown once when the credential is made.", secret=True),
)

SET_UP = (
    "In Sophos Central Partner under Settings & Policies > API Credentials Management, add a credential for Junto."
    " One of Central Enterprise (an organization) or of a single client's Central Admin works, too.",
    "Role: “Service Principal Read-Only” to look; “Service Principal Management” to isolate, scan, act on alerts and"
    " block as well. “Super Admin” is never needed.",
    "A client is reached only where it allows “Partner Assistance” (in its own Central Admin under Account Details >"
    " Sophos Support) and is no trial account.",
    "Copy the client id, and the secret, which is shown once. It expires: note the day.",
)
"""What to make at the vendor, with no more rights than are needed."""


_LISTS = {
    schemas.PARTNER: (endpoints.PARTNER_TENANTS, endpoints.PARTNER_TENANT, "X-Partner-ID"),
    schemas.ORGANIZATION: (endpoints.ORGANIZATION_TENANTS, endpoints.ORGANIZATION_TENANT, "X-Organization-ID"),
}
_servers: dict[tuple[str, str, str], tuple[str, float]] = {}
"""Connection, credentials and tenant -> base URL, and the moment of `time.monotonic()` at which it is asked anew."""

normal_company_id = normal_uuid
"""The one form of a company's id here. Raises ValueError for what is none."""


def normal_base_url(url: str) -> str:
    """The global server for every address of the vendor's own; anything else as it is."""
    plain = url.strip().rstrip("/")
    try:
        host = (urlsplit(plain).hostname or plain).lower()
    except ValueError:
        return plain
    return HOME if host == "sophos.com" or host.endswith(".sophos.com") else plain


def open_client(
    *, base_url: str, credentials: Mapping[str, str], errand: Errand, lane: str, pace: Pace
) -> SophosClient:
    """A client for one errand, to be closed. Raises AddressRefused; ValidationError for impossible credentials."""
    return SophosClient(
        base_url=base_url,
        credentials=schemas.Credentials.model_validate(dict(credentials)),
        errand=errand,
        lane=lane,
        pace=pace,
    )


class SophosClient:
    """Requests for one errand. Every method raises `IntegrationError` of integrations.errors.

    A look-up whose token is no longer taken signs in anew, once. A write does not: it comes after look-ups of the same
    errand, which have just shown that the token holds, and nothing that may have arrived is sent twice.
    """

    def __init__(
        self, *, base_url: str, credentials: schemas.Credentials, errand: Errand, lane: str, pace: Pace
    ) -> None:
        self._home = base_url.rstrip("/")
        self._id, self._secret = credentials.client_id, credentials.client_secret.get_secret_value()
        self._mark = credentials_mark(self._home, self._id, self._secret)
        self._errand, self._lane, self._pace = errand, lane, pace
        self._sessions: list[VendorSession] = []
        belongs = FAMILY.fullmatch(guard.target_of(self._home).host)
        self._identity = self._session(IDENTITY if belongs else self._home, {})

    def close(self) -> None:
        """Let go of connections."""
        for session in self._sessions:
            session.close()

    def probe(self) -> str:
        """Sign in, and look at what the credentials reach: the tenants, or the one tenant they belong to."""
        who = self._who()
        if who.kind == schemas.TENANT:
            session = self.session_of(who.id)
            self.ask(session, endpoints.LIST_COMPUTERS, [("pageSize", "1"), ("view", "basic")])
            return f"{LABEL} (one tenant)"
        number = sum(1 for _ in self.tenants())
        return f"{LABEL} ({who.kind}, {number} {'tenant' if number == 1 else 'tenants'})"

    def company_records(self) -> Iterator[CompanyRecord]:
        """The tenants, in the words that all vendors share."""
        for tenant in self.tenants():
            yield CompanyRecord(external_id=tenant.id, name=tenant.shown_as or tenant.name or f"Tenant {tenant.id}")

    def tenants(self) -> Iterator[schemas.Tenant]:
        """All tenants of the credentials; those of a single tenant reach only that one, whose name they do not tell."""
        who = self._who()
        if who.kind == schemas.TENANT:
            yield schemas.Tenant(id=who.id)
            return
        listed, _, header = self._lists_of(who)
        session = self._session(self._home, {header: who.id})
        for row in self.numbered_pages(session, listed, size=TENANT_PAGE_SIZE):
            yield record_of(schemas.Tenant, row, label=LABEL)

    def session_of(self, tenant_id: str) -> VendorSession:
        """A session on the server of a tenant's data region, fenced to that tenant on the vendor's side.

        Raises:
            ToolUnavailable: the credentials do not reach the tenant, or it is still being set up.
            AddressRefused: the vendor named a server outside its own hosts.
        """
        key = (self._lane, self._mark, tenant_id)
        base_url, ends_at = _servers.get(key, ("", 0.0))
        if ends_at <= time.monotonic():
            base_url = guard.sibling_base(self._server_of(tenant_id), home=self._home, family=FAMILY)
            _servers[key] = (base_url, time.monotonic() + KEPT_SECONDS)
        return self._session(base_url, {"X-Tenant-ID": tenant_id})

    def ask(
        self,
        session: VendorSession,
        endpoint: Endpoint,
        query: list[tuple[str, str]] | None = None,
        **segments: int | str,
    ) -> JsonValue:
        """What a look-up answers."""
        path = endpoint.path(**segments)
        bearer = self._sign_in(session)
        try:
            return session.send("GET", path, query=query or ()).content
        except VendorUnauthorized:
            shelf.drop(self._lane, bearer)
        self._sign_in(session)
        return session.send("GET", path, query=query or ()).content

    def act(self, session: VendorSession, endpoint: Endpoint, body: JsonValue, **segments: int | str) -> JsonValue:
        """Send the one write of the errand; what it answers."""
        self._sign_in(session)
        return session.send(endpoint.method, endpoint.path(**segments), body=body).content

    def numbered_pages(self, session: VendorSession, endpoint: Endpoint, *, size: int) -> Iterator[JsonValue]:
        """All records of a list whose pages bear numbers, as far as their total, which the first page tells."""
        total = 1
        for page in range(1, MOST_PAGES + 1):
            query = [("page", str(page)), ("pageSize", str(size)), ("pageTotal", "true")]
            rows, pages = page_of(self.ask(session, endpoint, query))
            if page > 1 and pages.get("current", page) != page:
                raise VendorGarbled(f"{LABEL} sends the same page again.", sent=True)
            yield from rows
            told = pages.get("total")
            total = told if isinstance(told, int) else total
            if page >= total or not rows:
                return
        raise VendorGarbled(f"{LABEL} lists more than {MOST_PAGES} pages; narrow the search.", sent=True)

    def _server_of(self, tenant_id: str) -> str:
        """The server that a tenant lives on, in the vendor's words."""
        who = self._who()
        if who.kind == schemas.TENANT:
            if who.id.lower() != tenant_id.lower():
                raise ToolUnavailable(f"The credentials of {LABEL} belong to another tenant.")
            return who.hosts.data_region
        _, one, header = self._lists_of(who)
        session = self._session(self._home, {header: who.id})
        try:
            tenant = record_of(schemas.Tenant, self.ask(session, one, tenantId=tenant_id), label=LABEL)
        except VendorNotFound:
            raise ToolUnavailable(f"{LABEL} shows no tenant {tenant_id} to these credentials.") from None
        if tenant.id.lower() != tenant_id.lower():
            raise VendorGarbled(f"{LABEL} answered with another tenant than the one asked for.", sent=True)
        if not tenant.api_host:
            raise ToolUnavailable(f"The tenant {tenant.shown_as or tenant.name} is still being set up at {LABEL}.")
        return tenant.api_host

    def _lists_of(self, who: schemas.WhoAmI) -> tuple[Endpoint, Endpoint, str]:
        try:
            return _LISTS[who.kind]
        except KeyError:
            raise VendorGarbled(f"{LABEL} gave credentials of an unknown kind ({who.kind}).", sent=True) from None

    def _who(self) -> schemas.WhoAmI:
        """Whose the credentials are, as told when the token was given."""
        return schemas.WhoAmI.model_validate_json(self._bearer().scopes)

    def _session(self, base_url: str, headers: Mapping[str, str]) -> VendorSession:
        session = VendorSession(
            label=LABEL,
            base_url=base_url,
            endpoints=endpoints.ENDPOINTS,
            errand=self._errand,
            headers={"Accept": "application/json", **headers},
            secrets=(self._secret,),
            explain=schemas.ErrorBody.words,
            lane=self._lane,
            pace=self._pace,
        )
        self._sessions.append(session)
        return session

    def _sign_in(self, session: VendorSession) -> Bearer:
        """Put a token that holds on a session. Raises VendorUnauthorized for credentials that are not taken."""
        bearer = self._bearer()
        session.bear(bearer.token)
        return bearer

    def _bearer(self) -> Bearer:
        return shelf.take(self._lane, credentials=self._mark, seconds=self._errand.remaining, ask=self._exchange)

    def _exchange(self) -> Bearer:
        """A new token, and whose it is."""
        form = {
            "grant_type": "client_credentials",
            "scope": "token",
            "client_id": self._id,
            "client_secret": self._secret,
        }
        asked_at = time.monotonic()
        token = record_of(
            schemas.Token, self._identity.send("POST", endpoints.TOKEN.path(), form=form).content, label=LABEL
        )
        session = self._session(self._home, {})
        session.bear(token.access_token)
        who = record_of(schemas.WhoAmI, session.send("GET", endpoints.WHOAMI.path()).content, label=LABEL)
        if not is_uuid(who.id):
            raise VendorGarbled(f"{LABEL} did not say whose the credentials are.", sent=True)
        return Bearer(token.access_token, asked_at + token.expires_in, who.model_dump_json(by_alias=True))


def page_of(content: JsonValue) -> tuple[list[JsonValue], dict[str, JsonValue]]:
    """The records of a page, and what the vendor says of its pages. Raises VendorGarbled."""
    rows = content.get("items") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(rows, list):
        raise VendorGarbled(f"{LABEL} sent something else than a page of a list.", sent=True)
    pages = content.get("pages")
    return rows, pages if isinstance(pages, dict) else {}
