"""Tickets written by us: four labels told by a few words each, among words that tell nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path

from junto.learned.features import TicketText

_TELLING = {
    "printer": ["printer", "toner", "paper", "tray", "scanner", "spooler"],
    "mail": ["mailbox", "outlook", "calendar", "inbox", "attachment", "sender"],
    "access": ["password", "locked", "account", "login", "permission", "reset"],
    "network": ["wifi", "vpn", "router", "switch", "packet", "latency"],
}
_NEUTRAL = [
    "since",
    "monday",
    "office",
    "user",
    "cannot",
    "please",
    "check",
    "again",
    "new",
    "slow",
    "third",
    "floor",
    "laptop",
    "client",
    "morning",
    "works",
]
_ROWS = {"printer": 90, "mail": 60, "access": 40, "network": 24}


def tickets(*, seed: int = 1) -> tuple[list[TicketText], list[str]]:
    """214 of them with their labels, shuffled. Every fourth holds a word of another label."""
    chance = random.Random(seed)
    made = []
    for label, rows in _ROWS.items():
        for row in range(rows):
            other = chance.choice([name for name in _TELLING if name != label])
            words = chance.choices(_NEUTRAL, k=8) + chance.choices(_TELLING[label], k=2)
            words += chance.choices(_TELLING[other], k=row % 4 == 0)
            chance.shuffle(words)
            made.append((TicketText(" ".join(words[:3]), " ".join(words[3:])), label))
    chance.shuffle(made)
    return [ticket for ticket, _ in made], [label for _, label in made]


def write_file(path: Path, *, seed: int, label: str = "category", extra: tuple[str, ...] = ()) -> Path:
    """The same as JSON lines; `extra` = labels of rows more, one row each."""
    texts, labels = tickets(seed=seed)
    rows = [
        {"title": ticket.title, "body": ticket.text, label: value, "answer": f"solved as {value}"}
        for ticket, value in zip(texts, labels, strict=True)
    ]
    rows += [{"title": "coffee machine", "body": "no coffee", label: value} for value in extra]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path
