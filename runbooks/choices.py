"""Which runbooks people chose, stored, and taken as evidence for later signals that are like the earlier one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from junto.retrieval.words import read
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from runbooks.models import Runbook, RunbookChoice
from signals.models import Signal

#: How many of an organization's choices are looked at, newest first.
LOOKED_AT: Final = 200
#: Two subjects are alike from this share of words in common (Dice's coefficient of their stems).
ALIKE: Final = 0.5


@dataclass(frozen=True)
class Precedent:
    """What people did about signals like this one: how often they took a runbook, and how often another instead."""

    taken: int = 0
    passed_over: int = 0

    @property
    def net(self) -> int:
        """How much more often it was taken than passed over."""
        return self.taken - self.passed_over


def record_choice(*, signal: Signal, offered: Runbook | None, chosen: Runbook | None, actor: Actor) -> RunbookChoice:
    """Store that a person chose `chosen` (None = no runbook) where `offered` matched best (None = nothing did).

    Raises:
        PermissionDenied: `actor` may not run sessions for the signal's company.
    """
    require(actor, Permission.RUN_SESSIONS, signal.company or signal.organization)
    choice = RunbookChoice(
        organization=signal.organization, signal=signal, offered=offered, chosen=chosen, by=actor.membership
    )
    choice.save(force_insert=True)
    return choice


def precedents(signal: Signal) -> dict[uuid.UUID, Precedent]:
    """For each runbook that was chosen or passed over for a signal like this one: how often. The last choice counts."""
    subject = _stems(signal.subject)
    rows = (
        RunbookChoice.objects.for_organization(signal.organization)
        .exclude(signal=signal)
        .order_by("-chosen_at", "-id")
        .values_list("signal_id", "signal__subject", "offered_id", "chosen_id")[:LOOKED_AT]
    )
    found: dict[uuid.UUID, Precedent] = {}
    seen: set[uuid.UUID] = set()
    for signal_id, other, offered, chosen in rows:
        if signal_id in seen or not _alike(subject, _stems(other)):
            continue
        seen.add(signal_id)
        if chosen is not None:
            before = found.get(chosen, Precedent())
            found[chosen] = Precedent(before.taken + 1, before.passed_over)
        if offered is not None and offered != chosen:
            before = found.get(offered, Precedent())
            found[offered] = Precedent(before.taken, before.passed_over + 1)
    return found


def _alike(one: frozenset[int], other: frozenset[int]) -> bool:
    return bool(one and other) and 2 * len(one & other) / (len(one) + len(other)) >= ALIKE


@lru_cache(maxsize=4096)
def _stems(subject: str) -> frozenset[int]:
    return frozenset(read(subject).singles.tolist())
