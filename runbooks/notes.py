"""What somebody should know about a runbook at a glance: a draft beside it, a review that waits, an original that
moved on, unattended use that is suspended, a schedule that lacks values. For lists: each kind is one query for all."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runbooks.forks import upstreams
from runbooks.lacking import lacking_now
from runbooks.models import ReviewRequest, Runbook
from runbooks.suspension import suspended
from runbooks.versions import drafts_beside, newest_records


@dataclass(frozen=True)
class Note:
    """One such thing, in few words and in full."""

    kind: Literal["draft", "review", "moved_on", "suspended", "schedule"]
    words: str
    detail: str


def notes_of(runbooks: Sequence[Runbook]) -> dict[uuid.UUID, tuple[Note, ...]]:
    """The notes of each runbook; those of one organization."""
    published = [row for row in runbooks if row.status == Runbook.Status.PUBLISHED]
    beside, reviews, originals, resting, lacking = (
        drafts_beside(published),
        _reviews(runbooks),
        upstreams(runbooks),
        suspended(published),
        lacking_now(published),
    )
    found: dict[uuid.UUID, tuple[Note, ...]] = {}
    for row in runbooks:
        notes = []
        if row.pk in resting:
            notes.append(Note("suspended", "Unattended use suspended", " ".join(resting[row.pk])))
        if row.pk in lacking:
            detail = " ".join(f"{lack.trigger.words}: {lack.words}" for lack in lacking[row.pk])
            notes.append(Note("schedule", "A schedule starts no run", detail))
        if row.pk in beside:
            notes.append(
                Note(
                    "draft", f"Draft beside v{row.published_number}", "The text in force stays until the next publish."
                )
            )
        if row.pk in reviews:
            notes.append(Note("review", "Review asked", reviews[row.pk]))
        upstream = originals.get(row.pk)
        if upstream is not None and upstream.moved_on:
            stands = f"version {upstream.stands_on}" if upstream.stands_on else "its draft"
            detail = f"It stands on {stands} of “{upstream.original.title}”; version {upstream.now} is in force there."
            notes.append(Note("moved_on", "The original moved on", detail))
        found[row.pk] = tuple(notes)
    return found


def _reviews(runbooks: Sequence[Runbook]) -> dict[uuid.UUID, str]:
    """Who asks for a review of the draft as it is now, by runbook."""
    if not runbooks:
        return {}
    waiting = list(
        ReviewRequest.objects.for_organization(runbooks[0].organization)
        .filter(runbook__in=[row.pk for row in runbooks], outcome=ReviewRequest.Outcome.OPEN)
        .select_related("asked_by__user")
    )
    newest = newest_records(each.runbook_id for each in waiting)
    return {
        each.runbook_id: f"{each.asked_by.user.display_name} asks for it."
        for each in waiting
        if newest.get(each.runbook_id) == each.record
    }
