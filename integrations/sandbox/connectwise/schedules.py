"""Schedule entries: who is booked on a ticket and when. The ticket's `resources` follow from them."""

from __future__ import annotations

from integrations.sandbox.connectwise.edits import create_draft, patch_draft, require_object
from integrations.sandbox.connectwise.problems import bad_reference, bad_value, invalid, missing, not_found
from integrations.sandbox.connectwise.record_types import SCHEDULE_ENTRY
from integrations.sandbox.connectwise.shapes import stamp
from integrations.sandbox.connectwise.tickets import touch_ticket
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World

_SERVICE = "S"  # the schedule type of service tickets


def get_schedule_entry(world: World, number: int) -> Record:
    """The stored entry, or a Problem with status 404."""
    entry = world.get("schedule_entry", number)
    if entry is None:
        raise not_found("ScheduleEntry", number)
    return entry


def create_schedule_entry(world: World, body: Json, *, by: str) -> Record:
    """Book a member, on a ticket if the type says so."""
    entry = create_draft(world, SCHEDULE_ENTRY, require_object(body, SCHEDULE_ENTRY.resource))
    entry.setdefault("status", 2)
    entry.setdefault("doneFlag", False)
    return _store_entry(world, entry, by=by)


def patch_schedule_entry(world: World, number: int, body: Json, *, by: str) -> Record:
    """A changed booking."""
    entry, _ = patch_draft(world, SCHEDULE_ENTRY, get_schedule_entry(world, number), body)
    return _store_entry(world, entry, by=by)


def delete_schedule_entry(world: World, number: int, *, by: str) -> None:
    """Take a booking away."""
    entry = get_schedule_entry(world, number)
    world.remove("schedule_entry", number)
    _show_resources(world, entry, by=by)


def schedule_entries_of(world: World, ticket_id: int) -> list[Record]:
    """The bookings on a ticket."""
    return [entry for entry in world.all("schedule_entry") if _is_of_ticket(world, entry, ticket_id)]


def _store_entry(world: World, entry: Record, *, by: str) -> Record:
    if "member" not in entry:
        raise invalid(SCHEDULE_ENTRY.resource, missing("member"))
    start, end = entry.get("dateStart"), entry.get("dateEnd")
    if isinstance(start, str) and isinstance(end, str) and end <= start:
        raise invalid(SCHEDULE_ENTRY.resource, bad_value("dateEnd", "The end must be after the start."))
    object_id = entry.get("objectId")
    if _is_service(world, entry):
        ticket = world.get("ticket", object_id) if isinstance(object_id, int) else None
        if ticket is None:
            raise invalid(SCHEDULE_ENTRY.resource, bad_reference("objectId", f"Ticket {object_id} does not exist."))
        entry.setdefault("name", ticket.get("summary"))
    stamp(world, entry, by=by)
    world.save("schedule_entry", entry)
    _show_resources(world, entry, by=by)
    return entry


def _show_resources(world: World, entry: Record, *, by: str) -> None:
    ticket_id = entry.get("objectId")
    if not _is_service(world, entry) or not isinstance(ticket_id, int):
        return
    identifiers: list[str] = []
    for booked in schedule_entries_of(world, ticket_id):
        member = world.get("member", booked.get("member"))
        identifier = str(member["identifier"]) if member else ""
        if identifier and identifier not in identifiers:
            identifiers.append(identifier)
    touch_ticket(world, ticket_id, by=by, resources=", ".join(identifiers))


def _is_of_ticket(world: World, entry: Record, ticket_id: int) -> bool:
    return entry.get("objectId") == ticket_id and _is_service(world, entry)


def _is_service(world: World, entry: Record) -> bool:
    kind = world.get("schedule_type", entry.get("type"))
    return bool(kind and kind.get("identifier") == _SERVICE)
