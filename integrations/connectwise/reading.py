"""The tools that look things up. Lists are cut to the signal's company; what comes back is short and plain."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from integrations.connectwise import conditions as where
from integrations.connectwise import endpoints, schemas
from integrations.connectwise.targets import Id, board_of, client_of, company_id_of, of_company, ticket_of
from integrations.models import NOTE_KIND, TIME_KIND
from integrations.own_work import Written, of_this_company
from integrations.tools import Scope, ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import Words

MOST_NOTES = 60

Limit = Annotated[int, Field(ge=1, le=50)]


class SearchTickets(ToolArguments):
    text: Words | None = Field(None, description="Words that the ticket's summary contains.")
    status: Literal["open", "closed", "any"] = Field("any", description="Only open, only closed, or any tickets.")
    board_id: Id | None = Field(None, description="Only tickets of this board.")
    contact_id: Id | None = Field(None, description="Only tickets of this contact.")
    updated_after: datetime | None = Field(None, description="Only tickets updated at or after this moment.")
    limit: Limit = Field(20, description="At most so many tickets, the newest first.")


class OneTicket(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")


class FindCompany(ToolArguments):
    pass


class FindContact(ToolArguments):
    name: Words | None = Field(None, description="First or last name, or both.")
    email: Annotated[str, Field(max_length=250, pattern=r"^[^\s@\"\\]+@[^\s@\"\\]+$")] | None = Field(
        None, description="The whole e-mail address."
    )
    limit: Limit = Field(20, description="At most so many contacts.")


class ListConfigurations(ToolArguments):
    name: Words | None = Field(None, description="Part of the device's name.")
    type: Words | None = Field(None, description="Part of the device type's name, as in Workstation.")
    contact_id: Id | None = Field(None, description="Only devices of this contact.")
    limit: Limit = Field(25, description="At most so many devices.")


class BoardOptions(ToolArguments):
    board_id: Id | None = Field(None, description="The board. Without it only the boards themselves are listed.")


class ListMembers(ToolArguments):
    name: Words | None = Field(None, description="Part of the member's first or last name.")


@tool(
    name="connectwise.search_tickets",
    label="Search tickets",
    description="Search this company's tickets, the newest first: history, repeats, other open work.",
    arguments=SearchTickets,
    title=lambda arguments: f"Search tickets for “{arguments.text}”" if arguments.text else "Search tickets",
    endpoints=(endpoints.TICKETS,),
)
def search_tickets(context: ToolContext, arguments: SearchTickets) -> ToolResult:
    company = company_id_of(context)
    conditions = where.all_of(
        of_company(context),
        where.contains("summary", arguments.text) if arguments.text else None,
        None if arguments.status == "any" else where.equals("closedFlag", arguments.status == "closed"),
        where.equals("board/id", arguments.board_id) if arguments.board_id else None,
        where.equals("contact/id", arguments.contact_id) if arguments.contact_id else None,
        where.since("lastUpdated", arguments.updated_after) if arguments.updated_after else None,
    )
    found = [
        ticket
        for ticket in client_of(context).tickets(conditions=conditions, limit=arguments.limit)
        if ticket.company.id == company
    ]
    return ToolResult(
        content={"tickets": [_ticket_line(ticket) for ticket in found]},
        summary=_counted(len(found), "ticket"),
        records=found,
    )


@tool(
    name="connectwise.get_ticket",
    label="Read a ticket",
    description="Read one ticket of this company: fields, description, notes in order, attached devices.",
    arguments=OneTicket,
    title=lambda arguments: f"Read ticket {arguments.ticket_id}",
    endpoints=(endpoints.TICKETS, endpoints.TICKET_ALL_NOTES, endpoints.TICKET_CONFIGURATIONS),
)
def get_ticket(context: ToolContext, arguments: OneTicket) -> ToolResult:
    ticket = ticket_of(context, arguments.ticket_id)
    client = client_of(context)
    every = client.notes(ticket.id)
    notes = of_this_company(context, every, _written_note)
    opening = next((note for note in notes if note.issue), None)
    rest = [note for note in notes if note is not opening]
    devices = client.ticket_configurations(ticket.id)
    content: dict[str, JsonValue] = {
        **_ticket_line(ticket),
        "company": ticket.company.name,
        "contact": _reference(ticket.contact, ticket.contact_name),
        "description": opening.text if opening else "",
        "notes": [_note(note) for note in rest[-MOST_NOTES:]],
        "earlier_notes_left_out": max(len(rest) - MOST_NOTES, 0),
        **_left_out(len(every) - len(notes), "notes"),
        "configurations": [{"id": device.id, "name": device.info.name} for device in devices],
    }
    return ToolResult(
        content=content,
        summary=f"{ticket.status.name}, {_counted(len(notes), 'note')}, {_counted(len(devices), 'device')}",
        records=(ticket, *notes[-MOST_NOTES:], *devices),
    )


@tool(
    name="connectwise.list_ticket_time",
    label="List time on a ticket",
    description="The time logged on one ticket of this company.",
    arguments=OneTicket,
    title=lambda arguments: f"List time on ticket {arguments.ticket_id}",
    endpoints=(endpoints.TICKETS, endpoints.TIME_ENTRIES),
)
def list_ticket_time(context: ToolContext, arguments: OneTicket) -> ToolResult:
    ticket = ticket_of(context, arguments.ticket_id)
    every = [entry for entry in client_of(context).time_entries(ticket.id) if entry.charge_to_id == ticket.id]
    theirs = [entry for entry in every if entry.company.id in (0, ticket.company.id)]
    entries = of_this_company(context, theirs, _written_time)
    rows: list[JsonValue] = [
        {
            "id": entry.id,
            "member": entry.member.name or entry.member.identifier,
            "start": _moment(entry.start),
            "hours": entry.hours,
            "billable": entry.billable,
            "notes": entry.notes,
        }
        for entry in entries
    ]
    hours = round(sum(entry.hours for entry in entries), 2)
    return ToolResult(
        content={"time_entries": rows, "total_hours": hours, **_left_out(len(every) - len(entries), "entries")},
        summary=f"{len(rows)} time {'entry' if len(rows) == 1 else 'entries'}, {hours:g} h"
        if rows
        else "No time logged",
        records=entries,
    )


@tool(
    name="connectwise.find_company",
    label="Read the company",
    description="The company of this signal as ConnectWise knows it. Other companies cannot be looked up.",
    arguments=FindCompany,
    title=lambda _: "Read the company",
    endpoints=(endpoints.COMPANIES,),
)
def find_company(context: ToolContext, _: FindCompany) -> ToolResult:
    wanted = company_id_of(context)
    found = [
        company
        for company in client_of(context).companies(conditions=where.equals("id", wanted))
        if company.id == wanted
    ]
    rows: list[JsonValue] = [
        {
            "id": company.id,
            "identifier": company.identifier,
            "name": company.name,
            "status": company.status.name,
            "city": company.city,
            "phone": company.phone,
            "website": company.website,
        }
        for company in found
    ]
    return ToolResult(
        content={"companies": rows}, summary=found[0].name if found else "Not in ConnectWise", records=found
    )


@tool(
    name="connectwise.find_contact",
    label="Find a contact",
    description="Find contacts of this company by name or e-mail address; without either, list them.",
    arguments=FindContact,
    title=lambda arguments: f"Find contact {arguments.email or arguments.name or ''}".rstrip(),
    endpoints=(endpoints.CONTACTS,),
)
def find_contact(context: ToolContext, arguments: FindContact) -> ToolResult:
    company = company_id_of(context)
    names = [_either_name(word) for word in (arguments.name or "").split()[:4]]
    by_mail = f"communicationItems/value={where.quoted(arguments.email)}" if arguments.email else ""
    found = [
        contact
        for contact in client_of(context).contacts(
            conditions=where.all_of(of_company(context), where.equals("inactiveFlag", False), *names),
            child_conditions=by_mail,
            limit=arguments.limit,
        )
        if contact.company.id == company
    ]
    rows: list[JsonValue] = [
        {
            "id": contact.id,
            "name": contact.name,
            "title": contact.title,
            "email": contact.email,
            "phone": contact.phone,
        }
        for contact in found
    ]
    one = len(found) == 1
    return ToolResult(
        content={"contacts": rows}, summary=found[0].name if one else _counted(len(found), "contact"), records=found
    )


@tool(
    name="connectwise.list_configurations",
    label="List devices",
    description="The devices (configurations) of this company: name, type, user, operating system, address.",
    arguments=ListConfigurations,
    title=lambda arguments: f"List devices named “{arguments.name}”" if arguments.name else "List devices",
    endpoints=(endpoints.CONFIGURATIONS,),
)
def list_configurations(context: ToolContext, arguments: ListConfigurations) -> ToolResult:
    company = company_id_of(context)
    conditions = where.all_of(
        of_company(context),
        where.equals("activeFlag", True),
        where.contains("name", arguments.name) if arguments.name else None,
        where.contains("type/name", arguments.type) if arguments.type else None,
        where.equals("contact/id", arguments.contact_id) if arguments.contact_id else None,
    )
    found = [
        device
        for device in client_of(context).configurations(conditions=conditions, limit=arguments.limit)
        if device.company.id == company
    ]
    return ToolResult(
        content={"configurations": [_device(device) for device in found]},
        summary=_counted(len(found), "device"),
        records=found,
    )


@tool(
    name="connectwise.board_options",
    label="Read board options",
    description="A board's statuses, types, subtypes (with the types they go with), items, teams, and the priorities:"
    " the ids that changes to a ticket take.",
    arguments=BoardOptions,
    title=lambda arguments: f"Read options of board {arguments.board_id}" if arguments.board_id else "List boards",
    scope=Scope.FREE,
    endpoints=(
        endpoints.BOARDS,
        endpoints.BOARD_STATUSES,
        endpoints.BOARD_TYPES,
        endpoints.BOARD_SUBTYPES,
        endpoints.BOARD_ITEMS,
        endpoints.BOARD_TEAMS,
        endpoints.PRIORITIES,
    ),
)
def board_options(context: ToolContext, arguments: BoardOptions) -> ToolResult:
    client = client_of(context)
    if arguments.board_id is None:
        boards: list[JsonValue] = [
            {"id": board.id, "name": board.name} for board in client.boards() if not board.inactive
        ]
        return ToolResult(content={"boards": boards}, summary=_counted(len(boards), "board"))
    board = board_of(context, arguments.board_id)
    statuses = [status for status in client.statuses(board.id) if not status.inactive]
    types, subtypes, items, teams = (
        [one for one in client.board_choices(endpoint, board.id) if not one.inactive]
        for endpoint in (
            endpoints.BOARD_TYPES,
            endpoints.BOARD_SUBTYPES,
            endpoints.BOARD_ITEMS,
            endpoints.BOARD_TEAMS,
        )
    )
    content: JsonValue = {
        "board": {"id": board.id, "name": board.name},
        "statuses": [{"id": one.id, "name": one.name, "closed": one.closed} for one in statuses],
        "types": [{"id": one.id, "name": one.name} for one in types],
        "subtypes": [{"id": one.id, "name": one.name, "type_ids": list(one.type_ids)} for one in subtypes],
        "items": [{"id": one.id, "name": one.name} for one in items],
        "teams": [{"id": one.id, "name": one.name} for one in teams],
        "priorities": [{"id": one.id, "name": one.name, "level": one.level} for one in client.priorities()],
    }
    return ToolResult(content=content, summary=f"{board.name}: {len(statuses)} statuses, {len(types)} types")


@tool(
    name="connectwise.list_members",
    label="List members",
    description="The MSP's own active members, for assigning tickets and logging time.",
    arguments=ListMembers,
    title=lambda _: "List members",
    scope=Scope.FREE,
    endpoints=(endpoints.MEMBERS,),
)
def list_members(context: ToolContext, arguments: ListMembers) -> ToolResult:
    names = [_either_name(word) for word in (arguments.name or "").split()[:4]]
    conditions = where.all_of(where.equals("inactiveFlag", False), *names)
    rows: list[JsonValue] = [
        {"identifier": member.identifier, "name": member.name, "title": member.title}
        for member in client_of(context).members(conditions=conditions)
        if not member.inactive
    ]
    return ToolResult(content={"members": rows}, summary=_counted(len(rows), "member"))


def _either_name(word: str) -> str:
    return f"({where.contains('firstName', word)} or {where.contains('lastName', word)})"


def _ticket_line(ticket: schemas.Ticket) -> dict[str, JsonValue]:
    return {
        "id": ticket.id,
        "summary": ticket.summary,
        "status": ticket.status.name,
        "closed": ticket.closed,
        "priority": ticket.priority.name,
        "board": ticket.board.name,
        "board_id": ticket.board.id,
        "type": ticket.type.name,
        "subtype": ticket.sub_type.name,
        "item": ticket.item.name,
        "assignee": ticket.owner.name,
        "entered": _moment(ticket.date_entered),
        "updated": _moment(ticket.updated_at),
    }


def _reference(reference: schemas.Reference, name: str) -> JsonValue:
    return {"id": reference.id, "name": reference.name or name} if reference.id or name else None


def _note(note: schemas.Note) -> JsonValue:
    return {
        "author": note.author,
        "at": _moment(note.written_at),
        "visible_to_client": not note.internal,
        "text": note.text,
    }


def _written_note(note: schemas.Note) -> Written:
    return Written(NOTE_KIND if note.kind == "TicketNote" else TIME_KIND, str(note.id), note.text)


def _written_time(entry: schemas.TimeEntry) -> Written:
    return Written(TIME_KIND, str(entry.id), f"{entry.notes}\n{entry.internal_notes}")


def _left_out(number: int, what: str) -> dict[str, JsonValue]:
    """How much stays with the company that the ticket was of before; nothing where that is none."""
    return {f"{what}_for_another_company_left_out": number} if number else {}


def _device(device: schemas.Configuration) -> JsonValue:
    shown: dict[str, JsonValue] = {
        "id": device.id,
        "name": device.name,
        "type": device.type.name,
        "status": device.status.name,
        "contact": device.contact.name,
        "operating_system": device.operating_system,
        "model": device.model_number,
        "serial_number": device.serial_number,
        "ip_address": device.ip_address,
        "last_login": device.last_login,
        "notes": device.notes,
    }
    return {name: value for name, value in shown.items() if value != ""}


def _moment(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def _counted(number: int, word: str) -> str:
    return f"1 {word}" if number == 1 else f"{number or 'No'} {word}s"
