"""Looking things up before saying anything: parallel reads whose arguments come from the facts alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

from .arguments import compose, has_property
from .case import (
    BOARD_OPTIONS,
    FIND_CONTACT,
    GET_TICKET,
    LIST_DEVICES,
    LIST_TIME,
    SEARCH_TICKETS,
    Case,
    person_name,
)
from .findings import HEADING
from .loose import fields, first, text
from .topics import telling_words

_MOST_ROWS = 25
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,200}\.[A-Za-z]{2,20}")


@dataclass(frozen=True, slots=True)
class Wish:
    """A call we want to make."""

    tool: str
    arguments: dict[str, JsonValue] = field(default_factory=dict)


def reads(case: Case) -> list[Wish]:
    """The reads still to be made: all at the beginning, then what only the ticket itself could tell.

    A run leaves those out that a later step of its runbook makes, so that they tell how things are by then.
    """
    return [wish for wish in _reads(case) if not case.is_for_later(wish.tool, wish.arguments)]


def _reads(case: Case) -> list[Wish]:
    conversation = case.conversation
    if conversation.last_position < 0:
        return [*_first_reads(case), *_contact_read(case)]
    positions = {call.position for call in conversation.calls}
    if len(positions) != 1 or conversation.said(HEADING) >= 0 or not all(call.is_read for call in conversation.calls):
        return []
    wishes: list[Wish] = []
    if fields(case.read_ticket.get("contact")) and conversation.called_since(-1, FIND_CONTACT) is None:
        wishes += _contact_read(case)
    board = conversation.offers.get(BOARD_OPTIONS)
    if board and case.read_ticket.get("board_id") and not case.ticket.get("board_id") and not case.options("types"):
        composed = compose(board.schema, {"board": case.read_ticket.get("board_id")})
        wishes += [Wish(BOARD_OPTIONS, composed.arguments)] if composed.arguments and not composed.missing else []
    return wishes


def _first_reads(case: Case) -> Iterator[Wish]:
    ticket = case.ticket_id
    known: dict[str, dict[str, JsonValue]] = {
        GET_TICKET: {"ticket": ticket},
        LIST_DEVICES: {"company": case.vendor_company_id, "limit": _MOST_ROWS},
        SEARCH_TICKETS: {"company": case.vendor_company_id, "limit": _MOST_ROWS},
        BOARD_OPTIONS: {"board": case.ticket.get("board_id"), "board_name": case.ticket.get("board")},
        LIST_TIME: {"ticket": ticket},
    }
    for tool, meanings in known.items():
        offer = case.conversation.offers.get(tool)
        if offer is None:
            continue
        composed = compose(offer.schema, meanings)
        if composed.missing:
            # A search that insists on words gets the ticket's most telling one.
            words = telling_words(case.subject or case.conversation.ticket_text, 1)
            composed = compose(offer.schema, {**meanings, "query": words[0] if words else None})
        if not composed.missing:
            yield Wish(tool, composed.arguments)


def _contact_read(case: Case) -> Iterator[Wish]:
    offer = case.conversation.offers.get(FIND_CONTACT)
    if offer is None:
        return
    contact = fields(case.ticket.get("contact")) or fields(case.read_ticket.get("contact"))
    mail, name = first(contact, "email", "mail"), person_name(contact)
    if not mail and not name:
        written = _MAIL.search(case.conversation.ticket_text)
        mail = text(written[0]) if written else ""
    # The narrowest thing we know; two at once could contradict each other.
    for meaning, value in (
        ("email", mail),
        ("contact_name", name),
        ("query", mail or name),
        ("contact", contact.get("id")),
    ):
        if value and has_property(offer.schema, meaning):
            composed = compose(offer.schema, {meaning: value, "limit": _MOST_ROWS})
            if not composed.missing:
                yield Wish(FIND_CONTACT, composed.arguments)
                return
    if case.conversation.last_position < 0:
        composed = compose(offer.schema, {"company": case.vendor_company_id, "limit": _MOST_ROWS})
        if not composed.missing:
            yield Wish(FIND_CONTACT, composed.arguments)
