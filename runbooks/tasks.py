"""What bells and the clock wake: conditions that may have come true, texts without vectors. Each is safe to repeat."""

from __future__ import annotations

from django_tasks import task

from junto.bells import Keys, each_of, ring
from junto.tenants.models import Organization
from runbooks.firing import fire_due, fire_on_signal
from runbooks.meaning import encode_missing
from signals.models import Signal


@task
def fire_triggers(signal_ids: Keys) -> None:
    """Signals came or changed: each may meet the condition of a trigger."""
    each_of(signal_ids.split(), _fire_triggers)


@task
def fire_schedules(_: str = "") -> None:
    """The clock went on: schedules may be due."""
    fire_due()


@task
def encode_runbooks(organization_id: str) -> None:
    """Published versions lack their vectors, such as after an import of many. The rest is rung for anew."""
    organization = Organization.objects.filter(pk=organization_id).first()
    if organization is not None and encode_missing(organization):
        ring("runbook.unencoded", organization_id)


def _fire_triggers(signal_id: str) -> None:
    signal = Signal.unscoped.select_related("organization", "company").filter(pk=signal_id).first()
    if signal is not None:
        fire_on_signal(signal)
