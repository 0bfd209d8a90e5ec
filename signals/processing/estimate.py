"""What it would take to let the processors read tickets again: time, and what a language model would cost.

Only what would really be read counts: a processor that is off for a ticket's company, or not on its board, reads it
not. Costs are what the questions so far took, those that led to no value too, at today's price, and how many there were
a reading; where none was asked yet, they are by the length of the tickets, as if each were asked about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Avg, Count, Exists, Min, OuterRef

from integrations.services import model_info
from junto.tenants.models import Organization
from junto.tenants.scoping import TenantQuerySet
from signals.models import ModelQuestion, ProcessorResult, Signal
from signals.processing.daily import asked_today, own_limits
from signals.processing.plans import plans_by_company
from signals.processing.pricing import question_cost, questions_so_far
from signals.processors.base import AnyProcessor, ModelOptions, Producer

#: What a processor takes for one ticket before it has ever run here, in milliseconds.
_UNKNOWN_MILLISECONDS = 5.0
#: Where the operator set no price for the model in use.
NO_PRICE = "not known: no price is set"


@dataclass(frozen=True)
class Share:
    """What one processor has to do with the chosen tickets.

    `tickets` = those it would read; of `asking` of them it may ask a language model. `seconds` of work; `microcents`
    about, None where no price is set for the model. `capped` = it reaches its questions a day.
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
        """In words; where no price is set, that stands once in the cost of all (`Estimate.cost`)."""
        if self.microcents is None:
            return "may be asked"
        return f"about {cents(self.microcents)}" if self.asking else "No cost"


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
    def priced(self) -> bool:
        """Whether it is known of all of them what the language model would cost."""
        return all(share.microcents is not None for share in self.chosen)

    @property
    def seconds(self) -> float:
        """Of work, as far as it is known."""
        return round(sum(share.seconds for share in self.chosen), 1)

    @property
    def cost(self) -> str:
        """All of it in words; never “no cost” where a language model would be asked."""
        if not self.asks:
            return "no cost"
        known = sum(share.microcents or 0 for share in self.chosen)
        return f"about {cents(known)}" if self.priced else f"cost {NO_PRICE}"


@dataclass(frozen=True)
class _Asked:
    """What a processor's questions took so far: how many a ticket, and how long."""

    a_ticket: float = 1.0
    milliseconds: float = 0.0


@dataclass(frozen=True)
class _Limit:
    """Questions a day: the organization's number, or that of a company that has its own."""

    company_id: UUID | None
    daily: int


def estimate(
    organization: Organization, signals: Collection[Signal], *, only: Collection[str] | None = None
) -> Estimate:
    """Of open signals, for the processors of `only` (slugs; None: all that would read any of them)."""
    planned = plans_by_company(organization)
    reads: Counter[str] = Counter()
    asks: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    own = own_limits(organization)
    limits: defaultdict[str, Counter[_Limit]] = defaultdict(Counter)
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
                asks[slug].append((signal.subject, signal.description))
                place = signal.company_id if signal.company_id in own.get(slug, ()) else None
                limits[slug][_Limit(place, plan.options.model_daily)] += 1
    took = _took(organization)
    shares = []
    for processor in (plan.processor for plan in planned(None)):
        slug = processor.slug
        if not reads[slug]:
            continue
        share = Share(processor, reads[slug], len(asks[slug]), chosen=only is None or slug in only)
        share = replace(share, seconds=share.tickets * took.get(slug, _UNKNOWN_MILLISECONDS) / 1000)
        shares.append(_priced(organization, share, asks[slug], limits[slug]) if asks[slug] else share)
    return Estimate(open=len(signals), tickets=len(read), shares=shares)


def cents(microcents: int) -> str:
    """Rounded up to a hundredth of a cent, so that a little is not nothing."""
    return f"{-(-microcents // 10_000) / 100:.2f} ¢"


def _priced(
    organization: Organization, share: Share, texts: Sequence[tuple[str, str]], limits: Mapping[_Limit, int]
) -> Share:
    asked = _asked(organization, share.processor.slug)
    whole = share.asking * asked.a_ticket
    left = _left(organization, share.processor.slug, limits, asked.a_ticket)
    each = question_cost(organization, share.processor, texts)
    return replace(
        share,
        seconds=share.seconds + share.asking * asked.milliseconds / 1000,
        microcents=None if each is None else round(left * each),
        capped=left < whole,
    )


def _left(organization: Organization, slug: str, limits: Mapping[_Limit, int], a_ticket: float) -> float:
    """The questions that so many tickets under each limit take, as far as they are left today."""
    own, found = own_limits(organization), 0.0
    for limit, tickets in limits.items():
        today = asked_today(organization, slug, limit.company_id, own).count()
        found += min(tickets * a_ticket, max(0, limit.daily - today))
    return found


def _took(organization: Organization) -> Mapping[str, float]:
    """Milliseconds on average of each processor's results that no language model gave."""
    rows = ProcessorResult.objects.for_organization(organization).filter(model="").order_by().values("processor")
    return {row["processor"]: row["took"] for row in rows.annotate(took=Avg("milliseconds"))}


def _asked(organization: Organization, slug: str) -> _Asked:
    """Of the model that answered last. Two steps are one ticket's.

    A ticket of which something cheaper was sure was asked nothing, and counts as one too.
    """
    asked = questions_so_far(organization, slug).order_by()
    # one that was asked anew, as its answer could not be read, is one question of its ticket
    questions = Count("digest", distinct=True)
    whole = asked.aggregate(mean=Avg("milliseconds"), questions=questions, since=Min("created_at"))
    if not whole["questions"]:
        return _Asked()
    readings = asked.values("signal", "revision").distinct().count()
    readings += _read_without(organization, slug, asked, since=whole["since"])
    each = whole["questions"] / readings
    return _Asked(each, whole["mean"] * each)


def _read_without(
    organization: Organization, slug: str, asked: TenantQuerySet[ModelQuestion], *, since: datetime
) -> int:
    """Readings that gave a value without any of those questions. One that gave none may have lacked an answer only."""
    states = ProcessorResult.State
    rows = ProcessorResult.objects.for_organization(organization).filter(
        processor=slug,
        producer__in=[Producer.RULE, Producer.LEARNED],
        state__in=[states.CURRENT, states.SUPERSEDED, states.REVERTED],
        created_at__gte=since,
    )
    questions = asked.filter(signal=OuterRef("signal"), revision=OuterRef("revision"))
    found: int = rows.exclude(Exists(questions)).order_by().values("signal", "revision").distinct().count()
    return found
