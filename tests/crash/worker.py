"""A worker process that dies and those that come after it: `python -m tests.crash.worker ACTION STEP [STEP...]`.

Prints what each step left, as one line of JSON: a list of {state, evidence, asks, says}.
"""

from __future__ import annotations

import json
import os
import sys
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
django.setup()

from approvals.cards import action_card  # noqa: E402
from approvals.execution import execute_action  # noqa: E402
from approvals.models import Action  # noqa: E402
from approvals.services import settle_action  # noqa: E402
from approvals.sweeps import give_up_stale_claims  # noqa: E402
from approvals.tasks import run_action  # noqa: E402
from junto.tenants.actors import Actor  # noqa: E402
from junto.tenants.models import Membership  # noqa: E402

ACTION = UUID(sys.argv[1])


def look() -> dict[str, object]:
    """The action and its card, as Theo sees it."""
    action = Action.unscoped.select_related("organization", "company", "origin").get(pk=ACTION)
    card = action_card(action, actor=_theo())
    asks = card.unknown and card.may_settle
    return {"state": action.state, "evidence": action.evidence, "asks": asks, "says": card.result}


def run() -> None:
    """What the bell of the approval wakes."""
    execute_action(ACTION)


def sweep() -> None:
    """What the clock does once the claim is old; here every claim is."""
    give_up_stale_claims(older_than_seconds=0)


def look_again() -> None:
    """What the next sweep rings for; and, as bells may come late and twice, the approval's bell again."""
    run_action.call(str(ACTION))
    execute_action(ACTION)


def settle() -> None:
    """Theo says what he saw."""
    settle_action(action_id=ACTION, actor=_theo(), done=False, evidence="No such note in the ticket.")


def _theo() -> Actor:
    return Actor.person(Membership.unscoped.select_related("user", "organization").get(user__username="theo"))


STEPS = {"look": lambda: None, "run": run, "sweep": sweep, "look_again": look_again, "settle": settle}

if __name__ == "__main__":
    told = []
    for step in sys.argv[2:]:
        STEPS[step]()
        told.append(look())
    print(json.dumps(told))
