"""Questions about many runbooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

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

    def saying(self, words: Iterable[str]) -> Self:
        """Those in which every word stands as readers see them: the version in force, else the draft."""
        found = self
        for word in words:
            said = Q(title__icontains=word) | Q(description__icontains=word) | Q(body__icontains=word)
            found = found.filter(Q(published_record=None) & said | Q(Exists(self._in_force().filter(said))))
        return found

    def by_shown_title(self) -> Self:
        """By status, what is published first, then by the title that readers see."""
        shown = Coalesce(Subquery(self._in_force().values("title")[:1]), F("title"))
        return self.annotate(shown_title=shown).order_by("-status", "shown_title", "id")

    def _in_force(self) -> QuerySet[Any]:
        """The history record in force of the outer query's runbook."""
        records = self.model.history.model.objects
        found: QuerySet[Any] = records.filter(history_id=OuterRef("published_record"), id=OuterRef("pk"))
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
