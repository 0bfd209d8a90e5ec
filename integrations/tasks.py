"""What the clock does here: keep companies, contacts and devices in step with their source, and try other systems."""

from __future__ import annotations

import structlog
from django_tasks import task

from integrations.company_consents import check_asked
from integrations.directory import sync_directory
from integrations.errors import IntegrationError
from integrations.models import Connection, Webhook
from integrations.services import check_connection
from integrations.sources import is_ticket_source
from integrations.vendors import FILES
from integrations.webhooks import fetch_wanted_key
from junto.bells import ring
from junto.tenants.models import Organization

log = structlog.get_logger(__name__)


@task
def sync_directories(_: str = "") -> None:
    """Read the directory of every ticket source that works, and try every other system, which no poll looks after.

    A source that does not work is left to the poll, which says so. What is paused stays alone. No connection, whatever
    comes of it, keeps those behind it from their turn.
    """
    for organization in Organization.objects.all():
        rows = Connection.objects.for_organization(organization).exclude(vendor=FILES)
        rows = rows.exclude(state=Connection.State.PAUSED)
        for connection in rows.select_related("organization"):
            try:
                _look_after(connection)
            except Exception:  # another organization's directory must not wait for this one
                log.exception("connection not looked after", connection=str(connection.pk))


@task(queue_name="polls")
def fetch_webhook_key(webhook_id: str) -> None:
    """Ask for the key that a vendor's deliveries are signed with. A failure is tried again when one comes in."""
    webhook = Webhook.unscoped.select_related("connection__organization").filter(pk=webhook_id).first()
    if webhook is None:
        return
    try:
        fetch_wanted_key(webhook)
    except IntegrationError as error:
        log.warning("signing key not read", connection=str(webhook.connection.pk), reason=str(error))
        return
    ring("connection.poll", str(webhook.connection.pk))  # what those told that could not be checked


def _look_after(connection: Connection) -> None:
    if not is_ticket_source(connection):
        if check_connection(connection).ok:
            check_asked(connection)
    elif connection.state == Connection.State.OK:
        _sync(connection)


def _sync(connection: Connection) -> None:
    try:
        sync_directory(connection)
    except IntegrationError as error:
        log.warning("directory not read", connection=str(connection.pk), reason=str(error))
