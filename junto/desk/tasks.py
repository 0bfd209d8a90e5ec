"""What the clock wakes here. Safe to repeat."""

from __future__ import annotations

import structlog
from django.utils import timezone
from django_tasks import task

from junto.desk.digest import send_digests
from junto.tenants.models import Organization

log = structlog.get_logger(__name__)


@task
def send_daily_digests(_: str = "") -> None:
    """Tell the members of each organization what their day holds, in its morning."""
    for organization in Organization.objects.all():
        try:
            send_digests(organization, now=timezone.now())
        except Exception:
            log.exception("digest not sent", organization=str(organization.pk))
