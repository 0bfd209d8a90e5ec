"""The tools that change a ticket's fields, or make one. Each sends exactly one request, a function of its arguments."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from integrations.connectwise import conditions as where
from integrations.connectwise import endpoints, schemas
from integrations.connectwise.edits import compared, replace, require_as_seen
from integrations.connectwise.targets import (
    Id,
    MemberName,
    Text,
    board_of,
    choice_of,
    client_of,
    company_id_of,
    contact_of,
    member_of,
    of_company,
    priority_of,
    status_of,
    ticket_of,
    ticket_state,
    ticket_words,
)
from integrations.errors import TargetRefused
from integrations.tools import (
    Category,
    Change,
    ExternalRecord,
    Flag,
    Outcome,
    OutcomeStrategy,
    Preview,
    Risk,
    ToolArguments,
    ToolContext,
    ToolResult,
    tool,
)
from integrations.wording import Words

NONE = "none"


class SetTicketStatus(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    status_id: Id = Field(description="The new status: an id of the ticket's own board (board_options).")


class ClassifyTicket(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    type_id: Id | None = Field(None, description="The new type: an id of the ticket's own board (board_options).")
    subtype_id: Id | None = Field(None, description="The new subtype; it must go with the type.")
    item_id: Id | None = Field(None, description="The new item.")
    priority_id: Id | None = Field(None, description="The new priority (board_options).")
    empty: list[Literal["type", "subtype", "item"]] | None = Field(
        None, max_length=3, description="Fields to take the value out of."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        given = {"type": self.type_id, "subtype": self.subtype_id, "item": self.item_id}
        if not any((*given.values(), self.priority_id, self.empty)):
            raise ValueError("name at least one of type_id, subtype_id, item_id, priority_id and empty")
        if any(given[name] for name in self.empty or ()):
            raise ValueError("a field is either set or emptied")
        return self


class AssignTicket(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    member: MemberName = Field(description="Identifier of the member who shall own it (list_members).")


class CreateTicket(ToolArguments):
    summary: Words = Field(description="One line that names the problem.")
    description: Text = Field(description="What is known; kept as an internal note.")
    board_id: Id = Field(description="The board (board_options).")
    contact_id: Id | None = Field(None, description="The contact at this company (find_contact).")
    priority_id: Id | None = Field(None, description="The priority (board_options).")


def _preview_status(context: ToolContext, arguments: SetTicketStatus) -> Preview:
    ticket = ticket_of(context, arguments.ticket_id)
    status = status_of(context, ticket.board, arguments.status_id)
    board = client_of(context).board(ticket.board.id)
    mails = bool(status.email_template.id) or board.mails_contact
    return Preview(
        title=_status_title(arguments),
        target=ticket_words(ticket),
        changes=(Change("Status", ticket.status.name or NONE, status.name),),
        seen_by=f"{context.organization.name}, and the client in the portal."
        + (" ConnectWise may mail the contact about this status." if mails else ""),
        undo=f"Set the status back to {ticket.status.name}." if ticket.status.name else "",
        target_state=ticket_state(ticket),
        sets={"status": {"id": status.id, "name": status.name}},
        evidence=("The ticket and its board's statuses were read just now.",),
    )


def _status_title(arguments: SetTicketStatus) -> str:
    return f"Change the status of ticket {arguments.ticket_id}"


def _search_status(context: ToolContext, arguments: SetTicketStatus, before: JsonValue) -> Outcome:
    ticket = ticket_of(context, arguments.ticket_id)
    return compared(ticket, {"status": (ticket.status, arguments.status_id)}, before)


@tool(
    name="connectwise.set_ticket_status",
    label="Change a ticket's status",
    description="Set the status of one ticket of this company. Closing statuses close it.",
    arguments=SetTicketStatus,
    title=_status_title,
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    flags={Flag.CLIENT_VISIBLE},
    endpoints=(endpoints.TICKETS, endpoints.BOARD, endpoints.BOARD_STATUSES, endpoints.PATCH_TICKET),
    outcome=OutcomeStrategy.NATURAL,
    undo="Set the former status again.",
    preview=_preview_status,
    search=_search_status,
)
def set_ticket_status(context: ToolContext, arguments: SetTicketStatus) -> ToolResult:
    ticket = ticket_of(context, arguments.ticket_id)
    status_of(context, ticket.board, arguments.status_id)
    require_as_seen(context, ticket.id, lambda now: {"status": (now.status, 0)})
    changed = client_of(context).patch_ticket(ticket.id, [replace("status/id", arguments.status_id)])
    return ToolResult(
        content={"ticket_id": changed.id, "status": changed.status.name, "closed": changed.closed},
        summary=f"Status is now {changed.status.name}",
    )


def _preview_classification(context: ToolContext, arguments: ClassifyTicket) -> Preview:
    ticket = ticket_of(context, arguments.ticket_id)
    changes = _classified(context, ticket, arguments)
    wanted, names = _wanted(ticket, arguments), {change.label.lower(): change.after for change in changes}
    return Preview(
        title=_classify_title(arguments),
        target=ticket_words(ticket),
        changes=changes,
        seen_by=f"{context.organization.name} only; no mail is sent.",
        undo="Set the former values again.",
        target_state=ticket_state(ticket, **{name.lower(): old for name, (old, _) in wanted.items()}),
        sets={
            name.lower(): {"id": new, "name": names[name.lower()]} if new else None for name, (_, new) in wanted.items()
        },
        evidence=("The ticket and its board's lists were read just now.",),
    )


def _classify_title(arguments: ClassifyTicket) -> str:
    return f"Classify ticket {arguments.ticket_id}"


def _classified(context: ToolContext, ticket: schemas.Ticket, arguments: ClassifyTicket) -> tuple[Change, ...]:
    """Before and after by name. Raises TargetRefused for a value that the ticket's board or type has not."""
    changes: list[Change] = []
    kind = ticket.type.id
    if arguments.type_id:
        kind = arguments.type_id
        new_type = choice_of(context, ticket.board, endpoints.BOARD_TYPES, kind)
        changes.append(Change("Type", ticket.type.name or NONE, new_type.name))
    subtype = arguments.subtype_id or (ticket.sub_type.id if arguments.type_id else 0)
    if subtype:
        choice = choice_of(context, ticket.board, endpoints.BOARD_SUBTYPES, subtype)
        fits = not choice.type_ids or kind in choice.type_ids
        if arguments.subtype_id and not fits:
            raise TargetRefused(f"The subtype {choice.name} does not go with the ticket's type.")
        if arguments.subtype_id:
            changes.append(Change("Subtype", ticket.sub_type.name or NONE, choice.name))
        elif not fits:
            changes.append(Change("Subtype", ticket.sub_type.name, f"{NONE} (does not go with the new type)"))
    if arguments.item_id:
        item = choice_of(context, ticket.board, endpoints.BOARD_ITEMS, arguments.item_id)
        changes.append(Change("Item", ticket.item.name or NONE, item.name))
    if arguments.priority_id:
        priority = priority_of(context, arguments.priority_id)
        changes.append(Change("Priority", ticket.priority.name or NONE, priority.name))
    olds = {"type": ticket.type, "subtype": ticket.sub_type, "item": ticket.item}
    changes += [Change(name.capitalize(), olds[name].name or NONE, NONE) for name in arguments.empty or ()]
    return tuple(changes)


