"""The client of Microsoft Graph: one app of the MSP, a token for each client's tenant, all through the gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlsplit

from pydantic import JsonValue

from integrations.bearer import Bearer, credentials_mark, shelf
from integrations.contracts import CompanyAccess, CompanyRecord, CredentialField, Rights
from integrations.errors import (
    NotACompany,
    NotConsented,
    ToolUnavailable,
    VendorForbidden,
    VendorGarbled,
    VendorUnauthorized,
)
from integrations.http import MOST_PAGES, VendorSession
from integrations.microsoft365 import endpoints, schemas
from integrations.microsoft365.tokens import (
    LABEL,
    SIGN_IN,
    VERSION,
    SignIn,
    claims_of,
    consent_address,
    missing,
)
from integrations.pace import Pace
from integrations.warrants import Endpoint, Errand
from integrations.wire import M, normal_uuid, record_of

ADDRESS_HELP = "global (graph.microsoft.com), or that of a national cloud: us, dod or china."
CLOUDS = {
    "": "graph.microsoft.com",
    "global": "graph.microsoft.com",
    "us": "graph.microsoft.us",
    "dod": "dod-graph.microsoft.us",
    "china": "microsoftgraph.chinacloudapi.cn",
}

CREDENTIAL_FIELDS = (
    CredentialField("client_id", "Application (client) ID", "Of the app registration in your own tenant."),
    CredentialField("client_secret", "Client secret", "Its value, shown once when it is made.", secret=True),
    CredentialField("tenant_id", "Directory (tenant) ID", "Of your own tenant, the partner's: clients are read there."),
)

SET_UP = (
    "In your own (partner) tenant, in the Entra admin centre under App registrations, make an app for “Accounts in any"
    " organizational directory (multitenant)”, with the redirect address that stands below, of the platform Web.",
    "Under API permissions add application permissions of Microsoft Graph: those below to look, and of those to act"
    " only what Junto shall do. Every client's tenant is asked for all that you add here: an app has one list.",
    "Grant admin consent in your own tenant, and make a client secret with an end in the calendar.",
    "Then link your companies on the page of companies. In each client's tenant an administrator consents once (Global"
    " Administrator or Privileged Role Administrator); the button stands there beside the company. GDAP does not take"
    " the place of that: it gives people rights, and no application permissions.",
)
"""What to make at the vendor, with no more rights than are needed."""

normal_company_id = normal_uuid
"""The one form of a company's id here. Raises ValueError for what is none."""

RIGHTS = (
    Rights("connecting, finding clients", ("Organization.Read.All", "DelegatedAdminRelationship.Read.All")),
    Rights(
        "people, groups, licences",
        (
            "User.Read.All",
            "Group.Read.All",
            "GroupMember.Read.All",
            "LicenseAssignment.Read.All",
            "Domain.Read.All",
        ),
    ),
    Rights("sign-ins, the log, risks", ("AuditLog.Read.All", "IdentityRiskyUser.Read.All")),
    Rights("sign-in methods", ("UserAuthenticationMethod.Read.All",)),
    Rights("inbox rules", ("MailboxSettings.Read",)),
    Rights("devices", ("DeviceManagementManagedDevices.Read.All",)),
    Rights("alerts", ("SecurityAlert.Read.All",)),
    Rights("accounts made, blocked, signed out", ("User.ReadWrite.All", "User.RevokeSessions.All"), acts=True),
    Rights("new passwords", ("User-PasswordProfile.ReadWrite.All",), acts=True),
    Rights("passes, methods removed", ("UserAuthenticationMethod.ReadWrite.All",), acts=True),
    Rights("licences, groups", ("LicenseAssignment.ReadWrite.All", "GroupMember.ReadWrite.All"), acts=True),
    Rights("automatic replies", ("MailboxSettings.ReadWrite",), acts=True),
    Rights(
        "devices synced, restarted, locked", ("DeviceManagementManagedDevices.PrivilegedOperations.All",), acts=True
    ),
)
"""Each application permission that a request of ours takes, by what it is for."""

_OWN = [("$select", "id,displayName")]


def normal_base_url(url: str) -> str:
    """Graph's address with its version: of a cloud's short name, or of an address with or without a path."""
    plain = url.strip().rstrip("/")
    if plain.lower() in CLOUDS:
        return f"https://{CLOUDS[plain.lower()]}{VERSION}"
    if "//" not in plain and plain.lower() in SIGN_IN:
        plain = f"https://{plain}"
    return plain if plain.endswith(VERSION) else f"{plain.removesuffix('/beta')}{VERSION}"


