"""Steps of a crash test, each run as a process of its own: `python -m tests.crash.stage STEP [ACTION]`.

A step prints one line of JSON. The database and the sandbox come from the environment.
"""

from __future__ import annotations

import json
import os
import sys
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from approvals.cards import action_card  # noqa: E402
from approvals.execution import execute_action  # noqa: E402
from approvals.models import Action, Origin  # noqa: E402
from approvals.services import decide_action, open_origin, propose_action, settle_action  # noqa: E402
from approvals.sweeps import give_up_stale_claims  # noqa: E402
from approvals.tasks import run_action  # noqa: E402
from integrations.models import CompanyLink  # noqa: E402
from integrations.services import save_connection, sync_directory  # noqa: E402
from junto.tenants.actors import Actor  # noqa: E402
from junto.tenants.models import Membership  # noqa: E402
from tests.cases import Cast, set_the_stage  # noqa: E402

HARBOR = "250"


def approve() -> dict[str, object]:
    """A migrated database in which Theo has approved an internal note; JUNTO_TEST_STAGE says on which ticket."""
    stage = json.loads(sys.argv[2])
    call_command("migrate", verbosity=0)
    cast = Cast()
    with transaction.atomic():
        set_the_stage(cast)
    connection = save_connection(
        actor=_actor(cast.adam),
        vendor="connectwise",
        label="ConnectWise PSA",
        base_url=stage["base_url"],
        credentials=stage["credentials"],
    )
    sync_directory(connection)
    link = CompanyLink.objects.for_organization(cast.northwind).select_related("company").get(external_id=HARBOR)
    origin = open_origin(
        organization=cast.northwind,
        kind=Origin.Kind.BY_HAND,
        key="crash",
        subject="signal:crash",
        mode=Origin.Mode.BY_HAND,
        company=link.company,
        revision=1,
    )
    action = propose_action(
        actor=_actor(cast.theo),
        origin=origin,
        fence=0,
        tool_name="connectwise.add_internal_note",
        arguments={"ticket_id": stage["ticket"], "text": "Reset the VPN profile."},
        call_id="1",
    )
    decided = decide_action(action_id=action.pk, actor=_actor(cast.theo), verdict="approve", digest=action.digest)
    return {"action": str(decided.pk), "state": decided.state}


def run() -> dict[str, object]:
    """What the worker does on its bell."""
    return {"state": execute_action(_id()).state}


def give_up() -> dict[str, object]:
    """What the sweep does when the claim is old."""
    give_up_stale_claims(older_than_seconds=0)
    return look()


def look_again() -> dict[str, object]:
    """What the next sweep rings for: looking whether it was done; and, as a bell may come twice, running it again."""
    run_action.call(str(_id()))
    execute_action(_id())
    return look()


def settle() -> dict[str, object]:
    """Theo says what he saw."""
    settle_action(action_id=_id(), actor=_theo(), done=True, evidence="The note stands in the ticket.")
    return look()


def look() -> dict[str, object]:
    """The action and its card, as Theo sees it."""
    action = Action.unscoped.select_related("organization", "company", "origin").get(pk=_id())
    card = action_card(action, actor=_theo())
    return {
        "state": action.state,
        "evidence": action.evidence,
        "asks": card.unknown and card.may_settle,
        "says": card.result,
    }


def _id() -> UUID:
    return UUID(sys.argv[2])


def _theo() -> Actor:
    return _actor(Membership.unscoped.select_related("user", "organization").get(user__username="theo"))


def _actor(membership: Membership) -> Actor:
    return Actor.person(Membership.unscoped.select_related("user", "organization").get(pk=membership.pk))


STEPS = {step.__name__: step for step in (approve, run, give_up, look_again, settle, look)}

if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]]()))
