"""What a comparison with the source found: tickets that are not here as they are there."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from integrations.models import Connection
from junto.tenants.scoping import TenantModel


class DriftCheck(TenantModel):
    """The last comparison of a connection's tickets, and what became of what it found.

    `found`: kind of drift -> the source's ids, the first ones of many; `counts`: kind -> how many there are.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        COMPARING = "comparing", "Comparing"
        REPAIRING = "repairing", "Repairing"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="drift_check")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When the last comparison ended.")
    at_source = models.PositiveIntegerField(default=0)
    here = models.PositiveIntegerField(default=0)
    found = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    problem = models.TextField(blank=True)
    repaired_at = models.DateTimeField(null=True, blank=True)
    repaired = models.PositiveIntegerField(default=0)

    class Meta(TenantModel.Meta):
        indexes: ClassVar = [models.Index(fields=["state", "asked_at"])]
