"""Schedules whose runs could not begin: their runbook asks for values that they do not give."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runbooks.contents import Content
from runbooks.inputs import InputDeclaration
from runbooks.models import Runbook, Trigger
from runbooks.values import ValuesRefused, prefill, read_values
from runbooks.versions import published_versions


@dataclass(frozen=True)
class Lack:
    """One schedule, and what it lacks in words."""

    trigger: Trigger
    words: str


def asked_now(runbook: Runbook) -> tuple[InputDeclaration, ...]:
    """The inputs that a run begun now asks for: those in force, else the draft's."""
    version = published_versions([runbook]).get(runbook.pk)
    return version.inputs if version else Content.of(runbook).declarations


def lacking_once_published(runbook: Runbook) -> tuple[Lack, ...]:
    """The schedules that would start no run of the draft."""
    return _lacks(_schedules([runbook])[runbook.pk], Content.of(runbook).declarations)


def lacking_now(runbooks: Sequence[Runbook]) -> dict[uuid.UUID, tuple[Lack, ...]]:
    """The schedules that start no run of what is in force, by published runbook; those that lack nothing left out."""
    schedules = _schedules([row for row in runbooks if row.status == Runbook.Status.PUBLISHED])
    versions = published_versions(row for row in runbooks if schedules.get(row.pk))
    lacks = {key: _lacks(schedules[key], version.inputs) for key, version in versions.items()}
    return {key: found for key, found in lacks.items() if found}


def _lacks(schedules: Iterable[Trigger], declared: Sequence[InputDeclaration]) -> tuple[Lack, ...]:
    found = ((trigger, _words(trigger, declared)) for trigger in schedules)
    return tuple(Lack(trigger, words) for trigger, words in found if words)


def _words(trigger: Trigger, declared: Sequence[InputDeclaration]) -> str:
    try:
        read_values(declared, {**prefill(declared, None), **trigger.inputs})
    except ValuesRefused as refused:
        return str(refused)
    return ""


def _schedules(runbooks: Sequence[Runbook]) -> dict[uuid.UUID, list[Trigger]]:
    """The schedules that start each: its own, and for a variant without any those of its original, for its company."""
    found: dict[uuid.UUID, list[Trigger]] = {row.pk: [] for row in runbooks}
    if not runbooks:
        return found
    originals = [row.forked_from_id for row in runbooks if row.forked_from_id]
    rows = Trigger.objects.for_organization(runbooks[0].organization).filter(
        runbook__in=[*found, *originals], kind=Trigger.Kind.SCHEDULE, enabled=True
    )
    every = list(rows.prefetch_related("companies"))
    for row in runbooks:
        found[row.pk] = [trigger for trigger in every if trigger.runbook_id == row.pk] or [
            trigger
            for trigger in every
            if trigger.runbook_id == row.forked_from_id
            and row.company_id in {company.pk for company in trigger.companies.all()}
        ]
    return found
