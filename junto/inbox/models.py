"""Notification rows that any floor above may write; the desk delivers them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from junto.tenants.models import Membership
from junto.tenants.scoping import TenantModel


class Notification(TenantModel):
    """Something one member should know of. `path` is relative to the organization's prefix; empty = nowhere to go."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    path = models.CharField(max_length=300, blank=True)
    subject = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [models.Index(fields=["membership", "read_at"])]

    def __str__(self) -> str:
        return self.title


class Digest(TenantModel):
    """Whether a member wants the daily digest, and when they were last told. Without a row they do.

    `told_on` = the day of it in the organization's time zone, `told_at` the moment, since which the next one tells.
    """

    membership = models.OneToOneField(Membership, on_delete=models.CASCADE, related_name="+")
    wanted = models.BooleanField(default=True)
    told_on = models.DateField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        pass

    def __str__(self) -> str:
        return f"Digest of {self.membership}"
