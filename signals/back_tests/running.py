"""Back-tests: what a processor would have said of the newest closed tickets, by what it could have known of them.

What it learned is learned anew without the tickets that it is asked about. A language model is asked only of as many
tickets as an Admin said; what it was asked, and its cost, is kept. Nothing else is written but the test itself: no
value, no review, nothing at the ticket's source.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from pydantic import JsonValue

from approvals.models import StaleState
from integrations.errors import IntegrationError
from integrations.services import model_info
from junto.audit.services import record
from junto.bells import ring
from junto.learned.model import LabelModel
from junto.learned.training import Untrainable, train
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet
from signals.back_tests.report import Answer
from signals.back_tests.sample import MOST_ASKED, ModelSample, asks_model
from signals.models import BackTest, Signal
from signals.processing.guessers import known_labels, rules_of
from signals.processing.learning import closed_tickets, lessons, of_level
from signals.processing.plans import plan_of
from signals.processing.settings import set_options
from signals.processing.ticket_facts import own_facts
from signals.processors import processor_of
from signals.processors.base import (
    Abstained,
    AnyOutcome,
    AnyProcessor,
    Guesser,
    Options,
    Producer,
    Step,
    TicketFacts,
    Workbench,
)
from signals.processors.learned import LearnedGuesser
from signals.processors.rules import Rule, RulesGuesser
from signals.processors.steps import LearnedStep, PathGuesser, parts_of
from signals.sync.live_lists import lists_of_signal
from signals.write_back.grants import renew_grants

log = structlog.get_logger(__name__)

State = BackTest.State
#: Tickets of one test.
MOST_TICKETS: Final = 1000
#: Where too few other tickets could be learned from: the tested ones are cut into so many parts, each learned from the
#: rest.
_PARTS: Final = 5
_LEASE_SECONDS: Final = 180
_TOLD_EVERY: Final = 25
_NAME: Final = "learned for this test"


class BackTestRefused(ValueError):
    """It cannot be started; the message says why."""


class _Lost(RuntimeError):
    """Another worker has it, or a person stopped it: nothing more is asked."""


@dataclass(frozen=True)
class _Case:
    """One closed ticket, and the label that it was closed with or that a person gave it."""

    signal: Signal
    was: str


@transaction.atomic
def start_back_test(*, actor: Actor, processor: AnyProcessor, most: int, model_most: int = 0) -> BackTest:
    """Begin in the background, on at most `most` of the newest closed tickets.

    Of at most `model_most` of them the language model is asked too, where nothing cheaper is sure.

    Raises:
        PermissionDenied: `actor` may not manage processors.
        BackTestRefused: it gives no labels, one is under way, or there is no language model that it asks.
    """
    require(actor, Permission.MANAGE_PROCESSORS)
    if not processor.learns or actor.membership is None:
        raise BackTestRefused(f"{processor.label} cannot be tested so: closed tickets do not say what was right.")
    options = plan_of(actor.organization, processor).options
    if model_most and not asks_model(actor.organization, options):
        raise BackTestRefused("There is no language model that it asks: test it without.")
    row = BackTest(
        organization=actor.organization,
        processor=processor.slug,
        asked_by=actor.membership,
        most=max(1, min(most, MOST_TICKETS)),
        model_most=max(0, min(model_most, MOST_ASKED)),
        model=model_info(actor.organization).model[:120] if model_most else "",
        asked_below=float(getattr(options, processor.thresholds[0])),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as taken:
        raise BackTestRefused("One is under way already: wait for it.") from taken
    record(
        actor,
        "processor.back_test_started",
        row,
        {"processor": processor.label, "tickets": row.most, "questions": row.model_most},
    )
    ring("back_test.ready", str(row.pk))
    return row


@transaction.atomic
def stop_back_test(*, actor: Actor, processor: AnyProcessor) -> BackTest:
    """Stop the one under way after the ticket at hand; what it said so far is kept.

    Raises:
        PermissionDenied: `actor` may not manage processors.
        StaleState: it is over already.
    """
    require(actor, Permission.MANAGE_PROCESSORS)
    rows = BackTest.objects.for_organization(actor.organization)
    row = rows.filter(processor=processor.slug, state=State.RUNNING).first()
    ended = {"stopped_by": actor.membership, "ended_at": timezone.now()}
    if row is None or not rows.filter(pk=row.pk, state=State.RUNNING).update(state=State.STOPPED, **ended):
        raise StaleState("It is over already.")
    detail: dict[str, JsonValue] = {"processor": processor.label, "tested": row.position, "of": row.total}
    record(actor, "processor.back_test_stopped", row, detail)
    return row


def choose_threshold(*, actor: Actor, processor: AnyProcessor, threshold: float, to_change: float) -> None:
    """Make it the confidence that the processor asks for to set a value, and `to_change` that to change one.

    Raises:
        SettingRefused: changing would take no more than setting.
        PermissionDenied: `actor` may not manage processors.
        NotGranted: the write-back has no standing approval now; the threshold is saved.
    """
    plan = plan_of(actor.organization, processor)
    changed = dict(zip(processor.thresholds, (threshold, to_change), strict=True))
    set_options(actor=actor, processor=processor, options=plan.options.model_copy(update=changed))
    renew_grants(actor=actor, processor=processor)


def bar_to_change(organization: Organization, processor: AnyProcessor, threshold: float) -> float:
    """What changing is to ask for beside that threshold: as much more as now, and no less more than by default.

    So trying 1.00, where there is no more, leaves nothing behind when a lower one is chosen next.
    """
    held, usual = plan_of(organization, processor).options, processor.options_type()
    to_set, to_change = processor.thresholds
    more = max(float(getattr(each, to_change)) - float(getattr(each, to_set)) for each in (held, usual))
    return round(min(1.0, threshold + more), 2)


def advance_back_test(back_test_id: UUID) -> None:
    """Do it, if nobody else does; safe to repeat. Not to be called inside a transaction."""
    row = BackTest.unscoped.select_related("organization").filter(pk=back_test_id, state=State.RUNNING).first()
    if row is None or not _lease(row):
        return
    started = time.perf_counter()
    processor = processor_of(row.processor)
    sample = ModelSample(row.organization, processor, most=row.model_most, by_person=row.created_at)
    answers: list[Answer] = []
    problem = ""
    try:
        _test(row, processor, sample, answers)
    except _Lost:
        pass  # whoever stopped it wants what there is
    except IntegrationError as silent:
        problem = f"{silent} Start it again."
    except Exception as error:
        log.exception("back-test failed", back_test=str(row.pk))
        problem = f"The processor failed ({type(error).__name__}). The administrator finds more in the log."
    _end(row, answers, problem=problem, why=sample.why, milliseconds=round((time.perf_counter() - started) * 1000))


def _end(row: BackTest, answers: Sequence[Answer], *, problem: str, why: str, milliseconds: int) -> None:
    """Keep what came of it, unless another worker has it. One that a person stopped stays stopped."""
    told = {"detail": why, "answers": [list(answer) for answer in answers], "position": len(answers)}
    told |= {"milliseconds": milliseconds, "ended_at": timezone.now(), "lease_until": None}
    if _mine(row).filter(state=State.STOPPED).update(**told):
        return
    failed = {"state": State.FAILED, "detail": problem, "ended_at": timezone.now()}
    if not _mine(row).filter(state=State.RUNNING).update(**(failed if problem else told | {"state": State.DONE})):
        _mine(row).filter(state=State.STOPPED).update(**told)  # it was stopped between the two


def _test(row: BackTest, processor: AnyProcessor, sample: ModelSample, answers: list[Answer]) -> None:
    """Add to `answers` what it says of one ticket after the other. Raises _Lost."""
    organization = row.organization
    cases = _cases(organization, processor, row.most)
    _move(row, total=len(cases))
    reader = _Reader(row, processor, sample)
    for part, models in _parts(organization, processor, cases):
        for case in part:
            answers.append(reader.read(case, models))
            if len(answers) % _TOLD_EVERY == 0 or row.model_most:
                _move(row, position=len(answers))


class _Reader:
    """Lets the processor read one closed ticket after the other."""

    def __init__(self, row: BackTest, processor: AnyProcessor, sample: ModelSample) -> None:
        self._row, self._processor, self._sample = row, processor, sample
        self._rules = rules_of(row.organization, processor) if processor.takes_rules else []
        self._options = plan_of(row.organization, processor).options
        labels = known_labels(row.organization, processor)
        self._labels = lambda: labels

    def read(self, case: _Case, models: Mapping[int, LabelModel]) -> Answer:
        """What it says first; and, where that is not sure, what is said then."""
        processor = self._processor
        lists = lists_of_signal(case.signal, processor.lists)
        bench = Workbench(
            guessers=[] if processor.steps else _guessers(self._rules, models),
            of_step=_by_step(self._rules, models),
            # of a path the first part is asked for
            lists=replace(lists, subtypes=(), items=()) if lists else None,
            labels=self._labels,
        )
        facts = _before(case.signal, processor)
        said, confidence = self._said(_nearest(processor.run(facts, self._unlimited(), bench)))
        board = case.signal.board.name if case.signal.board else ""
        answer = Answer(str(case.signal.pk), said, self._first(case.was), confidence, board)
        return answer if said and confidence >= self._row.asked_below else self._then(answer, case, facts, bench)

    def _then(self, answer: Answer, case: _Case, facts: TicketFacts, bench: Workbench) -> Answer:
        """Ask as the live processor does: on, as long as nobody is sure, and a language model last."""
        asker = self._sample.asker(case.signal)
        if asker is not None:
            _move(self._row)  # an answer may take a minute
        options = self._sample.options_of(case.signal.company)
        found = _nearest(self._processor.run(facts, self._as_tested(options), replace(bench, model=asker)))
        asked = asker is not None and asker.asked
        if asker is not None:
            self._sample.count(asker)
            _spend(self._row, asker.microcents)
        said, confidence = self._said(found)
        answer = answer._replace(asked=asked, unread=asker is not None and asker.unread)
        if found is None or confidence <= answer.confidence:
            return answer
        by_model = found.producer == Producer.MODEL
        return answer._replace(then_said=said, then_confidence=confidence, by_model=by_model)

    def _unlimited(self) -> Options:
        """Whoever is asked first says what is likeliest, however unsure."""
        to_set, to_change = self._processor.thresholds
        return self._options.model_copy(update={to_set: 0.0, to_change: 0.0})

    def _as_tested(self, options: Options) -> Options:
        """A company's options, with the confidence that the test is about."""
        to_set, to_change = self._processor.thresholds
        return options.model_copy(update={to_set: self._row.asked_below, to_change: getattr(self._options, to_change)})

    def _said(self, outcome: AnyOutcome | None) -> tuple[str, float]:
        if outcome is None:
            return "", 0.0
        return self._first(self._processor.label_of(outcome.value)), round(min(max(outcome.confidence, 0.0), 1.0), 4)

    def _first(self, label: str) -> str:
        return parts_of(label)[0] if self._processor.steps and label else label


