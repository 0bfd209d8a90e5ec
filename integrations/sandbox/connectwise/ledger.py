"""Records while a world is being filled: their ids, known by a readable key, and dates that count back from now."""

from __future__ import annotations

from datetime import UTC, datetime

from integrations.sandbox.json_types import Record
from integrations.sandbox.world.facts import parse_age

_FIRST_IDS = {
    "member": 150,
    "company": 250,
    "site": 310,
    "contact": 1180,
    "configuration": 810,
    "ticket": 48210,
    "note": 90300,
    "time_entry": 70000,
    "ticket_configuration": 1,
    "schedule_entry": 5200,
}


class Ledger:
    """The records of one MSP, kind by kind. Ids are the same at every filling."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self.now = datetime.now(tz=UTC).replace(microsecond=0)
        self.records: dict[str, list[Record]] = {}
        self._ids: dict[tuple[str, str], int] = {}

    def add(self, kind: str, key: str, record: Record) -> int:
        rows = self.records.setdefault(kind, [])
        number = _FIRST_IDS.get(kind, 1) + len(rows)
        record = {"id": number, **record}
        record.setdefault("_info", self.info("104w", "setup"))
        rows.append(record)
        self._ids[kind, key] = number
        return number

    def id_of(self, kind: str, key: str) -> int:
        try:
            return self._ids[kind, key]
        except KeyError as error:
            raise LookupError(f"the demo world of {self._owner} has no {kind} {key!r}") from error

    def when(self, age: str) -> str:
        return (self.now - parse_age(age)).isoformat(timespec="seconds").replace("+00:00", "Z")

    def info(self, age: str, by: str, updated: str | None = None, updated_by: str | None = None) -> Record:
        return {
            "dateEntered": self.when(age),
            "enteredBy": by,
            "lastUpdated": self.when(updated or age),
            "updatedBy": updated_by or by,
        }
