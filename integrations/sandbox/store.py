"""Where the records are kept: one SQLite file, written through, read from memory.

Every change is committed before the answer leaves, so the records survive a restart and a kill -9.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.postman import Change

Records = Mapping[str, list[Record]]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    vendor TEXT NOT NULL, owner TEXT NOT NULL, kind TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (vendor, owner, kind, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (
    vendor TEXT NOT NULL, owner TEXT NOT NULL, kind TEXT NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (vendor, owner, kind)
) WITHOUT ROWID;
"""


#: Seconds by which the dates of a filled world may be older than they say; the smallest ages it tells are minutes.
_FRESH_SECONDS = 20.0
_TO_THE_SECOND = len("2026-11-21T14:05:00")


class StateInUse(Exception):
    """Another sandbox holds this state directory."""


class Clock:
    """UTC time in milliseconds that never stands still: each reading is later than the one before it."""

    def __init__(self) -> None:
        self._last = datetime.fromtimestamp(0, tz=UTC)

    def now(self) -> str:
        """The present moment as ISO 8601 with Z, at least a millisecond after the last one given out."""
        moment = datetime.now(tz=UTC)
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        self._last = max(moment, self._last + timedelta(milliseconds=1))
        return self._last.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class World:
    """The records of one MSP at one vendor. Use it only inside `Store.change()`."""

    def __init__(self, store: Store, vendor: str, owner: str) -> None:
        self.vendor = vendor
        self.owner = owner
        self._store = store
        self._kinds: dict[str, dict[int, Record]] = {}
        self._last_ids: dict[str, int] = {}
        self._untouched: str | None = None
        self._filled_at = 0.0

    def get(self, kind: str, number: Json) -> Record | None:
        """The record itself, not a copy: callers change it only through `save`. None for anything but its id."""
        return self._kinds.get(kind, {}).get(number) if isinstance(number, int) else None

    def all(self, kind: str) -> list[Record]:
        """Every record of a kind, by id."""
        records = self._kinds.get(kind, {})
        return [records[number] for number in sorted(records)]

    def save(self, kind: str, record: Record) -> int:
        """Insert or replace a record; without an `id` it gets the next one. Returns the id."""
        number = record.get("id")
        if not isinstance(number, int):
            number = self._last_ids.get(kind, 0) + 1
            record["id"] = number
        self._untouched = None
        verb = "updated" if number in self._kinds.get(kind, {}) else "added"
        self._store.note(Change(self.vendor, self.owner, kind, number, verb))
        self._kinds.setdefault(kind, {})[number] = record
        self._store.write(self, kind, number, record)
        if number > self._last_ids.get(kind, 0):
            self._last_ids[kind] = number
            self._store.write_counter(self, kind, number)
        return number

    def remove(self, kind: str, number: int) -> None:
        """Delete a record; its id is not given out again."""
        self._untouched = None
        del self._kinds[kind][number]
        self._store.note(Change(self.vendor, self.owner, kind, number, "deleted"))
        self._store.erase(self, kind, number)

    def now(self) -> str:
        """The vendor's clock: whole seconds, as its contract's examples show, so two changes may bear one stamp."""
        return f"{self._store.clock.now()[:_TO_THE_SECOND]}Z"

    def load(self, seed: str, make: Callable[[], Records]) -> None:
        """Put the records of a seed in place of everything this world held.

        A world in which nothing was changed since it got the same seed is left as it is while its dates are hardly
        older: most tests touch one world of many, and filling them all took longer than the tests. Nobody is told of
        a filling, for whoever wanted to be told stood in the world that went.
        """
        if self._untouched == seed and time.monotonic() - self._filled_at < _FRESH_SECONDS:
            return
        self._kinds, self._last_ids = {}, {}
        self._store.erase_world(self)
        for kind, rows in make().items():
            texts: dict[int, str] = {}
            last = 0
            for row in rows:
                given = row.get("id")
                number = given if isinstance(given, int) else last + 1
                last = max(last, number)
                texts[number] = json.dumps({**row, "id": number}, ensure_ascii=False)
            # read back from what is written: a copy that shares nothing with the seed, in a tenth of deepcopy's time
            self._kinds[kind] = {number: json.loads(text) for number, text in texts.items()}
            self._store.write_many(self, kind, texts)
            if last:
                self._last_ids[kind] = last
                self._store.write_counter(self, kind, last)
        self._untouched, self._filled_at = seed, time.monotonic()

    def reread(self) -> None:
        """Forget what is in memory and take what was committed."""
        self._untouched = None
        self._kinds = self._store.read(self)
        self._last_ids = self._store.read_counters(self)


