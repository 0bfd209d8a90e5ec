"""Which open signal stands for a condition, so that those who repeat it go under it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection
from enum import IntEnum
from typing import NamedTuple

from django.db.models import F

from junto.tenants.scoping import TenantQuerySet
from signals.intake.alert_words import without_measures
from signals.models import Signal


class Condition(NamedTuple):
    """What makes two alerts the same problem. A device that we do not know counts by the name its source gave it."""

    company: uuid.UUID
    device: str
    alert_type: str

    @classmethod
    def of(cls, signal: Signal) -> Condition | None:
        """The condition that a signal tells of; None for a ticket that no monitoring wrote, or of no known company."""
        if not signal.alert_type or signal.company_id is None:
            return None
        there = f"{signal.connection_id}:{signal.device_external_id}"
        return cls(signal.company_id, str(signal.device_id or there), signal.alert_type.casefold())


class Alike(IntEnum):
    """How alike two alerts are told. What was measured, and when, does not count."""

    NOT = 0
    TITLE = 1
    WORDS = 2

    @classmethod
    def of(cls, one: Signal, other: Signal) -> Alike:
        """By the title, and by the first paragraph of the rest: severity and times follow."""
        if _words(one.subject) != _words(other.subject):
            return cls.NOT
        first, second = (_words(each.description.partition("\n\n")[0]) for each in (one, other))
        return cls.WORDS if first == second else cls.TITLE


class Heads:
    """The open signals of some companies that others repeat, as the database has them now.

    One that a person parted is another problem of the same condition. It stands for what is first told after it and is
    more like it than like the usual one: in its very words, or under its title where the usual one has another.
    """

    def __init__(
        self, rows: TenantQuerySet[Signal], *, companies: Collection[uuid.UUID], new: Collection[uuid.UUID]
    ) -> None:
        self._rows = rows
        self._usual: dict[Condition, Signal] = {}
        self._parted: dict[Condition, list[Signal]] = defaultdict(list)
        self._joined: dict[Condition, Signal] = {}
        self._left: dict[uuid.UUID, list[Signal]] = {}
        alerts = rows.filter(company__in=companies).exclude(alert_type="").defer("raw", "description", "words")
        open_ones = alerts.filter(state__in=Signal.OPEN, folded_into=None)
        found = list(open_ones.select_related("connection", "board", "device"))
        # whoever stood for the rest before goes on to, in whatever order the alerts come
        found.sort(key=lambda one: (one.pk in new, one.created_at, one.pk), reverse=True)
        for signal in sorted(found, key=lambda one: not one.parted):
            condition = Condition.of(signal)
            if condition is not None and signal.parted:
                self._parted[condition].append(signal)
            elif condition is not None and self._nearest_parted(signal, condition)[0] < Alike.WORDS:
                self._usual[condition] = signal
        # a ticket and an alert that were joined speak of one problem in two ways: who repeats either repeats the head
        joined = alerts.filter(folded_into__state__in=Signal.OPEN).exclude(folded_into__connection=F("connection"))
        joined = joined.filter(folded_into__company=F("company"), folded_into__parted=False).select_related(
            "folded_into"
        )
        for signal in joined.order_by("created_at", "pk"):
            condition = Condition.of(signal)
            if condition is not None and signal.folded_into is not None:
                held = self._usual.get(condition)
                if held is None or held.pk in new:
                    self._usual[condition] = signal.folded_into
                    self._joined.setdefault(condition, signal)

    def of(self, signal: Signal) -> Signal | None:
        """What stands for the condition of a signal: another one, itself, or nothing yet."""
        condition = Condition.of(signal)
        if condition is None:
            return None
        usual, (near, parted) = self._usual.get(condition), self._nearest_parted(signal, condition)
        if parted is None:
            return usual
        of_usual = Alike.TITLE if usual is None else self._alike(signal, usual, self._joined.get(condition))
        return parted if near > of_usual else usual

    def besides(self, signal: Signal) -> Collection[Signal]:
        """Those that stand for a condition, beside the signal itself; what was parted is joined to nothing."""
        return {one.pk: one for one in self._usual.values() if one.pk != signal.pk}.values()

    def stands(self, head: Signal, *, for_alert: Signal) -> None:
        """From now on `head` stands for the condition of the alert."""
        condition = Condition.of(for_alert)
        if condition is not None:
            self._usual[condition] = head

    def _nearest_parted(self, signal: Signal, condition: Condition) -> tuple[Alike, Signal | None]:
        """The parted one that a signal told after it is likest; of several the newest. None where it is like none."""
        earlier = (one for one in self._parted.get(condition, ()) if one.created_at < signal.created_at)
        known = [(self._alike(signal, one), one) for one in earlier]
        near, parted = max(known, key=lambda each: (each[0], each[1].created_at), default=(Alike.NOT, None))
        return near, parted if near else None

    def _alike(self, signal: Signal, head: Signal, joined: Signal | None = None) -> Alike:
        """A head has the words of the alert that was joined to it, and of the alert whose ticket it became, as well."""
        if head.pk not in self._left:
            self._left[head.pk] = list(self._rows.filter(ticket=head).exclude(alert_type="").defer("raw", "words"))
        told = [head, *self._left[head.pk], *([joined] if joined else [])]
        return max(Alike.of(signal, each) for each in told)


def _words(text: str) -> str:
    return " ".join(without_measures(text).casefold().split())