def _wanted(ticket: schemas.Ticket, arguments: ClassifyTicket) -> dict[str, tuple[schemas.Reference, int]]:
    """Field -> (what it is now, id wanted; 0 = none), for the fields that the arguments name."""
    every = {
        "type": (ticket.type, arguments.type_id),
        "subType": (ticket.sub_type, arguments.subtype_id),
        "item": (ticket.item, arguments.item_id),
        "priority": (ticket.priority, arguments.priority_id),
    }
    emptied = {name: (old, 0) for name, (old, _) in every.items() if name.lower() in (arguments.empty or ())}
    return {name: (old, new) for name, (old, new) in every.items() if new} | emptied


def _search_classification(context: ToolContext, arguments: ClassifyTicket, before: JsonValue) -> Outcome:
    ticket = ticket_of(context, arguments.ticket_id)
    return compared(ticket, _wanted(ticket, arguments), before)


@tool(
    name="connectwise.classify_ticket",
    label="Classify a ticket",
    description="Set type, subtype, item or priority of one ticket of this company, by the ids of its board.",
    arguments=ClassifyTicket,
    title=_classify_title,
    category=Category.WRITE,
    risk=Risk.LOW,
    endpoints=(
        endpoints.TICKETS,
        endpoints.BOARD_TYPES,
        endpoints.BOARD_SUBTYPES,
        endpoints.BOARD_ITEMS,
        endpoints.PRIORITIES,
        endpoints.PATCH_TICKET,
    ),
    outcome=OutcomeStrategy.NATURAL,
    undo="Set the former values again.",
    preview=_preview_classification,
    search=_search_classification,
)
def classify_ticket(context: ToolContext, arguments: ClassifyTicket) -> ToolResult:
    ticket = ticket_of(context, arguments.ticket_id)
    _classified(context, ticket, arguments)
    operations: list[JsonValue] = [
        replace(f"{name}/id", new) if new else {"op": "remove", "path": name}
        for name, (_, new) in _wanted(ticket, arguments).items()
    ]
    require_as_seen(context, ticket.id, lambda now: _wanted(now, arguments))
    changed = client_of(context).patch_ticket(ticket.id, operations)
    return ToolResult(
        content={
            "ticket_id": changed.id,
            "type": changed.type.name,
            "subtype": changed.sub_type.name,
            "item": changed.item.name,
            "priority": changed.priority.name,
        },
        summary="Classified as " + " / ".join(part for part in (changed.type.name, changed.sub_type.name) if part),
    )


