"""What a look-up's answer was made from, for people who want to see it whole."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.utils import timezone

from approvals.models.actions import Action
from approvals.querysets import RecordQuerySet
from junto.tenants.scoping import TenantModel

#: How long records are kept; the answer that was made from them stays with its action.
KEPT: Final = timedelta(days=30)


def end_of_keeping() -> datetime:
    """When what is kept from now on is deleted."""
    return timezone.now() + KEPT


class ActionRecord(TenantModel):
    """The vendor's own records behind an answer: of the action's company, without secrets, bounded, for `KEPT`.

    Kept apart from the action, whose rows a session reads again and again; no model is told of it. It goes with its
    action.
    """

    action = models.OneToOneField(Action, on_delete=models.CASCADE, related_name="record")
    content = models.JSONField()
    expires_at = models.DateTimeField(default=end_of_keeping, db_index=True)

    objects = RecordQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        pass

    def __str__(self) -> str:
        return f"records of {self.action_id}"
