"""The client of NinjaOne's public API: typed records in and out, every request through the egress gate."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pydantic import JsonValue

from integrations.bearer import Bearer, credentials_mark, shelf
from integrations.contracts import CompanyRecord, CredentialField
from integrations.errors import ToolUnavailable, VendorGarbled, VendorRefused, VendorUnauthorized
from integrations.http import MOST_PAGES, VendorSession
from integrations.ninjaone import endpoints, schemas
from integrations.pace import Pace
from integrations.persons import PersonTokens, Redeemed
from integrations.warrants import Endpoint, Errand
from integrations.wire import M, normal_number, record_of, records_of

LABEL = "NinjaOne"
PAGE_SIZE = 250
REGIONS = {"us": "app", "app": "app", "us2": "us2", "eu": "eu", "oc": "oc", "ca": "ca"}
ADDRESS_HELP = "Your region: us, us2, eu, oc or ca; or the address, as in https://eu.ninjarmm.com."
SCOPES = "monitoring management control"
AUTHORIZE_PATH = "/ws/oauth/authorize"
CONSENT_SCOPES = "monitoring management control offline_access"
READING = "monitoring"
"""What a client is asked for that has not all the scopes: enough to look, not to act."""

CREDENTIAL_FIELDS = (
    CredentialField("client_id", "Client ID", "Of an API client: Administration > Apps > API > Client App IDs."),
    CredentialField("client_secret", "Client secret", "Shown once when the API client is made.", secret=True),
)

SET_UP = (
    "In NinjaOne under Administration > Apps > API > Client App IDs, add a client of the platform “API Services"
    " (machine-to-machine)” with the grant “Client credentials”.",
    "Scopes: Monitoring to look; Management for maintenance windows and alerts; Control for scripts, services, reboots"
    " and updates. With Monitoring alone Junto looks and does nothing.",
    "Let it see only the organizations that Junto shall reach. Junto keeps every call to the ticket's own company.",
    "Copy the client id, and the secret, which is shown once.",
    "For scripts, give the client the grants “Authorization code” and “Refresh token” as well, and on the page of the"
    " connection have a technician consent who was made for this and may run scripts only where Junto shall.",
)
"""What to make at the vendor, with no more rights than are needed."""

normal_company_id = normal_number
"""The one form of a company's id here. Raises ValueError for what is none."""


def normal_base_url(url: str) -> str:
    """The host of the tenant's region: of its short name, or of an address with whatever path behind it."""
    plain = url.strip().rstrip("/")
    if plain.lower() in REGIONS:
        return f"https://{REGIONS[plain.lower()]}.ninjarmm.com"
    return plain.removesuffix("/v2") if urlsplit(plain).path.endswith("/v2") else plain


def open_client(
    *,
    base_url: str,
    credentials: Mapping[str, str],
    errand: Errand,
    lane: str,
    pace: Pace,
    person: PersonTokens | None = None,
) -> NinjaOneClient:
    """A client for one errand, to be closed. Raises AddressRefused; ValidationError for impossible credentials."""
    return NinjaOneClient(
        base_url=base_url,
        credentials=schemas.Credentials.model_validate(dict(credentials)),
        errand=errand,
        lane=lane,
        pace=pace,
        person=person,
    )


