"""Records that a call may touch: looked up by the server, and of the signal's own company or refused (I7)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from integrations.connectwise import conditions as where
from integrations.connectwise import endpoints, schemas
from integrations.connectwise.client import ConnectWiseClient
from integrations.errors import TargetRefused, ToolUnavailable
from integrations.tools import ToolContext
from integrations.warrants import Endpoint
from integrations.wording import several_lines

LARGEST_ID = 2**31 - 1
_CHOICE_WORDS = {endpoints.BOARD_TYPES: "type", endpoints.BOARD_SUBTYPES: "subtype", endpoints.BOARD_ITEMS: "item"}

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""A record's id at ConnectWise."""


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000), several_lines]
"""What a person reads: several lines, no control characters."""

MemberName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,15}$")]
"""A member's identifier, the name they log in with."""


def in_utc(moment: datetime) -> datetime:
    """In UTC and to the second; a moment without a zone is taken for UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(microsecond=0)


def stamp(moment: datetime) -> str:
    """A moment in UTC as ConnectWise writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def client_of(context: ToolContext) -> ConnectWiseClient:
    """The client that dispatch opened for this call."""
    if not isinstance(context.client, ConnectWiseClient):
        raise ToolUnavailable("ConnectWise is not connected.")
    return context.client


def company_id_of(context: ToolContext) -> int:
    """The signal's company as ConnectWise numbers it."""
    try:
        return int(context.company_external_id)
    except ValueError:
        raise ToolUnavailable(f"{context.company.name} is not linked to a company in ConnectWise.") from None


def ticket_words(ticket: schemas.Ticket) -> str:
    """A ticket as a card names it."""
    return f"Ticket {ticket.id}: {ticket.summary}"


def fact(reference: schemas.Reference) -> JsonValue:
    """A pointer as a target's state holds it: by id, and by the name that people know it by; None where it is empty."""
    return {"id": reference.id, "name": reference.name} if reference.id or reference.name else None


def ticket_state(ticket: schemas.Ticket, **fields: schemas.Reference) -> dict[str, JsonValue]:
    """What a decision on this ticket rests on: whose it is, where it stands, its title, and `fields` to be changed."""
    contact = ticket.contact if ticket.contact.id else schemas.Reference(name=ticket.contact_name)
    known = {"company": ticket.company, "contact": contact, "board": ticket.board, "status": ticket.status, **fields}
    return {**{name: fact(reference) for name, reference in known.items()}, "summary": ticket.summary}


def of_company(context: ToolContext) -> str:
    """The condition that cuts a list to the company."""
    return where.equals("company/id", company_id_of(context))


def ticket_of(context: ToolContext, ticket_id: int) -> schemas.Ticket:
    """The ticket, when it belongs to the company: asked for in the request and checked again on the answer.

    Raises:
        TargetRefused: it does not, or is not there; which of the two is not told.
    """
    wanted = where.all_of(where.equals("id", ticket_id), of_company(context))
    for ticket in client_of(context).tickets(conditions=wanted, limit=1):
        if ticket.id == ticket_id and ticket.company.id == company_id_of(context):
            return ticket
    raise TargetRefused(f"{ticket_id} is not a ticket of {context.company.name}.")


def contact_of(context: ToolContext, contact_id: int) -> schemas.Contact:
    """The contact, when they belong to the company. Raises TargetRefused."""
    wanted = where.all_of(where.equals("id", contact_id), of_company(context))
    for contact in client_of(context).contacts(conditions=wanted, limit=1):
        if contact.id == contact_id and contact.company.id == company_id_of(context):
            return contact
    raise TargetRefused(f"{contact_id} is not a contact of {context.company.name}.")


def configuration_of(context: ToolContext, configuration_id: int) -> schemas.Configuration:
    """The device, when it belongs to the company. Raises TargetRefused."""
    wanted = where.all_of(where.equals("id", configuration_id), of_company(context))
    for device in client_of(context).configurations(conditions=wanted, limit=1):
        if device.id == configuration_id and device.company.id == company_id_of(context):
            return device
    raise TargetRefused(f"{configuration_id} is not a device of {context.company.name}.")


def status_of(context: ToolContext, board: schemas.Reference, status_id: int) -> schemas.BoardStatus:
    """The status, when the board has it. Raises TargetRefused."""
    for status in client_of(context).statuses(board.id):
        if status.id == status_id and not status.inactive:
            return status
    raise TargetRefused(f"{status_id} is not a status of the board {board.name}.")


def choice_of(
    context: ToolContext, board: schemas.Reference, endpoint: Endpoint, choice_id: int
) -> schemas.BoardChoice:
    """The type, subtype or item, when the board has it. Raises TargetRefused."""
    word = _CHOICE_WORDS[endpoint]
    for choice in client_of(context).board_choices(endpoint, board.id):
        if choice.id == choice_id and not choice.inactive:
            return choice
    raise TargetRefused(f"{choice_id} is not a {word} of the board {board.name}.")


def priority_of(context: ToolContext, priority_id: int) -> schemas.Priority:
    """The priority. Raises TargetRefused."""
    for priority in client_of(context).priorities():
        if priority.id == priority_id:
            return priority
    raise TargetRefused(f"{priority_id} is not a priority.")


def board_of(context: ToolContext, board_id: int) -> schemas.Board:
    """The board. Raises TargetRefused."""
    for board in client_of(context).boards():
        if board.id == board_id and not board.inactive:
            return board
    raise TargetRefused(f"{board_id} is not a board.")


def member_of(context: ToolContext, identifier: str) -> schemas.Member:
    """The active member of this identifier. Raises TargetRefused."""
    for member in client_of(context).members(conditions=where.equals("identifier", identifier)):
        if member.identifier.lower() == identifier.lower() and not member.inactive:
            return member
    raise TargetRefused(f"{identifier} is not an active member.")
