"""The client of IT Glue's API: typed records in and out, every request through the egress gate.

No value of a password is ever asked for: requests about passwords say so, and what comes all the same is dropped on
arrival, before anything else looks at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from pydantic import JsonValue

from integrations.contracts import CompanyRecord, CredentialField
from integrations.errors import VendorForbidden, VendorGarbled, VendorNotFound, VendorUnauthorized
from integrations.http import MOST_PAGES, VendorSession
from integrations.itglue import endpoints, schemas
from integrations.pace import Pace
from integrations.warrants import Endpoint, Errand
from integrations.wire import normal_number, record_of

LABEL = "IT Glue"
PAGE_SIZE = 500
REGIONS = {"us": "api", "eu": "api.eu", "au": "api.au"}
ADDRESS_HELP = "Your region: us, eu or au; or the address, as in https://api.eu.itglue.com."
MEDIA_TYPE = "application/vnd.api+json"
PER_MINUTE = 540
"""The vendor takes 3,000 requests in 5 minutes: this many a minute, and half a minute's at once, stay below it."""

REST_SECONDS = 30.0
"""How long IT Glue is left alone after a 429, as it names no time itself."""

CREDENTIAL_FIELDS = (
    CredentialField("api_key", "API key", "Account > Settings > API Keys > Custom API Keys.", secret=True),
)

SET_UP = (
    "In IT Glue, as an Administrator, under Account > Settings > API Keys, generate a custom API key for Junto alone.",
    "Leave “Password Access” unticked: Junto never asks for a password's value, and lists names at most.",
    "Take the key of your region: a key of another one is refused. It is revoked after 90 days without use.",
    "A key sees all organizations of the account. Junto keeps every call to the ticket's own company, and shows"
    " nothing that IT Glue restricts to some of its users.",
)
"""What to make at the vendor, with no more rights than are needed."""

R = TypeVar("R", bound=schemas.Record)

Query = list[tuple[str, str]]

normal_company_id = normal_number
"""The one form of a company's id here. Raises ValueError for what is none."""


def normal_base_url(url: str) -> str:
    """The host of the account's region: of its short name, or of an address."""
    plain = url.strip().rstrip("/")
    region = REGIONS.get(plain.lower())
    return f"https://{region}.itglue.com" if region else plain


def open_client(
    *, base_url: str, credentials: Mapping[str, str], errand: Errand, lane: str, pace: Pace
) -> ITGlueClient:
    """A client for one errand, to be closed. Raises AddressRefused; ValidationError for impossible credentials."""
    return ITGlueClient(
        base_url=base_url,
        credentials=schemas.Credentials.model_validate(dict(credentials)),
        errand=errand,
        lane=lane,
        pace=pace,
    )