class Store:
    """The state directory of one running sandbox."""

    def __init__(self, directory: Path) -> None:
        """Open or create the state; raises StateInUse if another sandbox runs on it."""
        directory.mkdir(parents=True, exist_ok=True)
        self.clock = Clock()
        #: Told of what was committed, while nothing else can change.
        self.listener: Callable[[Sequence[Change]], None] = lambda changes: None
        self._changes: list[Change] = []
        self._lock = threading.RLock()
        self._worlds: dict[tuple[str, str], World] = {}
        self._connection = sqlite3.connect(
            directory / "sandbox.sqlite3", check_same_thread=False, isolation_level=None, timeout=0.5
        )
        try:
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise StateInUse(f"another sandbox is running on {directory}") from error
            raise

    def is_seeded(self, vendor: str, owner: str) -> bool:
        """Whether this world was filled before, so that a restart keeps it."""
        row = self._connection.execute(
            "SELECT 1 FROM records WHERE vendor = ? AND owner = ? LIMIT 1", (vendor, owner)
        ).fetchone()
        return row is not None

    def world(self, vendor: str, owner: str) -> World:
        """The records of one MSP at one vendor."""
        with self._lock:
            world = self._worlds.get((vendor, owner))
            if world is None:
                world = self._worlds[vendor, owner] = World(self, vendor, owner)
                world.reread()
            return world

    @contextmanager
    def change(self) -> Iterator[None]:
        """Everything inside is committed together, or (on an exception) undone in the file and in memory."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            self._changes = []
            try:
                yield
            except BaseException:
                changed = self._connection.in_transaction
                self._connection.execute("ROLLBACK")
                if changed:
                    for world in self._worlds.values():
                        world.reread()
                raise
            self._connection.execute("COMMIT")
            self.listener(self._changes)

    def note(self, change: Change) -> None:
        """Remember what is being changed, until it is committed or undone."""
        self._changes.append(change)

    def close(self) -> None:
        """Let go of the state directory."""
        with self._lock:
            self._connection.close()

    def write(self, world: World, kind: str, number: int, record: Record) -> None:
        """Write one record through to the file."""
        self._connection.execute(
            "INSERT OR REPLACE INTO records (vendor, owner, kind, id, body) VALUES (?, ?, ?, ?, ?)",
            (world.vendor, world.owner, kind, number, json.dumps(record, ensure_ascii=False)),
        )

    def write_many(self, world: World, kind: str, texts: Mapping[int, str]) -> None:
        """Write records that are JSON already through to the file, by their ids."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO records (vendor, owner, kind, id, body) VALUES (?, ?, ?, ?, ?)",
            ((world.vendor, world.owner, kind, number, text) for number, text in texts.items()),
        )

    def write_counter(self, world: World, kind: str, last: int) -> None:
        """Remember the highest id ever given out, so that a deleted record's id is never used again."""
        self._connection.execute(
            "INSERT OR REPLACE INTO counters (vendor, owner, kind, last) VALUES (?, ?, ?, ?)",
            (world.vendor, world.owner, kind, last),
        )

    def erase(self, world: World, kind: str, number: int) -> None:
        """Delete one record from the file."""
        self._connection.execute(
            "DELETE FROM records WHERE vendor = ? AND owner = ? AND kind = ? AND id = ?",
            (world.vendor, world.owner, kind, number),
        )

    def erase_world(self, world: World) -> None:
        """Delete everything one world holds from the file."""
        for table in ("records", "counters"):
            self._connection.execute(
                f"DELETE FROM {table} WHERE vendor = ? AND owner = ?",  # noqa: S608 - two fixed names
                (world.vendor, world.owner),
            )

    def read(self, world: World) -> dict[str, dict[int, Record]]:
        """Every committed record of a world, by kind and id."""
        kinds: dict[str, dict[int, Record]] = {}
        rows = self._connection.execute(
            "SELECT kind, id, body FROM records WHERE vendor = ? AND owner = ?", (world.vendor, world.owner)
        )
        for kind, number, body in rows:
            kinds.setdefault(kind, {})[number] = json.loads(body)
        return kinds

    def read_counters(self, world: World) -> dict[str, int]:
        """The highest id given out for each kind."""
        rows = self._connection.execute(
            "SELECT kind, last FROM counters WHERE vendor = ? AND owner = ?", (world.vendor, world.owner)
        )
        return dict(rows.fetchall())
