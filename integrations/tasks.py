"""What the clock does here: keep companies, contacts and devices in step with their source."""

from __future__ import annotations

import structlog
from django_tasks import task

from integrations.directory import sync_directory
from integrations.errors import IntegrationError
from integrations.models import Connection
from integrations.sources import is_ticket_source
from junto.tenants.models import Organization

log = structlog.get_logger(__name__)


@task
def sync_directories(_: str = "") -> None:
    """Read the directory of every connection that works; one that does not is left to the poll, which says so."""
    for organization in Organization.objects.all():
        working = Connection.objects.for_organization(organization).filter(state=Connection.State.OK)
        for connection in working.select_related("organization"):
            if not is_ticket_source(connection):
                continue
            try:
                sync_directory(connection)
            except IntegrationError as error:
                log.warning("directory not read", connection=str(connection.pk), reason=str(error))
