"""One tenant of Sophos Central: what is read and done there. Records that name another tenant do not come through."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from integrations.errors import VendorForbidden, VendorGarbled
from integrations.http import MOST_PAGES
from integrations.sophos import endpoints, schemas
from integrations.sophos.client import LABEL, SophosClient, page_of
from integrations.warrants import Endpoint
from integrations.wire import record_of

COMPUTER_PAGE_SIZE = 500
ALERT_PAGE_SIZE = 100
CASE_PAGE_SIZE = 50
EVENT_PAGE_SIZE = 1000
ITEM_PAGE_SIZE = 100

FORBIDDEN_ADVICE = (
    "The role of the credential may be too small, or this client does not allow Partner Assistance, or is a trial."
)

Query = list[tuple[str, str]]


class TenantClient:
    """Requests to one tenant on the errand of a client. Lists are read as far as whoever asks goes on reading."""

    def __init__(self, client: SophosClient, tenant_id: str) -> None:
        """Raises as `SophosClient.session_of`."""
        self.id = tenant_id
        self._client = client
        self._session = client.session_of(tenant_id)

    def computers(self, query: Query) -> Iterator[schemas.Computer]:
        """The computers and servers that meet a filter."""
        for row in self._keyed_pages(endpoints.LIST_COMPUTERS, [*query, ("view", "full")], size=COMPUTER_PAGE_SIZE):
            computer = record_of(schemas.Computer, row, label=LABEL)
            if self._is_own(computer.tenant.id):
                yield computer

    def computer(self, computer_id: str) -> schemas.Computer | None:
        """One computer; None where the answer is another, or another tenant's."""
        content = self._ask(endpoints.COMPUTER, [("view", "full")], endpointId=computer_id)
        computer = record_of(schemas.Computer, content, label=LABEL)
        return computer if self._is_own(computer.tenant.id) and computer.id.lower() == computer_id.lower() else None

    def isolation(self, computer_id: str) -> schemas.Isolation:
        """What was asked of a computer last."""
        return record_of(schemas.Isolation, self._ask(endpoints.ISOLATION, endpointId=computer_id), label=LABEL)

    def tamper_protection(self, computer_id: str) -> schemas.TamperProtection:
        """Whether it is on, and nothing else of what the vendor sends."""
        return record_of(
            schemas.TamperProtection, self._ask(endpoints.TAMPER_PROTECTION, endpointId=computer_id), label=LABEL
        )

    def alerts(self, query: Query) -> Iterator[schemas.Alert]:
        """The alerts that meet a filter, the newest first."""
        ordered = [*query, ("sort", "raisedAt:desc")]
        for row in self._keyed_pages(endpoints.LIST_ALERTS, ordered, size=ALERT_PAGE_SIZE):
            alert = record_of(schemas.Alert, row, label=LABEL)
            if self._is_own(alert.tenant.id):
                yield alert

    def alert(self, alert_id: str) -> schemas.Alert | None:
        """One alert; None where the answer is another, or another tenant's."""
        alert = record_of(schemas.Alert, self._ask(endpoints.ALERT, alertId=alert_id), label=LABEL)
        return alert if self._is_own(alert.tenant.id) and alert.id.lower() == alert_id.lower() else None

    def events(self, *, since: int | None = None) -> Iterator[schemas.Event]:
        """What happened within the last 24 hours, the oldest first. `since` = seconds since 1970, within them."""
        query: Query = [("limit", str(EVENT_PAGE_SIZE))]
        place: Query = [("from_date", str(since))] if since is not None else []
        for _ in range(MOST_PAGES):
            piece = record_of(schemas.Events, self._ask(endpoints.EVENTS, [*query, *place]), label=LABEL)
            events = [record_of(schemas.Event, one, label=LABEL) for one in piece.items]
            yield from (one for one in events if self._is_own(one.tenant_id or self.id))
            if not piece.more:
                return
            if not piece.cursor or place == [("cursor", piece.cursor)]:
                raise VendorGarbled(f"{LABEL} sends the same events again.", sent=True)
            place = [("cursor", piece.cursor)]
        raise VendorGarbled(f"{LABEL} lists more than {MOST_PAGES} pieces of events.", sent=True)

    def cases(self, query: Query) -> Iterator[schemas.Case]:
        """The cases that meet a filter."""
        for page in range(1, MOST_PAGES + 1):
            numbered = [*query, ("page", str(page)), ("pageSize", str(CASE_PAGE_SIZE))]
            rows, pages = page_of(self._ask(endpoints.CASES, numbered))
            cases = [record_of(schemas.Case, row, label=LABEL) for row in rows]
            yield from (case for case in cases if self._is_own(case.tenant.id or self.id))
            total = pages.get("total")
            if not rows or not isinstance(total, int) or page >= total:
                return
        raise VendorGarbled(f"{LABEL} lists more than {MOST_PAGES} pages of cases.", sent=True)

    def health_check(self) -> dict[str, JsonValue]:
        """The tenant's account health. Raises VendorGarbled for an answer about another tenant."""
        content = self._ask(endpoints.HEALTH_CHECK)
        found = content if isinstance(content, dict) else {}
        if not self._is_own(record_of(schemas.Named, found.get("tenant") or {}, label=LABEL).id):
            raise VendorGarbled(f"{LABEL} answered about another tenant.", sent=True)
        return found

    def blocked_items(self) -> Iterator[schemas.BlockedItem]:
        """What is blocked on every computer of the tenant."""
        for row in self._client.numbered_pages(self._session, endpoints.BLOCKED_ITEMS, size=ITEM_PAGE_SIZE):
            yield record_of(schemas.BlockedItem, row, label=LABEL)

    def act(self, endpoint: Endpoint, body: JsonValue, **segments: str) -> JsonValue:
        """Send the one write of the errand; what it answers."""
        try:
            return self._client.act(self._session, endpoint, body, **segments)
        except VendorForbidden as refused:
            raise _advised(refused) from refused

    def _ask(self, endpoint: Endpoint, query: Query | None = None, **segments: str) -> JsonValue:
        try:
            return self._client.ask(self._session, endpoint, query, **segments)
        except VendorForbidden as refused:
            raise _advised(refused) from refused

    def _keyed_pages(self, endpoint: Endpoint, query: Query, *, size: int) -> Iterator[JsonValue]:
        """All records of a list whose pages name the key of the next; the page that names none is the last."""
        place: Query = []
        for _ in range(MOST_PAGES):
            rows, pages = page_of(self._ask(endpoint, [*query, ("pageSize", str(size)), *place]))
            yield from rows
            key = pages.get("nextKey")
            if not key:
                return
            if not isinstance(key, str) or place == [("pageFromKey", key)]:
                raise VendorGarbled(f"{LABEL} sends the same page again.", sent=True)
            place = [("pageFromKey", key)]
        raise VendorGarbled(f"{LABEL} lists more than {MOST_PAGES} pages; narrow the search.", sent=True)

    def _is_own(self, tenant_id: str) -> bool:
        return tenant_id.lower() == self.id.lower()


def _advised(refused: VendorForbidden) -> VendorForbidden:
    return VendorForbidden(f"{refused} {FORBIDDEN_ADVICE}", sent=refused.sent, status=refused.status)
