"""Conditions coming true: each becomes one firing, whoever looks, however often, from however many processes.

A firing is a row that waits for its turn; the floor above begins the run (agent/starting.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from pydantic import JsonValue

from junto.bells import ring
from junto.inbox.services import notify
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership, Organization
from junto.tenants.permissions import Permission, require
from runbooks.models import Runbook, Trigger, TriggerFiring
from runbooks.schedules import MOST_COUNTED, Due, due, next_moment
from runbooks.versions import published_versions
from signals.models import Signal
from signals.processing.doubts import may_begin_unattended

State = TriggerFiring.State

#: Signals whose conditions count: new ones, those a processor was not sure of, and those that a session only looked at.
#: What was worked on stays so.
FIRES_IN = (Signal.State.NEW, Signal.State.NEEDS_REVIEW, Signal.State.TRIAGING)
#: Schedules looked at in one round of the clock.
MOST_DUE = 200
#: A start this much behind its time is told as late.
LATE = timedelta(minutes=2)


def fire_on_signal(signal: Signal) -> list[TriggerFiring]:
    """Let every trigger fire whose condition `signal` meets, each once; what of it still waits for its turn.

    Only runbooks that the agent carries out begin by themselves on a ticket, and a company's variant stands in for its
    global parent. None does while it is in doubt what the ticket is.
    """
    if signal.company is None or not signal.company.is_active:
        return []
    if signal.state not in FIRES_IN or signal.closed_at_source or not may_begin_unattended(signal):
        return []
    triggers = [trigger for trigger in _in_scope(signal) if trigger.fits(signal)]
    versions = published_versions(trigger.runbook for trigger in triggers)
    for trigger in triggers:
        version = versions.get(trigger.runbook_id)
        if version is not None and version.audience == Runbook.Audience.AI:
            _fire(trigger, condition=f"signal:{signal.pk}", company_id=signal.company.pk, signal=signal)
    waiting = TriggerFiring.objects.for_organization(signal.organization).filter(signal=signal, state=State.QUEUED)
    return list(waiting.order_by("created_at")) if triggers else []


def fire_by_hand(
    *, trigger: Trigger, company: Company, actor: Actor, inputs: Mapping[str, JsonValue], press: str
) -> TriggerFiring:
    """A person starts a runbook for a company, without a ticket. The same `press` again is the same firing.

    Raises:
        PermissionDenied: `actor` may not run sessions for `company`.
    """
    require(actor, Permission.RUN_SESSIONS, company)
    return _fire(
        trigger, condition=f"press:{press}"[:160], company_id=company.pk, inputs=inputs, started_by=actor.membership
    )


def manual_trigger(runbook: Runbook, company: Company) -> Trigger | None:
    """What lets people start the runbook for `company` without a ticket; None where its author did not allow it."""
    rows = Trigger.objects.for_organization(runbook.organization).filter(
        runbook=runbook, kind=Trigger.Kind.MANUAL, enabled=True
    )
    found: Trigger | None = rows.filter(Q(companies=None) | Q(companies=company)).order_by("created_at").first()
    return found


def fire_due(now: datetime | None = None) -> int:
    """Let the schedules fire whose time has come, and tell what was missed; how many were due."""
    now = now or timezone.now()
    rows = (
        Trigger.unscoped.filter(
            kind=Trigger.Kind.SCHEDULE, enabled=True, next_due__lte=now, runbook__status=Runbook.Status.PUBLISHED
        )
        .select_related("organization", "runbook__company", "runbook__published_by__user")
        .order_by("next_due")
    )
    return sum(_fire_schedule(trigger, now) for trigger in rows[:MOST_DUE])


@transaction.atomic
def _fire_schedule(trigger: Trigger, now: datetime) -> bool:
    """Fire one schedule, unless another process was quicker."""
    since = trigger.next_due
    following = next_moment(trigger.cron, trigger.time_zone, now)
    taken = Trigger.objects.for_organization(trigger.organization).filter(pk=trigger.pk, next_due=since, enabled=True)
    if since is None or not taken.update(next_due=following):
        return False
    published = trigger.runbook.published_at or since
    if since < published:  # it was archived in between: nothing was due then
        since = next_moment(trigger.cron, trigger.time_zone, published)
    come = due(trigger.cron, trigger.time_zone, since=since, now=now)
    if come is None:
        return False
    for company in _companies(trigger):
        runbook = _in_place_of(trigger.runbook, company)
        if runbook is not None:
            _fire_for(trigger, runbook, company, come, now)
    return True


def _fire_for(trigger: Trigger, runbook: Runbook, company: Company, come: Due, now: datetime) -> None:
    too_late = now - come.newest > timedelta(minutes=trigger.grace_minutes)
    missed = come.missed + too_late
    if missed:
        _skip_missed(trigger, runbook, company, come, missed)
    if too_late:
        return
    rows = TriggerFiring.objects.for_organization(trigger.organization)
    waits = rows.filter(trigger=trigger, company=company, state=State.QUEUED).order_by("due_at").first()
    condition = f"due:{come.newest:%Y-%m-%dT%H:%M}:{company.pk}"
    late = "" if now - come.newest < LATE else f"Late: it was due at {trigger.clock(come.newest)}."
    if waits is None:
        _fire(trigger, runbook=runbook, condition=condition, company_id=company.pk, due_at=come.newest, reason=late)
        return
    _fire(
        trigger,
        runbook=runbook,
        condition=condition,
        company_id=company.pk,
        due_at=come.newest,
        state=State.SKIPPED,
        reason=f"The run of {trigger.clock(waits.due_at)} still waits for its turn.",
    )


def _skip_missed(trigger: Trigger, runbook: Runbook, company: Company, come: Due, missed: int) -> None:
    """Tell what did not run because nothing was running then: one row, however much it was."""
    times = f"{missed} times" if missed <= MOST_COUNTED else f"more than {MOST_COUNTED} times"
    when = f"at {trigger.clock(come.first)}" if missed == 1 else f"{times} from {trigger.clock(come.first)} on"
    reason = f"Junto was not running: it was due {when}, and starts at most {trigger.grace_minutes} minutes late."
    firing = _fire(
        trigger,
        runbook=runbook,
        condition=f"missed:{come.first:%Y-%m-%dT%H:%M}:{company.pk}",
        company_id=company.pk,
        due_at=come.first,
        state=State.SKIPPED,
        reason=reason,
    )
    tell_skipped(firing)


def tell_skipped(firing: TriggerFiring) -> None:
    """Tell whoever published the runbook that a scheduled run of it did not take place."""
    author = firing.runbook.published_by
    if author is None or firing.trigger.kind != Trigger.Kind.SCHEDULE:
        return
    notify(
        members=[author],
        kind="run.skipped",
        title=f"Skipped: {firing.runbook.title} for {firing.company.name}",
        body=firing.reason,
        path="runs/?show=skipped",
        # each company has a run of its own, so the notice of one says nothing of another
        subject=f"trigger:{firing.trigger_id.hex}:{firing.company_id.hex}",
    )


def _fire(
    trigger: Trigger,
    *,
    condition: str,
    company_id: UUID,
    runbook: Runbook | None = None,
    signal: Signal | None = None,
    due_at: datetime | None = None,
    inputs: Mapping[str, JsonValue] | None = None,
    started_by: Membership | None = None,
    state: TriggerFiring.State = State.QUEUED,
    reason: str = "",
) -> TriggerFiring:
    """The firing of this condition, made if it is the first (unique: trigger, condition).

    `runbook` is what it starts, where that is not the trigger's own.
    """
    firing: TriggerFiring
    firing, made = TriggerFiring.objects.for_organization(trigger.organization).get_or_create(
        trigger=trigger,
        condition=condition,
        defaults={
            "organization": trigger.organization,
            "runbook": runbook or trigger.runbook,
            "company_id": company_id,
            "signal": signal,
            "due_at": due_at or timezone.now(),
            "inputs": {**trigger.inputs, **(inputs or {})},
            "started_by": started_by,
            "state": state,
            "reason": reason,
        },
    )
    if made and state == State.QUEUED:
        ring("firing.queued", str(trigger.organization_id))
    return firing


def _in_scope(signal: Signal) -> list[Trigger]:
    """Enabled triggers on tickets of published runbooks for the signal's company: its own before the global ones."""
    rows = (
        Trigger.objects.for_organization(signal.organization)
        .filter(
            Q(runbook__company=None) | Q(runbook__company=signal.company_id),
            kind__in=[Trigger.Kind.CLASSIFICATION, Trigger.Kind.ALERT],
            enabled=True,
            runbook__status=Runbook.Status.PUBLISHED,
        )
        .select_related("runbook", "organization")
        .prefetch_related("companies")
        .order_by("created_at", "id")
    )
    if not rows:
        return []
    replaced = _replaced(signal.organization, signal.company_id)
    found = [trigger for trigger in rows if trigger.runbook_id not in replaced]
    return sorted(found, key=lambda trigger: trigger.runbook.company_id is None)


