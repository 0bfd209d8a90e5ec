"""Ticket notes: who sees them follows from their flags, and the full conversation holds time entries' texts too."""

from __future__ import annotations

from integrations.sandbox.connectwise.edits import create_draft, patch_draft, require_object
from integrations.sandbox.connectwise.problems import bad_value, invalid, not_found
from integrations.sandbox.connectwise.record_types import NOTE
from integrations.sandbox.connectwise.shapes import stamp
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World

_FLAGS = ("detailDescriptionFlag", "internalAnalysisFlag", "resolutionFlag")


def notes_of(world: World, ticket_id: int) -> list[Record]:
    """The notes written on a ticket itself, oldest first."""
    return [note for note in world.all("note") if note.get("ticketId") == ticket_id]


def get_note(world: World, ticket_id: int, number: int) -> Record:
    """One note of this ticket; a Problem with status 404 for any other."""
    note = world.get("note", number)
    if note is None or note.get("ticketId") != ticket_id:
        raise not_found("Note", number)
    return note


def create_note(world: World, ticket_id: int, body: Json, *, by: str) -> Record:
    """A note. At least one of the three flags must say where it belongs: none is not taken for public."""
    note = create_draft(world, NOTE, require_object(body, NOTE.resource))
    note.setdefault("member", _author(world, note, by))
    return _store_note(world, note, ticket_id, by=by)


def patch_note(world: World, ticket_id: int, number: int, body: Json, *, by: str) -> Record:
    """A changed note."""
    note, _ = patch_draft(world, NOTE, get_note(world, ticket_id, number), body)
    return _store_note(world, note, ticket_id, by=by)


def add_opening_notes(world: World, ticket: Record, opening: Record, *, by: str) -> None:
    """The initial texts of a new ticket as its first notes: the description is the contact's own words."""
    ticket_id = ticket["id"]
    if not isinstance(ticket_id, int):
        return
    for name, flag in (
        ("initialDescription", "detailDescriptionFlag"),
        ("initialInternalAnalysis", "internalAnalysisFlag"),
        ("initialResolution", "resolutionFlag"),
    ):
        text = opening.get(name)
        if not text:
            continue
        note: Record = {"text": text, flag: True}
        if name == "initialDescription":
            note["issueFlag"] = True
            if "contact" in ticket:
                note["contact"] = ticket["contact"]
        if "contact" not in note:
            note["member"] = _author(world, note, by)
        _store_note(world, note, ticket_id, by=by)


def conversation(world: World, ticket_id: int) -> list[Record]:
    """Everything said on a ticket: its notes, the notes of tickets merged into it, and time entries' texts."""
    merged = {ticket["id"] for ticket in world.all("ticket") if ticket.get("mergedParentTicket") == ticket_id}
    said = [
        _as_said(note, merged=note.get("ticketId") in merged)
        for note in world.all("note")
        if note.get("ticketId") == ticket_id or note.get("ticketId") in merged
    ]
    said += [
        _time_entry_as_said(entry)
        for entry in world.all("time_entry")
        if entry.get("chargeToType") == "ServiceTicket" and entry.get("chargeToId") == ticket_id and entry.get("notes")
    ]
    return sorted(said, key=_entered)


def _as_said(note: Record, *, merged: bool) -> Record:
    said: Record = {
        "id": note["id"],
        "noteType": "TicketNote",
        "ticket": note.get("ticketId"),
        "text": note.get("text"),
        "isMarkdownFlag": False,
        "bundledFlag": False,
        "mergedFlag": merged,
        "issueFlag": bool(note.get("issueFlag")),
        "originalAuthor": note.get("createdBy"),
        "createdByParentFlag": False,
        "member": note.get("member"),
        "contact": note.get("contact"),
        "_info": note.get("_info"),
    }
    said.update({flag: bool(note.get(flag)) for flag in _FLAGS})
    return said


def _time_entry_as_said(entry: Record) -> Record:
    return {
        "id": entry["id"],
        "noteType": "TimeEntryNote",
        "ticket": entry.get("chargeToId"),
        "text": entry.get("notes"),
        "isMarkdownFlag": False,
        "detailDescriptionFlag": bool(entry.get("addToDetailDescriptionFlag")),
        "internalAnalysisFlag": bool(entry.get("addToInternalAnalysisFlag")),
        "resolutionFlag": bool(entry.get("addToResolutionFlag")),
        "timeStart": entry.get("timeStart"),
        "timeEnd": entry.get("timeEnd"),
        "bundledFlag": False,
        "mergedFlag": False,
        "issueFlag": False,
        "originalAuthor": entry.get("enteredBy"),
        "createdByParentFlag": False,
        "member": entry.get("member"),
        "_info": entry.get("_info"),
    }


def _store_note(world: World, note: Record, ticket_id: int, *, by: str) -> Record:
    if not any(note.get(flag) for flag in _FLAGS):
        raise invalid(NOTE.resource, bad_value("internalAnalysisFlag", f"One of {', '.join(_FLAGS)} must be true."))
    for flag in (*_FLAGS, "issueFlag", "customerUpdatedFlag"):
        note.setdefault(flag, False)
    note["ticketId"] = ticket_id
    note["internalFlag"] = bool(note["internalAnalysisFlag"])
    note["externalFlag"] = bool(note["detailDescriptionFlag"] or note["resolutionFlag"])
    moment = stamp(world, note, by=by)
    note.setdefault("dateCreated", moment)
    note.setdefault("createdBy", by)
    world.save("note", note)
    return note


def _author(world: World, note: Record, by: str) -> Json:
    if "contact" in note:
        return None
    return next((member["id"] for member in world.all("member") if member.get("identifier") == by), None)


def _entered(said: Record) -> str:
    info = said.get("_info")
    entered = info.get("dateEntered") if isinstance(info, dict) else None
    return entered if isinstance(entered, str) else ""
