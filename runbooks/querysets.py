"""Questions about many runbooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db.models import Q

from junto.tenants.scoping import TenantQuerySet

if TYPE_CHECKING:
    from junto.tenants.actors import Actor


class RunbookQuerySet(TenantQuerySet[Any]):
    """Runbooks; global ones (no company) are seen by every member."""

    def visible_to(self, actor: Actor) -> Self:
        """Global runbooks, and those of the companies the actor reaches."""
        found = super().visible_to(actor)
        if actor.companies is not None:
            found = found.filter(Q(company=None) | Q(company__in=actor.companies))
        return found


class TriggerQuerySet(TenantQuerySet[Any]):
    """Conditions of runbooks; those of global runbooks are seen by every member."""

    def visible_to(self, actor: Actor) -> Self:
        """Those of global runbooks, and of the companies the actor reaches."""
        found = super().visible_to(actor)
        if actor.companies is not None:
            found = found.filter(Q(runbook__company=None) | Q(runbook__company__in=actor.companies))
        return found


class ReviewQuerySet(TriggerQuerySet):
    """Requests for a review; seen as the runbook is."""


class FiringQuerySet(TenantQuerySet[Any]):
    """Starts without a person's choice, each for one company."""

    company_path = "company"


class ChoiceQuerySet(TenantQuerySet[Any]):
    """Runbooks that people chose, each for a signal of one company."""

    company_path = "signal__company"
