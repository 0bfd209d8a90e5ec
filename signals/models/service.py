"""What was promised: when an organization works, how soon it answers and solves, and how each ticket stands to that."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from junto.tenants.scoping import TenantModel
from signals.models.tickets import Board, Signal
from signals.querysets import OfSignalQuerySet


def office_days() -> list[list[list[int]] | None]:
    """Monday to Friday from eight to six, in minutes from midnight."""
    return [*([[480, 1080]] for _ in range(5)), None, None]


class ServiceHours(TenantModel):
    """When the organization works; one row of each. `signals/service/hours.py` reads it.

    `days`: Monday to Sunday, each a list of `[opens, closes]` in minutes from local midnight, or None; an end beyond
    1440 is on the next day. `holidays`: ISO date ->
    name. In `waiting_statuses` the clock of the solution stands still. `told_until` = how far the clocks of tickets
    have been kept (a cursor of signals/rest/feed.py); empty = from the beginning.
    """

    time_zone = models.CharField(max_length=64, default="UTC")
    days = models.JSONField(default=office_days)
    holidays = models.JSONField(default=dict, blank=True)
    waiting_statuses = models.JSONField(default=list, blank=True)
    at_risk_percent = models.PositiveSmallIntegerField(default=80)
    stale_days = models.PositiveSmallIntegerField(default=3)
    told_until = models.CharField(max_length=120, blank=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization"], name="service_hours_once")]


class ServiceTarget(TenantModel):
    """How soon tickets of a board and priority are answered and solved, in minutes of working time.

    No board = all boards, an empty priority = all priorities; None = nothing was promised.
    """

    board = models.ForeignKey(Board, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    priority = models.CharField(max_length=80, blank=True)
    response_minutes = models.PositiveIntegerField(null=True, blank=True)
    resolution_minutes = models.PositiveIntegerField(null=True, blank=True)
    around_the_clock = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "priority"], condition=Q(board=None), name="service_target_once"
            ),
            models.UniqueConstraint(fields=["board", "priority"], name="service_target_once_per_board"),
        ]


class ServiceClock(TenantModel):
    """How one ticket stands to what was promised; kept by signals/service/clocks.py, a few seconds behind the ticket.

    `pending` = what is due next (empty: nothing), at `due_at`; from `risk_at` on it is at risk. `seen_*` = the ticket
    as it was when last looked at, for the counters of how often it was opened again and moved.

    While it waits for somebody else, since `waiting_since`, no solution is due; `waits` holds when it did before, each
    `[from, to]` as ISO times, so that it can be reckoned by whichever hours are in force. `waited_seconds` = what it
    waited by the hours of then, before that was kept.
    """

    class Pending(models.TextChoices):
        NOTHING = "", "Nothing"
        RESPONSE = "response", "Response"
        RESOLUTION = "resolution", "Solution"

    signal = models.OneToOneField(Signal, on_delete=models.CASCADE, related_name="clock")
    response_due_at = models.DateTimeField(null=True, blank=True)
    responded_at = models.DateTimeField(null=True, blank=True)
    resolution_due_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    pending = models.CharField(max_length=10, choices=Pending, blank=True, default=Pending.NOTHING)
    due_at = models.DateTimeField(null=True, blank=True)
    risk_at = models.DateTimeField(null=True, blank=True)
    waiting_since = models.DateTimeField(null=True, blank=True)
    waited_seconds = models.PositiveIntegerField(default=0)
    waits = models.JSONField(default=list)
    reopened = models.PositiveSmallIntegerField(default=0)
    moved = models.PositiveSmallIntegerField(default=0)
    seen_open = models.BooleanField(default=True)
    seen_board = models.UUIDField(null=True, blank=True)
    seen_assignee = models.CharField(max_length=120, blank=True)

    objects = OfSignalQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        indexes: ClassVar = [models.Index(fields=["organization", "due_at"])]
