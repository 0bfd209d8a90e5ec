"""Writing and reading a session's events: numbered without gap, each action's state told once (I13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.expressions import CombinedExpression

from agent.events import (
    ActionChanged,
    Event,
    ModelReplied,
    PersonDirected,
    PersonStarted,
    RequestedCall,
    UserSaid,
    read_event,
)
from agent.models import AgentSession, SessionEvent
from agent.transcript import ActionView, open_calls, wants_reply
from approvals.budgets import renew_budgets
from approvals.models import Action, Origin
from junto.bells import ring


def append_event(session: AgentSession, event: Event) -> SessionEvent:
    """Write `event` as the next number of `session` and ring its sockets. Call inside the change's transaction.

    A person's word renews the budgets of the session; a reply of the model uses them.
    """
    if isinstance(event, UserSaid | PersonStarted | PersonDirected):
        renew_budgets(origin_id=session.origin_id, organization=session.organization)
    elif isinstance(event, ModelReplied) and not event.aborted:
        note_asked_in_vain(session, 0)
    sums = _sums(event)
    while not _take_number(session, **sums):
        session.refresh_from_db(fields=["last_number"])
    return _write(session, event)


def note_asked_in_vain(session: AgentSession, times: int) -> None:
    """Write down how often in a row the model gave `session` no answer."""
    if session.origin.asked_in_vain != times:
        Origin.objects.for_organization(session.organization).filter(pk=session.origin_id).update(asked_in_vain=times)
        session.origin.asked_in_vain = times


def was_said(session: AgentSession, *, membership_id: UUID, frame_id: str) -> bool:
    """Whether this message of this person is written in `session`; one without an id is never known again."""
    rows = SessionEvent.objects.for_organization(session.organization).filter(session=session, kind="user_said")
    same = rows.filter(payload__frame_id=frame_id, payload__membership_id=str(membership_id))
    return bool(frame_id) and same.exists()


def record_action(session: AgentSession, action: Action, *, new: bool = False) -> bool:
    """Tell `action`'s present state in `session` unless that was told before; whether something was written.

    `new`: the action came into this state after `session` was read, so no event up to its last number tells it.
    """
    told = SessionEvent.objects.for_organization(session.organization).filter(
        session=session, action=action, action_state=action.state
    )
    with transaction.atomic():
        # written as the number right after those that were looked at, so that bell and sweep cannot both write
        while new or not told.exists():
            if _take_number(session):
                _write(session, _change(action))
                return True
            session.refresh_from_db(fields=["last_number"])
            new = False
    return False


def _sums(event: Event) -> dict[str, int | CombinedExpression]:
    """What an event changes in the sums that stand on its session's row."""
    if isinstance(event, UserSaid | PersonStarted | PersonDirected):
        return {"steps_used": 0, "work_seconds": 0}
    if isinstance(event, ModelReplied):
        return {
            "steps_used": F("steps_used") + 1,
            "tokens_in": F("tokens_in") + event.tokens_in,
            "tokens_out": F("tokens_out") + event.tokens_out,
            "cost_microcents": F("cost_microcents") + event.cost_microcents,
        }
    return {}


def _take_number(session: AgentSession, **sums: int | CombinedExpression) -> bool:
    """Take the number after `session.last_number`; False, and nothing changed, when somebody else has it by now.

    The counter stands on the session's row, which this locks until the commit: readers by number see no gap
    (TRUST decision 5). `sums` are written in the same statement.
    """
    rows = AgentSession.objects.for_organization(session.organization)
    following = session.last_number + 1
    taken = rows.filter(pk=session.pk, last_number=session.last_number).update(last_number=following, **sums)
    if taken:
        session.last_number = following
    return bool(taken)


def _write(session: AgentSession, event: Event) -> SessionEvent:
    row = SessionEvent(
        organization_id=session.organization_id,
        session_id=session.pk,
        number=session.last_number,
        kind=event.kind,
        payload=event.model_dump(mode="json"),
    )
    if isinstance(event, ActionChanged):
        row.action_id = event.action_id
        row.action_state = event.state
    row.save(force_insert=True)
    ring("session.events", str(session.signal_id))
    return row


def last_number(session: AgentSession) -> int:
    """The number of the session's newest event, read now."""
    rows = AgentSession.objects.for_organization(session.organization)
    number: int = rows.values_list("last_number", flat=True).get(pk=session.pk)
    return number


def note_seen(session: AgentSession, number: int, *, seconds: float) -> None:
    """Write down that a step took every event up to `number` into account, and the seconds it worked."""
    AgentSession.objects.for_organization(session.organization).filter(pk=session.pk).update(
        seen_number=number, work_seconds=F("work_seconds") + seconds
    )


