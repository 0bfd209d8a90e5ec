"""Records as they are stored: what the vendor shows of each (`shown`) beside what it only knows."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from integrations.sandbox.json_types import Json, Record


def uid(*parts: object) -> str:
    """The same UUID at every filling."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "pax8/" + "/".join(map(str, parts))))


def stamp(moment: datetime) -> str:
    """A moment as the vendor writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown_of(record: Record) -> Record:
    """What the vendor shows of a stored record."""
    shown: Json = record["shown"]
    if not isinstance(shown, dict):
        raise TypeError("a stored record knows what is shown of it")
    return shown
