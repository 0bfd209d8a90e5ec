"""What programs do with their tokens over MCP, counted by day and tool."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db.models import F, Sum
from django.utils import timezone

from junto.team.models import TokenUse
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission, require

#: How long a day's figures are kept, and how far back they are told.
KEPT = timedelta(days=90)
TOLD = timedelta(days=30)


def count_use(*, actor: Actor, tool: str, refused: bool) -> None:
    """Count one call of a token over MCP; of nobody else is anything counted."""
    if actor.token_id is None:
        return
    row, _ = TokenUse.objects.for_organization(actor.organization).get_or_create(
        token_id=actor.token_id,
        day=timezone.now().date(),
        tool=tool[:80],
        defaults={"organization": actor.organization},
    )
    rows = TokenUse.objects.for_organization(actor.organization).filter(pk=row.pk)
    rows.update(calls=F("calls") + 1, refused=F("refused") + refused)


@dataclass
class Uses:
    """A token's calls of the last 30 days. `by_tool` has the most called first."""

    calls: int = 0
    refused: int = 0
    by_tool: list[tuple[str, int]] = field(default_factory=list)


def uses_of_tokens(*, actor: Actor) -> Mapping[UUID, Uses]:
    """The calls of each token that made any. Raises PermissionDenied."""
    require(actor, Permission.MANAGE_TOKENS)
    rows = TokenUse.objects.for_organization(actor.organization).filter(day__gt=timezone.now().date() - TOLD)
    sums = rows.order_by().values_list("token_id", "tool").annotate(calls_sum=Sum("calls"), refused_sum=Sum("refused"))
    found: dict[UUID, Uses] = defaultdict(Uses)
    for token, tool, calls, refused in sums.order_by("-calls_sum", "tool"):
        uses = found[token]
        uses.calls += calls
        uses.refused += refused
        uses.by_tool.append((tool, calls))
    return found


def forget_uses(organization: Organization) -> None:
    """Drop what is older than promised."""
    TokenUse.objects.for_organization(organization).filter(day__lt=timezone.now().date() - KEPT).delete()
