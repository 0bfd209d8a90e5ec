"""The client of Pax8's partner API: typed records in and out, every request through the egress gate.

One application reaches the whole partner, all its clients: whose a record is, is looked at where it is used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pydantic import JsonValue

from integrations.bearer import Bearer, credentials_mark, shelf
from integrations.contracts import CompanyRecord, CredentialField
from integrations.errors import VendorGarbled, VendorUnauthorized
from integrations.http import MOST_PAGES, VendorSession
from integrations.pace import Pace
from integrations.pax8 import endpoints, schemas
from integrations.warrants import Endpoint, Errand
from integrations.wire import M, normal_uuid, record_of

LABEL = "Pax8"
HOME = "https://api.pax8.com"
AUDIENCE = "https://api.pax8.com"
ADDRESS_HELP = "https://api.pax8.com, wherever you are: there is one address for all."
PAGE_SIZE = 200
PER_MINUTE = 600
"""The vendor is said to take 1,000 requests a minute: this many, and half a minute's at once, stay below it."""

REST_SECONDS = 30.0
"""How long Pax8 is left alone after a 429 that names no time."""

CREDENTIAL_FIELDS = (
    CredentialField("client_id", "Client ID", "Of an application under Integrations > API > Credentials."),
    CredentialField("client_secret", "Client secret", "Shown once when the application is made.", secret=True),
)

SET_UP = (
    "In Pax8, as a primary admin, open the Integrations Hub and create API credentials for Junto alone.",
    "Copy the client id, and the secret, which is shown once.",
    "Pax8's credentials have no smaller rights: they reach all clients, and may order. Junto keeps every call to the"
    " ticket's own company, and orders, changes and cancels nothing that nobody with the right to billing approved.",
    "Revoke them in the same place: what Junto holds is worth nothing from then on.",
)
"""What to make at the vendor, with no more rights than are needed."""


Query = list[tuple[str, str]]

normal_company_id = normal_uuid
"""The one form of a company's id here. Raises ValueError for what is none."""


def normal_base_url(url: str) -> str:
    """The one host for every address of the vendor's own; anything else as it is."""
    plain = url.strip().rstrip("/")
    try:
        host = (urlsplit(plain).hostname or plain).lower()
    except ValueError:
        return plain
    return HOME if host == "pax8.com" or host.endswith(".pax8.com") else plain.removesuffix("/v1")


def open_client(*, base_url: str, credentials: Mapping[str, str], errand: Errand, lane: str, pace: Pace) -> Pax8Client:
    """A client for one errand, to be closed. Raises AddressRefused; ValidationError for impossible credentials."""
    return Pax8Client(
        base_url=base_url,
        credentials=schemas.Credentials.model_validate(dict(credentials)),
        errand=errand,
        lane=lane,
        pace=pace,
    )


