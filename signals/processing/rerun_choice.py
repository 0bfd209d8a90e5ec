"""Which tickets an Admin lets be read again: ticked ones, those of a place, or all that the list's filter finds.

What a place or a filter finds is settled once, when the form is opened: the form names the tickets, so that what comes
in meanwhile is not among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.core.exceptions import TooManyFieldsSent
from django.db.models import Count
from django.http import QueryDict

from junto.tenants.actors import Actor
from junto.tenants.models import Company
from signals.list_filters import Filters, filter_words, find_fitting, find_rows
from signals.models import Board, Signal
from signals.processing.rerun import MOST_RERUN
from signals.querysets import SignalQuerySet

#: Tickets that an address can name: more would not fit into it.
MOST_CHOSEN: Final = 100
#: Said in place of a figure where a search found too many to be counted.
MANY: Final = "many"
#: Fields that tell where tickets come from.
_SOURCES: Final = ("board", "of", "fitting")
_LONGEST_FIGURE: Final = 9
#: What is said of one, and of several, that are not open.
_CLOSED: Final = ("is closed", "are closed")
_REPEATS: Final = ("repeats another signal", "repeat another signal")
_OVER: Final = {
    Signal.State.MERGED: ("was merged into another", "were merged into another"),
    Signal.State.GONE: ("is gone at the source", "are gone at the source"),
}
_WITH: Final = ("company", "board", "organization")


class ChoiceRefused(ValueError):
    """What was chosen cannot be read again; the message says why. `status` is the page's."""

    def __init__(self, words: str, *, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True)
class Chosen:
    """The tickets that are asked for: `rows` are open; `over` says of the others what became of them, and how many.

    `more` are left for later.
    `asked` = the fields of a form that chooses just these. `found` = a place or a filter gave them, not a person.
    """

    rows: list[Signal]
    asked: list[tuple[str, str]]
    words: str
    over: Sequence[str] = ()
    more: str = ""
    found: bool = False

    @property
    def first(self) -> str:
        """Which ones are read where more were found: the list's first, or the newest of a place."""
        return "first" if any(name == "fitting" for name, _ in self.asked) else "newest"


def chosen_of(actor: Actor, asked: QueryDict, *, most: int) -> Chosen:
    """Those of the fields `signal` (ids, at most so many), of `board` and `of` (a company), or of `fitting`.

    `fitting` = the query of the list of signals, which finds what the list finds. Ids go before a place or a filter,
    which then only tell where they came from, with `more` that were left out.

    Raises:
        ChoiceRefused: nothing was chosen, too much, or something that is not there for `actor`.
    """
    if "signal" in asked:
        return _by_name(actor, asked, words=_words(actor, asked), most=most)
    if "fitting" in asked:
        return _by_filter(actor, asked)
    if "board" not in asked and "of" not in asked:
        raise ChoiceRefused("Choose tickets first: tick them in the list of signals, or take a board or a company.")
    return _by_place(actor, asked)


def _by_name(actor: Actor, asked: QueryDict, *, words: str, most: int) -> Chosen:
    """Those of these ids; one that is not there, or not for `actor` to see, lets none be read."""
    ids = list(dict.fromkeys(_id(text) for text in asked.getlist("signal")))
    if len(ids) > most:
        raise ChoiceRefused(f"Choose at most {most} tickets one by one; {len(ids)} were chosen.")
    named = Signal.objects.visible_to(actor).filter(pk__in=ids)
    rows = {row.pk: row for row in named.select_related(*_WITH)}
    if len(rows) != len(ids):
        raise _missing()
    told = asked.get("more", "") if words else ""
    more = told if told == MANY or (told.isdecimal() and len(told) < _LONGEST_FIGURE) else ""
    return Chosen(
        [rows[pk] for pk in ids if rows[pk].state in Signal.OPEN],
        _fields(ids, asked, more),
        words or f"{len(ids)} chosen ticket{'' if len(ids) == 1 else 's'}",
        over=_over(named),
        more=more,
        found=bool(words),
    )


