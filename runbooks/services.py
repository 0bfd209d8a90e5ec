"""What managers do with runbooks: write, publish, archive, fork, restore. Every save is a version in the history."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from approvals.models import Grant
from approvals.services import GrantDraft, issue_grants, revoke_grants
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require
from runbooks.contents import Content
from runbooks.document import Problem
from runbooks.guards import locked, may_read, require_author, rows
from runbooks.models import Runbook
from runbooks.publication import GRANT_LIFE, PublicationPlan, plan_publication, standing_problems
from runbooks.reviewing import close_published, newest_record, review_problems
from runbooks.telling import tell_forks
from runbooks.versions import NoSuchVersion, PublishedVersion, has_unpublished_changes, published_document

__all__ = [
    "AlreadyForked",
    "NoSuchVersion",
    "PublicationPlan",
    "PublishRefused",
    "PublishedVersion",
    "archive_runbook",
    "discard_draft",
    "fork_runbook",
    "has_unpublished_changes",
    "plan_publication",
    "publish_runbook",
    "published_document",
    "restore_version",
    "save_draft",
]


@dataclass
class PublishRefused(Exception):
    """The draft cannot be published as it is; each problem names its line."""

    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return " ".join(
            f"Line {problem.line}: {problem.message}" if problem.line else problem.message for problem in self.problems
        )


@dataclass
class AlreadyForked(Exception):
    """The company has a variant of that runbook already; `fork` is it."""

    fork: Runbook

    def __str__(self) -> str:
        words = f"{self.fork.company} has a variant of its own already: “{self.fork.title}”."
        archived = self.fork.status == Runbook.Status.ARCHIVED
        return f"{words} It is archived; restore one of its versions to use it again." if archived else words


@transaction.atomic
def save_draft(*, actor: Actor, runbook: Runbook, reason: str = "") -> Runbook:
    """Save a new or changed runbook. A published one stays in force as it was until the next publish.

    What is in force is taken from the database, however old the row is that the caller read.

    Raises:
        PermissionDenied: `actor` may not author for the company it belongs to, or belonged to (none = all).
        ValidationError: a field is not as it should be, or the company changed where it stays; by field name.
    """
    adding = runbook._state.adding
    if adding:
        runbook.organization = actor.organization
    else:
        before = locked(runbook, actor)
        require_author(actor, before)
        if before.company_id != runbook.company_id and before.scope_stays:
            raise ValidationError({"company": before.scope_stays})
        _keep_what_is_in_force(runbook, before)
    require_author(actor, runbook)
    runbook.full_clean(exclude=["organization", "published_by", "forked_from"])
    runbook.save_version(actor.membership, reason)
    record(actor, "runbook.created" if adding else "runbook.saved", runbook, {"reason": reason} if reason else {})
    return runbook


@transaction.atomic
def publish_runbook(*, actor: Actor, runbook: Runbook, note: str = "", seen: int | None = None) -> Runbook:
    """Put the draft in force as the next version; `actor` answers for every grant it means (PRODUCT 4).

    Grants of the version before end here: what still runs on it asks from now on, so a text that is in force as it is
    is published again only to renew its grants. `seen` is the history record whose grants the publisher was shown.

    Raises:
        PermissionDenied: `actor` may not author for its company (none = all).
        PublishRefused: the draft has problems, is not the one that was shown, brings nothing, or waits for a second
            person; or the runbook is archived.
    """
    runbook = locked(runbook, actor)
    require_author(actor, runbook)
    if seen is not None and newest_record(runbook) != seen:
        raise PublishRefused(
            (Problem(0, "The draft was saved again since you looked at it. Read what changed first."),)
        )
    plan = plan_publication(actor=actor, runbook=runbook)
    problems = standing_problems(runbook, plan) or [*plan.problems, *review_problems(actor=actor, runbook=runbook)]
    if problems:
        raise PublishRefused(tuple(problems))
    _end_grants(actor, runbook, "A newer version was published.")
    runbook.status = Runbook.Status.PUBLISHED
    runbook.published_number = (runbook.published_number or 0) + 1
    runbook.published_by = actor.membership
    runbook.published_at = timezone.now()
    runbook.save_version(actor.membership, note or f"Published as version {runbook.published_number}")
    runbook.published_record = runbook.history.latest("history_id").history_id
    rows(actor).filter(pk=runbook.pk).update(published_record=runbook.published_record)
    issue_grants(actor=actor, drafts=_drafts(runbook, plan))
    close_published(actor=actor, runbook=runbook)
    tell_forks(actor=actor, original=runbook)
    words = [grant.words for grant in plan.grants]
    record(actor, "runbook.published", runbook, {"version": runbook.published_number, "grants": words, "note": note})
    return runbook


@transaction.atomic
def archive_runbook(*, actor: Actor, runbook: Runbook, reason: str = "") -> Runbook:
    """Retire it: no new matches or runs, grants end at once; running sessions go on with every action asked for.

    Raises:
        PermissionDenied: `actor` may not author for its company (none = all).
    """
    runbook = locked(runbook, actor)
    require_author(actor, runbook)
    if runbook.status == Runbook.Status.ARCHIVED:
        return runbook
    runbook.status = Runbook.Status.ARCHIVED
    runbook.save_version(actor.membership, reason or "Archived")
    ended = _end_grants(actor, runbook, "The runbook was archived.")
    record(actor, "runbook.archived", runbook, {"grants_ended": ended, "reason": reason})
    return runbook


@transaction.atomic
def fork_runbook(*, actor: Actor, runbook: Runbook, company: Company) -> Runbook:
    """A draft for one company, from what is in force of a global runbook (else its draft); remembers the version.

    Raises:
        PermissionDenied: `actor` may not author for `company`.
        AlreadyForked: the company has a variant of it, which may be archived.
        ValidationError: the runbook belongs to a company itself.
    """
    require(actor, Permission.AUTHOR_RUNBOOKS, company)
    runbook = locked(runbook, actor)
    if runbook.company_id is not None:
        raise ValidationError("Only a global runbook can be forked for a company.")
    there = rows(actor).filter(forked_from=runbook, company=company).order_by("created_at").first()
    if there is not None:
        raise AlreadyForked(there)
    source = runbook.history.filter(history_id=runbook.published_record).first() or runbook
    fork = Runbook(
        organization=actor.organization,
        company=company,
        forked_from=runbook,
        forked_number=runbook.published_number,
    )
    Content.of(source).write_to(fork)
    return save_draft(actor=actor, runbook=fork, reason=f"Forked for {company.name}")


@transaction.atomic
def restore_version(*, actor: Actor, runbook: Runbook, record_id: int, reason: str = "") -> Runbook:
    """Make an earlier version the draft again; an archived runbook becomes a draft.

    Raises:
        PermissionDenied: `actor` may not author for its company (none = all).
        NoSuchVersion: the history has no such record, or none that `actor` may read.
    """
    runbook = locked(runbook, actor)
    require_author(actor, runbook)
    earlier = runbook.history.filter(history_id=record_id).first()
    if earlier is None or not may_read(actor, earlier.company_id):
        raise NoSuchVersion("This runbook has no such version.")
    Content.of(earlier).write_to(runbook)
    # what a fork stands on belongs to its text: without the text taken over, there is something to take over again
    runbook.forked_number = earlier.forked_number
    if runbook.status == Runbook.Status.ARCHIVED:
        runbook.status = Runbook.Status.DRAFT
    return save_draft(
        actor=actor, runbook=runbook, reason=reason or f"Restored from {earlier.history_date:%-d %b %Y %H:%M}"
    )


@transaction.atomic
def discard_draft(*, actor: Actor, runbook: Runbook) -> Runbook:
    """Make the draft what is in force again; what was written stays in the history.

    Raises:
        PermissionDenied: `actor` may not author for its company (none = all).
        NoSuchVersion: nothing was ever published.
    """
    runbook = locked(runbook, actor)
    in_force = runbook.history.filter(history_id=runbook.published_record).first()
    if in_force is None:
        raise NoSuchVersion("Nothing is in force, so there is nothing to go back to.")
    Content.of(in_force).write_to(runbook)
    runbook.forked_number = in_force.forked_number
    return save_draft(
        actor=actor, runbook=runbook, reason=f"Draft discarded, back to version {runbook.published_number}"
    )


def _keep_what_is_in_force(runbook: Runbook, before: Runbook) -> None:
    """Only publishing and archiving write these; a draft may end an archived state, nothing else."""
    for name in ("published_number", "published_record", "published_by_id", "published_at"):
        setattr(runbook, name, getattr(before, name))
    if (before.status, runbook.status) != (Runbook.Status.ARCHIVED, Runbook.Status.DRAFT):
        runbook.status = before.status


def _drafts(runbook: Runbook, plan: PublicationPlan) -> list[GrantDraft]:
    ends = timezone.now() + GRANT_LIFE
    return [
        GrantDraft(
            kind="runbook",
            tool=grant.compiled.tool,
            words=grant.words,
            rules=grant.compiled.rules,
            company=runbook.company,
            runbook=f"{runbook.pk}:{runbook.published_number}",
            step=grant.compiled.step,
            expires_at=ends,
        )
        for grant in plan.grants
    ]


def _end_grants(actor: Actor, runbook: Runbook, reason: str) -> int:
    standing = Grant.objects.for_organization(actor.organization).filter(
        kind=Grant.Kind.RUNBOOK, runbook__startswith=f"{runbook.pk}:", revoked_at=None
    )
    return revoke_grants(actor=actor, grants=standing, reason=reason)
