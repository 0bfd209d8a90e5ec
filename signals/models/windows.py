"""When an admin wants quiet: work on a company's devices that would raise alerts by itself."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import F, Q

from integrations.models import Device
from junto.tenants.models import Company, Membership, Organization
from junto.tenants.scoping import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from signals.models.tickets import Signal


class WindowQuerySet(TenantQuerySet[Any]):
    """Windows of companies."""

    company_path = "company"


class MaintenanceWindow(TenantModel):
    """Alerts that a company (or one device of it) raises from `starts_at` until `ends_at` are nobody's news."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    set_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When what it held was let go again.")
    kept_quiet = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many alerts it kept quiet; empty until it is settled."
    )
    stood_at_end = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many of these stood still when it was settled."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WindowQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-starts_at", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gte=F("starts_at")), name="maintenance_ends_after_it_starts"),
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "ends_at"])]

    def __str__(self) -> str:
        return self.reason

    @classmethod
    def at(cls, organization: Organization, moment: datetime) -> TenantQuerySet[MaintenanceWindow]:
        """The windows that are open at a moment, the one that ends last first."""
        rows: TenantQuerySet[MaintenanceWindow] = cls.objects.for_organization(organization)
        return rows.filter(starts_at__lte=moment, ends_at__gt=moment, settled_at=None).order_by("-ends_at", "pk")

    @property
    def was_called_off(self) -> bool:
        """Whether somebody took it back before it began."""
        return self.settled_at is not None and self.settled_at < self.starts_at

    def covers(self, signal: Signal) -> bool:
        """Whether an alert was raised in it."""
        here = self.device_id in (None, signal.device_id) or self._is_called(signal)
        return here and self.company_id == signal.company_id and signal.source_created_at >= self.starts_at

    def _is_called(self, signal: Signal) -> bool:
        """Whether the devices bear one name: PSA and monitoring each have a row of the same machine."""
        if self.device is None or signal.device is None:
            return False
        return (
            self.device.company_id == signal.company_id and self.device.name.casefold() == signal.device.name.casefold()
        )
