"""What an Admin sets of the catchall router, held against the companies and boards that there are now."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import ValidationError

from integrations.errors import IntegrationError
from integrations.models import Connection
from integrations.services import is_ticket_source
from junto.tenants.models import Company, Organization
from signals.processing.senders import places
from signals.processors.base import LiveLists, Options
from signals.processors.boards import Boards
from signals.processors.router import BOARD, Route, RouterOptions, places_now, why_impossible
from signals.sync.live_lists import live_boards

#: Boards whose statuses are looked at when a closed status is set.
MOST_BOARDS = 20
#: Names that a sentence lists.
MOST_NAMED = 8


def route_problem(organization: Organization, value: Route, options: RouterOptions) -> str:
    """Why a rule may not give this route, and what to do; empty where it may.

    Boards are those that the sources name now; where a source cannot be asked, those that are known.
    """
    return why_impossible(value, options, _places(organization))


def stale_rules(organization: Organization, labels: Collection[str], options: Options) -> dict[str, str]:
    """Of the labels of the router's rules those that give nothing (any more), with why and what to do."""
    if not labels or not isinstance(options, RouterOptions):
        return {}
    there, found = _places(organization), {}
    for label in labels:
        try:
            words = why_impossible(Route.of_label(label), options, there)
        except ValidationError:
            words = "It is not understood (any more): remove it and make it anew."
        if words:
            found[label] = words
    return found


def option_problems(organization: Organization, options: RouterOptions) -> dict[str, str]:
    """By the option's name what cannot be set so, and what to do. A source that cannot be asked is not held against."""
    found = {
        "companies": _unknown_companies(organization, options),
        "board_descriptions": _unknown_boards(organization, options),
        "closed_status": _unknown_status(organization, options),
    }
    return {name: words for name, words in found.items() if words}


def _unknown_companies(organization: Organization, options: RouterOptions) -> str:
    rows = Company.objects.for_organization(organization).filter(is_active=True).values_list("name", flat=True)
    there = {name.casefold() for name in rows}
    missing = [name for name in options.companies if name.strip().casefold() not in there]
    return (
        f"There is no company {_listed(missing)} that you work for: write it as Companies shows it." if missing else ""
    )


def _unknown_boards(organization: Organization, options: RouterOptions) -> str:
    there = {place.casefold() for place in _places(organization)}
    missing = [name for name in options.described() if f"{BOARD}{name.casefold()}" not in there]
    if missing:
        return f"The PSA has no board {_listed(missing)}: write it as the PSA shows it, then a colon."
    bare = [name for name, says in options.boards().items() if not says]
    return f"Say after a colon what belongs on {_listed(bare)}." if bare else ""


def _unknown_status(organization: Organization, options: RouterOptions) -> str:
    wanted = options.closed_status.strip()
    asked = [source for source in _sources(organization) if wanted]
    closing: dict[str, None] = {}
    try:
        for source in asked:
            for name in source.names()[:MOST_BOARDS]:
                board = source.named(name)
                if board is not None and board.closing(wanted):
                    return ""
                closing.update(dict.fromkeys(each.name for each in board.statuses if each.closes) if board else {})
    except IntegrationError:
        return ""
    there = f" These do: {_listed(list(closing))}." if closing else ""
    return f"No board has a status “{wanted}” that closes a ticket.{there}" if asked else ""


def _places(organization: Organization) -> list[str]:
    """The companies and boards of all sources, as labels."""
    known = places(organization)
    sources = _sources(organization)
    found = [place for source in sources for place in places_now(known, LiveLists(boards=source))]
    return list(dict.fromkeys(found)) if sources else known


def _sources(organization: Organization) -> list[Boards]:
    rows = Connection.objects.for_organization(organization).exclude(state=Connection.State.PAUSED)
    return [live_boards(connection) for connection in rows if is_ticket_source(connection)]


def _listed(names: list[str]) -> str:
    shown = [f"“{name[:80]}”" for name in names[:MOST_NAMED]]
    return ", ".join(shown) + (" and others" if len(names) > MOST_NAMED else "")
