"""What an action made that is for a person's eyes alone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from approvals.models.actions import Action
from junto.tenants.models import Membership
from junto.tenants.scoping import TenantModel


class ActionSecret(TenantModel):
    """A password or code that an action set, sealed until a person reads it, once. Empty afterwards, and when too late.

    Kept apart from the action, whose content never changes and is read by models, logs and exports (I10).
    """

    action = models.OneToOneField(Action, on_delete=models.CASCADE, related_name="secret")
    sealed = models.TextField(blank=True)
    expires_at = models.DateTimeField()
    revealed_at = models.DateTimeField(null=True, blank=True)
    revealed_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta(TenantModel.Meta):
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], condition=~models.Q(sealed=""), name="secret_to_wipe"),
        ]

    def __str__(self) -> str:
        return f"secret of {self.action_id}"