def _preview_assignment(context: ToolContext, arguments: AssignTicket) -> Preview:
    ticket = ticket_of(context, arguments.ticket_id)
    member = member_of(context, arguments.member)
    return Preview(
        title=_assign_title(arguments),
        target=ticket_words(ticket),
        changes=(Change("Owner", ticket.owner.name or NONE, member.name),),
        seen_by=f"{context.organization.name}; ConnectWise may notify {member.name}.",
        undo=f"Assign it to {ticket.owner.name} again." if ticket.owner.name else "Take the owner off again.",
        target_state=ticket_state(ticket, owner=ticket.owner),
        sets={"owner": {"id": member.id, "name": member.name}},
        evidence=("The ticket and the member were read just now.",),
    )


def _assign_title(arguments: AssignTicket) -> str:
    return f"Assign ticket {arguments.ticket_id} to {arguments.member}"


def _search_assignment(context: ToolContext, arguments: AssignTicket, before: JsonValue) -> Outcome:
    ticket = ticket_of(context, arguments.ticket_id)
    return compared(ticket, {"owner": (ticket.owner, member_of(context, arguments.member).id)}, before)


@tool(
    name="connectwise.assign_ticket",
    label="Assign a ticket",
    description="Make one member the owner of one ticket of this company.",
    arguments=AssignTicket,
    title=_assign_title,
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    endpoints=(endpoints.TICKETS, endpoints.MEMBERS, endpoints.PATCH_TICKET),
    outcome=OutcomeStrategy.NATURAL,
    undo="Assign it to the former owner again.",
    preview=_preview_assignment,
    search=_search_assignment,
)
def assign_ticket(context: ToolContext, arguments: AssignTicket) -> ToolResult:
    ticket = ticket_of(context, arguments.ticket_id)
    member_of(context, arguments.member)
    require_as_seen(context, ticket.id, lambda now: {"owner": (now.owner, 0)})
    changed = client_of(context).patch_ticket(ticket.id, [replace("owner/identifier", arguments.member)])
    return ToolResult(
        content={"ticket_id": changed.id, "owner": changed.owner.name},
        summary=f"Owner is now {changed.owner.name or arguments.member}",
    )


