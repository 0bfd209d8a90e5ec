"""The append-only, hash-chained record of who did what."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from junto.tenants.scoping import TenantModel


class AppendOnly(RuntimeError):
    """Somebody tried to change or delete a row that is only ever added."""


class AuditEntry(TenantModel):
    """One deed. `hash` = HMAC(audit key, previous hash || canonical JSON of this row) per organization (TRUST (a))."""

    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_label = models.CharField(max_length=200)
    actor_id = models.CharField(max_length=64, blank=True)
    verb = models.CharField(max_length=80)
    target_type = models.CharField(max_length=80)
    target_id = models.CharField(max_length=64)
    detail = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "audit entries"
        ordering: ClassVar = ["organization", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "number"], name="audit_number_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "target_type", "target_id"])]

    def __str__(self) -> str:
        return f"{self.number} {self.verb}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only. Raises AppendOnly on a second save."""
        if not self._state.adding:
            raise AppendOnly("Audit entries are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raises AppendOnly always."""
        raise AppendOnly("Audit entries are never deleted.")


class AuditHead(TenantModel):
    """The end of an organization's chain; its row is locked while an entry is appended."""

    number = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization"], name="audit_head_once")]