class NinjaOneClient:
    """Requests for one errand. Every method raises `IntegrationError` of integrations.errors.

    A look-up whose token is no longer taken signs in anew, once. A write does not: it comes after look-ups of the same
    errand, which have just shown that the token holds, and nothing that may have arrived is sent twice.
    """

    def __init__(
        self,
        *,
        base_url: str,
        credentials: schemas.Credentials,
        errand: Errand,
        lane: str,
        pace: Pace,
        person: PersonTokens | None,
    ) -> None:
        self._id, self._secret = credentials.client_id, credentials.client_secret.get_secret_value()
        self._mark = credentials_mark(base_url, self._id, self._secret)
        self._errand = errand
        self._lane = lane
        self._person = person
        self._session = VendorSession(
            label=LABEL,
            base_url=base_url,
            endpoints=endpoints.ENDPOINTS,
            errand=errand,
            headers={"Accept": "application/json"},
            secrets=(self._secret,),
            explain=schemas.ErrorBody.words,
            lane=lane,
            pace=pace,
        )

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def probe(self) -> str:
        """Sign in, read one record of each kind that Junto needs, and say what the credentials are good for."""
        bearer = self._sign_in()
        for endpoint in (endpoints.ORGANIZATIONS, endpoints.DEVICES):
            self._get(endpoint, [("pageSize", "1")])
        granted = set(bearer.scopes.split()) or set(SCOPES.split())
        return LABEL if granted >= set(SCOPES.split()) else f"{LABEL} (the API client may only look, not act)"

    def company_records(self) -> Iterator[CompanyRecord]:
        """The organizations, in the words that all vendors share."""
        for organization in self.organizations():
            yield CompanyRecord(external_id=str(organization.id), name=organization.name)

    def organizations(self) -> Iterator[schemas.Organization]:
        """All organizations that the API client may see."""
        return self._list(schemas.Organization, endpoints.ORGANIZATIONS)

    def organization_devices(self, organization_id: int) -> Iterator[schemas.Device]:
        """The devices of an organization."""
        return self._list(schemas.Device, endpoints.ORGANIZATION_DEVICES, id=organization_id)

    def devices(self, device_filter: str) -> Iterator[schemas.Device]:
        """The devices that meet a filter."""
        return self._list(schemas.Device, endpoints.DEVICES, query=[("df", device_filter)])

    def search_devices(self, text: str, *, limit: int) -> list[schemas.Device]:
        """At most `limit` devices of all organizations by name, user or address."""
        answer = self._get(endpoints.SEARCH_DEVICES, [("q", text), ("limit", str(limit))])
        found = record_of(schemas.Found, answer, label=LABEL).devices
        return [record_of(schemas.Device, one, label=LABEL) for one in found]

    def device(self, device_id: int) -> schemas.Device:
        """One device."""
        return record_of(schemas.Device, self._get(endpoints.DEVICE, id=device_id), label=LABEL)

    def alerts(self, device_filter: str = "") -> list[schemas.Alert]:
        """The alerts of the devices that meet a filter; without one of all that the API client may see."""
        return records_of(
            schemas.Alert, self._get(endpoints.ALERTS, [("df", device_filter)] if device_filter else None), label=LABEL
        )

    def device_alerts(self, device_id: int) -> list[schemas.Alert]:
        """The alerts of a device."""
        return records_of(schemas.Alert, self._get(endpoints.DEVICE_ALERTS, id=device_id), label=LABEL)

    def activities(self, device_id: int, *, limit: int = 200) -> list[schemas.Activity]:
        """The newest lines of a device's log, at most `limit` (10 to 1000), the newest first."""
        answer = self._get(endpoints.ACTIVITIES, [("pageSize", str(limit))], id=device_id)
        page = record_of(schemas.Activities, answer, label=LABEL)
        found = [record_of(schemas.Activity, one, label=LABEL) for one in page.activities]
        return sorted(found, key=lambda one: one.id, reverse=True)

    def volumes(self, device_id: int) -> list[schemas.Volume]:
        """A device's volumes."""
        return records_of(schemas.Volume, self._get(endpoints.VOLUMES, id=device_id), label=LABEL)

    def disks(self, device_id: int) -> list[schemas.Disk]:
        """A device's drives."""
        return records_of(schemas.Disk, self._get(endpoints.DISKS, id=device_id), label=LABEL)

    def software(self, device_id: int) -> list[schemas.Software]:
        """What is installed on a device."""
        return records_of(schemas.Software, self._get(endpoints.SOFTWARE, id=device_id), label=LABEL)

    def patches(self, device_id: int) -> list[schemas.Patch]:
        """Updates of the operating system that a device lacks, or that failed there."""
        return records_of(schemas.Patch, self._get(endpoints.OS_PATCHES, id=device_id), label=LABEL)

    def last_user(self, device_id: int) -> schemas.LastUser:
        """Who signed in last."""
        return record_of(schemas.LastUser, self._get(endpoints.LAST_USER, id=device_id) or {}, label=LABEL)

    def services(self, device_id: int) -> list[schemas.Service]:
        """A Windows device's services."""
        return records_of(schemas.Service, self._get(endpoints.SERVICES, id=device_id), label=LABEL)

    def scripting(self, device_id: int) -> schemas.Scripting:
        """What may be run on a device."""
        return record_of(schemas.Scripting, self._get(endpoints.SCRIPTING, id=device_id), label=LABEL)

    def operating_system(self, device: schemas.Device) -> schemas.OperatingSystem:
        """The report on a device's operating system; empty where there is none."""
        found = self._report(schemas.OperatingSystem, endpoints.OPERATING_SYSTEMS, _only(device))
        return next((one for one in found if one.device_id == device.id), schemas.OperatingSystem())

    def computer_system(self, device: schemas.Device) -> schemas.ComputerSystem:
        """The report on a device's hardware; empty where there is none."""
        found = self._report(schemas.ComputerSystem, endpoints.COMPUTER_SYSTEMS, _only(device))
        return next((one for one in found if one.device_id == device.id), schemas.ComputerSystem())

    def require_person(self) -> PersonTokens:
        """Whoever consented to be acted for; asks nobody. Raises ToolUnavailable where nobody did."""
        if self._person is None:
            raise ToolUnavailable(schemas.NO_CONSENT)
        return self._person

    def act(self, endpoint: Endpoint, body: JsonValue = None, **segments: int | str) -> None:
        """Send the one write of the errand."""
        self._sign_in()
        self._session.send(endpoint.method, endpoint.path(**segments), body=body)

    def act_as_person(self, endpoint: Endpoint, body: JsonValue = None, **segments: int | str) -> None:
        """Send the one write of the errand in the name of whoever consented. Raises ToolUnavailable without one."""
        self._sign_in_as(self.require_person())
        self._session.send(endpoint.method, endpoint.path(**segments), body=body)

    def configure_webhook(self, body: JsonValue) -> None:
        """Let the vendor tell of what happens; replaces what was there before."""
        self.act(endpoints.CONFIGURE_WEBHOOK, body)

    def disable_webhook(self) -> None:
        """Let it tell no more."""
        self.act(endpoints.DISABLE_WEBHOOK)

    def _list(
        self, model: type[M], endpoint: Endpoint, *, query: list[tuple[str, str]] | None = None, **segments: int
    ) -> Iterator[M]:
        """All records of a list. `after` is the last id of the page before; an empty page is the end."""
        after = 0
        for _ in range(MOST_PAGES):
            page = [("pageSize", str(PAGE_SIZE)), *([("after", str(after))] if after else [])]
            content = self._get(endpoint, [*(query or []), *page], **segments)
            yield from records_of(model, content, label=LABEL)
            last = _last_id(content)
            if last is None:
                return
            if last <= after:
                raise VendorGarbled(f"{LABEL} sends the same page again.", sent=True)
            after = last
        raise VendorGarbled(f"{LABEL} lists more than {MOST_PAGES} pages; narrow the search.", sent=True)

    def _report(self, model: type[M], endpoint: Endpoint, device_filter: str) -> Iterator[M]:
        """All records of a report. The answer's cursor gives the next piece; an empty one is the end."""
        query = [("df", device_filter), ("pageSize", str(PAGE_SIZE))]
        cursor: list[tuple[str, str]] = []
        for _ in range(MOST_PAGES):
            piece = record_of(schemas.Report, self._get(endpoint, [*query, *cursor]), label=LABEL)
            yield from (record_of(model, row, label=LABEL) for row in piece.results)
            if not piece.results or not piece.cursor.name:
                return
            cursor = [("cursor", piece.cursor.name)]
        raise VendorGarbled(f"{LABEL} reports more than {MOST_PAGES} pages; narrow the search.", sent=True)

    def _get(self, endpoint: Endpoint, query: list[tuple[str, str]] | None = None, **segments: int | str) -> JsonValue:
        path = endpoint.path(**segments)
        bearer = self._sign_in()
        try:
            return self._session.send("GET", path, query=query or ()).content
        except VendorUnauthorized:
            shelf.drop(self._lane, bearer)
        self._sign_in()
        return self._session.send("GET", path, query=query or ()).content

    def _sign_in(self) -> Bearer:
        """Put a token that holds on the session. Raises VendorUnauthorized for credentials that are not taken."""
        bearer = shelf.take(self._lane, credentials=self._mark, seconds=self._errand.remaining, ask=self._ask)
        self._session.bear(bearer.token)
        return bearer

    def redeem(self, *, code: str, verifier: str, redirect_uri: str) -> Redeemed:
        """Turn the code of a consent into a refresh token. Raises VendorRefused for a code that is not taken."""
        self._session.hide(code)
        asked = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        token = self._token(asked | {"redirect_uri": redirect_uri})
        if not token.refresh_token:
            raise VendorGarbled(
                f"{LABEL} gave no refresh token: the client needs the grant “Refresh token”.", sent=True
            )
        return Redeemed(token.refresh_token, token.scope or CONSENT_SCOPES)

    def _sign_in_as(self, person: PersonTokens) -> None:
        """Put a token of whoever consented on the session. Raises ToolUnavailable where it holds no longer."""
        bearer = shelf.take(
            f"{self._lane}:person",
            credentials=f"{self._mark}:{person.mark}",
            seconds=self._errand.remaining,
            ask=lambda: self._ask_as(person),
        )
        self._session.bear(bearer.token)

    def _ask_as(self, person: PersonTokens) -> Bearer:
        got: list[Bearer] = []

        def use(refresh_token: str) -> Redeemed:
            self._session.hide(refresh_token)
            asked_at = time.monotonic()
            token = self._token({"grant_type": "refresh_token", "refresh_token": refresh_token})
            got.append(Bearer(token.access_token, asked_at + token.expires_in, token.scope))
            return Redeemed(token.refresh_token or refresh_token, token.scope)

        person.refresh(use, seconds=self._errand.remaining)
        return got[0]

    def _token(self, asked: dict[str, str]) -> schemas.Token:
        form = {"client_id": self._id, "client_secret": self._secret, **asked}
        self._session.bear_nothing()
        token = record_of(
            schemas.Token, self._session.send("POST", endpoints.TOKEN.path(), form=form).content, label=LABEL
        )
        self._session.hide(token.refresh_token)
        return token

    def _ask(self) -> Bearer:
        try:
            return self._exchange(SCOPES)
        except VendorRefused as refused:
            if "invalid_scope" not in str(refused):
                raise
        return self._exchange(READING)

    def _exchange(self, scopes: str) -> Bearer:
        asked_at = time.monotonic()
        token = self._token({"grant_type": "client_credentials", "scope": scopes})
        return Bearer(token.access_token, asked_at + token.expires_in, token.scope or scopes)


def _only(device: schemas.Device) -> str:
    return f"org = {device.organization_id} AND id = {device.id}"


def _last_id(content: JsonValue) -> int | None:
    last = content[-1] if isinstance(content, list) and content else None
    number = last.get("id") if isinstance(last, dict) else None
    return number if isinstance(number, int) else None
