"""When a session worked, from its events: what a time entry rests on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from agent.events import (
    ActionChanged,
    DecisionAsked,
    Event,
    ModelReplied,
    Notice,
    PersonDirected,
    PersonStarted,
    TriedAgain,
    UserSaid,
)

#: Most minutes one time entry holds.
MOST_MINUTES = 24 * 60


@dataclass(frozen=True)
class Work:
    """From when a session worked, and for how many minutes, begun ones counted whole."""

    began: datetime
    minutes: int


def session_work(events: Iterable[tuple[datetime, Event]], *, opened: datetime, now: datetime) -> Work:
    """The work since a person last started the agent, or since the session was `opened`, as it was if nobody did.

    What was prepared before anybody asked is looking up, and no work to be logged.
    """
    told = list(events)
    starts = [order for order, (_, event) in enumerate(told) if isinstance(event, PersonStarted)]
    first = starts[-1] if starts else 0
    began = told[first][0] if starts else opened
    seconds = worked_seconds(told[first:], began=began, until=now, answers_rest=True)
    return Work(began, whole_minutes(seconds))


def whole_minutes(seconds: float) -> int:
    """At least one, at most a day."""
    return min(MOST_MINUTES, max(1, math.ceil(seconds / 60)))


def worked_seconds(
    events: Iterable[tuple[datetime, Event]], *, began: datetime, until: datetime, answers_rest: bool = False
) -> float:
    """How long a session worked: from `began` to `until`, without the time it waited for people.

    With `answers_rest` it also waited from an answer without calls to the next word; a run goes on after one by itself.
    """
    waits: set[str] = set()
    since, waited = began, 0.0
    for at, event in events:
        before = bool(waits)
        if isinstance(event, ActionChanged):
            (waits.add if event.state in ("waiting", "unknown") else waits.discard)(str(event.call_id))
        elif isinstance(event, DecisionAsked) or (isinstance(event, Notice) and event.parks):
            waits.add("person")
        elif isinstance(event, ModelReplied) and answers_rest:
            (waits.discard if event.calls else waits.add)("answer")
        elif isinstance(event, UserSaid | PersonStarted | PersonDirected | TriedAgain):
            waits -= {"person", "answer"}
        if before and not waits:
            waited += (at - since).total_seconds()
        if waits and not before:
            since = at
    if waits:
        waited += (until - since).total_seconds()
    return max(0.0, (until - began).total_seconds() - waited)
