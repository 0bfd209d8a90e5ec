"""Which published runbooks fit a signal: ranked by words, with the reason, and a line below which none does.

An index of each organization's versions in force is kept in memory and thrown away as soon as its stamp in the database
changes, so a publish counts at once in every process.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from junto.retrieval.lexical import Document, Hit, LexicalIndex
from junto.tenants.models import Organization
from runbooks.models import Runbook
from signals.models import Signal

#: From here on a runbook counts as fitting; junto/retrieval/lexical.py says how the scale was measured.
THRESHOLD = 0.5
#: How much of a description is compared, in characters: the matter comes first, then signatures and quoted mails.
DESCRIPTION_LENGTH = 2000

#: How many are published, when the last was, and the newest record.
Stamp = tuple[int, datetime | None, int | None]


@dataclass(frozen=True)
class Match:
    """A published runbook for a signal. `title`, `audience` and `version` are those in force, not the draft's."""

    runbook: Runbook
    record: int
    version: int
    title: str
    audience: str
    score: float
    reason: str
    above_threshold: bool


@dataclass(frozen=True)
class _Entry:
    """A version in force: what is ranked, and whom it is for."""

    runbook_id: uuid.UUID
    record: int
    number: int
    title: str
    text: str
    audience: str
    company_id: uuid.UUID | None
    forked_from_id: uuid.UUID | None


@dataclass(frozen=True)
class _Shelf:
    """An organization's versions in force at one stamp, indexed."""

    stamp: Stamp
    entries: tuple[_Entry, ...]
    index: LexicalIndex

    def in_scope(self, company_id: uuid.UUID | None) -> frozenset[int]:
        """Places of what is global or the company's own; its variant takes the place of the global parent."""
        own = [entry for entry in self.entries if entry.company_id and entry.company_id == company_id]
        replaced = {entry.forked_from_id for entry in own}
        return frozenset(
            place
            for place, entry in enumerate(self.entries)
            if (entry.company_id is None and entry.runbook_id not in replaced)
            or (entry.company_id is not None and entry.company_id == company_id)
        )


_shelves: dict[uuid.UUID, _Shelf] = {}
_building = threading.Lock()


def match_signal(signal: Signal, *, limit: int = 3) -> list[Match]:
    """The best fitting published runbooks in the signal's scope, best first; those below the line are marked so."""
    shelf = _shelf(signal.organization)
    hits = shelf.index.rank(_query(signal), limit=limit, among=shelf.in_scope(signal.company_id))
    rows = Runbook.objects.for_organization(signal.organization).select_related("company")
    by_id = {row.pk: row for row in rows.filter(pk__in=[shelf.entries[hit.position].runbook_id for hit in hits])}
    return [
        _match(by_id[entry.runbook_id], entry, hit)
        for hit in hits
        if (entry := shelf.entries[hit.position]).runbook_id in by_id
    ]


def _match(runbook: Runbook, entry: _Entry, hit: Hit) -> Match:
    words = ", ".join(f"“{word}”" for word in hit.words)
    return Match(
        runbook=runbook,
        record=entry.record,
        version=entry.number,
        title=entry.title,
        audience=entry.audience,
        score=round(hit.confidence, 3),
        reason=f"Shares the {'word' if len(hit.words) == 1 else 'words'} {words} with the ticket.",
        above_threshold=hit.confidence >= THRESHOLD,
    )


def _query(signal: Signal) -> str:
    """What the ticket is about: its subject twice, how the source sorts it, and the head of its description."""
    sorting = f"{signal.type} {signal.subtype} {signal.item}"
    return f"{signal.subject}\n{signal.subject}\n{sorting}\n{signal.description[:DESCRIPTION_LENGTH]}"


def _shelf(organization: Organization) -> _Shelf:
    stamp = _stamp(organization)
    shelf = _shelves.get(organization.pk)
    if shelf is not None and shelf.stamp == stamp:
        return shelf
    with _building:
        shelf = _shelves.get(organization.pk)
        if shelf is None or shelf.stamp != stamp:
            entries = tuple(_entries(organization))
            index = LexicalIndex([Document(entry.title, entry.text) for entry in entries])
            shelf = _shelves[organization.pk] = _Shelf(stamp, entries, index)
    return shelf


def _stamp(organization: Organization) -> Stamp:
    """Changes whenever a runbook is published or archived. Read before the entries, so an index is never too young."""
    rows = Runbook.objects.for_organization(organization).filter(status=Runbook.Status.PUBLISHED)
    found = rows.aggregate(count=Count("pk"), published=Max("published_at"), records=Max("published_record"))
    return found["count"], found["published"], found["records"]


def _entries(organization: Organization) -> list[_Entry]:
    pinned = Runbook.objects.for_organization(organization).filter(status=Runbook.Status.PUBLISHED)
    records = list(pinned.values_list("published_record", flat=True))
    versions = Runbook.history.model.objects.filter(organization=organization, history_id__in=records)
    return [
        _Entry(
            runbook_id=version.id,
            record=version.history_id,
            number=version.published_number,
            title=version.title,
            text=f"{version.description}\n{' '.join(_tags(version.tags))}\n{version.body}",
            audience=version.audience,
            company_id=version.company_id,
            forked_from_id=version.forked_from_id,
        )
        for version in versions.order_by("history_id")
    ]


def _tags(tags: object) -> list[str]:
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
