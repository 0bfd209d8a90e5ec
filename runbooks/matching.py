"""Which published runbooks fit a signal: by words, by meaning, by their conditions, and by what people chose before.

Words and meaning give a probability (junto/retrieval/index.py). A condition that is met and choices for signals like
this one move its odds by fixed steps, each told in the reason; below THRESHOLD none fits. To begin unattended more is
asked: a condition that is met, choices of people, or START_LINE and START_WORDS.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.db.models import Q

from junto.retrieval.encoder import Vectors, load_encoder
from junto.retrieval.index import Hit, Query
from junto.retrieval.words import read
from runbooks.choices import Precedent, precedents
from runbooks.models import Runbook, Trigger
from runbooks.shelves import Entry, Shelf, shelf_of
from signals.models import Signal

#: From this probability on a runbook counts as fitting; docs/matching.md shows what that is worth, and why not another.
THRESHOLD: Final = 0.5
#: From this probability on words and meaning may start a run that nobody asked for, where so many different words of
#: the ticket stand in the title or the tags: on a small shelf one common word leads by far (docs/matching.md).
START_LINE: Final = 0.85
START_WORDS: Final = 3
#: How many more signals like this one people took it for than passed it over, for a start without those words.
START_CHOICES: Final = 2
#: By how much a condition moves the logarithm of the odds. An alert of exactly this type is nearly proof, a ticket type
#: is shared by many matters.
CONDITION_STEPS: Final[Mapping[str, float]] = {Trigger.Kind.ALERT: 7.0, Trigger.Kind.CLASSIFICATION: 2.0}
#: By how much each choice moves it, and how many choices count.
CHOICE_STEP: Final = 2.0
MOST_CHOICES: Final = 3
#: How much of a description is compared, in characters: the matter comes first, then signatures and quoted mails.
DESCRIPTION_LENGTH: Final = 2000
#: How many that fit by words and meaning are looked at before conditions and choices move them.
CANDIDATES: Final = 20


@dataclass(frozen=True)
class Match:
    """A published runbook for a signal. `title`, `audience` and `version` are those in force, not the draft's.

    `may_start` = it fits well enough to begin without being asked for; `above_threshold` = well enough to be offered.
    """

    runbook: Runbook
    record: int
    version: int
    title: str
    audience: str
    score: float
    reason: str
    above_threshold: bool
    may_start: bool


@dataclass(frozen=True)
class _Weighed:
    """A hit with what else speaks for it."""

    entry: Entry
    hit: Hit
    conditions: tuple[Trigger, ...]
    precedent: Precedent

    def may_start(self, title_words: int) -> bool:
        """Whether that is enough for a run that nobody asked for; so many words stand in its title or tags."""
        sure = self.confidence
        vouched = bool(self.conditions) or self.precedent.net >= START_CHOICES
        return sure >= THRESHOLD if vouched else sure >= START_LINE and title_words >= START_WORDS

    @property
    def confidence(self) -> float:
        """The probability after every step."""
        sure = min(max(self.hit.confidence, 1e-6), 1 - 1e-6)
        odds = math.log(sure / (1 - sure))
        odds += max((CONDITION_STEPS[condition.kind] for condition in self.conditions), default=0.0)
        odds += CHOICE_STEP * max(-MOST_CHOICES, min(MOST_CHOICES, self.precedent.net))
        return 1 / (1 + math.exp(-odds))

    @property
    def reason(self) -> str:
        """Everything that moved it, in plain words."""
        words = ", ".join(f"“{word}”" for word in self.hit.words)
        told = [f"Its condition is met: {condition.words}." for condition in self.conditions]
        if self.precedent.taken:
            told.append(f"Chosen for {_signals(self.precedent.taken)} like this one.")
        if self.precedent.passed_over:
            told.append(f"Passed over for {_signals(self.precedent.passed_over)} like this one.")
        if words:
            told.append(f"Shares the {'word' if len(self.hit.words) == 1 else 'words'} {words} with the ticket.")
        return " ".join(told) or "Shares no word with the ticket, but is near to it in meaning."


def match_signal(signal: Signal, *, limit: int = 3) -> list[Match]:
    """The best fitting published runbooks in the signal's scope, best first; those below the line are marked so.

    None for a company whose work has ended.
    """
    if signal.company is not None and not signal.company.is_active:
        return []
    shelf = shelf_of(signal.organization)
    among = shelf.in_scope(signal.company_id)
    if not among:
        return []
    conditions = _conditions(signal, shelf)
    before = _before(signal, shelf, among)
    query = _query(signal, shelf)
    hits = shelf.index.rank(
        query,
        limit=max(limit, CANDIDATES),
        among=among,
        always=among & (conditions.keys() | {place for place, each in before.items() if each.taken}),
    )
    weighed = [
        _Weighed(shelf.entries[hit.place], hit, conditions.get(hit.place, ()), before.get(hit.place, Precedent()))
        for hit in hits
    ]
    weighed.sort(key=lambda each: (-each.confidence, -each.hit.score, each.entry.record))
    title_words = [shelf.index.lexical.title_words(query.reading, each.hit.place) for each in weighed[:limit]]
    return _matches(signal, list(zip(weighed[:limit], title_words, strict=True)))


def _matches(signal: Signal, weighed: list[tuple[_Weighed, int]]) -> list[Match]:
    rows = Runbook.objects.for_organization(signal.organization).select_related("company")
    by_id = {row.pk: row for row in rows.filter(pk__in=[each.entry.runbook_id for each, _ in weighed])}
    return [
        Match(
            runbook=by_id[each.entry.runbook_id],
            record=each.entry.record,
            version=each.entry.number,
            title=each.entry.title,
            audience=each.entry.audience,
            score=round(each.confidence, 3),
            reason=each.reason,
            above_threshold=each.confidence >= THRESHOLD,
            may_start=each.may_start(title_words),
        )
        for each, title_words in weighed
        if each.entry.runbook_id in by_id
    ]


def _conditions(signal: Signal, shelf: Shelf) -> dict[int, tuple[Trigger, ...]]:
    """The conditions of published runbooks that this signal meets, by place, the strongest first."""
    if not signal.type and not signal.alert_type:
        return {}
    asked = Q(pk__in=[])
    if signal.type:
        asked |= Q(kind=Trigger.Kind.CLASSIFICATION, type__iexact=signal.type)
    if signal.alert_type:
        asked |= Q(kind=Trigger.Kind.ALERT, alert_type__iexact=signal.alert_type)
    found: dict[int, tuple[Trigger, ...]] = {}
    for trigger in Trigger.objects.for_organization(signal.organization).filter(asked, enabled=True).order_by("kind"):
        place = shelf.place_of(trigger.runbook_id)
        if place is not None and trigger.fits(signal):
            found[place] = (*found.get(place, ()), trigger)
    return found


def _before(signal: Signal, shelf: Shelf, among: frozenset[int]) -> dict[int, Precedent]:
    """What people chose for signals like this one, by place; a company's variant inherits from its parent."""
    chosen = precedents(signal)
    variants = {shelf.entries[place].forked_from_id: place for place in among if shelf.entries[place].forked_from_id}
    found: dict[int, Precedent] = {}
    for runbook_id, precedent in chosen.items():
        place = variants.get(runbook_id, shelf.place_of(runbook_id))
        if place is not None:
            held = found.get(place, Precedent())
            found[place] = Precedent(held.taken + precedent.taken, held.passed_over + precedent.passed_over)
    return found


def _query(signal: Signal, shelf: Shelf) -> Query:
    """What the ticket is about: its subject twice, how the source sorts it, and the head of its description."""
    description = signal.description[:DESCRIPTION_LENGTH]
    sorting = f"{signal.type} {signal.subtype} {signal.item}"
    vector = None
    if shelf.index.compares_meaning:
        vector = _vector(f"{signal.subject}. {description}")
    return Query(read(f"{signal.subject}\n{signal.subject}\n{sorting}\n{description}"), vector)


@lru_cache(maxsize=512)
def _vector(text: str) -> Vectors:
    """A page is drawn many times for the same text."""
    vector: Vectors = load_encoder().encode([text])[0]
    return vector


def _signals(count: int) -> str:
    return "a signal" if count == 1 else f"{count} signals"
