"""The tools that write notes and log time. Each carries a reference mark by which it is found again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from integrations.connectwise import endpoints, schemas
from integrations.connectwise.targets import (
    Id,
    MemberName,
    Text,
    client_of,
    in_utc,
    member_of,
    stamp,
    ticket_of,
    ticket_state,
    ticket_words,
)
from integrations.tools import (
    Category,
    Change,
    DefaultPolicy,
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

MARK_EXPLAINED = "Junto adds a short reference at the end, by which it finds its own writing again."
API_MEMBER = "the API's own member"
WRITTEN_AS = "Identifier of the member it is written as (list_members); without it, the API's own member."
_TABS = ("discussion", "internal", "resolution")
_TAB_WORDS = {"discussion": "the discussion", "internal": "the internal analysis", "resolution": "the resolution"}


class AddInternalNote(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    text: Text = Field(description="The note. Only the MSP's own people see it.")
    member: MemberName | None = Field(None, description=WRITTEN_AS)


class AddCustomerNote(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    text: Text = Field(description="The note, written to the client, who sees it.")
    notify: bool = Field(False, description="Whether ConnectWise mails it to the ticket's contact.")
    resolution: bool = Field(False, description="Whether it stands as the ticket's resolution as well.")
    member: MemberName | None = Field(None, description=WRITTEN_AS)


class AddTimeEntry(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    start: Annotated[datetime, AfterValidator(in_utc)] = Field(
        description="When the work began, ISO 8601; without a zone it is UTC."
    )
    minutes: int = Field(ge=1, le=1440, description="How long it took.")
    notes: Text = Field(description="What was done. It may be printed on the client's invoice.")
    member: MemberName | None = Field(
        None, description="Identifier of the member who worked (list_members); without it, the API's own member."
    )
    billable: Literal["Billable", "DoNotBill", "NoCharge"] = Field("Billable", description="How it is billed.")
    copy_to: Literal["nothing", "discussion", "internal", "resolution"] = Field(
        "nothing", description="Where on the ticket the notes stand as well; the client sees discussion and resolution."
    )


def _internal_title(arguments: AddInternalNote) -> str:
    return f"Add an internal note to ticket {arguments.ticket_id}"


def _preview_internal(context: ToolContext, arguments: AddInternalNote) -> Preview:
    ticket = ticket_of(context, arguments.ticket_id)
    return Preview(
        title=_internal_title(arguments),
        target=ticket_words(ticket),
        changes=(
            Change("Internal note", "", arguments.text),
            _place(("internal",)),
            Change("Written as", "", _writer(context, arguments.member)),
        ),
        seen_by=f"{context.organization.name} only. The client does not see it and no mail is sent.",
        undo="Delete the note in ConnectWise.",
        target_state=ticket_state(ticket),
        evidence=("The ticket was read just now.", MARK_EXPLAINED),
    )


def _search_note(context: ToolContext, arguments: AddInternalNote | AddCustomerNote, _: JsonValue) -> Outcome:
    ticket = ticket_of(context, arguments.ticket_id)
    for note in client_of(context).notes(ticket.id):
        if context.mark in note.text:
            record = ExternalRecord("note", str(note.id))
            return Outcome("found", f"Note {note.id} on ticket {ticket.id} carries the mark {context.mark}.", record)
    return Outcome("absent", f"No note on ticket {ticket.id} carries the mark {context.mark}.")


@tool(
    name="connectwise.add_internal_note",
    label="Add an internal note",
    description="Write a note on one ticket of this company that only the MSP's own people see.",
    arguments=AddInternalNote,
    title=_internal_title,
    category=Category.WRITE,
    risk=Risk.LOW,
    endpoints=(endpoints.TICKETS, endpoints.TICKET_ALL_NOTES, endpoints.MEMBERS, endpoints.CREATE_NOTE),
    outcome=OutcomeStrategy.MARKER,
    undo="Delete the note in ConnectWise.",
    preview=_preview_internal,
    search=_search_note,
)
def add_internal_note(context: ToolContext, arguments: AddInternalNote) -> ToolResult:
    return _write_note(context, arguments, tabs=("internal",), notify=False)


def _customer_title(arguments: AddCustomerNote) -> str:
    mailed = ", and mail it" if arguments.notify else ""
    return f"Add a note the client sees to ticket {arguments.ticket_id}{mailed}"


def _preview_customer(context: ToolContext, arguments: AddCustomerNote) -> Preview:
    ticket = ticket_of(context, arguments.ticket_id)
    contact = ticket.contact.name or ticket.contact_name or "the ticket's contact"
    mail = f" ConnectWise mails it to {contact}." if arguments.notify else " No mail is sent."
    board = client_of(context).board(ticket.board.id)
    return Preview(
        title=_customer_title(arguments),
        target=ticket_words(ticket),
        changes=(
            Change("Note to the client", "", arguments.text),
            _place(_client_tabs(arguments)),
            Change("Written as", "", _writer(context, arguments.member)),
        ),
        seen_by=f"{contact} and others at {context.company.name}, and {context.organization.name}.{mail}",
        undo=_undo_customer(board, mailed=arguments.notify),
        target_state=ticket_state(ticket),
        evidence=("The ticket and its board were read just now.", *_mail_told(ticket, arguments), MARK_EXPLAINED),
    )


@tool(
    name="connectwise.add_customer_note",
    label="Add a note the client sees",
    description="Write a note on one ticket of this company that the client sees, and mail it if notify is set.",
    arguments=AddCustomerNote,
    title=_customer_title,
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    flags={Flag.CLIENT_VISIBLE},
    endpoints=(
        endpoints.TICKETS,
        endpoints.TICKET_ALL_NOTES,
        endpoints.BOARD,
        endpoints.MEMBERS,
        endpoints.CREATE_NOTE,
    ),
    outcome=OutcomeStrategy.MARKER,
    undo="Delete the note in ConnectWise; a mail cannot be called back.",
    preview=_preview_customer,
    search=_search_note,
)
def add_customer_note(context: ToolContext, arguments: AddCustomerNote) -> ToolResult:
    return _write_note(context, arguments, tabs=_client_tabs(arguments), notify=arguments.notify)


def _client_tabs(arguments: AddCustomerNote) -> tuple[str, ...]:
    return ("discussion", "resolution") if arguments.resolution else ("discussion",)


def _undo_customer(board: schemas.Board, *, mailed: bool) -> str:
    if mailed:
        return "A mail cannot be called back."
    if board.locks_discussion:
        return f"It cannot be undone: the board {board.name} locks discussions."
    return "Delete the note in ConnectWise."


def _mail_told(ticket: schemas.Ticket, arguments: AddCustomerNote) -> tuple[str, ...]:
    if not arguments.notify or ticket.mails_contact:
        return ()
    return ("The ticket's own switch “e-mail the contact” is off: ConnectWise may send no mail.",)


def _writer(context: ToolContext, member: str | None) -> str:
    return member_of(context, member).name if member else API_MEMBER


def _place(tabs: tuple[str, ...]) -> Change:
    """The three flags of a note, in words: where it stands, and where it does not."""
    stands = " and ".join(_TAB_WORDS[tab] for tab in tabs)
    rest = " or ".join(_TAB_WORDS[tab] for tab in _TABS if tab not in tabs)
    return Change("Stands in", "", f"{stands}, not in {rest}")


def _minutes(arguments: AddTimeEntry) -> str:
    return f"{arguments.minutes} minute{'' if arguments.minutes == 1 else 's'}"


def _time_title(arguments: AddTimeEntry) -> str:
    return f"Log {_minutes(arguments)} on ticket {arguments.ticket_id}"


def _preview_time(context: ToolContext, arguments: AddTimeEntry) -> Preview:
    ticket = ticket_of(context, arguments.ticket_id)
    board = client_of(context).board(ticket.board.id)
    before = round(sum(entry.hours for entry in client_of(context).time_entries(ticket.id)), 2)
    after = round(before + arguments.minutes / 60, 2)
    return Preview(
        title=_time_title(arguments),
        target=ticket_words(ticket),
        changes=(
            Change("Time on the ticket", f"{before:g} h", f"{after:g} h"),
            Change("Member", "", _writer(context, arguments.member)),
            Change("From", "", f"{arguments.start:%Y-%m-%d %H:%M} UTC, {_minutes(arguments)}"),
            Change("Billing", "", arguments.billable),
            Change("Notes", "", arguments.notes),
            Change("Notes stand in", "", _copies(arguments)),
        ),
        seen_by=f"{context.organization.name}; the notes may be printed on {context.company.name}'s invoice.",
        undo=f"It cannot be undone: the board {board.name} locks time entries."
        if board.locks_time
        else "Delete the time entry in ConnectWise, as long as it is not billed.",
        target_state=ticket_state(ticket),
        evidence=(
            "The ticket, its board and its time entries were read just now.",
            *_habit_told(board, arguments),
            "Begin and minutes are the request's own, no clock of ConnectWise measured them.",
            "Junto adds a short reference to the entry's internal notes, by which it finds it again.",
        ),
    )


def _search_time(context: ToolContext, arguments: AddTimeEntry, _: JsonValue) -> Outcome:
    ticket = ticket_of(context, arguments.ticket_id)
    for entry in client_of(context).time_entries(ticket.id):
        if context.mark in entry.internal_notes:
            record = ExternalRecord("time_entry", str(entry.id))
            return Outcome("found", f"Time entry {entry.id} carries the mark {context.mark}.", record)
    return Outcome("absent", f"No time entry on ticket {ticket.id} carries the mark {context.mark}.")


@tool(
    name="connectwise.add_time_entry",
    label="Log time",
    description="Log working time on one ticket of this company.",
    arguments=AddTimeEntry,
    title=_time_title,
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    policy=DefaultPolicy.ALWAYS,
    endpoints=(
        endpoints.TICKETS,
        endpoints.BOARD,
        endpoints.MEMBERS,
        endpoints.TIME_ENTRIES,
        endpoints.CREATE_TIME_ENTRY,
    ),
    outcome=OutcomeStrategy.MARKER,
    undo="Delete the time entry in ConnectWise, as long as it is not billed.",
    preview=_preview_time,
    search=_search_time,
)
def add_time_entry(context: ToolContext, arguments: AddTimeEntry) -> ToolResult:
    ticket = ticket_of(context, arguments.ticket_id)
    if arguments.member:
        member_of(context, arguments.member)
    end = arguments.start + timedelta(minutes=arguments.minutes)
    body: dict[str, JsonValue] = {
        "chargeToId": ticket.id,
        "chargeToType": "ServiceTicket",
        "timeStart": stamp(arguments.start),
        "timeEnd": stamp(end),
        "billableOption": arguments.billable,
        "notes": arguments.notes,
        "internalNotes": context.mark,
        "addToDetailDescriptionFlag": arguments.copy_to == "discussion",
        "addToInternalAnalysisFlag": arguments.copy_to == "internal",
        "addToResolutionFlag": arguments.copy_to == "resolution",
        "emailContactFlag": False,
        "emailResourceFlag": False,
        "emailCcFlag": False,
    }
    if arguments.member:
        body["member"] = {"identifier": arguments.member}
    written = client_of(context).create_time_entry(body)
    return ToolResult(
        content={"time_entry_id": written.id, "ticket_id": ticket.id, "hours": written.hours},
        summary=f"{_minutes(arguments)} logged",
        written=ExternalRecord("time_entry", str(written.id)),
    )


def _copies(arguments: AddTimeEntry) -> str:
    return _TAB_WORDS.get(arguments.copy_to, "the time entry alone")


def _habit_told(board: schemas.Board, arguments: AddTimeEntry) -> tuple[str, ...]:
    """What the board would do with notes that somebody enters by hand, where this differs from it."""
    flags = zip(_TABS, (board.time_to_discussion, board.time_to_analysis, board.time_to_resolution), strict=True)
    habit = [tab for tab, on in flags if on]
    if not habit or habit == [arguments.copy_to]:
        return ()
    words = " and ".join(_TAB_WORDS[tab] for tab in habit)
    return (f"By hand, the board {board.name} would copy the notes into {words}.",)


def _write_note(
    context: ToolContext, arguments: AddInternalNote | AddCustomerNote, *, tabs: tuple[str, ...], notify: bool
) -> ToolResult:
    ticket = ticket_of(context, arguments.ticket_id)
    body: dict[str, JsonValue] = {
        "text": f"{arguments.text}\n\n{context.mark}",
        "internalAnalysisFlag": "internal" in tabs,
        "detailDescriptionFlag": "discussion" in tabs,
        "resolutionFlag": "resolution" in tabs,
        "processNotifications": notify,
    }
    if arguments.member:
        member_of(context, arguments.member)
        body["member"] = {"identifier": arguments.member}
    written = client_of(context).create_note(ticket.id, body)
    return ToolResult(
        content={"note_id": written.id, "ticket_id": ticket.id},
        summary=f"Note {written.id} written on ticket {ticket.id}",
        written=ExternalRecord("note", str(written.id)),
    )
