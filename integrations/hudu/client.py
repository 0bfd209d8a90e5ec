"""The client of Hudu's API: typed records in and out, every request through the egress gate.

A key reaches all clients of the account: whose a record is, is looked at where it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from pydantic import JsonValue

from integrations.contracts import CompanyRecord, CredentialField
from integrations.errors import VendorGarbled, VendorNotFound
from integrations.http import MOST_PAGES, VendorSession
from integrations.hudu import endpoints, schemas
from integrations.pace import Pace
from integrations.warrants import Endpoint, Errand
from integrations.wire import record_of

LABEL = "Hudu"
ADDRESS_HELP = "The address of your Hudu, as in https://docs.your-msp.example or https://your-msp.huducloud.com."
PAGE_SIZE = 100
PER_MINUTE = 180
"""The vendor is said to take 300 requests a minute: this many, and half a minute's at once, stay below it."""

REST_SECONDS = 30.0
"""How long Hudu is left alone after a 429 that names no time."""

CREDENTIAL_FIELDS = (CredentialField("api_key", "API key", "Admin > API Keys > New API Key.", secret=True),)

SET_UP = (
    "In Hudu, as an admin, under Admin > API Keys, make a key for Junto alone. Its rights are set now or never.",
    "Leave access to passwords and destructive actions (deleting) off: Junto asks for no password and deletes nothing.",
    "Where Junto shall see some companies only, choose them; where your server has a fixed address, allow that alone.",
    "Copy the key at once: it can be read for five minutes. Hudu has no keys that may only read; what Junto writes"
    " always asks, and can be switched off by policy. Deleting the key in the same place ends it.",
)
"""What to make at the vendor, with no more rights than are needed."""

R = TypeVar("R", bound=schemas.Record)

Query = list[tuple[str, str]]


def normal_base_url(url: str) -> str:
    """The instance's address, without the API's path behind it."""
    return url.strip().rstrip("/").removesuffix("/api/v1")


def open_client(*, base_url: str, credentials: Mapping[str, str], errand: Errand, lane: str, pace: Pace) -> HuduClient:
    """A client for one errand, to be closed. Raises AddressRefused; ValidationError for impossible credentials."""
    return HuduClient(
        base_url=base_url,
        credentials=schemas.Credentials.model_validate(dict(credentials)),
        errand=errand,
        lane=lane,
        pace=pace,
    )


