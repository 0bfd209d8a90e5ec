"""The rules of service tickets: what belongs to which board, when a ticket is closed, and whose contact it has."""

from __future__ import annotations

from copy import deepcopy

from integrations.sandbox.connectwise.edits import create_draft, patch_draft, require_object
from integrations.sandbox.connectwise.notes import add_opening_notes
from integrations.sandbox.connectwise.problems import FieldProblem, bad_reference, invalid, missing, not_found
from integrations.sandbox.connectwise.record_types import OPENING_FIELDS, TICKET
from integrations.sandbox.connectwise.shapes import stamp
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World

_BOARD_FIELDS = {"status": "status", "type": "type", "subType": "subtype", "item": "item", "team": "team"}


def get_ticket(world: World, number: int) -> Record:
    """The stored ticket; a Problem with status 404 if these credentials have none of this id."""
    ticket = world.get("ticket", number)
    if ticket is None:
        raise not_found("Ticket", number)
    return ticket


def create_ticket(world: World, body: Json, *, by: str) -> Record:
    """A new ticket with the vendor's defaults; its initial texts become notes."""
    fields = require_object(body, TICKET.resource)
    ticket = create_draft(world, TICKET, fields, also=OPENING_FIELDS)
    opening = {name: ticket.pop(name) for name in OPENING_FIELDS if name in ticket}
    ticket.setdefault("board", _default(world, "board"))
    ticket.setdefault("status", _default(world, "status", board=ticket["board"]))
    ticket.setdefault("priority", _default(world, "priority"))
    ticket.setdefault("source", _default(world, "source"))
    ticket.setdefault("severity", "Medium")
    ticket.setdefault("impact", "Medium")
    ticket["recordType"] = "ServiceTicket"
    ticket["actualHours"] = 0.0
    ticket["hasChildTicket"] = False
    ticket["hasMergedChildTicketFlag"] = False
    ticket.setdefault("customerUpdatedFlag", False)
    _take_contact_details(world, ticket)
    _check(world, ticket)
    ticket["dateEntered"] = stamp(world, ticket, by=by)
    _follow_status(world, ticket, by=by)
    world.save("ticket", ticket)
    add_opening_notes(world, ticket, opening, by=by)
    return ticket


def patch_ticket(world: World, number: int, body: Json, *, by: str) -> Record:
    """A changed ticket. A new board takes its default status and drops types that it does not have."""
    before = get_ticket(world, number)
    ticket, touched = patch_draft(world, TICKET, before, body)
    if "board" in touched and ticket.get("board") != before.get("board"):
        _move_board(world, ticket, touched)
    if touched & {"type", "subType"}:
        _drop_unassociated(world, ticket, touched)
    if "contact" in touched:
        _take_contact_details(world, ticket, anew=True)
    elif "company" in touched and ticket.get("company") != before.get("company"):
        for name in ("contact", "contactName", "contactEmailAddress", "contactPhoneNumber", "site"):
            ticket.pop(name, None)
    _check(world, ticket)
    stamp(world, ticket, by=by)
    _follow_status(world, ticket, by=by)
    world.save("ticket", ticket)
    return ticket


def touch_ticket(world: World, number: int, *, by: str, **changes: Json) -> None:
    """Move a ticket's `lastUpdated` because something hanging on it changed."""
    ticket = deepcopy(get_ticket(world, number))
    ticket.update(changes)
    stamp(world, ticket, by=by)
    world.save("ticket", ticket)


def merge_tickets(world: World, parent_id: int, body: Json, *, by: str) -> None:
    """Merge other tickets of the same company into a parent: they take the status given and point to it."""
    parent = get_ticket(world, parent_id)
    fields = require_object(body, "ticketMerge")
    ids, status = fields.get("mergeTicketIds"), fields.get("status")
    problems: list[FieldProblem] = []
    if not isinstance(ids, list) or not ids:
        problems.append(missing("mergeTicketIds"))
        ids = []
    if status is None:
        problems.append(missing("status"))
    children = [world.get("ticket", number) for number in ids]
    for number, child in zip(ids, children, strict=True):
        if child is None or number == parent_id or child.get("company") != parent.get("company"):
            problems.append(bad_reference("mergeTicketIds", f"Ticket {number} cannot be merged into {parent_id}."))
    if problems:
        raise invalid("ticketMerge", *problems)
    for child in children:
        if child is not None and isinstance(child["id"], int):
            patch_ticket(world, child["id"], [{"op": "replace", "path": "status", "value": status}], by=by)
            touch_ticket(world, child["id"], by=by, mergedParentTicket=parent_id)
    touch_ticket(world, parent_id, by=by, hasMergedChildTicketFlag=True)


