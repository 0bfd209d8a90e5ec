"""What it would take to let the processors read tickets again: time, and what a language model would cost.

Only what would really be read counts: a processor that is off for a ticket's company, or not on its board, reads it
not. Costs are those of the questions that were asked so far, those among them that led to no value too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.db.models import Avg, Count, Sum
from django.utils import timezone

from integrations.services import model_info
from junto.tenants.models import Organization
from signals.models import ModelQuestion, ProcessorResult, Signal
from signals.processing.plans import plans_by_company
from signals.processors.base import AnyProcessor, ModelOptions

#: What a processor takes for one ticket before it has ever run here, in milliseconds.
_UNKNOWN_MILLISECONDS = 5.0


@dataclass(frozen=True)
class Share:
    """What one processor has to do with the chosen tickets.

    `tickets` = those it would read; of `asking` of them it may ask a language model. `seconds` of work; `microcents`
    at most, None where it would ask and never did, so that nobody knows. `capped` = it reaches its questions a day.
    """

    processor: AnyProcessor
    tickets: int
    asking: int = 0
    seconds: float = 0.0
    microcents: int | None = 0
    capped: bool = False
    chosen: bool = True

    @property
    def cost(self) -> str:
        """In words."""
        if self.microcents is None:
            return "Not known yet"
        return f"up to {cents(self.microcents)}" if self.asking else "No cost"


@dataclass(frozen=True)
class Estimate:
    """Of `open` tickets `tickets` would be read by any chosen processor. `shares` of all that could read them."""

    open: int
    tickets: int
    shares: Sequence[Share]

    @property
    def chosen(self) -> list[Share]:
        """Of the processors that were chosen, and read any of the tickets."""
        return [share for share in self.shares if share.chosen]

    @property
    def asks(self) -> bool:
        """Whether a language model may be asked by any of them."""
        return any(share.asking for share in self.chosen)

    @property
    def seconds(self) -> float:
        """Of work, as far as it is known."""
        return round(sum(share.seconds for share in self.chosen), 1)

    @property
    def cost(self) -> str:
        """All of it in words; never “no cost” where a language model would be asked."""
        chosen = self.chosen
        known = sum(share.microcents or 0 for share in chosen)
        asking = [share for share in chosen if share.asking]
        unknown = [share.processor.label for share in asking if share.microcents is None]
        if asking and len(unknown) == len(asking):
            return "what the language model costs is not known yet"
        if unknown:
            return f"up to {cents(known)} and what is not known yet ({', '.join(unknown)})"
        return f"up to {cents(known)}" if asking else "no cost"


@dataclass(frozen=True)
class _Asked:
    """What a processor's questions took so far, of the model that answered last."""

    a_ticket: float
    milliseconds: float
    a_question: float
    today: int


def estimate(
    organization: Organization, signals: Collection[Signal], *, only: Collection[str] | None = None
) -> Estimate:
    """Of open signals, for the processors of `only` (slugs; None: all that would read any of them)."""
    planned = plans_by_company(organization)
    reads: Counter[str] = Counter()
    asks: Counter[str] = Counter()
    daily: dict[str, int] = {}
    read: set[UUID] = set()
    model = not model_info(organization).rehearsal
    for signal in signals:
        for plan in planned(signal.company_id):
            slug = plan.processor.slug
            if not plan.applies(signal.board_id):
                continue
            reads[slug] += 1
            if only is None or slug in only:
                read.add(signal.pk)
            if model and isinstance(plan.options, ModelOptions) and plan.options.ask_model:
                asks[slug] += 1
                daily[slug] = max(daily.get(slug, 0), plan.options.model_daily)
    took = _took(organization)
    shares = [
        _priced(
            Share(
                processor, reads[processor.slug], asks[processor.slug], chosen=only is None or processor.slug in only
            ),
            took.get(processor.slug, _UNKNOWN_MILLISECONDS),
            _asked(organization, processor.slug) if asks[processor.slug] else None,
            daily.get(processor.slug, 0),
        )
        for processor in (plan.processor for plan in planned(None))
        if reads[processor.slug]
    ]
    return Estimate(open=len(signals), tickets=len(read), shares=shares)


def cents(microcents: int) -> str:
    """Rounded up to a hundredth of a cent, so that a little is not nothing."""
    return f"{-(-microcents // 10_000) / 100:.2f} ¢"


def _priced(share: Share, took: float, asked: _Asked | None, daily: int) -> Share:
    seconds = share.tickets * took / 1000
    if not share.asking:
        return replace(share, seconds=seconds)
    if asked is None:
        return replace(share, seconds=seconds, microcents=None)
    whole, left = share.asking * asked.a_ticket, max(0, daily - asked.today) * asked.a_question
    return replace(
        share,
        seconds=seconds + share.asking * asked.milliseconds / 1000,
        microcents=round(min(whole, left)),
        capped=left < whole,
    )


def _took(organization: Organization) -> Mapping[str, float]:
    """Milliseconds on average of each processor's results that no language model gave."""
    rows = ProcessorResult.objects.for_organization(organization).filter(model="").order_by().values("processor")
    return {row["processor"]: row["took"] for row in rows.annotate(took=Avg("milliseconds"))}


def _asked(organization: Organization, slug: str) -> _Asked | None:
    """None before any question was asked. Two steps of one reading are one ticket."""
    rows = ModelQuestion.objects.for_organization(organization).filter(processor=slug)
    newest = rows.order_by("-created_at").values_list("model", flat=True).first()
    if newest is None:
        return None
    asked = rows.filter(model=newest).order_by()
    whole = asked.aggregate(paid=Sum("microcents"), took=Sum("milliseconds"), questions=Count("pk"))
    readings = max(1, asked.values("signal", "revision").distinct().count())
    return _Asked(
        a_ticket=whole["paid"] / readings,
        milliseconds=whole["took"] / readings,
        a_question=whole["paid"] / whole["questions"],
        today=rows.filter(created_at__gt=timezone.now() - timedelta(days=1)).count(),
    )