class Pax8Client:
    """Requests for one errand. Every method raises `IntegrationError` of integrations.errors.

    Lists are read to their end, at most `MOST_PAGES` pages, as far as the caller takes them. A look-up whose token is
    no longer taken signs in anew, once. A write does not: it comes after look-ups of the same errand, which have just
    shown that the token holds, and nothing that may have arrived is sent twice.
    """

    def __init__(
        self, *, base_url: str, credentials: schemas.Credentials, errand: Errand, lane: str, pace: Pace
    ) -> None:
        self._id, self._secret = credentials.client_id, credentials.client_secret.get_secret_value()
        self._mark = credentials_mark(base_url, self._id, self._secret)
        self._errand, self._lane = errand, lane

        def session() -> VendorSession:
            return VendorSession(
                label=LABEL,
                base_url=base_url,
                endpoints=endpoints.ENDPOINTS,
                errand=errand,
                headers={"Accept": "application/json"},
                secrets=(self._secret,),
                explain=schemas.ErrorBody.words,
                lane=lane,
                pace=pace,
                rest_seconds=REST_SECONDS,
            )

        self._session, self._identity = session(), session()  # the second signs in, and so bears no former token

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()
        self._identity.close()

    def probe(self) -> str:
        """Sign in, and read one record of each of the two kinds that all else hangs on."""
        found = self._page(endpoints.COMPANIES, [("page", "0"), ("size", "1")])
        self._page(endpoints.SUBSCRIPTIONS, [("page", "0"), ("size", "1")])
        return LABEL if found.content else f"{LABEL} (the credentials see no companies)"

    def company_records(self) -> Iterator[CompanyRecord]:
        """The companies, in the words that all vendors share; deleted ones are left out."""
        for one in self._list(schemas.Company, endpoints.COMPANIES):
            if one.status != "Deleted":
                yield CompanyRecord(
                    external_id=one.id, name=one.name, identifier=one.external_id, active=one.status != "Inactive"
                )

    def company(self, company_id: str) -> schemas.Company:
        """One company."""
        return self._one(schemas.Company, endpoints.COMPANY, companyId=company_id)

    def contacts(self, company_id: str) -> Iterator[schemas.Contact]:
        """Whom the vendor writes to at a company; the answer does not repeat whose they are."""
        return self._list(schemas.Contact, endpoints.CONTACTS, companyId=company_id)

    def subscriptions(self, company_id: str, *, status: str = "") -> Iterator[schemas.Subscription]:
        """The subscriptions of a company, perhaps those of one status."""
        query = [("companyId", company_id), *([("status", status)] if status else [])]
        return self._list(schemas.Subscription, endpoints.SUBSCRIPTIONS, query=query)

    def subscription(self, subscription_id: str) -> schemas.Subscription:
        """One subscription, whosever it is."""
        return self._one(schemas.Subscription, endpoints.SUBSCRIPTION, subscriptionId=subscription_id)

    def history(self, subscription_id: str) -> Iterator[schemas.Subscription]:
        """What a subscription was after each change."""
        return self._whole(schemas.Subscription, endpoints.HISTORY, subscriptionId=subscription_id)

    def usage(self, subscription_id: str, company_id: str) -> Iterator[schemas.UsageSummary]:
        """What was used this month of a subscription that is billed by use."""
        query = [("companyId", company_id)]
        return self._list(schemas.UsageSummary, endpoints.USAGE, query=query, subscriptionId=subscription_id)

    def products(self, *, search: str, vendor: str = "") -> Iterator[schemas.Product]:
        """Products of the catalogue that the vendor finds for these words."""
        query = [("search", search), *([("vendorName", vendor)] if vendor else [])]
        return self._list(schemas.Product, endpoints.PRODUCTS, query=query)

    def product(self, product_id: str) -> schemas.Product:
        """One product."""
        return self._one(schemas.Product, endpoints.PRODUCT, productId=product_id)

    def pricing(self, product_id: str, company_id: str) -> list[schemas.Pricing]:
        """What a product costs one company, by billing term and commitment."""
        query = [("companyId", company_id)]
        return list(self._whole(schemas.Pricing, endpoints.PRICING, query=query, productId=product_id))

    def commitments(self, product_id: str) -> tuple[schemas.Commitment, ...]:
        """For how long a product may be bought."""
        return self._one(schemas.Dependencies, endpoints.DEPENDENCIES, productId=product_id).commitments

    def details(self, product_id: str) -> list[schemas.Detail]:
        """What has to be said before a product is set up."""
        return list(self._whole(schemas.Detail, endpoints.DETAILS, productId=product_id))

    def orders(self, company_id: str) -> Iterator[schemas.Order]:
        """The orders for a company."""
        return self._list(schemas.Order, endpoints.ORDERS, query=[("companyId", company_id)])

    def invoices(self, *, first: str, last: str) -> Iterator[schemas.Invoice]:
        """The MSP's invoices of the days from `first` to `last`."""
        query = [("invoiceDateRangeStart", first), ("invoiceDateRangeEnd", last)]
        return self._list(schemas.Invoice, endpoints.INVOICES, query=query)

    def invoice_items(self, invoice_id: str) -> Iterator[schemas.InvoiceItem]:
        """The lines of an invoice, of all clients."""
        return self._list(schemas.InvoiceItem, endpoints.INVOICE_ITEMS, invoiceId=invoice_id)

    def check_order(self, body: JsonValue) -> schemas.Order:
        """Let an order be looked through and not placed. Raises VendorRefused with what is wrong with it."""
        return record_of(schemas.Order, self._ask(endpoints.CHECK_ORDER, body=body), label=LABEL)

    def act(
        self, endpoint: Endpoint, body: JsonValue = None, *, query: Query | None = None, **segments: str
    ) -> JsonValue:
        """Send the one write of the errand; what it answers."""
        self._sign_in()
        return self._session.send(endpoint.method, endpoint.path(**segments), query=query or (), body=body).content

    def _list(self, model: type[M], endpoint: Endpoint, *, query: Query | None = None, **segments: str) -> Iterator[M]:
        """All records of a list. The answer says how many pages there are; where it does not, a short one is last."""
        for number in range(MOST_PAGES):
            numbers = [("page", str(number)), ("size", str(PAGE_SIZE))]
            found = self._page(endpoint, [*(query or []), *numbers], **segments)
            told = found.page or schemas.PageNumbers()
            if told.number not in (None, number):
                raise VendorGarbled(f"{LABEL} sends the same page again.", sent=True)
            for row in found.content:
                yield record_of(model, row, label=LABEL)
            more = len(found.content) == PAGE_SIZE if told.total_pages is None else number + 1 < told.total_pages
            if not found.content or not more:
                return
        raise VendorGarbled(f"{LABEL} lists more than {MOST_PAGES} pages; narrow the search.", sent=True)

    def _whole(self, model: type[M], endpoint: Endpoint, *, query: Query | None = None, **segments: str) -> Iterator[M]:
        """The records of a list that comes in one piece."""
        for row in self._page(endpoint, query or [], **segments).content:
            yield record_of(model, row, label=LABEL)

    def _page(self, endpoint: Endpoint, query: Query, **segments: str) -> schemas.Page:
        return record_of(schemas.Page, self._ask(endpoint, query=query, **segments), label=LABEL)

    def _one(self, model: type[M], endpoint: Endpoint, **segments: str) -> M:
        return record_of(model, self._ask(endpoint, query=None, body=None, **segments), label=LABEL)

    def _ask(
        self, endpoint: Endpoint, *, query: Query | None = None, body: JsonValue = None, **segments: str
    ) -> JsonValue:
        """What a look-up answers; its own query is part of it."""
        path, asked = endpoint.path(**segments), [*endpoint.query, *(query or [])]
        bearer = self._sign_in()
        try:
            return self._session.send(endpoint.method, path, query=asked, body=body).content
        except VendorUnauthorized:
            shelf.drop(self._lane, bearer)
        self._sign_in()
        return self._session.send(endpoint.method, path, query=asked, body=body).content

    def _sign_in(self) -> Bearer:
        """Put a token that holds on the session. Raises VendorUnauthorized for credentials that are not taken."""
        bearer = shelf.take(self._lane, credentials=self._mark, seconds=self._errand.remaining, ask=self._exchange)
        self._session.bear(bearer.token)
        return bearer

    def _exchange(self) -> Bearer:
        """A new token. The vendor counts these requests, too, and a token holds for a day."""
        body: JsonValue = {
            "client_id": self._id,
            "client_secret": self._secret,
            "audience": AUDIENCE,
            "grant_type": "client_credentials",
        }
        asked_at = time.monotonic()
        token = record_of(
            schemas.Token, self._identity.send("POST", endpoints.TOKEN.path(), body=body).content, label=LABEL
        )
        return Bearer(token.access_token, asked_at + token.expires_in)
