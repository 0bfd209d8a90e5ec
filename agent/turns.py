"""Which steps of a run have their turn: the publisher's grants count at these alone (TRUST I8)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from agent.models import AgentSession, RunStep
from agent.steps import read_steps
from approvals.services import lock_origin, set_open_steps
from runbooks.grants import CLOSING_STEP


def step_key(number: int) -> str:
    """What the grants of a step are tied to."""
    return str(number)


def in_turn(steps: Iterable[tuple[int, bool, bool]]) -> list[str]:
    """The keys of the steps that have their turn, of steps in their order: number, is over, asks a person.

    A step has it until it is over, but none that stands behind a question which nobody answered.
    """
    keys = []
    for number, over, asks in steps:
        if asks and not over:
            break
        if not over:
            keys.append(step_key(number))
    return keys


@transaction.atomic
def tell_turns(session: AgentSession) -> None:
    """Bring what the origin says of the turns to what the rows of the steps say. Of a run; of no other session.

    The closing set is the server's own and always has its turn.
    """
    if not session.origin.runbook:
        return
    lock_origin(session.origin)
    stands = (
        (step.number, step.state in RunStep.OVER, step.decision and not step.answer) for step in read_steps(session)
    )
    set_open_steps(origin=session.origin, steps=[*in_turn(stands), CLOSING_STEP])
