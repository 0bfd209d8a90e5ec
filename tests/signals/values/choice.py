"""Which 100 tickets have values written by hand: a rule and a seed that were fixed before any of them was read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

SEED = "junto-values-2026-11-22"
#: File, the label whose values each get a share, the label over which a share is spread, and how many of each value.
SHARES: Sequence[tuple[str, str, str, Mapping[str, int]]] = (
    ("tickets-endava", "ticket_type", "category", {"0": 20, "1": 40}),
    ("tickets-multilang", "language", "type", {"de": 8, "en": 8, "es": 8, "fr": 8, "pt": 8}),
)


def chosen(folder: Path) -> tuple[list[str], list[str]]:
    """The ids of the 50 tickets to tune on and of the 50 held out, of the evaluation data in `folder`.

    The tickets of a share stand in the order of sha256(SEED, id). One of each value of the spreading label (in order
    of names) is taken in turn until the share is full; they go to tune and held out by turns.
    """
    tune: list[str] = []
    held_out: list[str] = []
    for file, label, spread, wanted in SHARES:
        lines = (folder / file / "tickets.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        for value, many in wanted.items():
            turns = _in_turns([row for row in rows if row[label] == value], spread)
            picked = [next(turns) for _ in range(many)]
            tune += picked[::2]
            held_out += picked[1::2]
    return tune, held_out


def _in_turns(rows: Sequence[Mapping[str, str]], spread: str) -> Iterator[str]:
    ordered = sorted(rows, key=lambda row: hashlib.sha256(f"{SEED}:{row['id']}".encode()).digest())
    queues = [[row["id"] for row in ordered if row[spread] == value] for value in sorted({row[spread] for row in rows})]
    while any(queues):
        for queue in queues:
            if queue:
                yield queue.pop(0)
