"""A company's own variants of global runbooks: where they stand, and taking over what their original became."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from junto.audit.services import record
from junto.tenants.actors import Actor
from runbooks.contents import Content
from runbooks.guards import locked, require_author, rows
from runbooks.models import Runbook
from runbooks.reconciling import Answers, ContentMerge, merge_contents
from runbooks.services import save_draft
from runbooks.versions import NoSuchVersion, published_record_of


class DraftMoved(Exception):
    """The draft was saved by somebody, or the original published, since the page was shown."""


@dataclass(frozen=True)
class Upstream:
    """The original of a fork. `now` = its version in force, None where it has none."""

    original: Runbook
    stands_on: int | None
    skipped: int | None
    now: int | None

    @property
    def is_newer(self) -> bool:
        """Whether the original has a version that the fork does not stand on."""
        return self.now is not None and self.now > (self.stands_on or 0)

    @property
    def moved_on(self) -> bool:
        """The same, and nobody chose to pass that version over."""
        return self.is_newer and (self.now or 0) > (self.skipped or 0)


@dataclass(frozen=True)
class UpstreamMerge:
    """What taking over would do. `seen` is the fork's newest record, `number` the original's version."""

    upstream: Upstream
    number: int
    seen: int
    merge: ContentMerge


def upstreams(runbooks: Iterable[Runbook]) -> dict[uuid.UUID, Upstream]:
    """The originals of those that are forks, by the fork, in one query."""
    forks = [runbook for runbook in runbooks if runbook.forked_from_id is not None]
    if not forks:
        return {}
    found = Runbook.objects.for_organization(forks[0].organization)
    originals = {row.pk: row for row in found.filter(pk__in={fork.forked_from_id for fork in forks})}
    return {
        fork.pk: _upstream(fork, originals[fork.forked_from_id]) for fork in forks if fork.forked_from_id in originals
    }


def upstream_of(fork: Runbook) -> Upstream | None:
    """The original of a fork; None for a runbook that is none."""
    return upstreams([fork]).get(fork.pk)


def plan_merge(fork: Runbook) -> UpstreamMerge:
    """How the draft of a fork and the original's version in force come together; changes nothing.

    The base is the version that the fork stands on.

    Raises:
        NoSuchVersion: it is no fork, or its original has nothing newer in force.
    """
    upstream = upstream_of(fork)
    if upstream is None or upstream.now is None or not upstream.is_newer:
        raise NoSuchVersion("The original has no newer version in force.")
    theirs = published_record_of(upstream.original, upstream.now)
    # a fork of a draft that was never published began as a copy of it
    base = published_record_of(upstream.original, upstream.stands_on) or fork.history.earliest("history_id")
    if theirs is None or theirs.company_id is not None:
        raise NoSuchVersion("The original has no newer version in force.")
    merge = merge_contents(base=Content.of(base), ours=Content.of(fork), theirs=Content.of(theirs))
    return UpstreamMerge(upstream, upstream.now, fork.history.latest("history_id").history_id, merge)


@transaction.atomic
def merge_upstream(*, actor: Actor, fork: Runbook, number: int, seen: int, answers: Answers) -> Runbook:
    """Take version `number` of the original over into the draft, as decided on a page that showed record `seen`.

    Raises:
        PermissionDenied: `actor` may not author for the fork's company.
        DraftMoved: the draft or the original is no longer what the page showed.
        NoSuchVersion: there is nothing to take over.
        ValidationError: the merged fields are not as they should be.
    """
    fork = locked(fork, actor)
    require_author(actor, fork)
    plan = plan_merge(fork)
    if (plan.number, plan.seen) != (number, seen):
        raise DraftMoved("The draft or the original changed since this page was shown. Look again.")
    plan.merge.resolved(answers).write_to(fork)
    fork.forked_number, fork.skipped_number = number, None
    return save_draft(actor=actor, runbook=fork, reason=f"Took over version {number} of the original")


@transaction.atomic
def skip_upstream(*, actor: Actor, fork: Runbook, number: int) -> None:
    """Pass version `number` of the original over: nobody is asked about it again, only about the next one.

    Raises:
        PermissionDenied: `actor` may not author for the fork's company.
        DraftMoved: another version of the original is in force by now.
    """
    fork = locked(fork, actor)
    require_author(actor, fork)
    upstream = upstream_of(fork)
    if upstream is None or upstream.now != number:
        raise DraftMoved("Another version of the original is in force by now. Look again.")
    # no version of the text: what the fork says does not change
    rows(actor).filter(pk=fork.pk).update(skipped_number=number)
    record(actor, "runbook.upstream_skipped", fork, {"version": number})


@dataclass(frozen=True)
class Family:
    """A runbook with all forks of its original that somebody may see."""

    original: Runbook
    forks: tuple[tuple[Runbook, Upstream], ...]


def family_of(*, actor: Actor, runbook: Runbook) -> Family | None:
    """The original and its forks, by company; None where the original is gone."""
    visible = Runbook.objects.visible_to(actor).select_related("company")
    original = visible.filter(pk=runbook.forked_from_id or runbook.pk).first()
    if original is None:
        return None
    forks = visible.filter(forked_from=original).order_by("company__name", "title", "id")
    return Family(original, tuple((fork, _upstream(fork, original)) for fork in forks))


def _upstream(fork: Runbook, original: Runbook) -> Upstream:
    # one that became a company's own, which could happen before scopes stayed, is not shown to the others
    in_force = original.status == Runbook.Status.PUBLISHED and original.company_id is None
    now = original.published_number if in_force else None
    return Upstream(original, fork.forked_number, fork.skipped_number, now)
