"""The steps of a run: laid out when a runbook is pinned, tied to their calls, moved by what became of these.

A step is done when every call it mentions succeeded, or a person said so; what the model says of itself counts nothing.
One that mentions none is passed by, and called done by nobody.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from django.db.models.functions import Now
from pydantic import JsonValue

from agent.models import AgentSession, RunStep
from approvals.models import Action
from integrations.errors import IntegrationError
from integrations.tools import registry
from junto.tenants.scoping import TenantQuerySet
from runbooks.document import Mention, Step, resolve
from runbooks.models import Runbook
from runbooks.values import with_inputs
from runbooks.versions import PublishedVersion
from signals.facts import SignalFacts

State = RunStep.State

_MENTION = re.compile(r"@([a-z0-9_]+\.[a-z0-9_]+)(?:\([^()\n]*\))?(?:[ \t]*\(ask\))?")
_CUT_MENTION = re.compile(r"\s*@[^\s…]*…$")

#: States of an action after which it is a person's turn.
_PERSONS_TURN = (Action.State.WAITING, Action.State.UNKNOWN)


def lay_out(session: AgentSession, version: PublishedVersion | None) -> None:
    """Write the steps of the pinned version, in place of those of one that was pinned before."""
    _rows(session).delete()
    RunStep.objects.bulk_create(
        RunStep(
            organization=session.organization,
            session=session,
            number=step.number,
            label=step.label,
            title=with_inputs(step.title, session.inputs)[:200],
            decision=step.kind == "decision",
        )
        for step in (version.document.steps if version else ())
    )


def read_steps(session: AgentSession) -> list[RunStep]:
    """The steps in their order, as the rows say now."""
    return list(_rows(session).select_related("by__user").order_by("number"))


def step_of_call(
    *,
    steps: Sequence[RunStep],
    version: PublishedVersion,
    call_id: str,
    tool: str,
    arguments: Mapping[str, JsonValue],
    facts: SignalFacts,
    inputs: Mapping[str, JsonValue],
    rows: Sequence[Action],
) -> RunStep | None:
    """The step that a call is made for: the first open one that mentions the tool with these arguments; written down.

    None for a call beside the runbook, and always for a runbook that only people carry out.
    """
    known = next((step for step in steps if call_id in step.calls), None)
    if known is not None or version.audience == Runbook.Audience.HUMAN:
        return known
    frozen = frozen_arguments(tool, arguments)
    by_call = {row.call_id: row for row in rows}
    for step, written in zip(steps, version.document.steps, strict=False):
        wanted = mentions_of(written, step.answer)
        fitting = [mention for mention in wanted if fits(mention, tool, frozen, facts, inputs)]
        held = [by_call[each] for each in step.calls if each in by_call]
        taken = sum(row.tool == tool and not _went_wrong(row) for row in held)
        if step.state not in RunStep.OVER and fitting and taken < sum(mention.tool == tool for mention in wanted):
            step.calls = [*step.calls, call_id]
            changed = _rows(step.session).filter(pk=step.pk)
            changed.update(calls=step.calls, state=State.RUNNING, started_at=step.started_at or Now())
            step.state = State.RUNNING
            return step
    return None


def move_steps(steps: Sequence[RunStep], version: PublishedVersion, rows: Sequence[Action]) -> None:
    """Bring the rows to the state that the actions give them. What a person said of a step stays."""
    by_call = {row.call_id: row for row in rows}
    begun = max((step.number for step in steps if step.calls or step.state in RunStep.OVER), default=0)
    for step, written in zip(steps, version.document.steps, strict=False):
        if (step.by_id is not None and not step.answer) or version.audience == Runbook.Audience.HUMAN:
            continue
        held = [by_call[each] for each in step.calls if each in by_call]
        state = _state(step, written, held, passed=step.number < begun)
        if state == step.state:
            continue
        step.state = state
        _as_read(step).update(state=state, finished_at=Now() if state in (*RunStep.OVER, State.FAILED) else None)


def pass_prose(steps: Sequence[RunStep], version: PublishedVersion) -> None:
    """Pass by the steps that name no tool, at the end of a run: there is nothing to show for them but that it ended."""
    for step, written in zip(steps, version.document.steps, strict=False):
        if step.state == State.PENDING and not written.mentions and not step.decision:
            step.state = State.PASSED
            _as_read(step).update(state=State.PASSED, finished_at=Now())


def mentions_of(written: Step, answer: str) -> tuple[Mention, ...]:
    """The mentions that a step has to do: of a decision those of the option chosen, and those of no option at all."""
    if written.kind != "decision":
        return written.mentions
    if not answer:
        return ()
    others = [option for option in written.options if option != answer]
    return tuple(
        mention
        for mention in written.mentions
        if _names(answer, mention.tool) or not any(_names(option, mention.tool) for option in others)
    )


def in_tool_words(text: str) -> str:
    """Words of a step with what its tools are called in place of the mentions; a tool that is gone keeps its name."""
    return _CUT_MENTION.sub("…", _MENTION.sub(_label, text))


def _label(mention: re.Match[str]) -> str:
    return f"“{registry.get(mention[1]).label}”" if mention[1] in registry else mention[0]


def next_decision(steps: Sequence[RunStep], version: PublishedVersion) -> RunStep | None:
    """The decision whose turn it is: nothing before it is left to do. None where something else comes first."""
    for step, written in zip(steps, version.document.steps, strict=False):
        if step.state in RunStep.OVER:
            continue
        if step.decision and not step.answer:
            return step
        if written.mentions:
            return None
    return None


def left_over(steps: Sequence[RunStep], version: PublishedVersion) -> list[RunStep]:
    """The steps that keep a run from its end: a decision without answer, a tool's work that did not happen."""
    return [
        step
        for step, written in zip(steps, version.document.steps, strict=False)
        if step.state not in RunStep.OVER and (written.mentions or step.decision)
    ]


