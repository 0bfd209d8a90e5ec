"""The client of ConnectWise PSA's REST API: typed records in and out, every request through the egress gate."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pydantic import JsonValue

from integrations.connectwise import conditions as where
from integrations.connectwise import endpoints, schemas, schemas_control
from integrations.contracts import CredentialField
from integrations.errors import VendorForbidden, VendorGarbled
from integrations.http import VendorSession
from integrations.pace import Pace
from integrations.warrants import Endpoint, Errand
from integrations.wire import M, normal_number, record_of, records_of

LABEL = "ConnectWise PSA"
API_VERSION = "2025.1"
PAGE_SIZE = 250
LARGEST_PAGE = 1000
_API_PATH = "/v4_6_release/apis/3.0"
_NEVER = datetime.min.replace(tzinfo=UTC)

CREDENTIAL_FIELDS = (
    CredentialField("company_id", "Login company", "The company name you type when you log in to ConnectWise."),
    CredentialField("public_key", "Public key", "Of an API member: System > Members > API Members.", secret=True),
    CredentialField("private_key", "Private key", "Shown once when the key is made.", secret=True),
    CredentialField("client_id", "Client ID", "Of your integration, from developer.connectwise.com."),
)

ADDRESS_HELP = "As in https://api-eu.myconnectwise.net, or your own server's."
SET_UP = (
    "Under System > Members > API Members, add a member with a security role of its own.",
    "The role may read companies, contacts, configurations, boards, members and documents, and read and edit service"
    " tickets, notes, time entries and schedules. To merge tickets it needs that right, too. It needs nothing else.",
    "Make a key pair for it under API Keys; the private key is shown once.",
    "The test reads one record of each kind. Whether the role may edit tickets too, only the first change shows.",
    "Register a client id for the integration on developer.connectwise.com.",
)
"""What to make at the vendor, with no more rights than are needed."""

#: ConnectWise shows nobody what a key may change but by its answer to a change.
WRITES_UNSEEN = True

#: What the test of a connection reads, in an Admin's words.
PROBED = {
    "companies": endpoints.COMPANIES,
    "service tickets": endpoints.TICKETS,
    "contacts": endpoints.CONTACTS,
    "configurations": endpoints.CONFIGURATIONS,
    "service boards": endpoints.BOARDS,
    "members": endpoints.MEMBERS,
    "time entries": endpoints.TIME_ENTRIES,
    "schedules": endpoints.SCHEDULE,
}

normal_company_id = normal_number
"""The one form of a company's id here. Raises ValueError for what is none."""


def normal_base_url(url: str) -> str:
    """The API's base URL: a bare host, or an address without the API's path, gets the usual one."""
    plain = url.strip().rstrip("/")
    return plain if urlsplit(plain).path.endswith("/apis/3.0") else plain + _API_PATH


def open_client(
    *, base_url: str, credentials: Mapping[str, str], errand: Errand, lane: str, pace: Pace
) -> ConnectWiseClient:
    """A client for one errand, to be closed. Raises AddressRefused; ValidationError for impossible credentials."""
    return ConnectWiseClient(
        base_url=base_url,
        credentials=schemas.Credentials.model_validate(dict(credentials)),
        errand=errand,
        lane=lane,
        pace=pace,
    )


