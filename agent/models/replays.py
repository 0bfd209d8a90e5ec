"""A draft tried on past tickets before it is published: what was asked for, how far it is, and what each lane did."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from agent.models.sessions import AgentSession
from agent.querysets import OfReplayedSignalQuerySet, ReplayedSignalQuerySet, ReplayQuerySet
from junto.tenants.models import Company, Membership
from junto.tenants.scoping import TenantModel
from runbooks.models import Runbook
from signals.models import Signal


class Replay(TenantModel):
    """One draft (`record` of the history) beside the version in force then, on some past signals. Nothing of it leaves.

    A worker holds `lease_until` (database time) under `fence`, which grows with every lease: what one that was too slow
    writes finds no row.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting for its turn"
        RUNNING = "running", "Working"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"

    LIVE: ClassVar[tuple[str, ...]] = (State.QUEUED, State.RUNNING)

    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="replays")
    record = models.PositiveBigIntegerField(help_text="The history record of the draft.")
    published_record = models.PositiveBigIntegerField(null=True, blank=True)
    published_number = models.PositiveIntegerField(null=True, blank=True)
    asked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    detail = models.TextField(blank=True, help_text="Why it ended before its end.")
    model_label = models.CharField(max_length=120)
    rehearsal = models.BooleanField(default=False)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ReplayQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["runbook"], condition=Q(state__in=["queued", "running"]), name="replay_one_live_per_runbook"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "state"])]

    def __str__(self) -> str:
        return f"Replay of “{self.runbook}”"

    @property
    def is_live(self) -> bool:
        """Whether it still goes on."""
        return self.state in self.LIVE


class ReplayedSignal(TenantModel):
    """One signal of a replay. `session` = the past run it is compared with; `company` = the signal's when chosen.

    The counts are differences of the draft from the version in force, else from what happened; set when it is done.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Not yet"
        DONE = "done", "Done"
        LEFT_OUT = "left_out", "Left out"

    replay = models.ForeignKey(Replay, on_delete=models.CASCADE, related_name="signals")
    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="+")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(AgentSession, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    detail = models.CharField(max_length=300, blank=True, help_text="Why it was left out.")
    differs = models.BooleanField(default=False)
    added = models.PositiveSmallIntegerField(default=0)
    removed = models.PositiveSmallIntegerField(default=0)
    changed = models.PositiveSmallIntegerField(default=0)

    objects = ReplayedSignalQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["replay", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["replay", "signal"], name="replayed_signal_once"),
            models.UniqueConstraint(fields=["replay", "position"], name="replayed_signal_position_once"),
        ]


class ReplayLane(TenantModel):
    """What was done on one signal in one lane. `calls`: see `agent.lanes.LaneCall`; cost in millionths of a cent."""

    class Kind(models.TextChoices):
        HAPPENED = "happened", "What happened"
        PUBLISHED = "published", "The version in force"
        DRAFT = "draft", "The draft"

    replayed = models.ForeignKey(ReplayedSignal, on_delete=models.CASCADE, related_name="lanes")
    kind = models.CharField(max_length=9, choices=Kind)
    calls = models.JSONField(default=list, blank=True)
    end = models.CharField(max_length=300, help_text="How it ended, in words.")
    words = models.TextField(blank=True, help_text="The last that the model said.")
    runs = models.PositiveSmallIntegerField(default=0)
    asks = models.PositiveSmallIntegerField(default=0)
    refusals = models.PositiveSmallIntegerField(default=0)
    unseen = models.PositiveSmallIntegerField(default=0)
    answers = models.PositiveSmallIntegerField(default=0, help_text="Answers of the model.")
    tokens_in = models.PositiveBigIntegerField(default=0)
    tokens_out = models.PositiveBigIntegerField(default=0)
    cost_microcents = models.BigIntegerField(default=0)

    objects = OfReplayedSignalQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["replayed", "kind"], name="replay_lane_once")]
