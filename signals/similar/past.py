"""Solved tickets, indexed in memory in every process: those of one company, and apart from them those of all.

An index is made at its first use and then told what changed, so 100,000 tickets are never read for one page: it holds
the newest MOST_OF_COMPANY of a company, or MOST_OF_ALL of an organization (docs/similar-signals.md has the figures).
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from time import monotonic
from typing import Final

from django.utils import timezone

from junto.retrieval.documents import Document
from junto.retrieval.lexical import LexicalIndex
from junto.tenants.models import Company, Organization
from signals.models import Signal
from signals.querysets import SignalQuerySet

#: How many solved tickets an index begins with, newest first.
MOST_OF_COMPANY: Final = 2_000
MOST_OF_ALL: Final = 6_000
#: From so many changes on an index is made anew, and when it has grown to so many times its beginning.
MOST_CHANGES: Final = 1_000
GROWTH: Final = 2
#: Characters of a description that are compared: the matter comes first, then signatures and quoted mails.
HEAD: Final = 400
#: Seconds for which an index is not asked whether something changed.
LOOKED_FOR: Final = 15.0
#: What was stamped so long before it could be read is still found: transactions take their time.
OVERLAP: Final = timedelta(minutes=2)
#: Indexes kept, those used last; each takes about a megabyte for a thousand tickets.
MOST_KEPT: Final = 64

Scope = tuple[uuid.UUID, uuid.UUID | None]


@dataclass(frozen=True)
class Entry:
    """A ticket in an index: what it was read as, and whose it is."""

    signal_id: uuid.UUID
    revision: int
    company_id: uuid.UUID | None


@dataclass(frozen=True)
class Past:
    """Solved tickets by their places in the index, with all that was stamped until `until`."""

    entries: Mapping[int, Entry]
    index: LexicalIndex
    until: datetime
    looked_at: float


_kept: OrderedDict[Scope, Past] = OrderedDict()
_access = threading.Lock()
_building: defaultdict[Scope, threading.Lock] = defaultdict(threading.Lock)


def past_of(organization: Organization, company: Company | None = None) -> Past:
    """The solved tickets of `company`; without one, those of the whole organization."""
    scope = (organization.pk, company.pk if company else None)
    with _building[scope]:
        past = _kept.get(scope)
        if past is None or monotonic() - past.looked_at > LOOKED_FOR:
            rows: SignalQuerySet = Signal.objects.for_organization(organization).exclude(company=None)
            rows = rows.filter(company=company) if company else rows
            most = MOST_OF_COMPANY if company else MOST_OF_ALL
            past = _begun(rows, most) if past is None else _next(past, rows, most)
        with _access:
            _kept[scope] = past
            _kept.move_to_end(scope)
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    return past


def forget_past() -> None:
    """Drop every index, as a new process would begin."""
    with _access:
        _kept.clear()


def _begun(rows: SignalQuerySet, most: int) -> Past:
    empty = Past({}, LexicalIndex({}), timezone.now(), monotonic())
    solved = rows.filter(state=Signal.State.RESOLVED).order_by("-source_updated_at")
    return _with(empty, _read(solved, most))


def _next(past: Past, rows: SignalQuerySet, most: int) -> Past:
    """What was solved, opened again or rewritten since."""
    now = timezone.now()
    found = _read(rows.filter(changed_at__gte=past.until - OVERLAP), MOST_CHANGES)
    if len(found) == MOST_CHANGES or len(past.entries) > GROWTH * most:
        return _begun(rows, most)
    return replace(_with(past, found), until=now, looked_at=monotonic())


def _read(rows: SignalQuerySet, most: int) -> list[tuple[Entry, str, Document]]:
    columns = ("pk", "revision", "company_id", "state", "subject", "head")
    return [
        (Entry(pk, revision, company_id), state, Document(subject, head))
        for pk, revision, company_id, state, subject, head in rows.heads(HEAD).values_list(*columns)[:most]
    ]


def _with(past: Past, found: list[tuple[Entry, str, Document]]) -> Past:
    places = {entry.signal_id: place for place, entry in past.entries.items()}
    entries = dict(past.entries)
    read: dict[int, Document] = {}
    gone: set[int] = set()
    free = (place for place in count() if place not in past.entries)
    for entry, state, document in found:
        place = places.get(entry.signal_id)
        if state != Signal.State.RESOLVED:
            if place is not None:
                gone.add(place)
                del entries[place]
        elif place is None or entries[place] != entry:
            place = next(free) if place is None else place
            entries[place] = entry
            read[place] = document
    if not read and not gone:
        return past
    return replace(past, entries=entries, index=past.index.replaced(read, without=gone))
