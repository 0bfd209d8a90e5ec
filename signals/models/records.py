"""What comes with a ticket beside its notes: the time that people booked, and which files hang on it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from junto.tenants.scoping import TenantModel
from signals.models.tickets import Signal
from signals.querysets import OfSignalQuerySet, TimeQuerySet


class SignalTime(TenantModel):
    """Time that somebody booked on the ticket, in whole minutes."""

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="time_entries")
    external_id = models.CharField(max_length=80)
    member = models.CharField(max_length=200, blank=True)
    minutes = models.PositiveIntegerField()
    billable = models.BooleanField(default=True)
    text = models.TextField(blank=True)
    started_at = models.DateTimeField()

    objects = TimeQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["started_at", "external_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["signal", "external_id"], name="signal_time_external_once"),
        ]


class SignalAttachment(TenantModel):
    """A file that hangs on the ticket at the source. The file itself stays there."""

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="attachments")
    external_id = models.CharField(max_length=80)
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=120, blank=True)
    size = models.BigIntegerField(null=True, help_text="In bytes.")
    added_at = models.DateTimeField()

    objects = OfSignalQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["added_at", "external_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["signal", "external_id"], name="signal_attachment_external_once"),
        ]
