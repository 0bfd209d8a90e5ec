"""The tools that move a ticket: to another board, or to another company. Each sends exactly one request."""

from __future__ import annotations

from pydantic import Field, JsonValue

from integrations.connectwise import conditions as where
from integrations.connectwise import endpoints, schemas
from integrations.connectwise.edits import Fields, compared, replace, require_as_seen
from integrations.connectwise.targets import (
    Id,
    board_of,
    client_of,
    company_id_of,
    status_of,
    ticket_of,
    ticket_state,
    ticket_words,
)
from integrations.errors import TargetRefused
from integrations.models import CompanyLink
from integrations.tools import (
    Category,
    Change,
    Flag,
    Outcome,
    OutcomeStrategy,
    Preview,
    Risk,
    Scope,
    ToolArguments,
    ToolContext,
    ToolResult,
    tool,
)

NONE = "none"


class MoveToBoard(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    board_id: Id = Field(description="The board it goes to (board_options).")
    status_id: Id = Field(description="The status it gets there: an id of that board (board_options).")


class MoveToCompany(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    company_id: Id = Field(description="Number of the company it goes to; one that Junto works for.")


def _board_title(arguments: MoveToBoard) -> str:
    return f"Move ticket {arguments.ticket_id} to another board"


def _places(ticket: schemas.Ticket, arguments: MoveToBoard) -> Fields:
    return {"board": (ticket.board, arguments.board_id), "status": (ticket.status, arguments.status_id)}


def _preview_board(context: ToolContext, arguments: MoveToBoard) -> Preview:
    ticket = ticket_of(context, arguments.ticket_id)
    board, status = _new_place(context, ticket, arguments)
    full = client_of(context).board(board.id)
    mails = bool(status.email_template.id) or full.mails_contact
    falls = (("Type", ticket.type), ("Subtype", ticket.sub_type), ("Item", ticket.item))
    return Preview(
        title=f"Move ticket {ticket.id} to the board {board.name}",
        target=ticket_words(ticket),
        changes=(
            Change("Board", ticket.board.name or NONE, board.name),
            Change("Status", ticket.status.name or NONE, status.name),
            *(Change(label, old.name, f"{NONE}, unless {board.name} has it too") for label, old in falls if old.name),
        ),
        seen_by=f"{context.organization.name}, and the client in the portal."
        + (" ConnectWise may mail the contact about this status." if mails else ""),
        undo=f"Move it back to {ticket.board.name}; its type is set anew then." if ticket.board.name else "",
        target_state=ticket_state(ticket),
        sets={"board": {"id": board.id, "name": board.name}, "status": {"id": status.id, "name": status.name}},
        evidence=("The ticket, the boards and the new board's statuses were read just now.",),
    )


def _new_place(
    context: ToolContext, ticket: schemas.Ticket, arguments: MoveToBoard
) -> tuple[schemas.Board, schemas.BoardStatus]:
    """Raises TargetRefused for a board or status that is not there, and where the ticket is on it already."""
    if ticket.board.id == arguments.board_id:
        raise TargetRefused(f"Ticket {ticket.id} is on the board {ticket.board.name} already.")
    board = board_of(context, arguments.board_id)
    return board, status_of(context, schemas.Reference(id=board.id, name=board.name), arguments.status_id)


def _search_board(context: ToolContext, arguments: MoveToBoard, before: JsonValue) -> Outcome:
    ticket = ticket_of(context, arguments.ticket_id)
    return compared(ticket, _places(ticket, arguments), before)


@tool(
    name="connectwise.move_to_board",
    label="Move a ticket to another board",
    description="Put one ticket of this company on another board, with a status of that board. Type, subtype and item"
    " stay only where that board has them too.",
    arguments=MoveToBoard,
    title=_board_title,
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    flags={Flag.CLIENT_VISIBLE},
    endpoints=(
        endpoints.TICKETS,
        endpoints.BOARD,
        endpoints.BOARDS,
        endpoints.BOARD_STATUSES,
        endpoints.PATCH_TICKET,
    ),
    outcome=OutcomeStrategy.NATURAL,
    undo="Move it back, and set its former type again.",
    preview=_preview_board,
    search=_search_board,
)
def move_to_board(context: ToolContext, arguments: MoveToBoard) -> ToolResult:
    ticket = ticket_of(context, arguments.ticket_id)
    _new_place(context, ticket, arguments)
    operations = [replace("board/id", arguments.board_id), replace("status/id", arguments.status_id)]
    require_as_seen(context, ticket.id, lambda now: _places(now, arguments))
    changed = client_of(context).patch_ticket(ticket.id, operations)
    return ToolResult(
        content={"ticket_id": changed.id, "board": changed.board.name, "status": changed.status.name},
        summary=f"Moved to {changed.board.name}, {changed.status.name}",
    )


def _company_title(arguments: MoveToCompany) -> str:
    return f"Move ticket {arguments.ticket_id} to another company"


def _new_company(context: ToolContext, arguments: MoveToCompany) -> schemas.Company:
    """The company it goes to, as ConnectWise has it now. Raises TargetRefused where Junto does not work for it."""
    links = CompanyLink.objects.for_organization(context.organization).filter(
        connection__vendor="connectwise", external_id=str(arguments.company_id), company__is_active=True
    )
    if arguments.company_id == company_id_of(context):
        raise TargetRefused(f"Ticket {arguments.ticket_id} is {context.company.name}'s already.")
    if links.exists():
        wanted = where.equals("id", arguments.company_id)
        for company in client_of(context).companies(conditions=wanted):
            if company.id == arguments.company_id and not company.deleted:
                return company
    raise TargetRefused(f"{arguments.company_id} is no company that Junto works for.")


def _preview_company(context: ToolContext, arguments: MoveToCompany) -> Preview:
    ticket = ticket_of(context, arguments.ticket_id)
    company = _new_company(context, arguments)
    contact = ticket.contact.name or ticket.contact_name
    return Preview(
        title=f"Move ticket {ticket.id} to {company.name}",
        target=ticket_words(ticket),
        changes=(
            Change("Company", ticket.company.name or NONE, company.name),
            *((Change("Contact", contact, f"{NONE} (of the former company)"),) if contact else ()),
        ),
        seen_by=f"{context.organization.name}, and {company.name} in the portal: the ticket with all its notes"
        " for the client.",
        undo=f"Move it back to {ticket.company.name}, and set its contact again.",
        target_state=ticket_state(ticket),
        sets={"company": {"id": company.id, "name": company.name}},
        evidence=("The ticket and the company were read just now.",),
    )


def _search_company(context: ToolContext, arguments: MoveToCompany, _: JsonValue) -> Outcome:
    wanted = where.equals("id", arguments.ticket_id)
    found = next(
        (one for one in client_of(context).tickets(conditions=wanted, limit=1) if one.id == arguments.ticket_id), None
    )
    if found is not None and found.company.id == arguments.company_id:
        return Outcome("found", f"Ticket {found.id} is that company's.")
    if found is not None and found.company.id == company_id_of(context):
        return Outcome("absent", f"Ticket {found.id} is still {context.company.name}'s.")
    return Outcome("unclear", f"Ticket {arguments.ticket_id} is neither company's.")


@tool(
    name="connectwise.move_to_company",
    label="Move a ticket to another company",
    description="Hand one ticket of this company to another company. That company may read it from then on.",
    arguments=MoveToCompany,
    title=_company_title,
    category=Category.WRITE,
    risk=Risk.HIGH,
    flags={Flag.CLIENT_VISIBLE, Flag.FORWARDS},
    scope=Scope.ACROSS,
    endpoints=(endpoints.TICKETS, endpoints.COMPANIES, endpoints.PATCH_TICKET),
    outcome=OutcomeStrategy.NATURAL,
    undo="Move it back, and set its contact again. What was read meanwhile stays read.",
    preview=_preview_company,
    search=_search_company,
)
def move_to_company(context: ToolContext, arguments: MoveToCompany) -> ToolResult:
    ticket = ticket_of(context, arguments.ticket_id)
    company = _new_company(context, arguments)
    require_as_seen(context, ticket.id, lambda now: {"company": (now.company, 0)})
    changed = client_of(context).patch_ticket(ticket.id, [replace("company/id", company.id)])
    return ToolResult(
        content={"ticket_id": changed.id, "company": changed.company.name},
        summary=f"Moved to {changed.company.name or company.name}",
    )