def _nearest(found: AnyOutcome | Abstained[Any]) -> AnyOutcome | None:
    return found.nearest if isinstance(found, Abstained) else found


def _cases(organization: Organization, processor: AnyProcessor, most: int) -> list[_Case]:
    """The newest closed tickets that bear a label."""
    known = lessons(organization, processor)
    rows = closed_tickets(organization).filter(pk__in=list(known)).defer("raw", "words")
    signals = rows.select_related("organization", "company", "contact", "device", "board", "connection")
    return [_Case(signal, known[signal.pk].label) for signal in signals.order_by("-source_updated_at", "pk")[:most]]


def _parts(
    organization: Organization, processor: AnyProcessor, cases: Sequence[_Case]
) -> Iterator[tuple[Sequence[_Case], Mapping[int, LabelModel]]]:
    """All at once where enough other tickets are left to learn from; else a few parts. Each with what was learned."""
    models = _learned(organization, processor, cases)
    if models or not cases:
        yield cases, models
        return
    for place in range(_PARTS):
        part = cases[place::_PARTS]
        yield part, _learned(organization, processor, part)


def _learned(organization: Organization, processor: AnyProcessor, without: Sequence[_Case]) -> Mapping[int, LabelModel]:
    """What is learned for the first choice from all other tickets; empty where it cannot be."""
    left_out = {case.signal.pk for case in without}
    others = [lesson for pk, lesson in lessons(organization, processor).items() if pk not in left_out]
    tickets, labels = [each.ticket for each in others], [each.label for each in others]
    if processor.steps:
        tickets, labels = of_level(tickets, labels, 1)
    try:
        return {1: train(tickets, labels)}
    except Untrainable:
        return {}


