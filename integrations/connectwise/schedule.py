"""The tools around the schedule: who is booked when, and booking a member on a ticket.

A member's bookings may be for any client. What a booking of another client is about is never read out (I7).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, JsonValue, model_validator

from integrations.connectwise import conditions as where
from integrations.connectwise import endpoints, schemas
from integrations.connectwise.targets import (
    Id,
    MemberName,
    client_of,
    company_id_of,
    in_utc,
    member_of,
    of_company,
    stamp,
    ticket_of,
    ticket_state,
    ticket_words,
)
from integrations.tools import (
    Category,
    Change,
    ExternalRecord,
    Outcome,
    OutcomeStrategy,
    Preview,
    Risk,
    ToolArguments,
    ToolContext,
    ToolResult,
    tool,
)

LONGEST_DAYS = 31
MOST_BOOKINGS = 100
_FREE = "Nothing is booked then"

Moment = Annotated[datetime, AfterValidator(in_utc)]


class ListSchedule(ToolArguments):
    start: Moment = Field(description="From when, ISO 8601; without a zone it is UTC.")
    end: Moment = Field(description="Until when; at most 31 days later.")
    member: MemberName | None = Field(None, description="Only this member (list_members).")

    @model_validator(mode="after")
    def _is_a_time(self) -> Self:
        if not timedelta() < self.end - self.start <= timedelta(days=LONGEST_DAYS):
            raise ValueError(f"end must come after start, by at most {LONGEST_DAYS} days")
        return self


class ScheduleTicket(ToolArguments):
    ticket_id: Id = Field(description="Number of the ticket.")
    member: MemberName = Field(description="Identifier of the member who is to do it (list_members).")
    start: Moment = Field(description="When the work begins, ISO 8601; without a zone it is UTC.")
    minutes: int = Field(ge=5, le=1440, description="How long it is booked for.")

    @property
    def end(self) -> datetime:
        """When the booking ends."""
        return self.start + timedelta(minutes=self.minutes)


@tool(
    name="connectwise.list_schedule",
    label="Read the schedule",
    description="Who of the MSP's members is booked when: for finding a free time. What a booking is about is told for"
    " this company's tickets only.",
    arguments=ListSchedule,
    title=lambda arguments: f"Read the schedule of {arguments.member}" if arguments.member else "Read the schedule",
    endpoints=(endpoints.SCHEDULE, endpoints.TICKETS),
)
def list_schedule(context: ToolContext, arguments: ListSchedule) -> ToolResult:
    booked = _bookings(context, start=arguments.start, end=arguments.end, member=arguments.member)
    own = _own_tickets(context, booked)
    rows: list[JsonValue] = [
        {
            "member": entry.member.identifier or entry.member.name,
            "start": stamp(entry.start) if entry.start else None,
            "end": stamp(entry.end) if entry.end else None,
            "done": entry.done,
            **({"ticket_id": entry.object_id, "about": own[entry.object_id]} if _is_own(entry, own) else {}),
        }
        for entry in booked
    ]
    return ToolResult(
        content={"bookings": rows},
        summary=f"{len(rows)} booking{'' if len(rows) == 1 else 's'}" if rows else _FREE,
    )


def _title(arguments: ScheduleTicket) -> str:
    return f"Book {arguments.member} on ticket {arguments.ticket_id}"


def _preview(context: ToolContext, arguments: ScheduleTicket) -> Preview:
    ticket, member = ticket_of(context, arguments.ticket_id), member_of(context, arguments.member)
    busy = _bookings(context, start=arguments.start, end=arguments.end, member=member.identifier, done=False)
    times = ", ".join(f"{entry.start:%H:%M} to {entry.end:%H:%M}" for entry in busy if entry.start and entry.end)
    when = f"{arguments.start:%Y-%m-%d %H:%M} to {arguments.end:%H:%M} UTC"
    return Preview(
        title=_title(arguments),
        target=ticket_words(ticket),
        changes=(
            Change("Booked", "", f"{member.name}, {when}"),
            Change(f"Else at that time, {member.name}", "", times or _FREE),
        ),
        seen_by=f"{context.organization.name}; ConnectWise may notify {member.name}.",
        undo="Delete the booking in ConnectWise.",
        target_state={
            **ticket_state(ticket),
            "bookings": [{"id": entry.id, "name": _time_of(entry)} for entry in busy],
        },
        evidence=(f"The ticket, {member.name} and what is booked at that time were read just now.",),
    )


def _search(context: ToolContext, arguments: ScheduleTicket, before: JsonValue) -> Outcome:
    ticket, member = ticket_of(context, arguments.ticket_id), member_of(context, arguments.member)
    known = _ids(before.get("bookings") if isinstance(before, dict) else None)
    for entry in _bookings(context, start=arguments.start, end=arguments.end, member=member.identifier):
        same = (entry.object_id, entry.start, entry.end) == (ticket.id, arguments.start, arguments.end)
        if same and entry.is_service and entry.id not in known:
            record = ExternalRecord("schedule_entry", str(entry.id))
            return Outcome("found", f"Booking {entry.id} of {member.name} is there.", record)
    return Outcome("absent", f"No new booking of {member.name} on ticket {ticket.id} at that time is there.")


@tool(
    name="connectwise.schedule_ticket",
    label="Book a member on a ticket",
    description="Put one ticket of this company into a member's schedule at a given time.",
    arguments=ScheduleTicket,
    title=_title,
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    endpoints=(endpoints.TICKETS, endpoints.MEMBERS, endpoints.SCHEDULE, endpoints.CREATE_SCHEDULE_ENTRY),
    outcome=OutcomeStrategy.NATURAL,
    undo="Delete the booking in ConnectWise.",
    preview=_preview,
    search=_search,
)
def schedule_ticket(context: ToolContext, arguments: ScheduleTicket) -> ToolResult:
    ticket = ticket_of(context, arguments.ticket_id)
    member_of(context, arguments.member)
    written = client_of(context).create_schedule_entry(
        {
            "objectId": ticket.id,
            "type": {"identifier": schemas.SERVICE_BOOKING},
            "member": {"identifier": arguments.member},
            "dateStart": stamp(arguments.start),
            "dateEnd": stamp(arguments.end),
            "allowScheduleConflictsFlag": True,  # whoever approved saw what else is booked then
        }
    )
    return ToolResult(
        content={"schedule_entry_id": written.id, "ticket_id": ticket.id, "member": arguments.member},
        summary=f"{arguments.member} is booked for {arguments.start:%Y-%m-%d %H:%M} UTC",
        written=ExternalRecord("schedule_entry", str(written.id)),
    )


def _bookings(
    context: ToolContext, *, start: datetime, end: datetime, member: str | None, done: bool | None = None
) -> list[schemas.ScheduleEntry]:
    """What is booked between two moments, by start. The vendor's filter is held against what it answered."""
    wanted = where.all_of(
        where.before("dateStart", end),
        where.after("dateEnd", start),
        where.equals("member/identifier", member) if member else None,
    )
    found = [
        entry
        for entry in client_of(context).schedule(conditions=wanted, limit=MOST_BOOKINGS)
        if entry.start and entry.end and entry.start < end and entry.end > start
        if member is None or entry.member.identifier.lower() == member.lower()
        if done is None or entry.done is done
    ]
    return sorted(found, key=lambda entry: (entry.start or start, entry.id))


def _own_tickets(context: ToolContext, booked: Sequence[schemas.ScheduleEntry]) -> dict[int, str]:
    """Of the tickets that are booked, those of this company: number -> summary."""
    numbers = sorted({entry.object_id for entry in booked if entry.is_service and entry.object_id})
    if not numbers:
        return {}
    wanted = where.all_of(where.one_of("id", numbers), of_company(context))
    found = client_of(context).tickets(conditions=wanted, limit=len(numbers))
    return {ticket.id: ticket.summary for ticket in found if ticket.company.id == company_id_of(context)}


def _is_own(entry: schemas.ScheduleEntry, own: dict[int, str]) -> bool:
    return entry.is_service and entry.object_id in own


def _time_of(entry: schemas.ScheduleEntry) -> str:
    return f"{entry.start:%H:%M} to {entry.end:%H:%M} UTC" if entry.start and entry.end else ""


def _ids(rows: JsonValue) -> set[JsonValue]:
    return {row["id"] for row in rows if isinstance(row, dict)} if isinstance(rows, list) else set()
