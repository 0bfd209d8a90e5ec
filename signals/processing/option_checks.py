"""What an Admin sets of a processor, held against itself and against what its tickets' source has now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from integrations.errors import IntegrationError
from integrations.services import is_ticket_source
from junto.tenants.models import Organization
from signals.models import Board
from signals.processing.router_checks import option_problems as router_problems
from signals.processing.router_checks import stale_rules
from signals.processors.base import AnyProcessor, Lists, Options
from signals.processors.router import RouterOptions
from signals.processors.ticket_type import TicketTypeOptions, why_excluded
from signals.sync.live_lists import live_lists

#: Boards whose lists are looked at.
MOST_BOARDS: Final = 20


def option_problems(organization: Organization, processor: AnyProcessor, options: Options) -> dict[str, str]:
    """By the option's name what cannot be set so, and what to do. A source that cannot be asked is not held against."""
    if isinstance(options, RouterOptions):
        return router_problems(organization, options)
    found = {processor.thresholds[1]: bar_problem(processor, options)}
    there = listed_names(organization, processor)
    for name in processor.names_of_list:
        known = {each.casefold() for each in there or ()}
        missing = [each for each in getattr(options, name) if each.casefold() not in known]
        if there is not None and missing:
            gone = ", ".join(f"“{each[:80]}”" for each in missing)
            found[name] = f"The PSA has no {gone} (any more), so it would protect nothing: take it off."
    return {name: words for name, words in found.items() if words}


def idle_rules(organization: Organization, labels: Collection[str], options: Options) -> dict[str, str]:
    """Of the labels of a processor's rules those that give nothing (any more), with why and what to do."""
    if isinstance(options, TicketTypeOptions):
        return {label: words for label in labels if (words := why_excluded(label, options))}
    return stale_rules(organization, labels, options)


def bar_problem(processor: AnyProcessor, options: Options) -> str:
    """Why these confidences cannot be: changing takes more than setting, where more can be. Empty where they can."""
    to_set, to_change = processor.thresholds
    fields = type(options).model_fields
    if to_set == to_change or to_set not in fields or to_change not in fields:
        return ""
    least, more = float(getattr(options, to_set)), float(getattr(options, to_change))
    if more > least or more == 1.0:
        return ""
    return f"To change a value takes more than to set one: set it above {least:.2f}."


def listed_names(organization: Organization, processor: AnyProcessor) -> list[str] | None:
    """What the lists of the source name now, for options that name some of it; each once, in the lists' order.

    None where no source can be asked, or one does not answer.
    """
    if processor.lists not in (Lists.TYPES, Lists.PRIORITIES) or not processor.names_of_list:
        return None
    boards = Board.objects.for_organization(organization).select_related("connection")[:MOST_BOARDS]
    field = next(iter(processor.value_type.model_fields))
    found: dict[str, str] = {}
    asked = False
    try:
        for board in boards:
            if not is_ticket_source(board.connection):
                continue
            asked = True
            names = processor.choices(live_lists(board.connection, board, processor.lists))[field]
            for name in names:
                found.setdefault(name.casefold(), name)
    except IntegrationError:
        return None
    return list(found.values()) if asked else None


@dataclass(frozen=True)
class Offered:
    """By the option's name what is offered to be ticked; `unread` = the lists could not be read just now."""

    choices: Mapping[str, Sequence[str]]
    unread: bool = False


def offered(organization: Organization, processor: AnyProcessor, held: Options) -> Offered:
    """What the lists name now, and what is ticked already."""
    if not processor.names_of_list:
        return Offered({})
    found = listed_names(organization, processor)
    there = found or []
    known = {name.casefold() for name in there}
    choices = {
        name: [*there, *(each for each in getattr(held, name) if each.casefold() not in known)]
        for name in processor.names_of_list
    }
    return Offered(choices, unread=found is None and _has_source(organization))


def _has_source(organization: Organization) -> bool:
    boards = Board.objects.for_organization(organization).select_related("connection")[:MOST_BOARDS]
    return any(is_ticket_source(board.connection) for board in boards)
