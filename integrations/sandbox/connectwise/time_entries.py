"""Time entries: hours from their start and end, a total on the ticket, and no change once billed."""

from __future__ import annotations

from integrations.sandbox.connectwise.conditions import parse_moment
from integrations.sandbox.connectwise.edits import create_draft, patch_draft, require_object
from integrations.sandbox.connectwise.problems import (
    FieldProblem,
    Problem,
    bad_reference,
    bad_value,
    invalid,
    missing,
    not_found,
)
from integrations.sandbox.connectwise.record_types import TIME_ENTRY
from integrations.sandbox.connectwise.shapes import stamp
from integrations.sandbox.connectwise.tickets import touch_ticket
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World

_LOCKED = frozenset({"Billed", "BilledAgreement", "WrittenOff", "ApprovedByTierTwo"})


def get_time_entry(world: World, number: int) -> Record:
    """The stored time entry, or a Problem with status 404."""
    entry = world.get("time_entry", number)
    if entry is None:
        raise not_found("TimeEntry", number)
    return entry


def time_entries_of(world: World, ticket_id: int) -> list[Record]:
    """The time logged on a ticket, oldest first."""
    return [
        entry
        for entry in world.all("time_entry")
        if entry.get("chargeToType") == "ServiceTicket" and entry.get("chargeToId") == ticket_id
    ]


def create_time_entry(world: World, body: Json, *, by: str) -> Record:
    """Time of a member (the key's own if none is named), on a ticket or another charge."""
    entry = create_draft(world, TIME_ENTRY, require_object(body, TIME_ENTRY.resource))
    if "member" not in entry:
        entry["member"] = next((member["id"] for member in world.all("member") if member.get("identifier") == by), None)
    entry.setdefault("billableOption", "Billable")
    for name in ("addToDetailDescriptionFlag", "addToInternalAnalysisFlag", "addToResolutionFlag"):
        entry.setdefault(name, False)
    entry["status"] = "Open"
    entry["enteredBy"] = by
    return _store_entry(world, entry, by=by, new=True)


def patch_time_entry(world: World, number: int, body: Json, *, by: str) -> Record:
    """A changed time entry; refused once it is billed or approved."""
    before = get_time_entry(world, number)
    _refuse_locked(before)
    entry, touched = patch_draft(world, TIME_ENTRY, before, body)
    if touched & {"timeStart", "timeEnd", "hoursDeduct"} and "actualHours" not in touched:
        entry.pop("actualHours", None)
    return _store_entry(world, entry, by=by, new=False)


def delete_time_entry(world: World, number: int, *, by: str) -> None:
    """Remove a time entry; refused once it is billed or approved."""
    entry = get_time_entry(world, number)
    _refuse_locked(entry)
    world.remove("time_entry", number)
    _total_ticket(world, entry, by=by)


def _refuse_locked(entry: Record) -> None:
    if entry.get("status") in _LOCKED:
        raise Problem(400, "TimeEntryLocked", f"The time entry is {entry['status']} and cannot be changed.")


def _store_entry(world: World, entry: Record, *, by: str, new: bool) -> Record:
    _check_charge(world, entry)
    _set_hours(entry)
    moment = stamp(world, entry, by=by)
    if new:
        entry["dateEntered"] = moment
    world.save("time_entry", entry)
    _total_ticket(world, entry, by=by)
    return entry


def _check_charge(world: World, entry: Record) -> None:
    problems: list[FieldProblem] = []
    charge, kind = entry.get("chargeToId"), entry.get("chargeToType")
    if charge is None and "company" not in entry:
        problems.append(missing("chargeToId"))
    if charge is not None and kind is None:
        problems.append(missing("chargeToType"))
    if entry.get("member") is None:
        problems.append(missing("member"))
    if kind == "ServiceTicket" and isinstance(charge, int):
        ticket = world.get("ticket", charge)
        if ticket is None:
            problems.append(bad_reference("chargeToId", f"Ticket {charge} does not exist."))
        elif entry.setdefault("company", ticket.get("company")) != ticket.get("company"):
            problems.append(bad_reference("company/id", "The company is not the ticket's."))
        else:
            entry["ticket"] = charge
            entry["ticketBoard"] = _name_of(world, "board", ticket.get("board"))
            entry["ticketStatus"] = _name_of(world, "status", ticket.get("status"))
    if problems:
        raise invalid(TIME_ENTRY.resource, *problems)


def _set_hours(entry: Record) -> None:
    start, end = entry.get("timeStart"), entry.get("timeEnd")
    if isinstance(start, str) and isinstance(end, str):
        seconds = (parse_moment(end) - parse_moment(start)).total_seconds()
        if seconds <= 0:
            raise invalid(TIME_ENTRY.resource, bad_value("timeEnd", "The end must be after the start."))
        deducted = entry.get("hoursDeduct")
        hours = seconds / 3600 - (deducted if isinstance(deducted, int | float) else 0)
        entry["actualHours"] = round(hours, 2)
    elif not isinstance(entry.get("actualHours"), int | float):
        raise invalid(TIME_ENTRY.resource, missing("timeEnd"))


def _total_ticket(world: World, entry: Record, *, by: str) -> None:
    charge = entry.get("chargeToId")
    if entry.get("chargeToType") != "ServiceTicket" or not isinstance(charge, int):
        return
    hours = [one.get("actualHours") for one in time_entries_of(world, charge)]
    total = sum(part for part in hours if isinstance(part, int | float))
    touch_ticket(world, charge, by=by, actualHours=round(total, 2))


def _name_of(world: World, kind: str, number: Json) -> Json:
    record = world.get(kind, number)
    return record.get("name") if record else None
