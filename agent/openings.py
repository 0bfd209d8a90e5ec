"""The parts of an opening that are the same for a session and for a replay: the runbook, the ticket, standing words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from pydantic import JsonValue

from agent.models import Instruction
from agent.prompts import ForeignText, MentionFacts, RunbookFacts, StepFacts
from agent.steps import mentions_of
from junto.tenants.models import Company, Organization
from runbooks.document import Step, resolve
from runbooks.mentions import FACT_PATHS, FactReference, Mention
from runbooks.values import with_inputs
from runbooks.versions import PublishedVersion
from signals.facts import SignalFacts
from signals.models import Signal, SignalNote


@dataclass(frozen=True)
class StepTold:
    """How far a step is, as the model is told."""

    state: str = "pending"
    answer: str = ""
    attempt: int = 1


def runbook_facts(
    version: PublishedVersion,
    *,
    facts: SignalFacts,
    inputs: Mapping[str, JsonValue],
    told: Mapping[int, StepTold],
    score: float | None,
    reason: str,
) -> RunbookFacts:
    """A version as the model is told of it. `told` = how far its steps are, by number; one that is not there waits."""
    return RunbookFacts(
        id=str(version.runbook_id),
        title=version.title,
        version=version.number,
        audience=version.audience,
        inputs=inputs,
        score=score,
        reason=reason,
        steps=[_step_facts(step, told.get(step.number, StepTold()), facts, inputs) for step in version.document.steps],
    )


def _step_facts(step: Step, told: StepTold, facts: SignalFacts, inputs: Mapping[str, JsonValue]) -> StepFacts:
    """One step, with the arguments that its mentions have on this ticket."""
    mentions = []
    for mention in mentions_of(step, told.answer):
        resolved = resolve(mention, facts, inputs)
        mentions.append(MentionFacts(mention.tool, mention.ask, resolved.arguments, resolved.unresolved))
    return StepFacts(
        order=step.number,
        number=step.label,
        title=with_inputs(step.title, inputs),
        text=step.text,
        kind=step.kind,
        options=step.options,
        leads=step.leads,
        mentions=mentions,
        state=told.state,
        answer=told.answer,
        attempt=told.attempt,
    )


def foreign_texts(signal: Signal, facts: SignalFacts, *, until: datetime | None = None) -> Sequence[ForeignText]:
    """What strangers wrote on the ticket: its own text, and the notes that were there at `until` (None = all)."""
    source = f"{facts.vendor_label} ticket {signal.external_id}"
    texts = [ForeignText(source, "subject and description", f"{signal.subject}\n\n{signal.description}")]
    rows = SignalNote.objects.for_organization(signal.organization).filter(signal=signal)
    notes = rows.of_company_now().order_by("written_at")
    for note in notes if until is None else notes.filter(written_at__lte=until):
        kind = "internal note" if note.internal else "note the client sees"
        ref = f"{kind} by {note.author or 'unknown'}, {note.written_at:%Y-%m-%d %H:%M}"
        texts.append(ForeignText(source, ref, note.text))
    return texts


def standing_instructions(organization: Organization, company: Company) -> list[str]:
    """The standing words of the organization, then those of the company."""
    rows = Instruction.objects.for_organization(organization).filter(Q(company=None) | Q(company=company))
    return [row.text for row in rows.order_by("company")]


def fact_values(facts: SignalFacts) -> dict[str, JsonValue]:
    """Every fact that a runbook may bind an argument to, by its path, as far as the signal has it."""
    every = Mention(tool="", ask=False, line=0, bindings={path: FactReference(path) for path in FACT_PATHS})
    return dict(resolve(every, facts, {}).arguments)
