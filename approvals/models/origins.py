"""What an Action stands on: a session, a processor run, or a person's own hand."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from approvals.querysets import OriginQuerySet
from integrations.wire import is_uuid
from junto.tenants.models import Company
from junto.tenants.scoping import TenantModel


class Origin(TenantModel):
    """One row per session, processor run or hand-made action; the floors above keep it true.

    The claim of an action joins this row, so that stop, fence, revision and company are checked in one statement
    (HOUSE 3 step 7; I16, I21). `fence` grows with every lease; `lease_until` is database time.
    """

    class Kind(models.TextChoices):
        SESSION = "session"
        PROCESSOR = "processor"
        BY_HAND = "by_hand"

    class Mode(models.TextChoices):
        PREPARE = "prepare"
        TRIAGE = "triage"
        RUNBOOK = "runbook"
        PROCESSOR = "processor"
        BY_HAND = "by_hand"

    kind = models.CharField(max_length=12, choices=Kind)
    key = models.CharField(max_length=80)
    subject = models.CharField(max_length=80, help_text="`signal:<id>` or `firing:<id>`.")
    mode = models.CharField(max_length=12, choices=Mode)
    runbook = models.CharField(
        max_length=80, blank=True, help_text="`<runbook id>:<version number>` of the pinned version in runbook mode."
    )
    open_steps = models.JSONField(
        default=list,
        blank=True,
        help_text="Keys of the steps whose turn it is: the runbook's grants count at these only.",
    )
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    revision = models.BigIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stop_reason = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    calls_used = models.PositiveIntegerField(default=0)
    writes_used = models.PositiveIntegerField(default=0)
    asked_in_vain = models.PositiveSmallIntegerField(
        default=0, help_text="How often in a row the model gave no answer, where that is what it rests for."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OriginQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "key"], name="origin_key_once")]
        indexes: ClassVar = [models.Index(fields=["organization", "subject"])]

    @property
    def signal_id(self) -> str:
        """The id of the signal that it is about; empty where it is about none."""
        kind, _, key = self.subject.partition(":")
        return key if kind == "signal" and is_uuid(key) else ""

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
