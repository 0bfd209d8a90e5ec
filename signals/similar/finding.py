"""Solved tickets that are like one: by words, and among these by meaning where the extra is installed.

A model is only ever told of those of the session's company (`similar_in`); those of other companies are for the screen
of a member who may see them (`similar_elsewhere`).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy

from junto.retrieval.encoder import Vectors, is_installed, load_encoder
from junto.retrieval.words import Reading, read
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from signals.models import Signal
from signals.querysets import SignalQuerySet
from signals.similar.past import HEAD, Past, past_of

#: From this share of the weight of a ticket's words on, another one is like it (docs/similar-signals.md).
ALIKE: Final = 0.25
#: So many of the nearest by words are put in order by meaning.
COMPARED: Final = 20
#: What nearness in meaning counts beside the words.
MEANING_WEIGHT: Final = 1.0
REASON_WORDS: Final = 4


@dataclass(frozen=True)
class Similar:
    """A solved ticket like the one asked about; `head` = how its description begins.

    `share` = how much of the weight of the other one's words they have in common.
    """

    signal: Signal
    head: str
    share: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class _Near:
    place: int
    signal_id: uuid.UUID
    share: float


def similar_in(signal: Signal, *, company: Company, limit: int) -> list[Similar]:
    """Solved tickets of `company` like `signal`, the most alike first."""
    rows: SignalQuerySet = Signal.objects.for_organization(company.organization).filter(company=company)
    return _similar(signal, past_of(company.organization, company), rows, limit=limit)


def similar_elsewhere(signal: Signal, *, actor: Actor, limit: int) -> list[Similar]:
    """Solved tickets like `signal` of other companies, only those that `actor` may see. For a screen, never a model."""
    rows: SignalQuerySet = Signal.objects.visible_to(actor).exclude(company=None).exclude(company=signal.company_id)
    past = past_of(actor.organization)
    seen = {signal.company_id, None}
    return _similar(signal, past, rows, limit=limit, without=seen, only=actor.companies)


def _similar(
    signal: Signal,
    past: Past,
    rows: SignalQuerySet,
    *,
    limit: int,
    without: Collection[uuid.UUID | None] = (),
    only: Collection[uuid.UUID] | None = None,
) -> list[Similar]:
    """`rows` has the last word on what may be shown: the index only says what to look for."""
    reading = read(f"{signal.subject}\n{signal.description[:HEAD]}")
    near = _near(signal, past, reading, without=without, only=only)
    solved = rows.filter(pk__in=[each.signal_id for each in near], state=Signal.State.RESOLVED)
    found = {row.pk: row for row in solved.with_relations().heads(HEAD)}
    near = [each for each in near if each.signal_id in found]
    near = _by_meaning(signal, near, found)[:limit]
    words = past.index.telling_words(reading, [each.place for each in near], limit=REASON_WORDS)
    return [
        Similar(found[each.signal_id], found[each.signal_id].head, each.share, telling)
        for each, telling in zip(near, words, strict=True)
    ]


def _near(
    signal: Signal,
    past: Past,
    reading: Reading,
    *,
    without: Collection[uuid.UUID | None],
    only: Collection[uuid.UUID] | None,
) -> list[_Near]:
    scored = past.index.score(reading)
    shares = scored.scores / max(scored.reachable, 1e-6)
    near: list[_Near] = []
    for place in numpy.argsort(-shares, kind="stable"):
        share = float(shares[place])
        if share < ALIKE or len(near) == COMPARED:
            break
        entry = past.entries[int(place)]
        hidden = entry.company_id in without or (only is not None and entry.company_id not in only)
        if not hidden and entry.signal_id != signal.pk:
            near.append(_Near(int(place), entry.signal_id, share))
    return near


def _by_meaning(signal: Signal, near: Sequence[_Near], found: Mapping[uuid.UUID, Signal]) -> list[_Near]:
    """The order by words and meaning together; by words alone without the extra."""
    if len(near) < 2 or not is_installed():
        return list(near)
    asked = _vector(signal.subject)
    nearness = {each.place: float(_vector(found[each.signal_id].subject) @ asked) for each in near}
    return sorted(near, key=lambda each: -(each.share + MEANING_WEIGHT * nearness[each.place]))


@lru_cache(maxsize=2048)
def _vector(subject: str) -> Vectors:
    """Subjects come again: of one ticket at every look at it."""
    vector: Vectors = load_encoder().encode([subject])[0]
    return vector
