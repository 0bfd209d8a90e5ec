"""Questions about many sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db.models import Q

from junto.tenants.scoping import TenantQuerySet

if TYPE_CHECKING:
    from junto.tenants.actors import Actor


class SessionQuerySet(TenantQuerySet[Any]):
    """Sessions of the companies an actor reaches."""

    company_path = "company"


class OfSessionQuerySet(TenantQuerySet[Any]):
    """Rows of one session."""

    company_path = "session__company"


class InstructionQuerySet(TenantQuerySet[Any]):
    """Instructions; those of the organization (no company) are seen by every member."""

    def visible_to(self, actor: Actor) -> Self:
        """The organization's, and those of the companies the actor reaches."""
        found = super().visible_to(actor)
        if actor.companies is not None:
            found = found.filter(Q(company=None) | Q(company__in=actor.companies))
        return found


class ReplayQuerySet(TenantQuerySet[Any]):
    """Replays of drafts; those of a global runbook are seen by members who reach all companies."""

    company_path = "runbook__company"


class ReplayedSignalQuerySet(TenantQuerySet[Any]):
    """Signals of replays, each of one company."""

    company_path = "company"


class OfReplayedSignalQuerySet(TenantQuerySet[Any]):
    """Rows of one signal of a replay."""

    company_path = "replayed__company"
