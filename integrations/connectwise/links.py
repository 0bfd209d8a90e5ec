"""The tools that tie records to a ticket: its devices, its files, and other tickets merged into it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

from integrations.connectwise import endpoints, schemas
from integrations.connectwise.targets import (
    Id,
    client_of,
    configuration_of,
    fact,
    status_of,
    ticket_of,
    ticket_state,
    ticket_words,
)
from integrations.errors import TargetRefused
from integrations.tools import (
    Category,
    Change,
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

MOST_MERGED = 10
_NONE = "none"


def _each_once(numbers: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(numbers)) != len(numbers):
        raise ValueError("names a ticket twice")
    return numbers


class ListAttachments(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")


class AttachConfiguration(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    configuration_id: Id = Field(description="The device, of this company (list_configurations).")


class MergeTickets(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket that stays.")
    child_ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=MOST_MERGED), AfterValidator(_each_once)] = (
        Field(description="Numbers of the tickets that go into it, all of this company.")
    )
    status_id: Id = Field(description="The status they take: a closing one of their own board (board_options).")


@tool(
    name="connectwise.list_attachments",
    label="List a ticket's files",
    description="The files attached to one ticket of this company: name, title, size and who put it there.",
    arguments=ListAttachments,
    title=lambda arguments: f"List files of ticket {arguments.ticket_id}",
    endpoints=(endpoints.TICKETS, endpoints.DOCUMENTS),
)
def list_attachments(context: ToolContext, arguments: ListAttachments) -> ToolResult:
    ticket = ticket_of(context, arguments.ticket_id)
    found = client_of(context).documents(ticket.id)
    files: list[JsonValue] = [
        {
            "id": one.id,
            "file": one.file_name,
            "title": one.title,
            "bytes": one.size,
            "public": one.public,
            "by": one.info.entered_by or one.owner,
        }
        for one in found
    ]
    number = len(files)
    return ToolResult(
        content={"attachments": files},
        summary=f"{number} file{'' if number == 1 else 's'}" if files else "No files",
        records=found,
    )


def _attach_title(arguments: AttachConfiguration) -> str:
    return f"Attach a device to ticket {arguments.ticket_id}"


def _preview_attachment(context: ToolContext, arguments: AttachConfiguration) -> Preview:
    ticket = ticket_of(context, arguments.ticket_id)
    device = configuration_of(context, arguments.configuration_id)
    attached = client_of(context).ticket_configurations(ticket.id)
    if any(one.id == device.id for one in attached):
        raise TargetRefused(f"{device.name} is attached to ticket {ticket.id} already.")
    names = [one.info.name or str(one.id) for one in attached]
    return Preview(
        title=_attach_title(arguments),
        target=ticket_words(ticket),
        changes=(Change("Devices", ", ".join(names) or _NONE, ", ".join([*names, device.name])),),
        seen_by=f"{context.organization.name} only; no mail is sent.",
        undo="Take the device off the ticket in ConnectWise.",
        target_state={**ticket_state(ticket), "device": {"id": device.id, "name": device.name}},
        evidence=("The ticket, its devices and this device were read just now.",),
    )


def _search_attachment(context: ToolContext, arguments: AttachConfiguration, _: JsonValue) -> Outcome:
    ticket = ticket_of(context, arguments.ticket_id)
    if any(one.id == arguments.configuration_id for one in client_of(context).ticket_configurations(ticket.id)):
        return Outcome("found", f"The device is attached to ticket {ticket.id}.")
    return Outcome("absent", f"The device is not attached to ticket {ticket.id}.")


@tool(
    name="connectwise.attach_configuration",
    label="Attach a device to a ticket",
    description="Link one device (configuration) of this company to one of its tickets.",
    arguments=AttachConfiguration,
    title=_attach_title,
    category=Category.WRITE,
    risk=Risk.LOW,
    endpoints=(
        endpoints.TICKETS,
        endpoints.CONFIGURATIONS,
        endpoints.TICKET_CONFIGURATIONS,
        endpoints.ATTACH_CONFIGURATION,
    ),
    outcome=OutcomeStrategy.NATURAL,
    undo="Take the device off the ticket in ConnectWise.",
    preview=_preview_attachment,
    search=_search_attachment,
)
def attach_configuration(context: ToolContext, arguments: AttachConfiguration) -> ToolResult:
    ticket = ticket_of(context, arguments.ticket_id)
    device = configuration_of(context, arguments.configuration_id)
    client_of(context).attach_configuration(ticket.id, {"id": device.id})
    return ToolResult(
        content={"ticket_id": ticket.id, "configuration_id": device.id, "name": device.name},
        summary=f"{device.name} is attached",
    )


def _merge_title(arguments: MergeTickets) -> str:
    number = len(arguments.child_ids)
    return f"Merge {number} ticket{'' if number == 1 else 's'} into ticket {arguments.ticket_id}"


def _preview_merge(context: ToolContext, arguments: MergeTickets) -> Preview:
    parent, children, status = _to_merge(context, arguments)
    board = client_of(context).board(children[0].board.id)
    mails = board.mails_contact or bool(status.email_template.id)
    return Preview(
        title=_merge_title(arguments),
        target=ticket_words(parent),
        changes=tuple(
            Change(
                ticket_words(child),
                child.status.name or _NONE,
                f"{status.name}, part of ticket {parent.id} with its notes and time",
            )
            for child in children
        ),
        seen_by=f"{context.organization.name}, and the client in the portal."
        + (" ConnectWise may mail the contact about the status." if mails else ""),
        undo="It cannot be undone: ConnectWise does not part merged tickets.",
        target_state={
            **ticket_state(parent),
            "tickets": [
                {"id": one.id, "name": f"{one.summary} ({one.status.name})", "into": fact(one.merged_into)}
                for one in children
            ],
        },
        evidence=("Every one of the tickets was read just now; all are of the same company.",),
    )


def _search_merge(context: ToolContext, arguments: MergeTickets, _: JsonValue) -> Outcome:
    found = [ticket_of(context, number) for number in arguments.child_ids]
    merged = [one for one in found if one.merged_into.id == arguments.ticket_id]
    if len(merged) == len(found):
        return Outcome("found", f"All are merged into ticket {arguments.ticket_id}.")
    if not merged:
        return Outcome("absent", f"None of them is merged into ticket {arguments.ticket_id}.")
    return Outcome("unclear", f"{len(merged)} of {len(found)} are merged into ticket {arguments.ticket_id}.")


@tool(
    name="connectwise.merge_tickets",
    label="Merge tickets",
    description="Merge other tickets of this company into one, which gets their notes and time. It cannot be undone.",
    arguments=MergeTickets,
    title=_merge_title,
    category=Category.WRITE,
    risk=Risk.HIGH,
    flags={Flag.IRREVERSIBLE, Flag.CLIENT_VISIBLE},
    endpoints=(endpoints.TICKETS, endpoints.BOARD, endpoints.BOARD_STATUSES, endpoints.MERGE_TICKETS),
    outcome=OutcomeStrategy.NATURAL,
    preview=_preview_merge,
    search=_search_merge,
)
def merge_tickets(context: ToolContext, arguments: MergeTickets) -> ToolResult:
    parent, children, status = _to_merge(context, arguments)
    numbers: list[JsonValue] = [child.id for child in children]
    client_of(context).merge_tickets(parent.id, {"mergeTicketIds": numbers, "status": {"id": status.id}})
    return ToolResult(
        content={"ticket_id": parent.id, "merged": numbers, "status": status.name},
        summary=f"{len(numbers)} merged into ticket {parent.id}",
    )


def _to_merge(
    context: ToolContext, arguments: MergeTickets
) -> tuple[schemas.Ticket, list[schemas.Ticket], schemas.BoardStatus]:
    """The ticket that stays, those that go into it, and the status they take. Raises TargetRefused."""
    parent = ticket_of(context, arguments.ticket_id)
    children = [ticket_of(context, number) for number in arguments.child_ids]
    for child in children:
        if child.id == parent.id:
            raise TargetRefused(f"Ticket {child.id} cannot be merged into itself.")
        if child.merged_into.id:
            raise TargetRefused(f"Ticket {child.id} is merged into ticket {child.merged_into.id} already.")
        if child.board.id != children[0].board.id:
            raise TargetRefused("The tickets are on different boards: merge those of one board at a time.")
    status = status_of(context, children[0].board, arguments.status_id)
    if not status.closed:
        raise TargetRefused(f"{status.name} does not close a ticket: merged tickets take a closing status.")
    return parent, children, status
