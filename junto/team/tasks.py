"""What the clock does here: answers kept for repeated requests, and figures of use, are forgotten in time."""

from __future__ import annotations

from django.utils import timezone
from django_tasks import task

from junto.team.idempotency import KEPT
from junto.team.models import IdempotentRequest
from junto.team.usage import forget_uses
from junto.tenants.models import Organization


@task
def forget_answers(_key: str = "") -> None:
    """Drop what is older than promised; safe to repeat."""
    for organization in Organization.objects.all():
        rows = IdempotentRequest.objects.for_organization(organization)
        rows.filter(created_at__lt=timezone.now() - KEPT).delete()
        forget_uses(organization)