def _by_place(actor: Actor, asked: QueryDict) -> Chosen:
    """The newest open ones of a board, of a company, of both, or of all that `actor` may see."""
    words = _words(actor, asked)
    rows = Signal.objects.visible_to(actor).filter(state__in=Signal.OPEN)
    for field, column in (("board", "board"), ("of", "company")):
        if asked.get(field):
            rows = rows.filter(**{column: _id(asked.get(field, ""))})
    newest = list(rows.select_related(*_WITH).order_by("-source_updated_at", "pk")[:MOST_RERUN])
    more = rows.count() - len(newest) if len(newest) == MOST_RERUN else 0
    return _found(newest, asked, words, more=str(more) if more else "")


def _by_filter(actor: Actor, asked: QueryDict) -> Chosen:
    """The first open ones of what the list finds, in its order."""
    filters = _filters(asked)
    pages = find_rows(find_fitting(actor, filters), filters, actor.organization)
    rows: SignalQuerySet = pages.found.filter(state__in=Signal.OPEN)
    # with the texts, which an estimate goes by: the list has none of them
    first = list(rows.select_related(*_WITH).defer(None).defer("raw", "words")[:MOST_RERUN])
    words, whole = _words(actor, asked), len(first) < MOST_RERUN
    if pages.most is not None:  # nobody counts them
        return _found(first, asked, words, more="" if whole else MANY)
    opened = len(first) if whole else rows.order_by().count()
    more = opened - len(first)
    return _found(first, asked, words, more=str(more) if more else "", over=_over(pages.found))


def _found(rows: list[Signal], asked: QueryDict, words: str, *, more: str, over: Sequence[str] = ()) -> Chosen:
    fields = _fields([row.pk for row in rows], asked, more)
    return Chosen(rows, fields, words, over=over, more=more, found=True)


def _over(rows: SignalQuerySet) -> list[str]:
    """What became of those that are not open, each with how many: `1 is closed`, `2 repeat another signal`."""
    told: Counter[tuple[str, str]] = Counter()
    ended = rows.exclude(state__in=Signal.OPEN).order_by().values("state")
    for row in ended.annotate(count=Count("pk"), folded=Count("folded_into")):
        words = _OVER.get(row["state"], _CLOSED)
        folded = row["folded"] if row["state"] == Signal.State.MERGED else 0
        told += Counter({words: row["count"] - folded, _REPEATS: folded})
    ordered = sorted(told.items(), key=lambda each: (-each[1], each[0]))
    return [f"{count:,} {words[count != 1]}" for words, count in ordered]


def _fields(ids: Iterable[UUID], asked: QueryDict, more: str) -> list[tuple[str, str]]:
    """The fields that choose just these, and say again where they came from."""
    sources = [(name, asked.get(name, "")) for name in _SOURCES if name in asked]
    return [*(("signal", str(pk)) for pk in ids), *sources, *([("more", more)] if more else [])]


def _words(actor: Actor, asked: QueryDict) -> str:
    """Where tickets come from; empty where a person named each. Raises ChoiceRefused for a place that is not there."""
    if "fitting" in asked:
        return f"Tickets of the list: {', '.join(filter_words(actor, _filters(asked)))}"
    if "board" not in asked and "of" not in asked:
        return ""
    words = "Open tickets"
    if asked.get("board"):
        board = Board.objects.visible_to(actor).filter(pk=_id(asked.get("board", ""))).first()
        if board is None:
            raise _missing()
        words = f"{words} on {board.name}"
    if asked.get("of"):
        company = Company.objects.visible_to(actor).filter(pk=_id(asked.get("of", ""))).first()
        if company is None:
            raise _missing()
        words = f"{words} of {company.name}"
    return words


def _filters(asked: QueryDict) -> Filters:
    try:
        return Filters.read(QueryDict(asked.get("fitting", "")))
    except (TooManyFieldsSent, UnicodeError) as problem:  # nobody's list has such an address
        raise _missing() from problem


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as problem:
        raise _missing() from problem


def _missing() -> ChoiceRefused:
    return ChoiceRefused(
        "Something that was chosen is not there (any more), or not yours to see. Nothing was read. Choose again.",
        status=404,
    )
