"""Each organization's published versions, indexed and kept in memory, in every process.

A shelf is compared with a stamp in the database before each use, so a publish counts at once everywhere; what changed
is put into the index that is there, and the other versions are not read again.
"""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import count
from time import monotonic
from typing import Final

from django.db.models import Count, Max, Sum

from junto.bells import ring
from junto.retrieval.encoder import Vectors, is_installed, load_encoder
from junto.retrieval.index import DocumentIndex
from junto.tenants.models import Organization
from runbooks.meaning import encode_and_store, pieces, published_texts, stored_vectors
from runbooks.models import Runbook

#: So many new versions are encoded while somebody waits for a match, each in about 0.2 s; more of them by a task.
ENCODED_AT_ONCE: Final = 4
#: How often a shelf that waits for vectors looks for them, in seconds.
VECTORS_LOOKED_FOR: Final = 5.0

#: How many are published, when the last was, the newest record, and the sum of all.
Stamp = tuple[int, object, int | None, int | None]
#: A version in force: its record, its runbook, and when it was published.
Published = tuple[int, uuid.UUID, datetime | None]


@dataclass(frozen=True)
class Entry:
    """A version in force: what is ranked, and whom it is for."""

    published: Published
    record: int
    number: int
    title: str
    audience: str
    company_id: uuid.UUID | None
    forked_from_id: uuid.UUID | None

    @property
    def runbook_id(self) -> uuid.UUID:
        """Whose version it is."""
        return self.published[1]


@dataclass(frozen=True)
class Shelf:
    """An organization's versions in force at one stamp. `entries` stand by their places in the index."""

    stamp: Stamp
    entries: Mapping[int, Entry]
    index: DocumentIndex
    waiting_since: float | None = None

    def in_scope(self, company_id: uuid.UUID | None) -> frozenset[int]:
        """Places of what is global or the company's own; its variant takes the place of the global parent."""
        own = {place for place in self._of_companies if self.entries[place].company_id == company_id}
        if company_id is None or not own:
            return self._global
        replaced = {self.entries[place].forked_from_id for place in own}
        parents = {place for place in map(self.place_of, replaced) if place is not None}
        return (self._global - parents) | own

    def place_of(self, runbook_id: uuid.UUID | None) -> int | None:
        """Where a runbook's version in force stands."""
        return self._places.get(runbook_id) if runbook_id else None

    @cached_property
    def _global(self) -> frozenset[int]:
        return frozenset(place for place, entry in self.entries.items() if entry.company_id is None)

    @cached_property
    def _of_companies(self) -> frozenset[int]:
        return frozenset(self.entries) - self._global

    @cached_property
    def _places(self) -> dict[uuid.UUID, int]:
        return {entry.runbook_id: place for place, entry in self.entries.items()}


_shelves: dict[uuid.UUID, Shelf] = {}
#: One lock an organization: nobody waits while the large shelf of another one is filled.
_building: defaultdict[uuid.UUID, threading.Lock] = defaultdict(threading.Lock)


def shelf_of(organization: Organization) -> Shelf:
    """What is in force now."""
    stamp = _stamp(organization)
    shelf = _shelves.get(organization.pk)
    if shelf is None or _is_old(shelf, stamp):
        with _building[organization.pk]:
            shelf = _shelves.get(organization.pk)
            if shelf is None or _is_old(shelf, stamp):
                shelf = _shelves[organization.pk] = _next(shelf, organization, stamp)
    return shelf


def _is_old(shelf: Shelf, stamp: Stamp) -> bool:
    waited = shelf.waiting_since is not None and monotonic() - shelf.waiting_since > VECTORS_LOOKED_FOR
    return waited or shelf.stamp != stamp


def _next(shelf: Shelf | None, organization: Organization, stamp: Stamp) -> Shelf:
    """The shelf at `stamp`, from the one before where there is one."""
    if shelf is None or shelf.stamp != stamp:
        shelf = _taken_over(shelf or Shelf(stamp, {}, DocumentIndex.of({})), organization, stamp)
    bare = {shelf.entries[place].record: place for place in shelf.index.without_vectors}
    if not bare or not is_installed():
        return replace(shelf, waiting_since=None)
    vectors = _vectors(organization, frozenset(bare))
    index = shelf.index.with_vectors({bare[record]: found for record, found in vectors.items()})
    if not index.without_vectors:
        return replace(shelf, index=index, waiting_since=None)
    if shelf.waiting_since is None or not vectors:  # else the task is at it
        ring("runbook.unencoded", str(organization.pk))
    return replace(shelf, index=index, waiting_since=monotonic())


def _taken_over(shelf: Shelf, organization: Organization, stamp: Stamp) -> Shelf:
    """What was published or withdrawn since, put into the index that is there."""
    rows = Runbook.objects.for_organization(organization).filter(status=Runbook.Status.PUBLISHED)
    now = {row[0]: row for row in rows.values_list("published_record", "pk", "published_at")}
    stay = {place: entry for place, entry in shelf.entries.items() if entry.published == now.get(entry.record)}
    new = sorted(now.keys() - {entry.record for entry in stay.values()})
    free = (place for place in count() if place not in stay)
    places = dict(zip(new, free, strict=False))
    texts = published_texts(organization, new)
    added = {places[entry.record]: entry for entry in _entries(organization, now, new)}
    index = shelf.index.replaced(
        {places[record]: text for record, text in texts.items()}, without=shelf.entries.keys() - stay.keys()
    )
    return Shelf(stamp, stay | added, index)


def _vectors(organization: Organization, records: frozenset[int]) -> dict[int, Vectors]:
    """Those that are stored; where few are missing, these too are made now."""
    encoder = load_encoder()
    vectors = stored_vectors(organization, records, encoder=encoder.name)
    missing = records - frozenset(vectors)
    if len(missing) <= ENCODED_AT_ONCE:
        vectors |= encode_and_store(organization, published_texts(organization, missing), encoder=encoder)
    return vectors


def _stamp(organization: Organization) -> Stamp:
    """Changes whenever a runbook is published or archived. Read before the entries, so an index is never too young."""
    rows = Runbook.objects.for_organization(organization).filter(status=Runbook.Status.PUBLISHED)
    found = rows.aggregate(
        count=Count("pk"), at=Max("published_at"), newest=Max("published_record"), total=Sum("published_record")
    )
    return found["count"], found["at"], found["newest"], found["total"]


def _entries(organization: Organization, now: Mapping[int, Published], records: list[int]) -> Iterator[Entry]:
    for piece in pieces(records):
        rows = Runbook.history.model.objects.filter(organization=organization, history_id__in=piece)
        for row in rows.values_list(
            "history_id", "published_number", "title", "audience", "company_id", "forked_from_id"
        ):
            yield Entry(now[row[0]], *row)
