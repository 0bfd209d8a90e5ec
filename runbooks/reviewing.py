"""Two people behind one text: who asks for a review, who answers, and whether an organization wants that at all."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from junto.audit.services import record
from junto.inbox.services import notify
from junto.tenants.actors import Actor
from junto.tenants.models import Membership, Organization
from junto.tenants.permissions import Permission, require
from runbooks.document import Problem
from runbooks.guards import locked, may_author, require_author
from runbooks.models import PublishingRule, ReviewRequest, Runbook
from runbooks.publication import plan_publication, standing_problems


class ReviewRefused(ValueError):
    """The review cannot be asked for or answered like that; the message says why."""


def second_person_needed(organization: Organization) -> bool:
    """Whether publishing takes two people here."""
    return PublishingRule.objects.for_organization(organization).filter(second_person=True).exists()


@transaction.atomic
def set_publishing_rule(*, actor: Actor, second_person: bool) -> PublishingRule:
    """Say for the whole organization whether publishing takes two people.

    Raises:
        PermissionDenied: `actor` may not set policies.
        ReviewRefused: no person sets it.
    """
    require(actor, Permission.MANAGE_POLICIES)
    if actor.membership is None:
        raise ReviewRefused("Only a person sets this rule.")
    rule, _ = PublishingRule.objects.for_organization(actor.organization).update_or_create(
        organization=actor.organization, defaults={"second_person": second_person, "set_by": actor.membership}
    )
    record(actor, "runbook.publishing_rule_set", rule, {"second_person": second_person})
    return rule


def open_review(runbook: Runbook) -> ReviewRequest | None:
    """The request that waits, if it is about the draft as it is now."""
    waiting = (
        ReviewRequest.objects.for_organization(runbook.organization)
        .filter(runbook=runbook, outcome=ReviewRequest.Outcome.OPEN)
        .select_related("asked_by__user")
        .first()
    )
    return waiting if waiting is not None and waiting.record == newest_record(runbook) else None


def review_problems(*, actor: Actor, runbook: Runbook) -> list[Problem]:
    """What the organization's rule says against `actor` publishing this draft now."""
    if not second_person_needed(runbook.organization):
        return []
    waiting = open_review(runbook)
    if waiting is None:
        return [Problem(0, "Here a second person publishes: ask for a review of this draft first.")]
    if waiting.asked_by == actor.membership:
        return [Problem(0, "Here a second person publishes: you asked for the review, so somebody else does.")]
    return []


@transaction.atomic
def ask_review(*, actor: Actor, runbook: Runbook, note: str = "") -> ReviewRequest:
    """Stand behind the draft as it is now, and ask others to read and publish it. Those who may are told.

    Raises:
        PermissionDenied: `actor` may not author for its company (none = all).
        ReviewRefused: a review of this very draft waits already, no person asks, or nobody could publish it.
    """
    runbook = locked(runbook, actor)
    require_author(actor, runbook)
    if actor.membership is None:
        raise ReviewRefused("Only a person asks for a review.")
    if open_review(runbook) is not None:
        raise ReviewRefused("A review of this draft is waiting already.")
    plan = plan_publication(actor=actor, runbook=runbook)
    if standing_problems(runbook, plan) or plan.in_draft:
        raise ReviewRefused("Nobody could publish it as it is. Put right first what the page says.")
    _close(runbook, actor, ReviewRequest.Outcome.RETURNED, "The draft was saved again.")
    asked = ReviewRequest(
        organization=runbook.organization,
        runbook=runbook,
        record=newest_record(runbook),
        asked_by=actor.membership,
        note=note[:300],
    )
    asked.save(force_insert=True)
    notify(
        members=_others(runbook, actor.membership),
        kind="runbook.review",
        title=f"{actor.label} asks for a review of “{runbook.title}”",
        body=note,
        path=f"admin/runbooks/runbook/{runbook.pk}/publish/",
        subject=f"runbook:{runbook.pk}",
    )
    record(actor, "runbook.review_asked", runbook, {"record": asked.record, "note": note})
    return asked


@transaction.atomic
def return_review(*, actor: Actor, runbook: Runbook, answer: str) -> None:
    """Send the draft back with a reason; whoever asked is told.

    Raises:
        PermissionDenied: `actor` may not author for its company (none = all).
        ReviewRefused: no review waits, or no reason is given.
    """
    runbook = locked(runbook, actor)
    require_author(actor, runbook)
    waiting = open_review(runbook)
    if waiting is None:
        raise ReviewRefused("No review of this draft is waiting.")
    if not answer.strip():
        raise ReviewRefused("Say what should be changed.")
    _close(runbook, actor, ReviewRequest.Outcome.RETURNED, answer.strip())
    if waiting.asked_by != actor.membership:
        notify(
            members=[waiting.asked_by],
            kind="runbook.review_returned",
            title=f"{actor.label} sent “{runbook.title}” back",
            body=answer.strip(),
            path=f"admin/runbooks/runbook/{runbook.pk}/change/",
        )
    record(actor, "runbook.review_returned", runbook, {"answer": answer.strip()})


def close_published(*, actor: Actor, runbook: Runbook) -> None:
    """Note that what was asked for has been published; the caller is inside the transaction of the publish."""
    _close(runbook, actor, ReviewRequest.Outcome.PUBLISHED, "")


def newest_record(runbook: Runbook) -> int:
    """The history record of the draft as it was saved last."""
    newest: int = runbook.history.latest("history_id").history_id
    return newest


def _close(runbook: Runbook, actor: Actor, outcome: ReviewRequest.Outcome, answer: str) -> None:
    ReviewRequest.objects.for_organization(runbook.organization).filter(
        runbook=runbook, outcome=ReviewRequest.Outcome.OPEN
    ).update(outcome=outcome, answered_by=actor.membership, answered_at=timezone.now(), answer=answer[:300])


def _others(runbook: Runbook, asker: Membership) -> list[Membership]:
    """Members who could publish it, without the one who asks."""
    members = (
        Membership.objects.for_organization(runbook.organization)
        .filter(is_active=True, user__is_active=True)
        .exclude(pk=asker.pk)
        .select_related("user", "organization")
    )
    return [member for member in members if may_author(Actor.person(member), runbook)]
