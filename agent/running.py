"""How the run of a runbook goes on when the model has nothing more to say: decisions, failed steps, the closing set."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from agent.closing import closed_well, next_closing, open_ticket
from agent.context import SessionContext
from agent.events import DecisionAsked, Notice
from agent.journal import append_event, note_asked_in_vain
from agent.lease import Lease
from agent.models import AgentSession, RunStep
from agent.services import complete_run
from agent.steps import in_tool_words, left_over, next_decision, pass_prose
from agent.transcript import is_parked
from approvals.models import Action, Origin
from junto.crashpoints import crashpoint
from runbooks.models import Runbook
from runbooks.versions import PublishedVersion

State = AgentSession.State


def needs_ticket(context: SessionContext) -> bool:
    """Whether this is a run that began without a ticket and has none yet."""
    is_run = context.session.origin.mode == Origin.Mode.RUNBOOK and context.version is not None
    return is_run and not context.session.signal.has_ticket and not is_parked(context.progress.events)


def make_ticket(context: SessionContext, lease: Lease) -> None:
    """Make the ticket before the first step, so that the steps can name it; without one the run waits for a person."""
    action = open_ticket(context)
    if action is not None and action.state in Action.TERMINAL and action.state != Action.State.SUCCEEDED:
        park(context.session, lease, f"No ticket could be opened for this run: {action.reason or action.state}")


@dataclass(frozen=True)
class Rest:
    """Where a session rests: its state (None = it is over), and whether there is more to do at once."""

    state: State | None
    more: bool = False


FOR_A_PERSON = Rest(State.WAITING_FOR_TECHNICIAN)


def go_on(context: SessionContext, lease: Lease) -> Rest:
    """Take the next step that is the server's. Called when nothing is open and it is not the model's turn.

    Ends the run when all is done.
    """
    session, version, steps = context.session, context.version, context.steps
    if version is None or is_parked(context.progress.events):
        return FOR_A_PERSON
    session.origin.refresh_from_db(fields=["mode"])
    is_run = session.origin.mode == Origin.Mode.RUNBOOK
    decision = next_decision(steps, version)
    may_ask = is_run or (version.audience == Runbook.Audience.HYBRID and session.origin.mode == Origin.Mode.TRIAGE)
    if decision is not None and may_ask:
        _ask(decision, version, session, lease)
        return FOR_A_PERSON
    if not is_run:
        return FOR_A_PERSON
    undone = left_over(steps, version)
    if undone:
        park(session, lease, _undone_words(undone))
        return FOR_A_PERSON
    crashpoint("C19")
    pass_prose(steps, version)
    closing = next_closing(context, steps)
    if closing is not None:
        waits = closing.state == Action.State.WAITING
        return Rest(State.WAITING_FOR_APPROVAL if waits else State.RUNNING, more=closing.state in Action.TERMINAL)
    complete_run(session=session, actor=context.actor, succeeded=closed_well(context.progress.rows), version=version)
    return Rest(None)


def park(session: AgentSession, lease: Lease, text: str, *, cause: str = "", asked_in_vain: int = 0) -> None:
    """Say why the agent cannot go on by itself, and let it wait for a person; `cause` is told to administrators.

    `asked_in_vain` = how often in a row the model gave no answer, where that is why.
    """
    with transaction.atomic():
        lease.check()
        note_asked_in_vain(session, asked_in_vain)
        append_event(session, Notice(tone="danger", text=text, parks=True, cause=cause))


def _ask(step: RunStep, version: PublishedVersion, session: AgentSession, lease: Lease) -> None:
    """Put the decision to the people, once."""
    if step.state == RunStep.State.WAITING:
        return
    written = version.document.steps[step.number - 1]
    with transaction.atomic():
        lease.check()
        rows = RunStep.objects.for_organization(session.organization).filter(pk=step.pk, state=step.state, by=None)
        if not rows.update(state=RunStep.State.WAITING):
            return  # a person was quicker
        append_event(session, DecisionAsked(step=step.number, question=step.title, options=written.options))


def _undone_words(undone: list[RunStep]) -> str:
    first = undone[0]
    what = "went wrong" if first.state == RunStep.State.FAILED else "was not done"
    others = f" (and {len(undone) - 1} more)" if len(undone) > 1 else ""
    deeds = "Skip it" if first.decision else "Try it again, mark it as done or skip it"
    return (
        f"Step {first.label}, “{in_tool_words(first.title)}”, {what}{others}. {deeds} on the run's page, or take over; "
        "the run goes on from there."
    )
