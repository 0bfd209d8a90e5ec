"""What matching remembers: the vectors of published texts, and which runbook people chose for a signal."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from junto.tenants.models import Membership
from junto.tenants.scoping import TenantModel
from runbooks.models.runbooks import Runbook
from runbooks.querysets import ChoiceQuerySet
from signals.models import Signal


class RunbookVectors(TenantModel):
    """What a published version means, as an encoder put it. Made again at any time from the text; never edited.

    `vectors` are 16-bit floats, one row for each of `junto.retrieval.semantic.passages`.
    """

    record = models.PositiveBigIntegerField(help_text="The history record that holds the published text.")
    encoder = models.CharField(max_length=80)
    vectors = models.BinaryField()

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "record", "encoder"], name="runbook_vectors_once"),
        ]

    def __str__(self) -> str:
        return f"Vectors of record {self.record}"


class RunbookChoice(TenantModel):
    """A person chose a runbook for a signal. `offered` was the best match then; none = nothing fitted well enough.

    `chosen` none = the person wanted no runbook at all.
    """

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="runbook_choices")
    offered = models.ForeignKey(Runbook, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    chosen = models.ForeignKey(Runbook, on_delete=models.SET_NULL, null=True, blank=True, related_name="choices")
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    chosen_at = models.DateTimeField(auto_now_add=True)

    objects = ChoiceQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-chosen_at", "id"]
        indexes: ClassVar = [models.Index(fields=["organization", "-chosen_at"])]

    def __str__(self) -> str:
        return f"{self.chosen or 'No runbook'} for {self.signal}"