def _preview_creation(context: ToolContext, arguments: CreateTicket) -> Preview:
    board = board_of(context, arguments.board_id)
    contact = contact_of(context, arguments.contact_id) if arguments.contact_id else None
    priority = priority_of(context, arguments.priority_id) if arguments.priority_id else None
    changes = [Change("Summary", "", arguments.summary), Change("Board", "", board.name)]
    if contact:
        changes.append(Change("Contact", "", contact.name))
    if priority:
        changes.append(Change("Priority", "", priority.name))
    changes.append(Change("Internal note", "", arguments.description))
    return Preview(
        title=_create_title(arguments),
        target=f"A new ticket of {context.company.name}",
        changes=tuple(changes),
        seen_by=f"{context.organization.name}. The client may see the summary in the portal; no mail is sent.",
        undo="Close the ticket or delete it in ConnectWise.",
        target_state={
            "company": {"id": company_id_of(context), "name": context.company.name},
            "board": {"id": board.id, "name": board.name},
            "contact": {"id": contact.id, "name": contact.name} if contact else None,
        },
        evidence=("Junto adds a short reference to the internal note, by which it finds the ticket again.",),
    )


def _create_title(arguments: CreateTicket) -> str:
    return f"Create a ticket “{arguments.summary}”"


def _search_creation(context: ToolContext, arguments: CreateTicket, _: JsonValue) -> Outcome:
    client = client_of(context)
    wanted = where.all_of(of_company(context), where.equals("summary", arguments.summary))
    for ticket in client.tickets(conditions=wanted, limit=25):
        if any(context.mark in note.text for note in client.notes(ticket.id)):
            record = ExternalRecord("ticket", str(ticket.id))
            return Outcome("found", f"Ticket {ticket.id} carries the mark {context.mark}.", record)
    return Outcome("absent", f"No ticket of this summary carries the mark {context.mark}.")


@tool(
    name="connectwise.create_ticket",
    label="Create a ticket",
    description="Create a ticket for this company. The description is kept as an internal note; no mail is sent.",
    arguments=CreateTicket,
    title=_create_title,
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    flags={Flag.CLIENT_VISIBLE},
    endpoints=(
        endpoints.BOARDS,
        endpoints.CONTACTS,
        endpoints.PRIORITIES,
        endpoints.TICKETS,
        endpoints.TICKET_ALL_NOTES,
        endpoints.CREATE_TICKET,
    ),
    outcome=OutcomeStrategy.MARKER,
    undo="Close the ticket or delete it in ConnectWise.",
    preview=_preview_creation,
    search=_search_creation,
)
def create_ticket(context: ToolContext, arguments: CreateTicket) -> ToolResult:
    if arguments.contact_id:
        contact_of(context, arguments.contact_id)
    body: dict[str, JsonValue] = {
        "summary": arguments.summary,
        "company": {"id": company_id_of(context)},
        "board": {"id": arguments.board_id},
        "initialInternalAnalysis": f"{arguments.description}\n\n{context.mark}",
        "automaticEmailContactFlag": False,
    }
    if arguments.contact_id:
        body["contact"] = {"id": arguments.contact_id}
    if arguments.priority_id:
        body["priority"] = {"id": arguments.priority_id}
    created = client_of(context).create_ticket(body)
    return ToolResult(
        content={"ticket_id": created.id, "summary": created.summary, "status": created.status.name},
        summary=f"Ticket {created.id} created",
        written=ExternalRecord("ticket", str(created.id)),
    )