def _state(step: RunStep, written: Step, held: Sequence[Action], *, passed: bool) -> State:
    if written.kind == "decision" and not step.answer:
        return State(step.state)
    if not written.mentions:
        return State.DONE if step.answer else State.PASSED if passed else State(step.state)
    succeeded = Counter(row.tool for row in held if row.happened)
    wanted = Counter(mention.tool for mention in mentions_of(written, step.answer))
    if all(succeeded[tool] >= count for tool, count in wanted.items()):
        return State.DONE
    if any(row.state in _PERSONS_TURN for row in held):
        return State.WAITING
    if any(row.state not in Action.TERMINAL for row in held):
        return State.RUNNING
    if sum(map(_went_wrong, held)) >= step.attempt:
        return State.FAILED
    return State.RUNNING if succeeded else State.PENDING


def _names(text: str, tool: str) -> bool:
    return re.search(rf"@{re.escape(tool)}\b", text) is not None


def fits(
    mention: Mention, tool: str, arguments: Mapping[str, JsonValue], facts: SignalFacts, inputs: Mapping[str, JsonValue]
) -> bool:
    """Whether a call with these frozen arguments is what the mention asks for, as far as it binds them."""
    if mention.tool != tool:
        return False
    resolved = resolve(mention, facts, inputs)
    bound = _frozen_part(tool, resolved.arguments)
    return not resolved.unresolved and all(arguments.get(name) == value for name, value in bound.items())


def frozen_arguments(tool: str, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """As they would be stored; what does not fit the tool stays as it came, and is refused later."""
    try:
        return registry.get(tool).freeze(arguments)
    except IntegrationError:
        return arguments


def _frozen_part(tool: str, bound: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Bound values as freezing writes them, where all required ones are bound; else as the runbook has them."""
    frozen = frozen_arguments(tool, bound)
    return {name: frozen.get(name) for name in bound}


def _went_wrong(row: Action) -> bool:
    return row.state in Action.TERMINAL and row.state != Action.State.SUPERSEDED and not row.happened


def _as_read(step: RunStep) -> TenantQuerySet[RunStep]:
    """The row, unless a person gave the step its course since it was read: their word stands."""
    return _rows(step.session).filter(pk=step.pk, by=step.by_id, attempt=step.attempt, answer=step.answer)


def _rows(session: AgentSession) -> TenantQuerySet[RunStep]:
    rows: TenantQuerySet[RunStep] = RunStep.objects.for_organization(session.organization).filter(session=session)
    return rows
