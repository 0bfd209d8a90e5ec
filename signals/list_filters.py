"""What is asked of the list of signals: filters from the address, the signals that fit, and their pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import F, OrderBy
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property

from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from signals.models import Board, Signal
from signals.querysets import FEW, SignalQuerySet
from signals.searching import Search
from signals.service.attention import LABELS as ATTENTION_LABELS
from signals.service.attention import Attention, needing
from signals.service.hours import hours_of
from signals.words import STATE_WORDS

#: Values of `state` that mean several states.
OPEN, ALL = "", "all"
#: Values of `order`; the first is the default, but of what is told by its due time that is.
ORDERS: Final[dict[str, tuple[str | OrderBy, ...]]] = {
    "updated": ("-source_updated_at", "id"),
    "created": ("-source_created_at", "id"),
    "priority": ("priority", "-source_updated_at", "id"),
    "due": (F("clock__due_at").asc(nulls_last=True), "id"),
}
_BY_DUE: Final = frozenset({Attention.AT_RISK, Attention.BREACHED})
PAGE_SIZE = 50

State = Signal.State


@dataclass(frozen=True)
class Filters:
    """What the address asks for. A value that cannot be is left out, so that an old link still opens."""

    q: str = ""
    state: str = OPEN
    board: str = ""
    company: str = ""
    priority: str = ""
    assignee: str = ""
    order: str = "updated"
    attention: str = ""

    @classmethod
    def read(cls, asked: QueryDict) -> Filters:
        """The filters in a query string."""
        state, order = asked.get("state", OPEN), asked.get("order", "")
        attention = asked.get("attention", "")
        usual = "due" if attention in _BY_DUE else "updated"
        return cls(
            q=asked.get("q", "").strip()[:200],
            state=state if state in (*State.values, ALL) else OPEN,
            board=_identifier(asked.get("board", "")),
            company=_identifier(asked.get("company", "")),
            priority=asked.get("priority", "")[:80].replace("\0", ""),
            assignee=asked.get("assignee", "")[:120].replace("\0", ""),
            order=order if order in ORDERS else usual,
            attention=attention if attention in list(Attention) else "",
        )

    def of_states(self, signals: SignalQuerySet, organization: Organization) -> SignalQuerySet:
        """Those in the state asked for; without one, the open ones. What needs attention is open."""
        if self.attention:
            hours = hours_of(organization)
            return needing(signals, Attention(self.attention), hours=hours, now=timezone.now())
        if self.state == ALL:
            return signals
        return signals.filter(state__in=Signal.OPEN) if self.state == OPEN else signals.filter(state=self.state)

    def of_all_else(self, signals: SignalQuerySet, organization: Organization) -> Fitting:
        """Those that fit everything but the state. A search is three queries now."""
        exact = {
            "board": self.board,
            "company": self.company,
            "priority": self.priority,
            "assignee": self.assignee,
        }
        rows: SignalQuerySet = signals.filter(**{name: value for name, value in exact.items() if value})
        if not self.q:
            return Fitting(rows)
        found = rows.search(self.q, organization=organization)
        return Fitting(found.signals, asked=found.asked, many=found.many)


@dataclass(frozen=True)
class Fitting:
    """The signals that fit everything but the state; where a search (`asked`) found `many`, nobody counts the tabs."""

    signals: SignalQuerySet
    asked: Search | None = None
    many: bool = False


def find_fitting(actor: Actor, filters: Filters) -> Fitting:
    """The signals the actor may see that fit everything but the state: what the page and the tabs are made of."""
    return filters.of_all_else(Signal.objects.visible_to(actor), actor.organization)


def find_rows(fitting: Fitting, filters: Filters, organization: Organization) -> SignalPages:
    """Those of `fitting` in the state asked for, in the order asked for, page by page."""
    found = filters.of_states(fitting.signals, organization)
    many = fitting.many
    if many and fitting.asked is not None:  # they may be few in this state
        again = found.searched(fitting.asked)
        found, many = again.signals, again.many
    rows = found.with_relations().select_related("clock").order_by(*ORDERS[filters.order])
    return SignalPages(rows, most=FEW if many else None)


class SignalPages(Paginator):  # type: ignore[type-arg]
    """Pages of a list of all of `found`; `most` = there are more signals than these, which nobody counts or leafs
    through.
    """

    def __init__(self, rows: SignalQuerySet, *, most: int | None) -> None:
        super().__init__(rows, PAGE_SIZE)
        self.found = rows
        self.most = most

    @cached_property
    def count(self) -> int:
        """How many can be leafed through."""
        return super().count if self.most is None else self.most

    @property
    def total(self) -> str:
        """How many there are, as far as anybody counted."""
        return f"{self.count:,}" if self.most is None else f"more than {self.most:,}"


def filter_words(actor: Actor, filters: Filters) -> list[str]:
    """What a filter asks for, word by word, as the list's own fields name it; two queries at most."""
    if filters.attention:
        which = ATTENTION_LABELS[Attention(filters.attention)]
    elif filters.state in (OPEN, ALL):
        which = "Open" if filters.state == OPEN else "All"
    else:
        which = STATE_WORDS[filters.state].word
    board = Board.objects.visible_to(actor).filter(pk=filters.board).first() if filters.board else None
    company = Company.objects.visible_to(actor).filter(pk=filters.company).first() if filters.company else None
    names = [place.name for place in (board, company) if place is not None]
    asked = [f"“{filters.q}”"] if filters.q else []
    return [which, *names, *filter(None, (filters.priority, filters.assignee)), *asked]


def _identifier(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        return ""