class ConnectWiseClient:
    """Requests for one errand. Every method raises `IntegrationError` of integrations.errors."""

    def __init__(
        self, *, base_url: str, credentials: schemas.Credentials, errand: Errand, lane: str, pace: Pace
    ) -> None:
        public, private = credentials.public_key.get_secret_value(), credentials.private_key.get_secret_value()
        basic = base64.b64encode(f"{credentials.company_id}+{public}:{private}".encode()).decode()
        self._session = VendorSession(
            label=LABEL,
            base_url=base_url,
            endpoints=endpoints.ENDPOINTS,
            errand=errand,
            headers={
                "Authorization": f"Basic {basic}",
                "clientId": credentials.client_id,
                "Accept": f"application/vnd.connectwise.com+json; version={API_VERSION}",
            },
            secrets=(private, public, basic),
            explain=schemas.ErrorBody.words,
            lane=lane,
            pace=pace,
        )

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def probe(self) -> str:
        """Read one record of each kind that Junto needs, and return what the server says of itself.

        Raises VendorForbidden, which names the kinds that may not be read. Whether it may write, no reading shows.
        """
        info = self._one(schemas.Info, endpoints.INFO)
        closed = []
        for words, endpoint in PROBED.items():
            try:
                self._session.send("GET", endpoint.path(), query=[("pageSize", "1"), ("fields", "id")])
            except VendorForbidden:
                closed.append(words)
        if closed:
            raise VendorForbidden(
                f"{LABEL} lets the API member in, and does not let it read: {', '.join(closed)}.",
                sent=False,
                status=403,
            )
        return f"{LABEL} {info.version}".strip()

    def tickets(
        self, *, conditions: str, order_by: str = "id desc", limit: int = PAGE_SIZE, page: int = 1
    ) -> list[schemas.Ticket]:
        """At most `limit` tickets that meet the conditions; of that many a page, the `page`-th."""
        query = [("orderBy", order_by), ("page", str(page)), ("pageSize", str(limit))]
        answer = self._session.send("GET", endpoints.TICKETS.path(), query=_with(query, conditions))
        return records_of(schemas.Ticket, answer.content, label=LABEL)

    def ticket_stamps(self, *, conditions: str) -> Iterator[schemas_control.Stamped]:
        """The id and last change of all tickets that meet the conditions, in pages as large as the vendor gives."""
        query = [("fields", "id,_info/lastUpdated"), ("orderBy", "id"), ("pageSize", str(LARGEST_PAGE))]
        for content in self._session.pages(endpoints.TICKETS.path(), query=_with(query, conditions)):
            yield from records_of(schemas_control.Stamped, content, label=LABEL)

    def notes(self, ticket_id: int) -> list[schemas.Note]:
        """The whole conversation of a ticket, oldest first, time entries' texts included."""
        found = list(self._list(schemas.Note, endpoints.TICKET_ALL_NOTES, parentId=ticket_id))
        return sorted(found, key=lambda note: (note.written_at or _NEVER, note.id))

    def ticket_configurations(self, ticket_id: int) -> list[schemas.TicketConfiguration]:
        """The devices attached to a ticket."""
        return list(self._list(schemas.TicketConfiguration, endpoints.TICKET_CONFIGURATIONS, parentId=ticket_id))

    def time_entries(self, ticket_id: int) -> list[schemas.TimeEntry]:
        """The time logged on a ticket."""
        wanted = where.all_of(where.equals("chargeToId", ticket_id), where.equals("chargeToType", "ServiceTicket"))
        return list(self._list(schemas.TimeEntry, endpoints.TIME_ENTRIES, conditions=wanted))

    def companies(self, *, conditions: str = "") -> Iterator[schemas.Company]:
        """Client companies."""
        return self._list(schemas.Company, endpoints.COMPANIES, conditions=conditions)

    def contacts(
        self, *, conditions: str = "", child_conditions: str = "", limit: int | None = None
    ) -> Iterator[schemas.Contact]:
        """Contacts."""
        return self._list(
            schemas.Contact,
            endpoints.CONTACTS,
            conditions=conditions,
            child_conditions=child_conditions,
            limit=limit,
        )

    def configurations(self, *, conditions: str = "", limit: int | None = None) -> Iterator[schemas.Configuration]:
        """Devices."""
        return self._list(schemas.Configuration, endpoints.CONFIGURATIONS, conditions=conditions, limit=limit)

    def boards(self) -> Iterator[schemas.Board]:
        """Service boards."""
        return self._list(schemas.Board, endpoints.BOARDS)

    def board(self, board_id: int) -> schemas.Board:
        """One board."""
        return self._one(schemas.Board, endpoints.BOARD, id=board_id)

    def statuses(self, board_id: int) -> list[schemas.BoardStatus]:
        """The statuses of a board."""
        return list(self._list(schemas.BoardStatus, endpoints.BOARD_STATUSES, parentId=board_id))

    def board_choices(self, endpoint: Endpoint, board_id: int) -> list[schemas.BoardChoice]:
        """The types, subtypes, items or teams of a board, as the endpoint says."""
        return list(self._list(schemas.BoardChoice, endpoint, parentId=board_id))

    def associations(self, board_id: int) -> list[schemas.Association]:
        """Which type, subtype and item of a board go together."""
        return list(self._list(schemas.Association, endpoints.BOARD_ASSOCIATIONS, parentId=board_id))

    def priorities(self) -> list[schemas.Priority]:
        """Priorities, the most urgent first as the vendor sorts them."""
        return sorted(self._list(schemas.Priority, endpoints.PRIORITIES), key=lambda one: one.sort)

    def members(self, *, conditions: str = "") -> Iterator[schemas.Member]:
        """Members of the MSP."""
        return self._list(schemas.Member, endpoints.MEMBERS, conditions=conditions)

    def schedule(self, *, conditions: str, limit: int) -> Iterator[schemas.ScheduleEntry]:
        """Bookings in the members' schedules."""
        return self._list(schemas.ScheduleEntry, endpoints.SCHEDULE, conditions=conditions, limit=limit)

    def documents(self, ticket_id: int) -> list[schemas.Document]:
        """The files of a ticket."""
        of_ticket = (("recordType", "Ticket"), ("recordId", str(ticket_id)))
        return list(self._list(schemas.Document, endpoints.DOCUMENTS, of_record=of_ticket))

    def create_ticket(self, body: JsonValue) -> schemas.Ticket:
        """Write a ticket."""
        return self._written(schemas.Ticket, endpoints.CREATE_TICKET, body)

    def patch_ticket(self, ticket_id: int, operations: JsonValue) -> schemas.Ticket:
        """Change a ticket by a list of operations."""
        return self._written(schemas.Ticket, endpoints.PATCH_TICKET, operations, id=ticket_id)

    def create_note(self, ticket_id: int, body: JsonValue) -> schemas.CreatedNote:
        """Write a note on a ticket."""
        return self._written(schemas.CreatedNote, endpoints.CREATE_NOTE, body, parentId=ticket_id)

    def create_time_entry(self, body: JsonValue) -> schemas.TimeEntry:
        """Log time."""
        return self._written(schemas.TimeEntry, endpoints.CREATE_TIME_ENTRY, body)

    def create_schedule_entry(self, body: JsonValue) -> schemas.ScheduleEntry:
        """Book a member."""
        return self._written(schemas.ScheduleEntry, endpoints.CREATE_SCHEDULE_ENTRY, body)

    def attach_configuration(self, ticket_id: int, body: JsonValue) -> schemas.TicketConfiguration:
        """Link a device to a ticket."""
        return self._written(schemas.TicketConfiguration, endpoints.ATTACH_CONFIGURATION, body, parentId=ticket_id)

    def merge_tickets(self, ticket_id: int, body: JsonValue) -> None:
        """Merge other tickets into one. Raises VendorGarbled where the vendor says that it did not."""
        told = self._written(schemas.Success, endpoints.MERGE_TICKETS, body, parentId=ticket_id)
        if not told.success:
            raise VendorGarbled(f"{LABEL} did not merge the tickets. It said: {told.message}", sent=True)

    def callbacks(self, url: str) -> list[schemas_control.Callback]:
        """What the vendor sends to this address."""
        found = self._list(schemas_control.Callback, endpoints.CALLBACKS, conditions=where.equals("url", url))
        return [callback for callback in found if callback.url == url]

    def create_callback(self, url: str) -> schemas_control.Callback:
        """Ask for every change of every ticket."""
        body: dict[str, JsonValue] = {"url": url, "type": "ticket", "level": "owner", "objectId": 1}
        return self._written(schemas_control.Callback, endpoints.CREATE_CALLBACK, {**body, "description": "Junto"})

    def delete_callback(self, callback_id: int) -> None:
        """Ask for no more."""
        self._session.send("DELETE", endpoints.DELETE_CALLBACK.path(id=callback_id))

    def signing_key(self, key_id: str) -> str:
        """The key that callbacks are signed with; it appears in no error."""
        answer = self._session.send("GET", endpoints.CALLBACK_KEY.path(id=key_id))
        return record_of(schemas_control.SigningKey, answer.content, label=LABEL).signing_key.get_secret_value()

    def _list(
        self,
        model: type[M],
        endpoint: Endpoint,
        *,
        conditions: str = "",
        child_conditions: str = "",
        limit: int | None = None,
        of_record: Sequence[tuple[str, str]] = (),
        **segments: int,
    ) -> Iterator[M]:
        """All records of a list, page by page, or the first `limit` of them."""
        size = min(limit or PAGE_SIZE, PAGE_SIZE)
        query = _with([*of_record, ("pageSize", str(size))], conditions, child_conditions)
        given = 0
        for content in self._session.pages(endpoint.path(**segments), query=query):
            for row in records_of(model, content, label=LABEL):
                yield row
                given += 1
                if given == limit:
                    return

    def _one(self, model: type[M], endpoint: Endpoint, **segments: int) -> M:
        return record_of(model, self._session.send("GET", endpoint.path(**segments)).content, label=LABEL)

    def _written(self, model: type[M], endpoint: Endpoint, body: JsonValue, **segments: int) -> M:
        return record_of(
            model, self._session.send(endpoint.method, endpoint.path(**segments), body=body).content, label=LABEL
        )


def _with(query: list[tuple[str, str]], conditions: str, child_conditions: str = "") -> list[tuple[str, str]]:
    given = (("conditions", conditions), ("childConditions", child_conditions))
    return [*query, *((name, value) for name, value in given if value)]