class HuduClient:
    """Requests for one errand. Every method raises `IntegrationError` of integrations.errors.

    Lists are read to their end, at most `MOST_PAGES` pages. Values of confidential fields end here.
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
            headers={"Accept": "application/json", "x-api-key": key},
            secrets=(key,),
            explain=schemas.ErrorBody.words,
            lane=lane,
            pace=pace,
            rest_seconds=REST_SECONDS,
        )

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def probe(self) -> str:
        """Read the first of the two kinds that all else hangs on."""
        found = self._rows(endpoints.COMPANIES, "companies", [("page", "1"), ("page_size", "1")])
        self._rows(endpoints.LAYOUTS, "asset_layouts", [("page", "1")])
        return LABEL if found else f"{LABEL} (the key sees no companies)"

    def company_records(self) -> Iterator[CompanyRecord]:
        """The companies, in the words that all vendors share."""
        for one in self._list(schemas.Company, endpoints.COMPANIES, "companies"):
            yield CompanyRecord(
                external_id=str(one.id), name=one.name, identifier=one.id_number, active=not one.archived
            )

    def company(self, company_id: int) -> schemas.Company:
        """One company."""
        return self._one(schemas.Company, endpoints.COMPANY, "company", id=company_id)

    def layouts(self) -> dict[int, schemas.Layout]:
        """The kinds of assets that the account documents, by their ids. Their lists take no size of a page."""
        found = self._list(schemas.Layout, endpoints.LAYOUTS, "asset_layouts", sized=False)
        return {one.id: one for one in found}

    def assets(
        self,
        company_id: int,
        layouts: Mapping[int, schemas.Layout],
        *,
        layout_id: int = 0,
        serial: str = "",
        archived: bool = False,
    ) -> Iterator[schemas.Asset]:
        """The assets of a company, perhaps those of one layout or serial number; `archived` = those alone."""
        query = [("company_id", str(company_id))]
        query += [("asset_layout_id", str(layout_id))] if layout_id else []
        query += [("primary_serial", serial)] if serial else []
        query += [("archived", "true")] if archived else []
        for one in self._list(schemas.Asset, endpoints.ASSETS, "assets", query=query):
            yield one.without_secrets(layouts)

    def asset(self, company_id: int, asset_id: int, layouts: Mapping[int, schemas.Layout]) -> schemas.Asset:
        """One asset, asked for below a company."""
        found = self._one(schemas.Asset, endpoints.ASSET, "asset", company_id=company_id, id=asset_id)
        return found.without_secrets(layouts)

    def articles(self, company_id: int, *, name: str = "") -> Iterator[schemas.Article]:
        """The articles of a company, perhaps those of this name."""
        query = [("company_id", str(company_id)), *([("name", name)] if name else [])]
        return self._list(schemas.Article, endpoints.ARTICLES, "articles", query=query)

    def article(self, article_id: int) -> schemas.Article:
        """One article, whosever it is."""
        return self._one(schemas.Article, endpoints.ARTICLE, "article", id=article_id)

    def expirations(self, company_id: int) -> Iterator[schemas.Expiration]:
        """What ends when, of a company."""
        query = [("company_id", str(company_id))]
        return self._list(schemas.Expiration, endpoints.EXPIRATIONS, "expirations", query=query)

    def write_article(self, endpoint: Endpoint, article: dict[str, JsonValue], **segments: int) -> schemas.Article:
        """Send the one write of the errand; the article as the vendor then has it."""
        content = self._session.send(endpoint.method, endpoint.path(**segments), body={"article": article}).content
        return record_of(schemas.Article, _inside(content, "article"), label=LABEL)

    def _list(
        self, model: type[R], endpoint: Endpoint, under: str, *, query: Query | None = None, sized: bool = True
    ) -> Iterator[R]:
        """All records of a list: page by page, until one is empty. How long a page is at most, no page says."""
        seen = set[int]()
        for page in range(1, MOST_PAGES + 1):
            numbers = [("page", str(page)), *([("page_size", str(PAGE_SIZE))] if sized else [])]
            rows = self._rows(endpoint, under, [*(query or []), *numbers])
            if not rows:
                return
            records = [record_of(model, row, label=LABEL) for row in rows]
            ids = {one.id for one in records}
            if ids <= seen:
                raise VendorGarbled(f"{LABEL} sends the same page again.", sent=True)
            seen |= ids
            yield from records
        raise VendorGarbled(f"{LABEL} lists more than {MOST_PAGES} pages; narrow the search.", sent=True)

    def _rows(self, endpoint: Endpoint, under: str, query: Query) -> list[JsonValue]:
        """The rows of a page: under their name, or a plain list, as some of the vendor's lists are."""
        rows = _inside(self._session.send("GET", endpoint.path(), query=query).content, under)
        if not isinstance(rows, list):
            raise VendorGarbled(f"{LABEL} sent something else than a list.", sent=True)
        return rows

    def _one(self, model: type[R], endpoint: Endpoint, under: str, **segments: int) -> R:
        """One record; where there is none, the vendor says 404, or 200 and null."""
        content = _inside(self._session.send("GET", endpoint.path(**segments)).content, under)
        if content is None:
            raise VendorNotFound(f"{LABEL} has no such {under}.", sent=True)
        return record_of(model, content, label=LABEL)


def _inside(content: JsonValue, under: str) -> JsonValue:
    """What stands under its name in an answer; an answer without the name is it itself."""
    return content[under] if isinstance(content, dict) and under in content else content
