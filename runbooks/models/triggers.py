"""What makes a runbook begin without anybody choosing it, and each time it did."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.db import models

from junto.tenants.models import Company, Membership
from junto.tenants.scoping import TenantModel
from runbooks.models.runbooks import Runbook
from runbooks.querysets import FiringQuerySet, TriggerQuerySet
from runbooks.schedules import cron_problem
from signals.models import Board, Signal


class Trigger(TenantModel):
    """One condition under which a published runbook fits or begins (PRODUCT 4). Conditions stand beside the text.

    `cron` is read in `time_zone`; `next_due` is the next moment it names. A firing later than `grace_minutes` is
    skipped. `companies` are those a scheduled start is for; elsewhere they limit it, and none means all of the
    runbook's scope. A runbook of one company needs none. `board` limits a condition on tickets to one board, and is
    where the ticket of a run without one is opened.
    """

    class Kind(models.TextChoices):
        CLASSIFICATION = "classification", "Ticket type"
        ALERT = "alert", "Alert type"
        SCHEDULE = "schedule", "Schedule"
        MANUAL = "manual", "Started by hand, without a ticket"

    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="triggers")
    kind = models.CharField(max_length=14, choices=Kind)
    enabled = models.BooleanField(default=True)
    type = models.CharField(max_length=80, blank=True, help_text="The ticket's type, as the source names it.")
    subtype = models.CharField(max_length=80, blank=True, help_text="Empty = any subtype.")
    alert_type = models.CharField(max_length=120, blank=True, help_text="As the monitoring posts it.")
    cron = models.CharField(max_length=120, blank=True, help_text="Minute, hour, day, month, weekday: 0 3 * * mon")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="For example Europe/Berlin.")
    grace_minutes = models.PositiveIntegerField(default=60, help_text="Later than this, a missed start is skipped.")
    next_due = models.DateTimeField(null=True, blank=True, editable=False)
    companies = models.ManyToManyField(Company, blank=True, related_name="+")
    board = models.ForeignKey(
        Board,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Where the ticket of a run without one is opened.",
    )
    inputs = models.JSONField(default=dict, blank=True, help_text="Values of the runbook's inputs, by name.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TriggerQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["created_at", "id"]
        indexes: ClassVar = [models.Index(fields=["kind", "enabled", "next_due"])]

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """The condition in words, for the page and as the reason of a match."""
        if self.kind == self.Kind.CLASSIFICATION:
            return f"Type {' / '.join(filter(None, [self.type, self.subtype]))}"
        if self.kind == self.Kind.ALERT:
            return f"Alert {self.alert_type}"
        if self.kind == self.Kind.SCHEDULE:
            return f"Schedule {self.cron} ({self.time_zone})"
        return "Started by hand"

    def fits(self, signal: Signal) -> bool:
        """Whether the signal meets the condition, by the words of its source; letters of either case are the same.

        A board or companies, where they are given, limit it to their tickets.
        """
        if self.board_id is not None and signal.board_id != self.board_id:
            return False
        if not self._meets(signal):
            return False
        companies = {company.pk for company in self.companies.all()}
        return not companies or signal.company_id in companies

    def _meets(self, signal: Signal) -> bool:
        if self.kind == self.Kind.CLASSIFICATION:
            told = (signal.type.casefold(), signal.subtype.casefold())
            return told[0] == self.type.casefold() and (not self.subtype or told[1] == self.subtype.casefold())
        if self.kind == self.Kind.ALERT:
            return bool(signal.alert_type) and signal.alert_type.casefold() == self.alert_type.casefold()
        return False

    def local(self, moment: datetime) -> datetime:
        """A moment by the clocks of its time zone."""
        return moment.astimezone(ZoneInfo(self.time_zone))

    def clock(self, moment: datetime) -> str:
        """A moment by those clocks, in words."""
        return f"{self.local(moment):%-d %b %Y %H:%M} ({self.time_zone})"

    @property
    def next_words(self) -> str:
        """When it is due next, in words; empty where it is not."""
        return self.clock(self.next_due) if self.next_due else ""

    def clean(self) -> None:
        """What its kind needs. Raises ValidationError by field name."""
        errors: dict[str, str] = {}
        if self.kind == self.Kind.CLASSIFICATION and not self.type:
            errors["type"] = "Name the ticket type."
        if self.kind == self.Kind.ALERT and not self.alert_type:
            errors["alert_type"] = "Name the alert type."
        if self.kind == self.Kind.SCHEDULE:
            problem = cron_problem(self.cron)
            if problem:
                errors["cron"] = problem
            try:
                ZoneInfo(self.time_zone)
            except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: Europe alone is a folder of zones
                errors["time_zone"] = "There is no such time zone; one is named like Europe/Berlin."
        if errors:
            raise ValidationError(errors)


class TriggerFiring(TenantModel):
    """A condition came true, once: no second firing of a trigger for the same `condition`.

    `condition` names what happened: a signal, a due moment with its company, or a person's press.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting for its turn"
        STARTED = "started", "Started"
        SKIPPED = "skipped", "Skipped"

    trigger = models.ForeignKey(Trigger, on_delete=models.CASCADE, related_name="firings")
    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="firings")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    condition = models.CharField(max_length=160)
    due_at = models.DateTimeField(help_text="When it should begin.")
    inputs = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    reason = models.TextField(blank=True, help_text="Why it was skipped, or has to wait.")
    started_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)

    objects = FiringQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["trigger", "condition"], name="trigger_fires_once_per_condition"),
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "state", "due_at"])]

    def __str__(self) -> str:
        return f"{self.runbook} for {self.company}"
