"""Tickets that a person lets the processors read again."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from junto.tenants.models import Membership
from junto.tenants.scoping import TenantModel


class Rerun(TenantModel):
    """One reading of chosen tickets by chosen processors.

    `key` is the form's: the same form sent twice is one reading. `processors` holds slugs, `tickets` the ids of the
    signals in the order in which they are read; `position` = how many of them are done. `passed` were closed by
    then, `failed` could not be read at all; `found` = values and abstentions that were written. `unasked` = why a
    language model was not asked of tickets, each reason with how many.

    A worker holds `lease_until` (database time) under `fence`; one that dies is followed by another that goes on.
    """

    class State(models.TextChoices):
        RUNNING = "running", "Reading"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"

    key = models.UUIDField()
    asked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    stopped_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    processors = models.JSONField(default=list)
    tickets = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    position = models.PositiveIntegerField(default=0)
    passed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    unasked = models.JSONField(default=dict)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-created_at", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "key"], name="rerun_once")]
