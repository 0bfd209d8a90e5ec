"""Running the processors on a ticket, when it arrived or changed. Never inside the transaction that wrote it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import structlog
from pydantic import ValidationError

from integrations.errors import IntegrationError
from junto.tenants.scoping import TenantQuerySet
from signals.models import ProcessorResult, Signal
from signals.processing.asking import SignalAsker, asker_of
from signals.processing.doubts import reconsider
from signals.processing.guessers import guessers_by_step, guessers_of, known_labels
from signals.processing.plans import Plan, plans
from signals.processing.results import Spent, keep_abstention, keep_failure, keep_outcome, read_value
from signals.processing.ticket_facts import ticket_facts
from signals.processors.base import Abstained, AnyOutcome, AnyProcessor, Producer, TicketFacts, Value, Workbench
from signals.service.moods import escalate_finding
from signals.sync.live_lists import lists_of_signal
from signals.write_back.writing import goes_back

log = structlog.get_logger(__name__)

#: Earlier values that a continuous processor sees.
READINGS = 5


@dataclass(frozen=True)
class ByPerson:
    """A run that a person asked for, `at` that moment: what a language model answered before and nobody could read is
    asked anew.

    `goes_on` is asked before each processor: False ends the run there, and so does what it raises. `heard` is told
    who asked a language model for a processor, or could not.
    """

    at: datetime
    goes_on: Callable[[], bool]
    heard: Callable[[SignalAsker], None]


@dataclass(frozen=True)
class Known:
    """What the ticket's results say before the run: what stands by processor, and what people took back.

    `since` = when the ticket left another company; what was found before is found anew, for this one. `by_person` is
    None where nobody asked for the run.
    """

    standing: Mapping[str, ProcessorResult]
    taken_back: frozenset[tuple[str, int, str]]
    since: datetime | None = None
    by_person: ByPerson | None = None

    @classmethod
    def of(cls, signal: Signal, *, by_person: ByPerson | None = None) -> Known:
        """Read now, in one query."""
        states = [ProcessorResult.State.CURRENT, ProcessorResult.State.REVERTED]
        rows = list(_rows(signal).filter(state__in=states))
        return cls(
            standing={row.processor: row for row in rows if row.state == ProcessorResult.State.CURRENT},
            taken_back=frozenset(
                (row.processor, row.version, row.key) for row in rows if row.state == ProcessorResult.State.REVERTED
            ),
            since=signal.company_since,
            by_person=by_person,
        )

    def forbids(self, processor: AnyProcessor, outcome: AnyOutcome) -> bool:
        """Whether a person took back this very value of this processor's version."""
        return (processor.slug, processor.version, outcome.value.key()[:300]) in self.taken_back

    def says_already(self, processor: AnyProcessor, outcome: AnyOutcome, revision: int) -> bool:
        """Whether just this stands; readings are kept each for itself, one a revision."""
        row = self.standing.get(processor.slug)
        if row is not None and self.since is not None and row.created_at < self.since:
            return False
        if row is None or (row.version, row.producer) != (processor.version, outcome.producer):
            return False
        if processor.keeps_readings:
            return row.revision == revision and row.key == outcome.value.key()[:300]
        alike = row.confidence == round(outcome.confidence, 4)
        return alike and row.value == outcome.value.model_dump(mode="json")


def run_processors(
    signal: Signal, *, only: Collection[str] | None = None, by_person: ByPerson | None = None
) -> list[ProcessorResult]:
    """Let every processor that is switched on for it read the ticket (or those of `only`); what was written.

    One that fails hurts no other and leaves a result that says so. What a person said is not asked again. Afterwards
    the signal no longer waits, unless it changed meanwhile.
    """
    due = [
        plan
        for plan in plans(signal.organization, signal.company)
        if plan.applies(signal.board_id) and (only is None or plan.processor.slug in only)
    ]
    written = _run(signal, due, by_person) if due else []
    if only is None:
        _settle(signal)
    reconsider(signal)
    return written


def _run(signal: Signal, due: Sequence[Plan], by_person: ByPerson | None) -> list[ProcessorResult]:
    facts = ticket_facts(signal)
    known = Known.of(signal, by_person=by_person)
    readings = _readings(signal, [plan for plan in due if plan.processor.keeps_readings])
    written = []
    for plan in due:
        if by_person is not None and not by_person.goes_on():
            break
        row = _run_one(signal, plan, facts, known, readings.get(plan.processor.slug, ()))
        if row is not None:
            written.append(row)
    return written


