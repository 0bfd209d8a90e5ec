"""Who is told when a global runbook moves on: the people who wrote the companies' variants of it."""

from __future__ import annotations

from junto.inbox.services import notify
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from runbooks.guards import may_author, rows
from runbooks.models import Runbook


def tell_forks(*, actor: Actor, original: Runbook) -> None:
    """Tell the authors of its forks that a new version is in force, but `actor`, who put it there.

    The caller is inside the transaction of the publish.
    """
    forks = rows(actor).filter(forked_from=original).exclude(status=Runbook.Status.ARCHIVED).select_related("company")
    for fork in forks:
        stands = f"version {fork.forked_number}" if fork.forked_number else "its draft"
        notify(
            members=_authors(fork, actor),
            kind="runbook.moved_on",
            title=f"The original of “{fork.title}” moved on",
            body=(
                f"Version {original.published_number} of “{original.title}” is in force. "
                f"{fork.company}’s variant stands on {stands}: take the changes over, or skip that version."
            ),
            path=f"admin/runbooks/runbook/{fork.pk}/merge/",
            subject=f"fork:{fork.pk}",
        )


def _authors(fork: Runbook, actor: Actor) -> list[Membership]:
    """Members who saved it at any time and may still write it, without `actor`."""
    members = (
        Membership.objects.for_organization(fork.organization)
        .filter(is_active=True, user__is_active=True, user__in=fork.history.values("history_user"))
        .select_related("user", "organization")
    )
    return [member for member in members if member != actor.membership and may_author(Actor.person(member), fork)]