class ITGlueClient:
    """Requests for one errand. Every method raises `IntegrationError` of integrations.errors.

    Lists are read to their end, at most `MOST_PAGES` pages. Whose a record is, is for the caller to look at: item
    routes and filters of this vendor do not vouch for it.
    """

    def __init__(
        self, *, base_url: str, credentials: schemas.Credentials, errand: Errand, lane: str, pace: Pace
    ) -> None:
        key = credentials.api_key.get_secret_value()
        self._session = VendorSession(
            label=LABEL,
            base_url=base_url,
            endpoints=endpoints.ENDPOINTS,
            errand=errand,
            headers={"Accept": MEDIA_TYPE, "x-api-key": key},
            secrets=(key,),
            explain=schemas.ErrorBody.words,
            lane=lane,
            pace=pace,
            media_type=MEDIA_TYPE,
            rest_seconds=REST_SECONDS,
        )

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def probe(self) -> str:
        """Read one record of the first kind that Junto needs."""
        try:
            found = self._page(endpoints.ORGANIZATIONS, [("page[number]", "1"), ("page[size]", "1")])
        except VendorForbidden as refused:  # a key that is wrong or revoked; it has no rights of its own to lack
            said = str(refused).partition("It said: ")[2]
            raise VendorUnauthorized(
                f"{LABEL} does not accept the API key{f' ({said})' if said else ''}. "
                "A key holds in its own region only: check the address, too.",
                sent=True,
                status=403,
            ) from refused
        return LABEL if found.data else f"{LABEL} (the key sees no organizations)"

    def company_records(self) -> Iterator[CompanyRecord]:
        """The organizations that are clients, in the words that all vendors share."""
        for one in self._list(schemas.Organization, endpoints.ORGANIZATIONS):
            if not one.primary:
                yield CompanyRecord(
                    external_id=str(one.id),
                    name=one.name,
                    identifier=one.short_name,
                    active=one.organization_status_name.casefold() not in ("inactive", "former"),
                )

    def organization(self, organization_id: int) -> schemas.Organization:
        """One organization. Raises VendorNotFound."""
        for one in self._list(
            schemas.Organization, endpoints.ORGANIZATIONS, query=[("filter[id]", str(organization_id))]
        ):
            if one.id == organization_id:
                return one
        raise VendorNotFound(f"{LABEL} has no such organization.", sent=True)

    def configurations(
        self, organization_id: int, *, serial_number: str = "", ninjaone_id: int = 0
    ) -> Iterator[schemas.Configuration]:
        """The configurations of an organization, perhaps those of a serial number or of a device in NinjaOne."""
        query: Query = [("filter[serial_number]", serial_number)] if serial_number else []
        if ninjaone_id:
            query += [("filter[rmm_id]", str(ninjaone_id)), ("filter[rmm_integration_type]", "ninja-rmm")]
        return self._list(schemas.Configuration, endpoints.CONFIGURATIONS, query=query, organization_id=organization_id)

    def configuration(self, organization_id: int, configuration_id: int) -> schemas.Configuration:
        """One configuration."""
        return self._one(
            schemas.Configuration, endpoints.CONFIGURATION, organization_id=organization_id, id=configuration_id
        )

    def contacts(self, organization_id: int) -> Iterator[schemas.Contact]:
        """The contacts of an organization."""
        return self._list(schemas.Contact, endpoints.CONTACTS, organization_id=organization_id)

    def contact(self, organization_id: int, contact_id: int) -> schemas.Contact:
        """One contact."""
        return self._one(schemas.Contact, endpoints.CONTACT, organization_id=organization_id, id=contact_id)

    def locations(self, organization_id: int) -> Iterator[schemas.Location]:
        """The sites of an organization."""
        return self._list(schemas.Location, endpoints.LOCATIONS, organization_id=organization_id)

    def location(self, organization_id: int, location_id: int) -> schemas.Location:
        """One site."""
        return self._one(schemas.Location, endpoints.LOCATION, organization_id=organization_id, id=location_id)

    def documents(self, organization_id: int, *, name: str = "") -> Iterator[schemas.Document]:
        """The documents of an organization, perhaps those of exactly this name."""
        query = [("filter[name]", name)] if name else []
        return self._list(schemas.Document, endpoints.DOCUMENTS, query=query, organization_id=organization_id)

    def document(self, organization_id: int, document_id: int) -> schemas.Document:
        """One document."""
        return self._one(schemas.Document, endpoints.DOCUMENT, organization_id=organization_id, id=document_id)

    def sections(self, document_id: int) -> list[schemas.Section]:
        """The parts of a document, in their order."""
        found = self._list(schemas.Section, endpoints.SECTIONS, document_id=document_id)
        own = [one for one in found if one.document_id in (0, document_id)]
        return sorted(own, key=lambda one: (one.sort, one.id))

    def password_names(self, organization_id: int) -> Iterator[schemas.PasswordName]:
        """What passwords there are of an organization, without the passwords."""
        return self._list(
            schemas.PasswordName,
            endpoints.PASSWORDS,
            query=[("show_password", "false")],
            organization_id=organization_id,
        )

    def expirations(self, organization_id: int) -> Iterator[schemas.Expiration]:
        """What ends when, of an organization."""
        return self._list(schemas.Expiration, endpoints.EXPIRATIONS, organization_id=organization_id)

    def domains(self, organization_id: int) -> Iterator[schemas.Domain]:
        """The domains of an organization."""
        return self._list(schemas.Domain, endpoints.DOMAINS, organization_id=organization_id)

    def asset_types(self) -> Iterator[schemas.AssetType]:
        """The kinds of flexible assets that the account documents."""
        return self._list(schemas.AssetType, endpoints.ASSET_TYPES)

    def asset_fields(self, type_id: int) -> list[schemas.AssetField]:
        """The fields of one kind, in their order."""
        found = self._list(schemas.AssetField, endpoints.ASSET_FIELDS, flexible_asset_type_id=type_id)
        return sorted(found, key=lambda one: (one.order, one.id))

    def assets(self, organization_id: int, type_id: int) -> Iterator[schemas.Asset]:
        """The flexible assets of one kind, of an organization. There is no nested route for them."""
        query = [("filter[flexible_asset_type_id]", str(type_id)), ("filter[organization_id]", str(organization_id))]
        return self._list(schemas.Asset, endpoints.ASSETS, query=query)

    def asset(self, asset_id: int) -> schemas.Asset:
        """One flexible asset, whosever it is."""
        return self._one(schemas.Asset, endpoints.ASSET, id=asset_id)

    def write(self, model: type[R], endpoint: Endpoint, body: JsonValue, **segments: int | str) -> R:
        """Send the one write of the errand; the record as the vendor then has it."""
        content = self._session.send(endpoint.method, endpoint.path(**segments), body=body).content
        told = schemas.without_secrets(content)
        data = told.get("data") if isinstance(told, dict) else None
        return record_of(model, schemas.flat(data[0] if isinstance(data, list) and data else data), label=LABEL)

    def _list(self, model: type[R], endpoint: Endpoint, *, query: Query | None = None, **segments: int) -> Iterator[R]:
        """All records of a list. The answer says which page is next; where it does not, a short page is the end."""
        page, seen = 1, set[int]()
        for _ in range(MOST_PAGES):
            numbers = [("page[number]", str(page)), ("page[size]", str(PAGE_SIZE))]
            found = self._page(endpoint, [*(query or []), *numbers], **segments)
            rows = [record_of(model, schemas.flat(row), label=LABEL) for row in found.data]
            ids = {row.id for row in rows}
            if ids and ids <= seen:
                raise VendorGarbled(f"{LABEL} sends the same page again.", sent=True)
            seen |= ids
            yield from rows
            following = found.meta.next_page if found.meta else (page + 1 if len(rows) == PAGE_SIZE else 0)
            if not rows or not following:
                return
            if following <= page:
                raise VendorGarbled(f"{LABEL} sends the same page again.", sent=True)
            page = following
        raise VendorGarbled(f"{LABEL} lists more than {MOST_PAGES} pages; narrow the search.", sent=True)

    def _page(self, endpoint: Endpoint, query: Query, **segments: int) -> schemas.Page:
        return record_of(schemas.Page, self._get(endpoint, query, **segments), label=LABEL)

    def _one(self, model: type[R], endpoint: Endpoint, **segments: int) -> R:
        single = record_of(schemas.Single, self._get(endpoint, [], **segments), label=LABEL)
        return record_of(model, schemas.flat(single.data), label=LABEL)

    def _get(self, endpoint: Endpoint, query: Query, **segments: int) -> JsonValue:
        return schemas.without_secrets(self._session.send("GET", endpoint.path(**segments), query=query).content)