def _run_one(
    signal: Signal, plan: Plan, facts: TicketFacts, known: Known, readings: Sequence[Value]
) -> ProcessorResult | None:
    processor, before = plan.processor, known.standing.get(plan.processor.slug)
    if before is not None and before.producer == Producer.PERSON:
        return None
    started = time.perf_counter()
    try:
        asker = asker_of(
            signal,
            processor=processor.slug,
            revision=facts.revision,
            options=plan.options,
            by_person=known.by_person.at if known.by_person else None,
        )
        bench = Workbench(
            guessers=guessers_of(signal.organization, processor),
            of_step=guessers_by_step(signal.organization, processor),
            lists=lists_of_signal(signal, processor.lists),
            standing=_value(plan, before),
            readings=readings,
            model=asker,
            labels=partial(known_labels, signal.organization, processor),
        )
        found = processor.run(facts, plan.options, bench)
    except IntegrationError as error:
        log.warning("processor could not ask", processor=processor.slug, signal=str(signal.pk), problem=str(error))
        return keep_failure(signal, processor, str(error), _spent(started, facts))
    except Exception as error:
        log.exception("processor failed", processor=processor.slug, signal=str(signal.pk))
        words = f"The processor failed ({type(error).__name__}). The administrator finds more in the log."
        return keep_failure(signal, processor, words, _spent(started, facts))
    spent = _spent(started, facts)
    if asker is not None and known.by_person is not None:
        known.by_person.heard(asker)
    if isinstance(found, Abstained) and found.unusable:
        return keep_failure(signal, processor, found.reason, spent)
    if isinstance(found, Abstained):
        if asker is not None and asker.why:
            found = replace(found, reason=f"{found.reason} {asker.why}")
        return keep_abstention(signal, processor, found, spent)
    if known.forbids(processor, found) or known.says_already(processor, found, facts.revision):
        return None
    carried = goes_back(signal, plan, found.value, bench.lists)
    then = partial(_alarm, plan, signal, found) if signal.state in Signal.OPEN else None
    return keep_outcome(signal, processor, found, spent, goes_back=carried, then=then)


def _alarm(
    plan: Plan, signal: Signal, found: AnyOutcome, row: ProcessorResult, followed: ProcessorResult | None
) -> None:
    """Tell people of a value that they asked to be told of. Called in the transaction that makes it stand."""
    words = plan.processor.alarm(found.value, _value(plan, followed), plan.options)
    if words:
        escalate_finding(row, signal, words=words)


def _value(plan: Plan, row: ProcessorResult | None) -> Value | None:
    """What stands, typed; none where an older version said something that cannot be read any more."""
    if row is None:
        return None
    try:
        return read_value(plan.processor, row)
    except ValidationError:
        return None


def _readings(signal: Signal, reading: Sequence[Plan]) -> dict[str, list[Value]]:
    """The last values of those processors, newest first; none from before it left another company."""
    found: dict[str, list[Value]] = defaultdict(list)
    for plan in reading:
        said = _rows(signal).filter(
            processor=plan.processor.slug,
            state__in=[ProcessorResult.State.CURRENT, ProcessorResult.State.SUPERSEDED],
        )
        if signal.company_since is not None:
            said = said.filter(created_at__gte=signal.company_since)
        values = (_value(plan, row) for row in said.order_by("-created_at")[:READINGS])
        found[plan.processor.slug] = [value for value in values if value is not None]
    return found


def _rows(signal: Signal) -> TenantQuerySet[ProcessorResult]:
    rows: TenantQuerySet[ProcessorResult] = ProcessorResult.objects.for_organization(signal.organization)
    return rows.filter(signal=signal)


def _spent(started: float, facts: TicketFacts) -> Spent:
    return Spent(milliseconds=round((time.perf_counter() - started) * 1000), revision=facts.revision)


def _settle(signal: Signal) -> None:
    """It was read; not so if its words or company are others by now."""
    Signal.objects.for_organization(signal.organization).filter(
        pk=signal.pk, revision=signal.revision, digest=signal.digest, company_id=signal.company_id
    ).update(awaits_processors=False)