def _guessers(rules: Sequence[Rule], models: Mapping[int, LabelModel]) -> list[Guesser]:
    found: list[Guesser] = [RulesGuesser(rules)] if rules else []
    return [*found, *(LearnedGuesser(model, _NAME) for model in models.values())]


def _by_step(rules: Sequence[Rule], models: Mapping[int, LabelModel]) -> Callable[[Step], Sequence[Guesser]]:
    def of_step(step: Step) -> list[Guesser]:
        found: list[Guesser] = [PathGuesser(RulesGuesser(rules), step)] if rules else []
        return [*found, *(LearnedStep(model, _NAME, step) for model in models.values())]

    return of_step


def _before(signal: Signal, processor: AnyProcessor) -> TicketFacts:
    """The ticket without what is asked for, and without what came later."""
    asked, facts = processor.fields or ("type", "subtype", "item"), own_facts(signal)
    return replace(
        facts,
        status="",
        assignee="",
        type="" if "type" in asked else facts.type,
        subtype="" if "subtype" in asked else facts.subtype,
        item="" if "item" in asked else facts.item,
        priority="" if "priority" in asked else facts.priority,
    )


def _lease(row: BackTest) -> bool:
    rows = BackTest.objects.for_organization(row.organization).filter(pk=row.pk, state=State.RUNNING)
    free = rows.filter(Q(lease_until=None) | Q(lease_until__lte=Now()), fence=row.fence)
    taken = free.update(fence=F("fence") + 1, lease_until=Now() + timedelta(seconds=_LEASE_SECONDS), position=0)
    row.fence += 1
    return bool(taken)


def _move(row: BackTest, **changes: object) -> None:
    """Write under the lease, and renew it. Raises _Lost."""
    mine = _mine(row).filter(state=State.RUNNING)
    if not mine.update(lease_until=Now() + timedelta(seconds=_LEASE_SECONDS), **changes):
        raise _Lost


def _spend(row: BackTest, microcents: int) -> None:
    """Count what a ticket's questions cost, also where a person stopped it meanwhile. Raises _Lost."""
    renewed = Now() + timedelta(seconds=_LEASE_SECONDS)
    if not _mine(row).update(lease_until=renewed, model_microcents=F("model_microcents") + microcents):
        raise _Lost


def _mine(row: BackTest) -> TenantQuerySet[BackTest]:
    """It, unless another worker has it."""
    return BackTest.objects.for_organization(row.organization).filter(pk=row.pk, fence=row.fence)
