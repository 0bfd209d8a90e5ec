"""What may run without asking: the policies an Admin set and the grants a person answers for."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from approvals.models.origins import Origin
from approvals.querysets import GrantQuerySet, PolicyQuerySet
from junto.tenants.models import Company, Membership
from junto.tenants.scoping import TenantModel


class ApprovalPolicy(TenantModel):
    """An Admin's word on one tool, for the organization (`company` empty) or tighter for one company (PRODUCT 7).

    No row = the tool's own declaration.
    """

    class Mode(models.TextChoices):
        AUTO = "auto", "Runs by itself"
        ONCE = "once", "Ask once a session"
        ALWAYS = "always", "Always ask"
        DISABLED = "disabled", "Off"

    tool = models.CharField(max_length=120)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    mode = models.CharField(max_length=10, choices=Mode)
    never_unattended = models.BooleanField(default=False)
    set_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    objects = PolicyQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        verbose_name_plural = "approval policies"
        constraints: ClassVar = [
            # two, because SQLite counts each null as another value
            models.UniqueConstraint(
                fields=["organization", "tool"], condition=Q(company=None), name="approval_policy_once"
            ),
            models.UniqueConstraint(fields=["organization", "tool", "company"], name="approval_policy_company_once"),
        ]

    def __str__(self) -> str:
        return f"{self.tool}: {self.get_mode_display()}"


class Grant(TenantModel):
    """A standing approval: what one tool, at one pin, for one company may do without asking again.

    `rules`: argument name -> {"kind": "constant"|"input"|"fact"|"computed"|"enum"|"text"|"any", ...} (I8). Those of a
    session grant are empty: any schema-valid arguments (PRODUCT 7). `max_count` None = not limited by number. Of a
    processor's grant `step` names the processor, and rules whose names begin with “?” are conditions (policy.py).
    """

    class Kind(models.TextChoices):
        SESSION = "session"
        RUNBOOK = "runbook"
        PROCESSOR = "processor"

    kind = models.CharField(max_length=10, choices=Kind)
    tool = models.CharField(max_length=120)
    tool_pin = models.CharField(max_length=64)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    origin = models.ForeignKey(Origin, on_delete=models.CASCADE, null=True, blank=True, related_name="grants")
    runbook = models.CharField(max_length=80, blank=True, help_text="`<runbook id>:<version number>`")
    step = models.CharField(max_length=40, blank=True)
    rules = models.JSONField(default=dict)
    words = models.TextField(help_text="The grant in plain words.")
    max_count = models.PositiveIntegerField(null=True, blank=True)
    issued_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        indexes: ClassVar = [models.Index(fields=["organization", "tool", "revoked_at"])]

    def __str__(self) -> str:
        return self.words

    @property
    def most_a_day(self) -> int | None:
        """How often it may be used within 24 hours, whatever for; None = not limited so."""
        most = self.rules.get("?per_day", {}).get("value")
        return most if isinstance(most, int) else None