def read_events(session: AgentSession, *, after: int = 0) -> list[tuple[SessionEvent, Event]]:
    """The events numbered above `after`, in order, each with its typed payload."""
    rows = SessionEvent.objects.for_organization(session.organization).filter(session=session, number__gt=after)
    return [(row, read_event(row.payload)) for row in rows.order_by("number")]


@dataclass(frozen=True)
class Progress:
    """How far a session is: its events and actions as the rows say now."""

    events: tuple[Event, ...]
    times: tuple[datetime, ...]  # of the events
    last_number: int
    rows: tuple[Action, ...]
    actions: Mapping[str, ActionView]

    @property
    def open_calls(self) -> list[str]:
        """Calls of the model that are not settled."""
        return open_calls(self.events, self.actions)

    @property
    def unproposed(self) -> list[RequestedCall]:
        """Calls that are no action yet, in order."""
        waiting = set(self.open_calls) - set(self.actions)
        replies = [event for event in self.events if isinstance(event, ModelReplied)]
        return [call for reply in replies for call in reply.calls if call.call_id in waiting]

    @property
    def untold(self) -> list[Action]:
        """Actions whose present state no event tells."""
        told = {(event.action_id, event.state) for event in self.events if isinstance(event, ActionChanged)}
        return [row for row in self.rows if (row.pk, row.state) not in told]

    @property
    def models_turn(self) -> bool:
        """Whether the model should be asked now."""
        return wants_reply(self.events) and (not self.open_calls or self._asked_meanwhile)

    @property
    def _asked_meanwhile(self) -> bool:
        """Whether a person said something after the last reply, and all that is open waits for a decision."""
        waiting = all(call in self.actions and self.actions[call].state == "waiting" for call in self.open_calls)
        places = [place for place, event in enumerate(self.events) if isinstance(event, ModelReplied)]
        return waiting and self.person_spoke_after(places[-1] + 1 if places else 0)

    def person_spoke_after(self, number: int) -> bool:
        """Whether a person said or chose something in an event above `number`."""
        return any(isinstance(event, UserSaid | PersonStarted | PersonDirected) for event in self.events[number:])

    @property
    def since_a_person_spoke(self) -> list[ModelReplied]:
        """The model's answers after the last word of a person, the newest first."""
        latest = takewhile(
            lambda event: not isinstance(event, UserSaid | PersonStarted | PersonDirected), reversed(self.events)
        )
        return [event for event in latest if isinstance(event, ModelReplied)]

    @property
    def aborted_in_a_row(self) -> int:
        """How many of the last replies broke off."""
        replies = [event.aborted for event in self.events if isinstance(event, ModelReplied)]
        return len(list(takewhile(bool, reversed(replies))))


#: Of a session in which nothing was said or done yet.
NOTHING_YET = Progress((), (), 0, (), {})


def read_progress(session: AgentSession, *, before: Progress = NOTHING_YET) -> Progress:
    """The session's progress, read now. What `before` holds and can never change is not read again."""
    over = [row for row in before.rows if row.state in Action.TERMINAL]
    rows = actions_of(session, known=over)
    events = read_events(session, after=before.last_number)
    return Progress(
        events=(*before.events, *(event for _, event in events)),
        times=(*before.times, *(row.created_at for row, _ in events)),
        last_number=events[-1][0].number if events else before.last_number,
        rows=tuple(rows),
        actions={row.call_id: _view(row) for row in rows},
    )


def actions_of(session: AgentSession, *, known: Sequence[Action] = ()) -> list[Action]:
    """Every action of the session, oldest first, so that a person's version comes after the one it replaced.

    Those `known` to be over are taken as they are.
    """
    rows = Action.objects.for_organization(session.organization).filter(origin_id=session.origin_id)
    others = rows.exclude(pk__in=[row.pk for row in known]) if known else rows
    return sorted([*known, *others.order_by()], key=lambda row: (row.created_at, row.pk))


def _view(action: Action) -> ActionView:
    return ActionView(
        call_id=action.call_id,
        tool=action.tool,
        state=action.state,
        reason=action.reason,
        arguments=action.arguments,
        modified=action.replaces_id is not None,
        result=action.result,
        settled_done=action.settled_done,
    )


#: The columns of an action that its event tells, beside what a query for it asks.
TOLD_OF_ACTIONS = ("origin", "call_id", "tool", "title", "state", "reason")


def _change(action: Action) -> ActionChanged:
    return ActionChanged(
        action_id=action.pk,
        call_id=action.call_id,
        tool=action.tool,
        title=action.title,
        state=action.state,
        reason=action.reason,
    )
