"""The requests this client makes, by class. What is not listed here does not leave.

Source: the vendor's REST API 2025.1, paths below `/v4_6_release/apis/3.0`.
"""

from __future__ import annotations

from integrations.warrants import Endpoint, Traffic


def _read(template: str) -> Endpoint:
    return Endpoint(Traffic.READ, "GET", template)


TICKETS = _read("/service/tickets")
TICKET_ALL_NOTES = _read("/service/tickets/{parentId}/allNotes")
TICKET_CONFIGURATIONS = _read("/service/tickets/{parentId}/configurations")
BOARDS = _read("/service/boards")
BOARD = _read("/service/boards/{id}")
BOARD_STATUSES = _read("/service/boards/{parentId}/statuses")
BOARD_TYPES = _read("/service/boards/{parentId}/types")
BOARD_SUBTYPES = _read("/service/boards/{parentId}/subtypes")
BOARD_ITEMS = _read("/service/boards/{parentId}/items")
BOARD_ASSOCIATIONS = _read("/service/boards/{parentId}/typeSubTypeItemAssociations")
BOARD_TEAMS = _read("/service/boards/{parentId}/teams")
PRIORITIES = _read("/service/priorities")
COMPANIES = _read("/company/companies")
CONTACTS = _read("/company/contacts")
CONFIGURATIONS = _read("/company/configurations")
MEMBERS = _read("/system/members")
INFO = _read("/system/info")
TIME_ENTRIES = _read("/time/entries")
SCHEDULE = _read("/schedule/entries")
DOCUMENTS = _read("/system/documents")

CALLBACKS = _read("/system/callbacks")
CALLBACK_KEY = _read("/system/callbacks/keys/{id}")
"""Not in the vendor's reference: callbacks name it as the address of their key."""
CREATE_CALLBACK = Endpoint(Traffic.CONTROL, "POST", "/system/callbacks", set_up=True)
DELETE_CALLBACK = Endpoint(Traffic.CONTROL, "DELETE", "/system/callbacks/{id}", set_up=True)

CREATE_TICKET = Endpoint(Traffic.WRITE, "POST", "/service/tickets")
PATCH_TICKET = Endpoint(Traffic.WRITE, "PATCH", "/service/tickets/{id}")
CREATE_NOTE = Endpoint(Traffic.WRITE, "POST", "/service/tickets/{parentId}/notes")
CREATE_TIME_ENTRY = Endpoint(Traffic.WRITE, "POST", "/time/entries")
CREATE_SCHEDULE_ENTRY = Endpoint(Traffic.WRITE, "POST", "/schedule/entries")
ATTACH_CONFIGURATION = Endpoint(Traffic.WRITE, "POST", "/service/tickets/{parentId}/configurations")
MERGE_TICKETS = Endpoint(Traffic.WRITE, "POST", "/service/tickets/{parentId}/merge")

ENDPOINTS: tuple[Endpoint, ...] = (
    TICKETS,
    TICKET_ALL_NOTES,
    TICKET_CONFIGURATIONS,
    BOARDS,
    BOARD,
    BOARD_STATUSES,
    BOARD_TYPES,
    BOARD_SUBTYPES,
    BOARD_ITEMS,
    BOARD_ASSOCIATIONS,
    BOARD_TEAMS,
    PRIORITIES,
    COMPANIES,
    CONTACTS,
    CONFIGURATIONS,
    MEMBERS,
    INFO,
    TIME_ENTRIES,
    SCHEDULE,
    DOCUMENTS,
    CALLBACKS,
    CALLBACK_KEY,
    CREATE_CALLBACK,
    DELETE_CALLBACK,
    CREATE_TICKET,
    PATCH_TICKET,
    CREATE_NOTE,
    CREATE_TIME_ENTRY,
    CREATE_SCHEDULE_ENTRY,
    ATTACH_CONFIGURATION,
    MERGE_TICKETS,
)
"""The vendor's whole table."""

_AREAS = {
    "/service/tickets": "service tickets",
    "/service/": "service boards",
    "/company/companies": "companies",
    "/company/contacts": "contacts",
    "/company/configurations": "configurations",
    "/system/members": "members",
    "/system/documents": "documents",
    "/time/": "time entries",
    "/schedule/": "schedules",
}
_VERBS = {
    **dict.fromkeys((CREATE_TICKET, CREATE_TIME_ENTRY, CREATE_SCHEDULE_ENTRY), "add"),
    **dict.fromkeys((PATCH_TICKET, ATTACH_CONFIGURATION), "edit"),
    CREATE_NOTE: "add notes to",
    MERGE_TICKETS: "merge",
}

PERMISSIONS: dict[Endpoint, str] = {
    endpoint: f"{_VERBS.get(endpoint, 'read').capitalize()} {area}"
    for endpoint in ENDPOINTS
    if (area := next((words for begin, words in _AREAS.items() if endpoint.template.startswith(begin)), ""))
}
"""What the API member's security role must allow, by what is asked with it."""
