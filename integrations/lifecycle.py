"""What an admin does to a connection that stands: new credentials, alerts as signals, and taking it away."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from integrations.connections import seal_credentials
from integrations.errors import ToolUnavailable
from integrations.models import CompanyLink, Connection, Consent, Webhook
from integrations.served import block_all
from integrations.services import ConnectionHealth, check_credentials, tried
from integrations.sources import gives_alerts
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require


def rotate_credentials(*, actor: Actor, connection: Connection, credentials: Mapping[str, str]) -> ConnectionHealth:
    """Try new credentials, and put them in the place of the old ones only when they work.

    Raises PermissionDenied; InvalidConnection for credentials that cannot be right.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    check_credentials(connection.vendor, credentials)
    trial = copy.copy(connection)
    trial.state = Connection.State.UNTESTED
    seal_credentials(trial, credentials)
    health = tried(trial, insists=True)
    if not health.ok:
        return health
    paused = connection.state == Connection.State.PAUSED
    with transaction.atomic():
        connection.sealed_credentials = trial.sealed_credentials
        connection.state = connection.state if paused else Connection.State.OK
        connection.state_detail = connection.state_detail if paused else ""
        connection.checked_at = connection.succeeded_at = timezone.now()
        connection.save(update_fields=["sealed_credentials", "state", "state_detail", "checked_at", "succeeded_at"])
        record(actor, "connection.rotated", connection, {"vendor": connection.vendor})
    return health


@transaction.atomic
def let_alerts_in(*, actor: Actor, connection: Connection, taken: bool) -> None:
    """Let alerts of a monitoring become signals, or no more. What became one stays as it is and hears nothing new then.

    Raises:
        PermissionDenied: the actor may not manage integrations.
        ToolUnavailable: the system has no alerts.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    if not gives_alerts(connection):
        raise ToolUnavailable(f"{connection.label} has no alerts.")
    connection.takes_alerts = taken
    connection.save(update_fields=["takes_alerts"])
    record(
        actor, "connection.alerts_in" if taken else "connection.alerts_out", connection, {"vendor": connection.vendor}
    )
    if taken:
        ring("connection.poll", str(connection.pk))


@transaction.atomic
def remove_connection(*, actor: Actor, connection: Connection) -> int:
    """Take a connection away: its credentials, its webhook's address and its company links; returns how many links.

    Its row stays, as the tickets, contacts and devices that came through it do: connected again, they go on and do not
    come twice. Raises PermissionDenied.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    links = CompanyLink.objects.for_organization(connection.organization).filter(connection=connection)
    number = links.count()
    links.delete()
    Consent.objects.for_organization(connection.organization).filter(connection=connection).delete()
    Webhook.objects.for_organization(connection.organization).filter(connection=connection).delete()
    block_all(connection)
    connection.sealed_credentials, connection.state_detail = "", ""
    connection.state, connection.removed_at = Connection.State.PAUSED, timezone.now()
    connection.save(update_fields=["sealed_credentials", "state", "state_detail", "removed_at"])
    record(actor, "connection.removed", connection, {"vendor": connection.vendor, "links": number})
    ring("systems.changed", str(connection.organization_id))
    return number