def consent_link(base_url: str, *, client_id: str, external_id: str, redirect_uri: str, state: str) -> str:
    """Where an administrator of a linked company consents to the app, and whence the page sends them with `state`.

    Raises AddressRefused.
    """
    return consent_address(
        base_url, client_id=client_id, tenant=external_id.lower(), redirect_uri=redirect_uri, state=state
    )


def open_client(
    *, base_url: str, credentials: Mapping[str, str], errand: Errand, lane: str, pace: Pace
) -> MicrosoftClient:
    """A client for one errand, to be closed. Raises AddressRefused; ValidationError for impossible credentials."""
    return MicrosoftClient(
        base_url=base_url,
        credentials=schemas.Credentials.model_validate(dict(credentials)),
        errand=errand,
        lane=lane,
        pace=pace,
    )


class MicrosoftClient:
    """Requests for one errand, each in one tenant. Every method raises `IntegrationError` of integrations.errors.

    A look-up whose token is no longer taken signs in anew, once. A write does not: it comes after look-ups of the same
    errand, which have just shown that the token holds, and nothing that may have arrived is sent twice.
    """

    def __init__(
        self, *, base_url: str, credentials: schemas.Credentials, errand: Errand, lane: str, pace: Pace
    ) -> None:
        self.home = credentials.tenant_id.lower()
        self.app_id = credentials.client_id.lower()
        self.base_url = base_url.rstrip("/")
        secret = credentials.client_secret.get_secret_value()
        self._mark = credentials_mark(self.base_url, credentials.client_id, secret)
        self._errand, self._lane = errand, lane
        self.let_in: set[str] = set()
        self._sign_in = SignIn(base_url=base_url, credentials=credentials, errand=errand, lane=lane)
        self._session = VendorSession(
            label=LABEL,
            base_url=base_url,
            endpoints=endpoints.GRAPH_ENDPOINTS,
            errand=errand,
            headers={"Accept": "application/json"},
            secrets=(secret,),
            explain=schemas.ErrorBody.words,
            lane=lane,
            pace=pace,
        )

    def close(self) -> None:
        """Let go of connections."""
        self._sign_in.close()
        self._session.close()

    def probe(self) -> str:
        """Sign in to the MSP's own tenant, read what Junto needs there, and say what was not consented."""
        granted = self.bear(self.home).scopes
        own = next(self.rows(schemas.Organization, self.home, endpoints.ORGANIZATION, _OWN), None)
        lacking = missing(granted, endpoints.PERMISSIONS.values())
        if endpoints.PERMISSIONS[endpoints.CUSTOMERS] not in lacking:
            self.get(self.home, endpoints.CUSTOMERS)
        words = f"{LABEL} of {own.name if own else self.home}"
        return f"{words} (not consented in your own tenant: {', '.join(lacking)})" if lacking else words

    def company_records(self) -> Iterator[CompanyRecord]:
        """The clients with whom there is a relationship under GDAP, in the words that all vendors share.

        The id is the tenant's. Source: Microsoft Graph 1.0, "List delegatedAdminCustomers": read in the partner's own
        tenant, by a permission that opens nothing in a client's.
        """
        for one in self.rows(schemas.Customer, self.home, endpoints.CUSTOMERS):
            if one.tenant_id.lower() != self.home:
                yield CompanyRecord(external_id=one.tenant_id.lower(), name=one.name)

    def confirm_company(self, external_id: str) -> CompanyRecord:
        """A tenant that is not listed, by what it says of itself: it has to have consented.

        Raises:
            NotACompany: it is the MSP's own.
            NotConsented: it has not consented; the words say where an administrator there does.
        """
        if external_id == self.home:
            raise NotACompany("This is your own tenant, not a client's: tools of a client would act in it.")
        try:
            own = next(self.rows(schemas.Organization, external_id, endpoints.ORGANIZATION, _OWN), None)
        except NotConsented as refused:
            address = consent_address(self.base_url, client_id=self.app_id, tenant=external_id)
            raise NotConsented(
                "This tenant is not among your clients under GDAP and has not consented to the app. When an"
                f" administrator there has consented, it can be linked: {address}"
            ) from refused
        if own is None or own.id.lower() != external_id:
            raise NotACompany(f"The tenant {external_id} does not say that it is this one.")
        return CompanyRecord(external_id=external_id, name=own.name)

    def check_company(self, external_id: str) -> CompanyAccess:
        """Sign in to a client's tenant anew, and say whose it is and which permissions its token does not hold.

        Raises NotConsented where nothing was consented.
        """
        shelf.drop(self._place(external_id), self.bear(external_id))  # it may be from before they consented to more
        granted = self.bear(external_id).scopes
        lacking = missing(granted, endpoints.PERMISSIONS.values())
        if "Organization.Read.All" in lacking:
            return CompanyAccess(name="", lacking=tuple(lacking))
        own = next(self.rows(schemas.Organization, external_id, endpoints.ORGANIZATION, _OWN), None)
        return CompanyAccess(name=own.name if own else "", lacking=tuple(lacking))

    def get(
        self, tenant: str, endpoint: Endpoint, query: list[tuple[str, str]] | None = None, **segments: str
    ) -> JsonValue:
        """The answer to a look-up in a tenant."""
        path = path_of(endpoint, segments)
        for attempt in (1, 2):
            bearer = self.bear(tenant)
            try:
                return self._session.send("GET", path, query=query or ()).content
            except VendorUnauthorized:
                shelf.drop(self._place(tenant), bearer)
                if attempt == 2:
                    raise
            except VendorForbidden as forbidden:
                raise _meaning(forbidden, endpoint) from forbidden
        raise AssertionError("the second attempt ends")

    def rows(
        self,
        model: type[M],
        tenant: str,
        endpoint: Endpoint,
        query: list[tuple[str, str]] | None = None,
        **segments: str,
    ) -> Iterator[M]:
        """All records of a list. The link to the next page is a full address, and has to stay on this path."""
        following = list(query or [])
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            page = record_of(schemas.Page, self.get(tenant, endpoint, following, **segments), label=LABEL)
            yield from (record_of(model, row, label=LABEL) for row in page.value)
            if not page.next_link:
                return
            if page.next_link in seen:
                raise VendorGarbled(f"{LABEL} sends the same page again.", sent=True)
            seen.add(page.next_link)
            following = self._query_of(page.next_link, path_of(endpoint, segments))
        raise VendorGarbled(f"{LABEL} lists more than {MOST_PAGES} pages; narrow the search.", sent=True)

    def act(self, tenant: str, endpoint: Endpoint, body: JsonValue = None, **segments: str) -> JsonValue:
        """Send the one write of the errand; what was answered."""
        self.bear(tenant)
        try:
            return self._session.send(endpoint.method, path_of(endpoint, segments), body=body).content
        except VendorForbidden as forbidden:
            raise _meaning(forbidden, endpoint) from forbidden

    def hide(self, secret: str) -> None:
        """Let no error show this."""
        self._session.hide(secret)

    def bear(self, tenant: str) -> Bearer:
        """Put a token of this tenant on the session, which has one for one tenant at a time."""
        bearer = shelf.take(
            self._place(tenant),
            credentials=self._mark,
            seconds=self._errand.remaining,
            ask=lambda: self._sign_in.ask(tenant),
        )
        self._session.bear(bearer.token)
        self.let_in.add(tenant)
        return bearer

    def principal(self, tenant: str) -> str:
        """The id of what stands for our app in a tenant; empty where the token does not tell."""
        return claims_of(self.bear(tenant).token).principal

    def _place(self, tenant: str) -> str:
        return f"{self._lane}:{tenant}"

    def _query_of(self, link: str, path: str) -> list[tuple[str, str]]:
        """The query of a link to the next page. Raises VendorGarbled for one that leads to another place (T4)."""
        here, there = urlsplit(self.base_url + path), urlsplit(link)
        if (there.scheme, there.netloc, there.path) != (here.scheme, here.netloc, here.path):
            raise VendorGarbled("The link to the next page leads to another address.", sent=True)
        return parse_qsl(there.query, keep_blank_values=True)


def path_of(endpoint: Endpoint, segments: Mapping[str, str]) -> str:
    """The path with these ids; `user_id` stands for what the vendor's documents call `user-id`."""
    return endpoint.path(**{name.replace("_", "-"): value for name, value in segments.items()})


def _meaning(forbidden: VendorForbidden, endpoint: Endpoint) -> VendorForbidden | ToolUnavailable:
    """What a 403 means: a licence that the tenant has not bought, or a permission that was not consented there."""
    said = str(forbidden)
    if "NonPremiumTenant" in said or "Premium" in said:
        return ToolUnavailable(f"This company's tenant has no Entra ID P1 or P2, which {LABEL} asks for here. {said}")
    return VendorForbidden(
        f"{said} It takes the application permission {endpoints.PERMISSIONS[endpoint]}, consented in this tenant.",
        sent=forbidden.sent,
        status=forbidden.status,
    )