def _replaced(organization: Organization, company_id: UUID | None) -> set[UUID | None]:
    """The global runbooks of which the company has a published variant of its own."""
    own = Runbook.objects.for_organization(organization).filter(
        company=company_id, status=Runbook.Status.PUBLISHED, forked_from__isnull=False
    )
    return set(own.values_list("forked_from_id", flat=True))


def _in_place_of(runbook: Runbook, company: Company) -> Runbook | None:
    """What a schedule of `runbook` starts for `company`: its published variant, else `runbook` itself.

    None where the variant has a schedule of its own: that one counts.
    """
    if runbook.company_id is not None:
        return runbook
    own = Runbook.objects.for_organization(runbook.organization).filter(
        company=company, status=Runbook.Status.PUBLISHED, forked_from=runbook
    )
    variant: Runbook | None = own.select_related("published_by__user").order_by("created_at").first()
    if variant is None:
        return runbook
    schedules = Trigger.objects.for_organization(runbook.organization).filter(
        runbook=variant, kind=Trigger.Kind.SCHEDULE, enabled=True
    )
    return None if schedules.exists() else variant


def _companies(trigger: Trigger) -> list[Company]:
    """For whom a schedule fires: the runbook's own company, else those that are listed (PRODUCT 5)."""
    if trigger.runbook.company is not None:
        return [trigger.runbook.company]
    return list(trigger.companies.order_by("name"))
