"""Published versions: pinned history records of simple-history, read as what they were."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from django.db.models import Max

from runbooks.contents import Content
from runbooks.document import RunbookDocument, parse
from runbooks.inputs import InputDeclaration, read_inputs
from runbooks.models import Runbook


class NoSuchVersion(LookupError):
    """The runbook has no version of that record."""


@dataclass(frozen=True)
class PublishedVersion:
    """One version as it was published. Immutable: sessions are pinned to `record`."""

    runbook_id: uuid.UUID
    record: int
    number: int
    title: str
    description: str
    body: str
    category: str
    audience: str
    on_success: str
    company_id: uuid.UUID | None
    inputs: tuple[InputDeclaration, ...]
    published_at: datetime | None

    @property
    def pin(self) -> str:
        """How grants and origins name it: `<runbook id>:<number>`."""
        return f"{self.runbook_id}:{self.number}"

    @cached_property
    def document(self) -> RunbookDocument:
        """Its steps and mentions."""
        return parse(self.body)


def published_document(runbook: Runbook, record: int | None = None) -> PublishedVersion:
    """The version in force, or the one of an earlier history record that a session is pinned to.

    Raises:
        NoSuchVersion: it was never published, or the record is not a published version of this runbook.
    """
    wanted = record or runbook.published_record
    row = runbook.history.filter(history_id=wanted).first() if wanted else None
    if row is None or row.history_id != _first_record_of(runbook, row.published_number):
        raise NoSuchVersion(f"“{runbook.title}” has no such published version.")
    return _version(row)


def drafted_version(runbook: Runbook, record: int) -> PublishedVersion:
    """A saved draft as if it had been published next.

    Raises:
        NoSuchVersion: the history of this runbook has no such record.
    """
    row = runbook.history.filter(history_id=record).first()
    if row is None:
        raise NoSuchVersion(f"“{runbook.title}” has no such draft.")
    return replace(_version(row), number=(row.published_number or 0) + 1)


def published_versions(runbooks: Iterable[Runbook]) -> dict[uuid.UUID, PublishedVersion]:
    """The versions in force of many runbooks, by runbook, in one query; those never published are left out."""
    records = [runbook.published_record for runbook in runbooks if runbook.published_record is not None]
    return {row.id: _version(row) for row in Runbook.history.model.objects.filter(history_id__in=records)}


def _version(row: Runbook) -> PublishedVersion:
    """A history record, which has the runbook's own fields, as a version."""
    return PublishedVersion(
        runbook_id=row.id,
        record=row.history_id,  # type: ignore[attr-defined]
        number=row.published_number or 0,
        title=row.title,
        description=row.description,
        body=row.body,
        category=row.category,
        audience=row.audience,
        on_success=row.on_success,
        company_id=row.company_id,
        inputs=read_inputs(row.inputs),
        published_at=row.published_at,
    )


def _first_record_of(runbook: Runbook, number: int | None) -> int | None:
    """The record that publishing wrote; saves after it carry the same number and are drafts."""
    if number is None:
        return None
    found: int | None = (
        runbook.history.filter(published_number=number)
        .order_by("history_id")
        .values_list("history_id", flat=True)
        .first()
    )
    return found


def has_unpublished_changes(runbook: Runbook) -> bool:
    """Whether the draft says something else than the version in force; a runbook never published is all draft."""
    return runbook.pk in drafts_beside([runbook])


def drafts_beside(runbooks: Iterable[Runbook]) -> set[uuid.UUID]:
    """Which of the runbooks have such a draft as they were saved last, in two queries.

    Texts are read only of those that were saved since their publish.
    """
    in_force = {runbook.pk: runbook.published_record for runbook in runbooks}
    newest = newest_records(in_force)
    later = {key: record for key, record in in_force.items() if newest.get(key) != record}
    wanted = [record for key in later for record in (later[key], newest.get(key)) if record is not None]
    texts = {row.history_id: _said(row) for row in Runbook.history.model.objects.filter(history_id__in=wanted)}
    return {key for key, record in later.items() if record is None or texts.get(record) != texts.get(newest.get(key))}


def newest_records(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The history record that each runbook was saved with last, in one query."""
    found = Runbook.history.model.objects.filter(id__in=list(keys)).values_list("id").annotate(Max("history_id"))
    return dict(found)


def published_record_of(runbook: Runbook, number: int | None) -> Runbook | None:
    """The history record that holds version `number`; None where there is no such version."""
    record = _first_record_of(runbook, number)
    found: Runbook | None = runbook.history.filter(history_id=record).first() if record else None
    return found


def _said(row: Runbook) -> tuple[Content, uuid.UUID | None]:
    return Content.of(row), row.company_id
