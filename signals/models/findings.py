"""What was found out about signals, by processors and by people, and what waits for a person's word."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from junto.tenants.models import Membership
from junto.tenants.scoping import TenantModel
from signals.models.tickets import Signal
from signals.querysets import FoundOfSignalQuerySet, ProcessorResultQuerySet


class ProcessorResult(TenantModel):
    """One answer of a processor, or of a person in its place. Append-only: only the state moves, the rest never.

    There is one CURRENT row for each signal and processor, and the database holds that: who comes second to it loses.
    `confidence` is 0 to 1, `microcents` millionths of a cent. An ABSTAINED row holds the value that was not sure
    enough; a FAILED one holds none. A person's row has the `person`, and in `judged` the row they looked at. One that
    was `set_at_source` tells what the ticket's source has: it is not taken back here.
    """

    class State(models.TextChoices):
        CURRENT = "current", "Current"
        SUPERSEDED = "superseded", "Superseded"
        REVERTED = "reverted", "Reverted"
        ABSTAINED = "abstained", "Not sure enough"
        FAILED = "failed", "Failed"

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="results")
    processor = models.CharField(max_length=40)
    value = models.JSONField(default=dict)
    key = models.CharField(max_length=300, blank=True, help_text="What must be alike for two values to agree.")
    confidence = models.FloatField(default=0.0)
    reason = models.TextField(blank=True)
    producer = models.CharField(max_length=10)
    model = models.CharField(max_length=120, blank=True)
    version = models.PositiveSmallIntegerField(default=1)
    milliseconds = models.PositiveIntegerField(default=0)
    microcents = models.BigIntegerField(default=0)
    revision = models.BigIntegerField(help_text="Of the signal, as it was read.")
    state = models.CharField(max_length=10, choices=State, default=State.CURRENT)
    person = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    judged = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="judgements")
    agrees = models.BooleanField(null=True, blank=True, help_text="Whether the person found the judged row right.")
    set_at_source = models.BooleanField(default=False, help_text="A person set it at the ticket's source.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProcessorResultQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["signal", "processor"], condition=Q(state="current"), name="processor_result_current_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["signal", "processor", "-created_at"]),
            models.Index(fields=["organization", "processor", "-created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.processor} of {self.signal_id}: {self.key}"


class ReviewItem(TenantModel):
    """A processor was not sure enough, and nothing stands in its place: a person may say what is right."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ANSWERED = "answered", "Answered"
        DROPPED = "dropped", "No longer needed"
        DISMISSED = "dismissed", "Left as it is"

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="review_items")
    processor = models.CharField(max_length=40)
    result = models.ForeignKey(ProcessorResult, on_delete=models.CASCADE, related_name="review_items")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = FoundOfSignalQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["signal", "processor"], condition=Q(state="open"), name="review_item_open_once"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "state", "created_at"])]


class ModelQuestion(TenantModel):
    """What a processor asked a language model of a ticket, and what came of it. Written when it is over.

    `digest` is alike for the same question to the same model; `problem` says why the answer was of no use.
    `microcents` are millionths of a cent.
    """

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="model_questions")
    processor = models.CharField(max_length=40)
    revision = models.BigIntegerField(help_text="Of the signal, as it was read.")
    model = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    prompt = models.TextField()
    answer = models.TextField(blank=True)
    problem = models.CharField(max_length=300, blank=True)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    microcents = models.BigIntegerField(default=0)
    milliseconds = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FoundOfSignalQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-created_at", "id"]
        indexes: ClassVar = [
            models.Index(fields=["signal", "processor", "-created_at"]),
            models.Index(fields=["organization", "processor", "-created_at"]),
        ]
