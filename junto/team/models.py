"""API tokens: what a sync job shows instead of a login."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from junto.tenants.models import Company, Membership
from junto.tenants.scoping import TenantModel


class ApiToken(TenantModel):
    """A scoped, expiring, revocable key. Only its SHA-256 is kept; `prefix` finds it in a list. Never decides (T10).

    Without `all_companies` it reaches `companies` and no others, so none where there are none.
    """

    label = models.CharField(max_length=120)
    prefix = models.CharField(max_length=16)
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    all_companies = models.BooleanField(default=True)
    companies = models.ManyToManyField(Company, related_name="+", blank=True)
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.label} ({self.prefix}…)"


class TokenUse(TenantModel):
    """How often a token called one tool over MCP on one day (UTC), and how many of these calls were not obeyed."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="uses")
    day = models.DateField()
    tool = models.CharField(max_length=80)
    calls = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-day", "tool"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["token", "day", "tool"], name="token_use_once_a_day"),
        ]


class IdempotentRequest(TenantModel):
    """A request that came with an `Idempotency-Key`, and its answer: the same request again gets that, and no more.

    `answer` is the JSON body, compressed; None while the request is under way, which it is until `running_until`.
    """

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, address and body.")
    running_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["token", "key"], name="idempotent_request_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"])]


class Invitation(TenantModel):
    """An offer of a membership to an e-mail address; only the hash of its link is kept."""

    email = models.EmailField()
    role = models.CharField(max_length=20)
    all_companies = models.BooleanField(default=True)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-created_at"]
