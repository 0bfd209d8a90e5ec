"""The tools that write notes and log time. Each carries a reference mark by which it is found again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from integrations.connectwise import endpoints
from integrations.connectwise.targets import (
    Id,
    MemberName,
    Text,
    client_of,
    member_of,
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


def _in_utc(moment: datetime) -> datetime:
    """In UTC and to the second; a moment without a zone is taken for UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(microsecond=0)


class AddInternalNote(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    text: Text = Field(description="The note. Only the MSP's own people see it.")


class AddCustomerNote(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    text: Text = Field(description="The note, written to the client, who sees it.")
    notify: bool = Field(False, description="Whether ConnectWise mails it to the ticket's contact.")


class AddTimeEntry(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    start: Annotated[datetime, AfterValidator(_in_utc)] = Field(
        description="When the work began, ISO 8601; without a zone it is UTC."
    )
    minutes: int = Field(ge=1, le=1440, description="How long it took.")
    notes: Text = Field(description="What was done. It may be printed on the client's invoice.")
    member: MemberName | None = Field(
        None, description="Identifier of the member who worked (list_members); without it, the API's own member."
    )
    billable: Literal["Billable", "DoNotBill", "NoCharge"] = Field("Billable", description="How it is billed.")


def _internal_title(arguments: AddInternalNote) -> str:
    return f"Add an internal note to ticket {arguments.ticket_id}"


def _preview_internal(context: ToolContext, arguments: AddInternalNote) -> Preview:
    ticket = ticket_of(context, arguments.ticket_id)
    return Preview(
        title=_internal_title(arguments),
        target=ticket_words(ticket),
        changes=(Change("Internal note", "", arguments.text),),
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
    endpoints=(endpoints.TICKETS, endpoints.TICKET_ALL_NOTES, endpoints.CREATE_NOTE),
    outcome=OutcomeStrategy.MARKER,
    undo="Delete the note in ConnectWise.",
    preview=_preview_internal,
    search=_search_note,
)
def add_internal_note(context: ToolContext, arguments: AddInternalNote) -> ToolResult:
    return _write_note(context, arguments.ticket_id, arguments.text, to_client=False, notify=False)


def _customer_title(arguments: AddCustomerNote) -> str:
    mailed = ", and mail it" if arguments.notify else ""
    return f"Add a note the client sees to ticket {arguments.ticket_id}{mailed}"


def _preview_customer(context: ToolContext, arguments: AddCustomerNote) -> Preview:
    ticket = ticket_of(context, arguments.ticket_id)
    contact = ticket.contact.name or ticket.contact_name or "the ticket's contact"
    mail = f" ConnectWise mails it to {contact}." if arguments.notify else " No mail is sent."
    return Preview(
        title=_customer_title(arguments),
        target=ticket_words(ticket),
        changes=(Change("Note to the client", "", arguments.text),),
        seen_by=f"{contact} and others at {context.company.name}, and {context.organization.name}.{mail}",
        undo="A mail cannot be called back." if arguments.notify else "Delete the note in ConnectWise.",
        target_state=ticket_state(ticket),
        evidence=("The ticket was read just now.", MARK_EXPLAINED),
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
    endpoints=(endpoints.TICKETS, endpoints.TICKET_ALL_NOTES, endpoints.CREATE_NOTE),
    outcome=OutcomeStrategy.MARKER,
    undo="Delete the note in ConnectWise; a mail cannot be called back.",
    preview=_preview_customer,
    search=_search_note,
)
def add_customer_note(context: ToolContext, arguments: AddCustomerNote) -> ToolResult:
    return _write_note(context, arguments.ticket_id, arguments.text, to_client=True, notify=arguments.notify)


def _minutes(arguments: AddTimeEntry) -> str:
    return f"{arguments.minutes} minute{'' if arguments.minutes == 1 else 's'}"


def _time_title(arguments: AddTimeEntry) -> str:
    return f"Log {_minutes(arguments)} on ticket {arguments.ticket_id}"


def _preview_time(context: ToolContext, arguments: AddTimeEntry) -> Preview:
    ticket = ticket_of(context, arguments.ticket_id)
    member = member_of(context, arguments.member).name if arguments.member else "the API's own member"
    before = round(sum(entry.hours for entry in client_of(context).time_entries(ticket.id)), 2)
    after = round(before + arguments.minutes / 60, 2)
    return Preview(
        title=_time_title(arguments),
        target=ticket_words(ticket),
        changes=(
            Change("Time on the ticket", f"{before:g} h", f"{after:g} h"),
            Change("Member", "", member),
            Change("From", "", f"{arguments.start:%Y-%m-%d %H:%M} UTC, {_minutes(arguments)}"),
            Change("Billing", "", arguments.billable),
            Change("Notes", "", arguments.notes),
        ),
        seen_by=f"{context.organization.name}; the notes may be printed on {context.company.name}'s invoice.",
        undo="Delete the time entry in ConnectWise, as long as it is not billed.",
        target_state=ticket_state(ticket),
        evidence=(
            "The ticket and its time entries were read just now.",
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
    endpoints=(endpoints.TICKETS, endpoints.MEMBERS, endpoints.TIME_ENTRIES, endpoints.CREATE_TIME_ENTRY),
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
        "timeStart": _stamp(arguments.start),
        "timeEnd": _stamp(end),
        "billableOption": arguments.billable,
        "notes": arguments.notes,
        "internalNotes": context.mark,
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


def _write_note(context: ToolContext, ticket_id: int, text: str, *, to_client: bool, notify: bool) -> ToolResult:
    ticket = ticket_of(context, ticket_id)
    written = client_of(context).create_note(
        ticket.id,
        {
            "text": f"{text}\n\n{context.mark}",
            "internalAnalysisFlag": not to_client,
            "detailDescriptionFlag": to_client,
            "resolutionFlag": False,
            "processNotifications": notify,
        },
    )
    return ToolResult(
        content={"note_id": written.id, "ticket_id": ticket.id},
        summary=f"Note {written.id} written on ticket {ticket.id}",
        written=ExternalRecord("note", str(written.id)),
    )


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