def _default(world: World, kind: str, *, board: Json = None) -> Json:
    candidates = [record for record in world.all(kind) if board is None or record.get("board") == board]
    chosen = next((record for record in candidates if record.get("defaultFlag")), None)
    chosen = chosen or next(iter(candidates), None)
    return chosen["id"] if chosen else None


def _move_board(world: World, ticket: Record, touched: set[str]) -> None:
    if "status" not in touched:
        ticket["status"] = _default(world, "status", board=ticket["board"])
    for name in ("type", "subType", "item", "team"):
        if name not in touched:
            ticket.pop(name, None)


def _drop_unassociated(world: World, ticket: Record, touched: set[str]) -> None:
    """A new type takes away the subtype and item that it does not go with, unless they were given with it."""
    for name in ("subType", "item"):
        if name not in touched and name in ticket and not _is_associated(world, ticket, with_item=name == "item"):
            ticket.pop(name)


def _is_associated(world: World, ticket: Record, *, with_item: bool) -> bool:
    return any(
        row.get("type") == ticket.get("type")
        and row.get("subType") == ticket.get("subType")
        and (not with_item or row.get("item") == ticket.get("item"))
        for row in world.all("association")
    )


def _check(world: World, ticket: Record) -> None:
    problems = [*_board_problems(world, ticket), *_client_problems(world, ticket)]
    problems += [missing(name) for name in ("board", "status", "priority") if ticket.get(name) is None]
    if problems:
        raise invalid(TICKET.resource, *problems)


def _board_problems(world: World, ticket: Record) -> list[FieldProblem]:
    problems: list[FieldProblem] = []
    for name, kind in _BOARD_FIELDS.items():
        number = ticket.get(name)
        target = world.get(kind, number)
        board = target.get("boardId" if kind == "team" else "board") if target else None
        if target is not None and board != ticket.get("board"):
            problems.append(bad_reference(f"{name}/id", f"{name} {number} does not belong to the ticket's board."))
    if "subType" in ticket and not _is_associated(world, ticket, with_item=False):
        problems.append(bad_reference("subType/id", "The subtype does not go with the type."))
    elif "item" in ticket and not _is_associated(world, ticket, with_item=True):
        problems.append(bad_reference("item/id", "The item does not go with the type and subtype."))
    return problems


def _client_problems(world: World, ticket: Record) -> list[FieldProblem]:
    problems: list[FieldProblem] = []
    for name in ("contact", "site"):
        target = world.get(name, ticket.get(name))
        if target is not None and target.get("company") != ticket.get("company"):
            problems.append(bad_reference(f"{name}/id", f"The {name} does not belong to the ticket's company."))
    member = world.get("member", ticket.get("owner"))
    if member is not None and member.get("inactiveFlag"):
        problems.append(bad_reference("owner/id", f"Member {member['identifier']} is inactive."))
    return problems


def _follow_status(world: World, ticket: Record, *, by: str) -> None:
    status = world.get("status", ticket.get("status"))
    closed = bool(status and status.get("closedStatus"))
    resolved = bool(status and status.get("escalationStatus") == "Resolved")
    moment = _last_updated(ticket)
    ticket["closedFlag"] = closed
    for name, holds, value in (
        ("closedDate", closed, moment),
        ("closedBy", closed, by),
        ("dateResolved", resolved or closed, moment),
    ):
        if holds:
            ticket.setdefault(name, value)
        else:
            ticket.pop(name, None)


def _last_updated(ticket: Record) -> Json:
    info = ticket.get("_info")
    return info.get("lastUpdated") if isinstance(info, dict) else None


def _take_contact_details(world: World, ticket: Record, *, anew: bool = False) -> None:
    contact = world.get("contact", ticket.get("contact"))
    if anew:
        for name in ("contactName", "contactEmailAddress", "contactPhoneNumber"):
            ticket.pop(name, None)
    if contact is None:
        return
    ticket.setdefault("contactName", f"{contact.get('firstName') or ''} {contact.get('lastName') or ''}".strip())
    entries = contact.get("communicationItems")
    for name, sort in (("contactEmailAddress", "Email"), ("contactPhoneNumber", "Phone")):
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and entry.get("communicationType") == sort and entry.get("value"):
                ticket.setdefault(name, entry["value"])
                break
