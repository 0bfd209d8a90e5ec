"""What a processor would have said of tickets that are closed already."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from junto.tenants.models import Membership
from junto.tenants.scoping import TenantModel


class BackTest(TenantModel):
    """One back-test of one processor. `answers`: a list of what signals/back_tests/report.py calls Answer; whole
    once DONE, and as far as it came where a person STOPPED it.

    `model_most` = of so many tickets the language model may be asked too, where nothing cheaper is sure by
    `asked_below`, the confidence in force then; `model_microcents` = what that cost, in millionths of a cent.

    A worker holds `lease_until` (database time) under `fence`; one that dies is followed by another that begins anew.
    """

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    processor = models.CharField(max_length=40)
    asked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    stopped_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    most = models.PositiveIntegerField(help_text="Of the newest closed tickets.")
    model_most = models.PositiveIntegerField(default=0)
    asked_below = models.FloatField(default=0)
    model = models.CharField(max_length=120, blank=True, help_text="Which one was asked.")
    model_microcents = models.BigIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    detail = models.TextField(blank=True, help_text="Why it failed, or what it rests on.")
    total = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    answers = models.JSONField(default=list)
    milliseconds = models.PositiveIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "processor"], condition=Q(state="running"), name="back_test_running_once"
            ),
        ]
