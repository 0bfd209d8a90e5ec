"""What surrounds the writing of a runbook: editors at work, pictures, and words to filter the list by."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from junto.tenants.models import Membership
from junto.tenants.scoping import TenantModel
from runbooks.models.runbooks import LABEL_LENGTH, Runbook


class RunbookEdit(TenantModel):
    """One person at the editor of one runbook (of a new one where `runbook` is empty).

    `content` are the fields of the form as last typed, empty where nothing is unsaved; it is kept so that a crash loses
    nothing, and is never a version. `based_on` is the history record that the editing began from.
    """

    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, null=True, blank=True, related_name="edits")
    content = models.JSONField(default=dict, blank=True)
    based_on = models.PositiveBigIntegerField(null=True, blank=True)
    seen_at = models.DateTimeField()
    saved_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "runbook"], name="one_edit_a_person_and_runbook"),
            models.UniqueConstraint(
                fields=["member"], condition=models.Q(runbook=None), name="one_edit_of_a_new_runbook_a_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} at {self.runbook_id or 'a new runbook'}"


class RunbookImage(TenantModel):
    """A picture for runbooks, as this server drew it anew from what was uploaded.

    In the database and not on a disk, so that backups hold it and every process can serve it. Runbooks name it as
    `image:<id>`; whoever may see work of the organization may see it, as a picture may stand in several runbooks.
    """

    content = models.BinaryField()
    content_type = models.CharField(max_length=20)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content.")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    uploaded_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "digest"], name="a_picture_once_an_organization")
        ]

    def __str__(self) -> str:
        return f"{self.width} × {self.height} {self.content_type}"


class RunbookLabel(TenantModel):
    """A tag of a runbook, or the slug of a system that its draft mentions: written at each save, to filter lists by."""

    class Kind(models.TextChoices):
        TAG = "tag", "Tag"
        SYSTEM = "system", "System"

    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="labels")
    kind = models.CharField(max_length=6, choices=Kind)
    word = models.CharField(max_length=LABEL_LENGTH)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["runbook", "kind", "word"], name="a_label_once_a_runbook")
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "kind", "word"])]

    def __str__(self) -> str:
        return self.word
