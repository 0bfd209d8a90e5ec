"""Files of tickets that people read in: how each is to be read, how far it came, and the rows that were refused."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from integrations.models import Connection
from junto.tenants.models import Membership
from junto.tenants.scoping import TenantModel


class TicketImport(TenantModel):
    """One file. `position` = rows done; it moves in the transaction that stores them, so that a crash repeats none.

    A worker holds `lease_until` (database time) under `fence`, which grows with every lease.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Not begun"
        RUNNING = "running", "Reading"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"
        DONE = "done", "Done"

    #: States in which a person may let it go on.
    PAUSED: ClassVar[tuple[str, ...]] = (State.STOPPED, State.FAILED)

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    asked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200)
    content = models.BinaryField(help_text="The file as it came; empty once all of it was read.")
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=1)
    head = models.JSONField(default=list, help_text="The names of the columns.")
    reading = models.JSONField(default=dict, help_text="Which column says what, and how dates are written.")
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    detail = models.TextField(blank=True, help_text="Why it stands still.")
    rows = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    older = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.file_name


class RefusedRow(TenantModel):
    """A row that was not taken in, whole, with what is wrong in it."""

    ticket_import = models.ForeignKey(TicketImport, on_delete=models.CASCADE, related_name="refused_rows")
    number = models.PositiveIntegerField(help_text="Of the rows below the head, from 1.")
    line = models.PositiveIntegerField(help_text="In the file, from 1.")
    column = models.CharField(max_length=80)
    words = models.TextField()
    cells = models.JSONField(default=list)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ticket_import", "number"], name="refused_row_once"),
        ]
