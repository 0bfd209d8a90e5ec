"""What it would take to let the processors read tickets again."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Avg, QuerySet

from junto.tenants.models import Organization
from signals.models import ProcessorResult, Signal
from signals.processing.plans import plans

#: What a processor takes for one ticket before it has ever run here, in milliseconds.
_UNKNOWN_MILLISECONDS = 5.0


@dataclass(frozen=True)
class Estimate:
    """Tickets that would be read, with the time and the money that they took so far on average."""

    tickets: int
    seconds: float
    cents: float
    board: str
    company: str


def estimate(organization: Organization, signals: QuerySet[Signal], *, board: str = "", company: str = "") -> Estimate:
    """From what the processors that are switched on took up to now, on average."""
    tickets = len(signals.values_list("pk", flat=True))
    seen = ProcessorResult.objects.for_organization(organization).order_by().values("processor")
    known = {
        row["processor"]: (row["took"] or 0.0, row["paid"] or 0.0)
        for row in seen.annotate(took=Avg("milliseconds"), paid=Avg("microcents"))
    }
    due = [plan.processor.slug for plan in plans(organization) if plan.enabled]
    each = [known.get(slug, (_UNKNOWN_MILLISECONDS, 0.0)) for slug in due]
    return Estimate(
        tickets=tickets,
        seconds=round(tickets * sum(took for took, _ in each) / 1000, 1),
        cents=round(tickets * sum(paid for _, paid in each) / 1_000_000, 2),
        board=board,
        company=company,
    )
