"""What a run leaves in the PSA: a ticket, the time it took, and a note of what was done (PRODUCT 4, closing set).

Every argument is computed here from rows: the pinned runbook, its steps and the receipts of actions. Nothing of it is
the model's, so the publisher's grants cover exactly these values and no call of a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from pydantic import JsonValue

from agent.context import SessionContext
from agent.journal import read_events, record_action
from agent.models import AgentSession, RunStep
from agent.steps import in_tool_words
from agent.stopping import stopped_at, stopped_words
from agent.turns import tell_turns
from agent.work import whole_minutes, worked_seconds
from approvals.models import Action, Decision
from approvals.services import propose_action
from integrations.errors import IntegrationError
from integrations.models import TICKET_KIND, ExternalRef
from integrations.tools import registry
from runbooks.grants import ADD_INTERNAL_NOTE, ADD_TIME_ENTRY, CLOSING_STEP, CREATE_TICKET, closing_path
from runbooks.versions import PublishedVersion
from signals.facts import vendor_id
from signals.opening import ticket_arguments
from signals.services import adopt_ticket, joined_ticket

#: How call ids of the closing set begin: none of a model's, which are numbers.
CLOSING_CALL = "closing."
#: Its calls; one that was withdrawn and made anew has a number behind.
TICKET_CALL, TIME_CALL, NOTE_CALL = "closing.ticket", "closing.time", "closing.note"
#: Most characters of a note, and of one line in it.
NOTE_LENGTH = 7_000
LINE_LENGTH = 700

#: States of a closing action in whose place another one came or comes.
_REPLACED = (Action.State.SUPERSEDED, Action.State.CANCELLED)

#: States of the action that opens the ticket in which none was opened, as there is one or the problem is over.
_NOT_OPENED = (Action.State.REFUSED, Action.State.DRIFTED)

_OUTCOMES = {
    Action.State.SUCCEEDED: "done",
    Action.State.FAILED: "failed",
    Action.State.DENIED: "denied",
    Action.State.REFUSED: "refused by rule",
    Action.State.EXPIRED: "not decided in time",
    Action.State.DRIFTED: "withdrawn, as the ticket had changed",
    Action.State.CANCELLED: "withdrawn",
}


@dataclass(frozen=True)
class Receipt:
    """One action of a run as the note tells it."""

    title: str
    outcome: str
    authority: str


def open_ticket(context: SessionContext) -> Action | None:
    """The action that makes the ticket of a run that began without one; None where there is a ticket.

    One that another system opened meanwhile for the same alert is taken.
    """
    signal = context.session.signal
    if signal.has_ticket:
        return None
    asked = _standing(context.progress.rows, TICKET_CALL)
    ticket = joined_ticket(signal) if asked is None or asked.state in _NOT_OPENED else None
    if ticket is not None and ticket.connection is not None:
        adopt_ticket(signal=signal, connection=ticket.connection, external_id=ticket.external_id)
        return None
    action = _propose(context, CREATE_TICKET, TICKET_CALL, _ticket(context))
    if action.state == Action.State.SUCCEEDED:
        found = ExternalRef.objects.for_organization(signal.organization).filter(action_id=action.pk, kind=TICKET_KIND)
        made = found.select_related("connection").get()
        adopt_ticket(signal=signal, connection=made.connection, external_id=made.external_id)
    return action


def next_closing(context: SessionContext, steps: Sequence[RunStep]) -> Action | None:
    """Propose what of the closing set is not there yet, one by one: the time first, as the note tells of it.

    None when there is nothing left to propose. A step of the runbook that logged the time itself is not doubled.
    """
    rows = context.progress.rows
    logged = any(row.tool == ADD_TIME_ENTRY and row.happened for row in rows)
    if not logged and _standing(rows, TIME_CALL) is None:
        return _propose(context, ADD_TIME_ENTRY, _next_call(rows, TIME_CALL), _time(context, steps))
    if _standing(rows, NOTE_CALL) is None:
        return _propose(context, ADD_INTERNAL_NOTE, _next_call(rows, NOTE_CALL), _note(context, steps))
    return None


def is_closing(row: Action) -> bool:
    """Whether an action is of the closing set."""
    return row.call_id.startswith(CLOSING_CALL)


def closed_well(rows: Iterable[Action]) -> bool:
    """Whether all of the closing set that was proposed happened."""
    return all(row.happened for row in rows if is_closing(row) and row.state not in _REPLACED)


def receipts(rows: Iterable[Action]) -> list[Receipt]:
    """What was done and on whose word, of every action that changed something or was meant to."""
    return [
        Receipt(title=row.title, outcome=_outcome(row), authority=authority_of(row))
        for row in rows
        if row.is_write and not is_closing(row) and row.state != Action.State.SUPERSEDED
    ]


def authority_of(row: Action) -> str:
    """Who let an action run, in words: a person, or the person behind a grant or policy; empty for nobody."""
    decision = next((each for each in row.decisions.all() if each.verdict != Decision.Verdict.DENY), None)
    if decision is not None:
        return f"approved by {decision.membership.user.display_name}"
    if row.grant is not None:
        return f"under the standing approval of {row.grant.issued_by.user.display_name}"
    if row.policy_id is not None:
        return "under your organization's policy"
    return ""


def _propose(context: SessionContext, tool: str, call_id: str, arguments: Mapping[str, JsonValue]) -> Action:
    frozen = _frozen(tool, arguments)
    tell_turns(context.session)
    action = propose_action(
        actor=context.actor,
        origin=context.session.origin,
        fence=context.fence,
        tool_name=tool,
        arguments=frozen,
        call_id=call_id,
        step=CLOSING_STEP,
        runbook_step=f"{_name(context)}, closing"[:120],
        facts={closing_path(tool, name): value for name, value in frozen.items()},
    )
    record_action(context.session, action)
    return action


def _standing(rows: Iterable[Action], call: str) -> Action | None:
    """The action of the closing set that counts for `call`; None where there is none or it was withdrawn."""
    return next((row for row in _made_for(rows, call) if row.state not in _REPLACED), None)


def _next_call(rows: Iterable[Action], call: str) -> str:
    """The id of the next action for `call`."""
    made = {row.call_id for row in _made_for(rows, call)}
    return f"{call}.{len(made) + 1}" if made else call


def _made_for(rows: Iterable[Action], call: str) -> list[Action]:
    return [row for row in rows if row.call_id == call or row.call_id.startswith(f"{call}.")]


def _frozen(tool: str, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """As they will be stored; what does not fit is proposed as it is, and refused with the reason."""
    try:
        return registry.get(tool).freeze(arguments)
    except IntegrationError:
        return arguments


def _ticket(context: SessionContext) -> dict[str, JsonValue]:
    told = ticket_arguments(context.session.signal, context.session.company, by=f"{_name(context)}.")
    return {**told, "summary": told["summary"] or "Runbook"}


def _time(context: SessionContext, steps: Sequence[RunStep]) -> dict[str, JsonValue]:
    """The work as one entry that ends now: whole minutes from when the run began could end in the future."""
    session, now = context.session, timezone.now()
    minutes = _minutes(session, now)
    arguments: dict[str, JsonValue] = {
        "ticket_id": vendor_id(session.signal.external_id),
        "start": f"{(now - timedelta(minutes=minutes)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "minutes": minutes,
        "notes": f"{_name(context)}: {_course(context, steps)}.",
    }
    member = session.started_by.psa_member if session.started_by else ""
    return {**arguments, "member": member} if member else arguments


def _note(context: SessionContext, steps: Sequence[RunStep]) -> dict[str, JsonValue]:
    session, rows = context.session, context.progress.rows
    who = session.started_by.user.display_name if session.started_by else "the ticket's arrival"
    if session.firing is not None and session.started_by is None:
        who = session.firing.trigger.words
    told = receipts(rows)
    lines = [
        f"{_name(context)}, run by Junto.",
        f"Started {session.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC by {who}; "
        f"{_minutes(session, timezone.now())} min of work; {_course(context, steps)}.",
        "",
        "What was changed:" if told else "Nothing was changed.",
        *(f"- {each.title}: {', '.join(filter(None, [each.outcome, each.authority]))}" for each in told),
    ]
    time = _standing(rows, TIME_CALL)
    if time is not None:
        lines.append(f"- {time.title}: {_outcome(time)}")
    lines += ["", "The steps:", *_step_lines(steps)]
    return {"ticket_id": vendor_id(session.signal.external_id), "text": _fitted(lines)}


def _fitted(lines: Sequence[str]) -> str:
    """One line each, as many as a note holds; what is left out is said.

    People's words and titles are folded, so that none can write a line that looks like a receipt.
    """
    kept: list[str] = []
    length = 0
    for number, line in enumerate(lines):
        folded = "".join(letter for letter in " ".join(line.split()) if letter.isprintable())
        folded = folded if len(folded) <= LINE_LENGTH else f"{folded[: LINE_LENGTH - 1]}…"
        rest = f"… and {len(lines) - number} more lines: the whole run is in Junto."
        if length + len(folded) + len(rest) + 2 > NOTE_LENGTH:
            return "\n".join([*kept, rest])
        kept.append(folded)
        length += len(folded) + 1
    return "\n".join(kept)


def _step_lines(steps: Sequence[RunStep]) -> Iterator[str]:
    """A line a step; a reason given for several is told once."""
    told = ""
    for step in steps:
        again = bool(step.reason) and step.reason == told
        told = step.reason
        yield f"{step.label}. {in_tool_words(step.title)}: {_step_words(step, again=again)}"


def _minutes(session: AgentSession, now: datetime) -> int:
    events = [(row.created_at, event) for row, event in read_events(session)]
    seconds = worked_seconds(events, began=session.created_at, until=now)
    return whole_minutes(seconds)


def _step_words(step: RunStep, *, again: bool) -> str:
    words = str(step.get_state_display()).lower()
    if step.answer:
        words = f"{words}, “{step.answer}”"
    by = f" by {step.by.user.display_name}" if step.by else ""
    reason = ", for the same reason" if again else f": “{step.reason}”" if step.reason else ""
    return f"{words}{by}{reason}"


def _course(context: SessionContext, steps: Sequence[RunStep]) -> str:
    """How far it came, and at which answer it was stopped."""
    states = [step.state for step in steps]
    passed = states.count(RunStep.State.PASSED)
    stop = stopped_at(steps, _version(context))
    words = [
        f"{states.count(RunStep.State.DONE)} of {len(steps)} steps done",
        f"{passed} not recorded" if passed else "",
        stopped_words(stop) if stop else "",
    ]
    return "; ".join(filter(None, words))


def _name(context: SessionContext) -> str:
    version = _version(context)
    return f"Runbook “{version.title}”, version {version.number}"


def _version(context: SessionContext) -> PublishedVersion:
    if context.version is None:
        raise ValueError("only a run of a runbook is closed")
    return context.version


def _outcome(row: Action) -> str:
    if row.state == Action.State.SETTLED:
        return "done, as a person found out" if row.settled_done else "not done, as a person found out"
    return _OUTCOMES.get(Action.State(row.state), "not finished")
