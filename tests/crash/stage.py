"""A database for a crash test, in a process of its own: `python -m tests.crash.stage '{"tickets": [..], ...}'`.

Migrates, sets the stage, connects Northwind to the sandbox, and lets Theo approve one internal note per ticket that
nobody runs. Prints the actions' ids as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from approvals.models import Origin  # noqa: E402
from approvals.services import decide_action, open_origin, propose_action  # noqa: E402
from integrations.models import CompanyLink  # noqa: E402
from integrations.services import save_connection, sync_directory  # noqa: E402
from junto.tenants.actors import Actor  # noqa: E402
from junto.tenants.models import Membership  # noqa: E402
from tests.cases import Cast, set_the_stage  # noqa: E402

HARBOR = "250"


def approve_notes(stage: dict[str, Any]) -> list[str]:
    """The ids of approved actions, one per ticket, in their order."""
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
    return [_approved_note(cast, link, ticket) for ticket in stage["tickets"]]


def _approved_note(cast: Cast, link: CompanyLink, ticket: int) -> str:
    origin = open_origin(
        organization=cast.northwind,
        kind=Origin.Kind.BY_HAND,
        key=f"ticket {ticket}",
        subject=f"ticket:{ticket}",
        mode=Origin.Mode.BY_HAND,
        company=link.company,
        revision=1,
    )
    action = propose_action(
        actor=_actor(cast.theo),
        origin=origin,
        fence=0,
        tool_name="connectwise.add_internal_note",
        arguments={"ticket_id": ticket, "text": "Reset the VPN profile."},
        call_id="1",
    )
    decided = decide_action(action_id=action.pk, actor=_actor(cast.theo), verdict="approve", digest=action.digest)
    assert decided.state == "approved"
    return str(decided.pk)


def _actor(membership: Membership) -> Actor:
    return Actor.person(Membership.unscoped.select_related("user", "organization").get(pk=membership.pk))


if __name__ == "__main__":
    print(json.dumps(approve_notes(json.loads(sys.argv[1]))))
