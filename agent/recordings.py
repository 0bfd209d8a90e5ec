"""What look-ups of the past answered: the only world a replay sees.

Only of the same organization and company, and only of the very same tool and arguments (I6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from approvals.models import Action
from junto.tenants.models import Company
from junto.tenants.scoping import TenantQuerySet
from signals.models import Signal


@dataclass(frozen=True)
class Recording:
    """What a look-up answered. `near`: made for the same ticket, or for the same company."""

    result: JsonValue
    near: Literal["ticket", "company"]


@dataclass(frozen=True)
class Recordings:
    """The look-ups recorded for a signal's company."""

    signal: Signal
    company: Company

    def of(self, tool: str, digest: str) -> Recording | None:
        """The answer to `tool` with arguments of this digest; None where nobody ever asked.

        For the ticket itself: the first answer of its newest run, as later ones show what that run changed. Else the
        newest one of the company.
        """
        rows: TenantQuerySet[Action] = Action.objects.for_organization(self.signal.organization).filter(
            company=self.company, tool=tool, digest=digest, category="read", state=Action.State.SUCCEEDED
        )
        own = rows.filter(origin__subject=self.signal.origin_subject).order_by("-origin__created_at", "created_at")
        found = own.first()
        if found is not None:
            return Recording(found.result, "ticket")
        found = rows.order_by("-created_at").first()
        return Recording(found.result, "company") if found is not None else None
