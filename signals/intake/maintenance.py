"""Planning and ending maintenance windows."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from integrations.models import Device
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet
from signals.intake.folding import end_of_maintenance
from signals.models import MaintenanceWindow, Signal

#: So long a window may be at most: a forgotten one would hide alerts for ever.
LONGEST = timedelta(days=14)


class WindowRefused(ValueError):
    """This cannot be a maintenance window; the message says why."""


@transaction.atomic
def plan_window(
    *,
    actor: Actor,
    company: Company,
    device: Device | None,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
) -> MaintenanceWindow:
    """Keep quiet what a company, or one device of it, raises in that time.

    Raises:
        PermissionDenied: the actor may not manage integrations.
        WindowRefused: it is over already, ends before it begins, is too long, has no reason, or is set already.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    if not reason.strip():
        raise WindowRefused("Say what is done in it: whoever misses an alert reads it.")
    if ends_at <= max(starts_at, timezone.now()):
        raise WindowRefused("It must end after it begins, and in the future.")
    if ends_at - starts_at > LONGEST:
        raise WindowRefused(f"It may last {LONGEST.days} days at most.")
    same = MaintenanceWindow.objects.for_organization(actor.organization).filter(
        company=company, device=device, settled_at=None
    )
    if same.filter(starts_at=starts_at, ends_at=ends_at).exists():
        raise WindowRefused("This window is set already.")
    window = MaintenanceWindow(
        organization=actor.organization,
        company=company,
        device=device,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason.strip()[:200],
        set_by=actor.membership,
    )
    window.save(force_insert=True)
    record(
        actor,
        "maintenance.planned",
        window,
        {"company": company.name, "device": device.name if device else "", "until": ends_at.isoformat()},
    )
    return window


@transaction.atomic
def end_window(*, actor: Actor, window: MaintenanceWindow) -> int:
    """End it now, or call it off where it has not begun: its times stay then as they were planned.

    How many alerts it kept quiet that still stand. Raises PermissionDenied.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    now = timezone.now()
    rows = _rows(window).filter(settled_at=None)
    if rows.filter(starts_at__gt=now).update(settled_at=now):
        record(actor, "maintenance.called_off", window, {})
        return 0
    if not rows.update(ends_at=now):
        return 0
    record(actor, "maintenance.ended", window, {})
    return settle_window(window)


@transaction.atomic
def settle_window(window: MaintenanceWindow) -> int:
    """Let go, once, what a window that is over kept quiet; how many alerts still stand.

    Both figures are kept in the window: what is let go may be kept quiet by another window at once, or forgotten later.
    """
    if not _rows(window).filter(settled_at=None, ends_at__lte=timezone.now()).update(settled_at=timezone.now()):
        return 0
    kept = Signal.objects.for_organization(window.organization).filter(quiet_by=window).count()
    stood = len(end_of_maintenance(window))
    _rows(window).update(kept_quiet=kept, stood_at_end=stood)
    return stood


def _rows(window: MaintenanceWindow) -> TenantQuerySet[MaintenanceWindow]:
    rows: TenantQuerySet[MaintenanceWindow] = MaintenanceWindow.objects.for_organization(window.organization)
    return rows.filter(pk=window.pk)
