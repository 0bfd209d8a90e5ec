"""Trying a processor on one ticket, or on words that were typed. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from pydantic import ValidationError

from integrations.errors import IntegrationError
from integrations.llm.fencing import show_escaped
from integrations.services import is_ticket_source
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from signals.models import Board, Signal
from signals.processing.asking import may_ask
from signals.processing.findings import PRODUCER_WORDS
from signals.processing.guessers import guessers_by_step, guessers_of, known_labels, rules_of
from signals.processing.plans import Plan, plan_of
from signals.processing.router_checks import route_problem
from signals.processing.ticket_facts import facts_of_words, ticket_facts
from signals.processors.asking import Question, Reply, Said
from signals.processors.base import Abstained, AnyProcessor, LiveLists, Workbench
from signals.processors.router import PROPOSED, Route, RouterOptions, RouterProcessor
from signals.processors.ticket_type import TicketTypeOptions, why_excluded
from signals.shares import whole_percent
from signals.sync.live_lists import lists_of_signal, live_lists

R = TypeVar("R", bound=Reply)

#: Boards whose lists are looked at when a rule is made.
MOST_BOARDS = 20


@dataclass(frozen=True)
class Tried:
    """What came of it: the value in words (empty = none), and which rules hold, by number.

    `asks_model` = a language model would be asked as well, which is not done here. `notes` = how it was read.
    """

    number: str
    text: str
    found: bool
    words: str = ""
    percent: int = 0
    producer: str = ""
    reason: str = ""
    sure: bool = False
    proposed: bool = False
    holding: tuple[int, ...] = ()
    asks_model: bool = False
    notes: tuple[str, ...] = ()


class _NotAsked:
    """Stands for a language model that would be asked."""

    wanted = False

    def ask(self, question: Question[R]) -> Said[R] | None:
        self.wanted = True
        return None


def try_rules(
    actor: Actor, processor: AnyProcessor, *, number: str, text: str, company: Company | None = None
) -> Tried:
    """Let it read the ticket of that number, else the text (its first line is the title) as one of `company`'s.

    As it is set for the ticket's company, else for `company`. No language model is asked.
    """
    if number and text:
        return Tried(number, text, found=False, reason="Give a ticket’s number or words, not both.")
    signal = _of_number(actor, number) if number else None
    if number and signal is None:
        return Tried(number, text, found=False, reason=f"There is no ticket {number}.")
    if signal is not None:
        company = signal.company
    facts = ticket_facts(signal) if signal else facts_of_words(text, actor.organization, company)
    plan = plan_of(actor.organization, processor, company)
    holding = tuple(rule.number for rule in rules_of(actor.organization, processor) if rule.holds(facts))
    try:
        lists = _lists(actor, processor, signal)
    except IntegrationError as problem:
        return Tried(number, text, found=True, reason=str(problem), holding=holding)
    model = _NotAsked() if may_ask(actor.organization, plan.options) else None
    bench = Workbench(
        guessers=guessers_of(actor.organization, processor),
        of_step=guessers_by_step(actor.organization, processor),
        lists=lists,
        model=model,
        labels=partial(known_labels, actor.organization, processor),
    )
    answer = processor.run(facts, plan.options, bench)
    outcome = answer.nearest if isinstance(answer, Abstained) else answer
    reason = (
        answer.reason
        if outcome is None
        else f"{answer.reason} {outcome.reason}"
        if answer is not outcome
        else outcome.reason
    )
    return Tried(
        number,
        text,
        found=True,
        words=show_escaped(outcome.value.words()) if outcome else "",
        percent=whole_percent(outcome.confidence) if outcome else 0,
        producer=PRODUCER_WORDS[outcome.producer][0] if outcome else "",
        reason=show_escaped(reason),
        sure=outcome is not None and outcome is answer,
        proposed=answer is not outcome and answer.reason == PROPOSED,
        holding=holding,
        asks_model=model is not None and model.wanted,
        notes=tuple(_notes(plan, signal, company)),
    )


def _notes(plan: Plan, signal: Signal | None, company: Company | None) -> Iterator[str]:
    if not plan.enabled:
        yield "It is switched off here, and reads nothing."
    elif signal is not None and not plan.applies(signal.board_id):
        yield "It is not set to read tickets of this board."
    if company is not None:
        yield f"Read as set for {show_escaped(company.name)}."
    elif signal is None:
        yield "Read as of no company: nobody’s people and devices are known."


def nowhere_listed(actor: Actor, processor: AnyProcessor, label: str) -> str:
    """Why a rule may not give this label: no list there is has it. Empty where one has, or cannot be asked."""
    if isinstance(processor, RouterProcessor):
        return _no_route(actor, processor, label)
    options = plan_of(actor.organization, processor).options
    if excluded := why_excluded(label, options) if isinstance(options, TicketTypeOptions) else "":
        return f"{excluded} Take it off that list first, or let the rule give another."
    boards = Board.objects.for_organization(actor.organization).select_related("connection")[:MOST_BOARDS]
    try:
        value = processor.value_of_label(label)
        reasons = [
            processor.not_in(live_lists(board.connection, board, processor.lists), value)
            for board in boards
            if processor.lists is not None and is_ticket_source(board.connection)
        ]
    except (ValidationError, IntegrationError):
        return ""  # whoever keeps the rule says what is wrong with it
    if not reasons or not all(reasons):
        return ""
    return f"No board has “{label[:80]}” in its lists: the rule would never give anything."


def _no_route(actor: Actor, processor: RouterProcessor, label: str) -> str:
    options = plan_of(actor.organization, processor).options
    try:
        value = Route.of_label(label)
    except ValidationError:
        return ""  # whoever keeps the rule says so
    return route_problem(actor.organization, value, options) if isinstance(options, RouterOptions) else ""


def _lists(actor: Actor, processor: AnyProcessor, signal: Signal | None) -> LiveLists | None:
    """Those of the ticket's board; words that were typed are read as a ticket of the first board there is."""
    if signal is not None or processor.lists is None:
        return lists_of_signal(signal, processor.lists) if signal else None
    board = Board.objects.visible_to(actor).select_related("connection").first()
    return live_lists(board.connection, board, processor.lists) if board else None


def _of_number(actor: Actor, number: str) -> Signal | None:
    rows = Signal.objects.visible_to(actor).filter(external_id=number)
    found: Signal | None = rows.select_related(
        "organization", "company", "contact", "device", "board", "connection"
    ).first()
    return found
