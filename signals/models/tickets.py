"""What happened: a ticket of the PSA, as the last revision we were told of says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.utils import timezone

from approvals.models import StaleState
from integrations.models import Connection, Contact, Device
from integrations.vendors import FILES, VENDORS
from junto.tenants.models import Company
from junto.tenants.scoping import TenantModel
from signals.querysets import NoteQuerySet, SignalQuerySet
from signals.searching import searched_text

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Board(TenantModel):
    """A service board of the PSA. `cleared_status` = what a ticket gets whose alert cleared; empty = it stays open.

    `holds_alerts` = its tickets are opened by a monitoring, each for an alert.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="boards")
    external_id = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    cleared_status = models.CharField(max_length=80, blank=True)
    cleared_status_id = models.CharField(max_length=80, blank=True, help_text="As the source numbers it.")
    holds_alerts = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="board_external_once"),
        ]

    def __str__(self) -> str:
        return self.name


def words_of(external_id: str, subject: str, description: str) -> str:
    """What of a ticket is searched; the id of an alert is nothing that anybody types."""
    number = "" if UUID.fullmatch(external_id) else external_id
    return searched_text(number, subject, description)


class WordsField(models.TextField[str, str]):
    """The words that are searched, made of the row's other columns whenever it is saved."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """The words of the row as it is now."""
        words = words_of(*(getattr(model_instance, name) for name in ("external_id", "subject", "description")))
        setattr(model_instance, self.attname, words)
        return words


class Signal(TenantModel):
    """One ticket. `revision` = microseconds since 1970 of the source's own last update; a newer one wins."""

    class State(models.TextChoices):
        NEW = "new", "Not started"
        NEEDS_REVIEW = "needs_review", "Needs review"
        TRIAGING = "triaging", "Working"
        IN_REVIEW = "in_review", "Proposed fix"
        RESOLVED = "resolved", "Resolved"
        DISMISSED = "dismissed", "Dismissed"
        MERGED = "merged", "Merged"
        GONE = "gone", "Gone at the source"

    OPEN: ClassVar[tuple[str, ...]] = (State.NEW, State.NEEDS_REVIEW, State.TRIAGING, State.IN_REVIEW)

    # without an index of their own: an index below, or the constraint, begins with them, or holds the few that have one
    organization = models.ForeignKey("tenants.Organization", on_delete=models.CASCADE, related_name="+", db_index=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="signals", db_index=False
    )
    external_id = models.CharField(max_length=80)
    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, null=True, blank=True, related_name="signals", db_index=False
    )
    company_external_id = models.CharField(max_length=80, blank=True, help_text="As the source names it.")
    contact_external_id = models.CharField(max_length=80, blank=True, help_text="As the source names it.")
    device_external_id = models.CharField(max_length=80, blank=True, help_text="As the source names it.")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="signals")
    device = models.ForeignKey(
        Device, on_delete=models.SET_NULL, null=True, blank=True, related_name="signals", db_index=False
    )
    board = models.ForeignKey(
        Board, on_delete=models.SET_NULL, null=True, blank=True, related_name="signals", db_index=False
    )
    assignee = models.CharField(max_length=120, blank=True)
    subject = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    words = WordsField(editable=False, default="", help_text="Of number, subject and description, for the search.")
    source_status = models.CharField(max_length=80, blank=True)
    closed_at_source = models.BooleanField(default=False)
    priority = models.CharField(max_length=80, blank=True)
    type = models.CharField(max_length=80, blank=True)
    subtype = models.CharField(max_length=80, blank=True)
    item = models.CharField(max_length=80, blank=True)
    alert_type = models.CharField(max_length=120, blank=True, help_text="As the monitoring posts it.")
    source_created_at = models.DateTimeField()
    source_updated_at = models.DateTimeField()
    revision = models.BigIntegerField()
    digest = models.CharField(max_length=64, blank=True, help_text="Of what the source said in this revision.")
    raw = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State, default=State.NEW)
    folded_into = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="repeats",
        db_index=False,
        help_text="What it repeats.",
    )
    ticket = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="alerts",
        db_index=False,
        help_text="Opened for it here.",
    )
    parted = models.BooleanField(default=False, help_text="A person said that it repeats nothing.")
    quiet_by = models.ForeignKey(
        "signals.MaintenanceWindow",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="held",
        db_index=False,
    )
    left_out = models.CharField(max_length=300, blank=True, help_text="What of the ticket was too much to be kept.")
    company_since = models.DateTimeField(null=True, blank=True, help_text="When it left another company.")
    state_reason = models.CharField(max_length=300, blank=True, help_text="Why a person must look, where one must.")
    merged_into = models.CharField(
        max_length=80, blank=True, default="", help_text="The ticket it was merged into, as the source names it."
    )
    awaits_processors = models.BooleanField(default=True, help_text="Processors have not read what it says now.")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = SignalQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-source_updated_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="signal_external_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "state", "-source_updated_at", "id"], name="signal_states"),
            models.Index(fields=["organization", "board", "state"], name="signal_boards"),
            models.Index(fields=["organization", "-source_updated_at", "id"], name="signal_newest"),
            models.Index(fields=["organization", "assignee", "company"], name="signal_assignees"),
            models.Index(
                fields=["organization", "priority", "-source_updated_at", "id", "company"], name="signal_priorities"
            ),
            *(
                models.Index(fields=[name], condition=models.Q(**{f"{name}__isnull": False}), name=f"signal_{name}")
                for name in ("device", "folded_into", "ticket", "quiet_by")
            ),
            models.Index(fields=["organization", "company", "-source_updated_at"]),
            models.Index(fields=["changed_at"], condition=models.Q(awaits_processors=True), name="signal_awaits"),
            models.Index(fields=["organization", "changed_at", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.subject}" if self.number else f"{self.subject} (no ticket)"

    @classmethod
    def with_columns(cls, columns: Mapping[str, object]) -> Self:
        """A new signal, not stored yet, of values by column (`company_id`); defaults stand for the others.

        Handed over by place: by name they cost Django twice as much, a twentieth of a large delivery.
        """
        fields = cls._meta.concrete_fields
        values: list[Any] = [
            columns[each.attname] if each.attname in columns else each.get_default() for each in fields
        ]
        return cls(*values)

    @property
    def number(self) -> str:
        """The number of its ticket; empty where none was opened (yet): for one of our own, and for an alert.

        An alert is told by a UUID, which nobody calls a number.
        """
        return "" if self.external_id == self.own_id or UUID.fullmatch(self.external_id) else self.external_id

    @property
    def has_ticket(self) -> bool:
        """Whether a connected system has a ticket of it: of what people entered, a file or an alert, none has (yet)."""
        if self.connection is None or self.connection.vendor == FILES:
            return False
        vendor = VENDORS.get(self.connection.vendor)
        return vendor is None or vendor.gives_tickets

    @property
    def own_id(self) -> str:
        """What stands for the number while there is no ticket."""
        return f"J{self.pk.hex[:8]}"

    @property
    def origin_subject(self) -> str:
        """How `approvals.Origin.subject` names this signal."""
        return f"signal:{self.pk}"

    @property
    def priority_number(self) -> int | None:
        """1 (most urgent) to 4 from a name such as “Priority 2 - High”; None where the name holds no such figure."""
        return next((int(sign) for sign in self.priority if sign in "1234"), None)

    def move(self, *, to: State, frm: Iterable[str], reason: str = "") -> Self:
        """Move the state by an UPDATE whose WHERE repeats the old one; returns this row with what it wrote.

        Raises:
            StaleState: the row was in none of `frm` any more.
        """
        sources = tuple(frm)
        changed = type(self).objects.for_organization(self.organization).filter(pk=self.pk, state__in=sources)
        with transaction.atomic():  # stamped inside of it, see signals/rest/feed.py
            now = timezone.now()
            moved = changed.update(state=to, state_reason=reason, changed_at=now)
        if not moved:
            raise StaleState(f"Signal {self.external_id} is no longer {' or '.join(sources)}.")
        self.state, self.state_reason, self.changed_at = to, reason, now
        return self


class SignalNote(TenantModel):
    """A note or mail of the ticket."""

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="notes")
    external_id = models.CharField(max_length=80)
    author = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    internal = models.BooleanField(default=True)
    by_client = models.BooleanField(null=True, help_text="Whether the client wrote it; empty = the source did not say.")
    written_at = models.DateTimeField()

    objects = NoteQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["written_at", "external_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["signal", "external_id"], name="signal_note_external_once"),
        ]
