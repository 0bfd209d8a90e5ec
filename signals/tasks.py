"""What bells and the clock wake here: the poll, and placing what waited. Each is safe to repeat."""

from __future__ import annotations

from django_tasks import task

from integrations.models import Connection
from integrations.services import is_ticket_source
from junto.bells import ring
from junto.tenants.models import Organization
from signals import placing, polling


@task(queue_name="polls")
def poll_connection(connection_id: str) -> None:
    """Poll one connection; a paused or removed one is left alone."""
    connection = Connection.unscoped.select_related("organization").filter(pk=connection_id).first()
    if connection is not None and connection.state != Connection.State.PAUSED:
        polling.poll_connection(connection)


@task(queue_name="polls")
def place_waiting(connection_id: str) -> None:
    """Companies, contacts or devices of a connection have become known: signals that wait for them get them."""
    connection = Connection.unscoped.select_related("organization").filter(pk=connection_id).first()
    if connection is not None:
        placing.place_waiting(connection)


@task
def poll_all(_key: str = "") -> None:
    """Ring for every connection that tickets come from."""
    for organization in Organization.objects.all():
        for connection in Connection.objects.for_organization(organization):
            if is_ticket_source(connection) and connection.state != Connection.State.PAUSED:
                ring("connection.poll", str(connection.pk))
