"""Changing fields of a ticket: the operations that are sent, the last look before, and whether it happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from integrations.connectwise import schemas
from integrations.connectwise.targets import fact, ticket_of
from integrations.errors import TargetRefused
from integrations.tools import Outcome, ToolContext

Fields = Mapping[str, tuple[schemas.Reference, int]]
"""Field -> (what it is now, id wanted; 0 = none)."""


def replace(path: str, value: JsonValue) -> JsonValue:
    """The operation that sets a field."""
    return {"op": "replace", "path": path, "value": value}


def require_as_seen(context: ToolContext, ticket_id: int, fields: Callable[[schemas.Ticket], Fields]) -> None:
    """Look once more before the request leaves: what somebody set since the claim looked is not written over.

    ConnectWise takes no condition with a change, so between this look and the request there is still one way there.

    Raises:
        TargetRefused: one of `fields` is not what it was, or the ticket is none of the company's (any more).
    """
    if not isinstance(context.seen, dict):
        return
    for name, (now, _) in fields(ticket_of(context, ticket_id)).items():
        if name.lower() in context.seen and context.seen[name.lower()] != fact(now):
            words = f"Somebody changed the {name.lower()} of ticket {ticket_id} first."
            raise TargetRefused(f"{words} Nothing was changed.")


def compared(ticket: schemas.Ticket, fields: Fields, before: JsonValue) -> Outcome:
    """Whether a change of fields happened: they are as wanted, still as they were, or something else."""
    if all(now.id == wanted for now, wanted in fields.values()):
        return Outcome("found", f"Ticket {ticket.id} has the values that were sent.")
    known = before if isinstance(before, dict) else {}
    if known and all(_same_record(known.get(name.lower()), now) for name, (now, _) in fields.items()):
        return Outcome("absent", f"Ticket {ticket.id} is as it was before.")
    return Outcome("unclear", f"Ticket {ticket.id} was changed by somebody else meanwhile.")


def _same_record(before: JsonValue, now: schemas.Reference) -> bool:
    return (before.get("id") if isinstance(before, dict) else 0) == now.id
