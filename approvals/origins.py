"""What actions stand on: opening, leasing, moving and stopping it. Times are the database's, never a worker's (C26)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from approvals.errors import StaleLease
from approvals.models import Action, Origin
from approvals.querysets import OriginQuerySet
from approvals.transitions import move
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from junto.tenants.permissions import Permission, require

#: States in which an action can still be withdrawn: nothing has left for it.
WITHDRAWABLE = (Action.State.PROPOSED, Action.State.WAITING, Action.State.APPROVED)


def open_origin(
    *,
    organization: Organization,
    kind: Origin.Kind,
    key: str,
    subject: str,
    mode: Origin.Mode,
    company: Company,
    revision: int,
    runbook: str = "",
) -> Origin:
    """The origin of (kind, key), made if it is new. `runbook` = `<id>:<version>` pinned for runbook mode."""
    origin: Origin
    origin, _ = Origin.objects.for_organization(organization).get_or_create(
        kind=kind,
        key=key,
        defaults={
            "organization": organization,
            "subject": subject,
            "mode": mode,
            "company": company,
            "revision": revision,
            "runbook": runbook,
        },
    )
    return origin


def set_mode(*, origin: Origin, mode: Origin.Mode) -> None:
    """Change how the run goes on, as when a person takes over a prepared session."""
    _row(origin).update(mode=mode)
    origin.mode = mode


def lock_origin(origin: Origin) -> None:
    """Hold the row to the end of the transaction: claims, proposals and what people direct wait for each other."""
    _row(origin).select_for_update().get()


def set_open_steps(*, origin: Origin, steps: Iterable[str]) -> None:
    """Say which steps have their turn: the grants of the origin's runbook count at these, and at no other.

    Call it with the row locked since before the steps were read, so that no older word replaces a newer one.
    """
    origin.open_steps = list(steps)
    _row(origin).update(open_steps=origin.open_steps)


def take_lease(origin: Origin, *, seconds: float) -> int | None:
    """Take the lease of a live origin: its new fence, or None while another worker holds it or it is over.

    None too where another took it since `origin` was read, even if it is free again: so what was read with `origin` is
    what the last holder left.
    """
    free = Q(lease_until=None) if origin.lease_until is None else Q(lease_until__lte=Now())
    fence = origin.fence + 1
    taken = _live(origin).filter(free, fence=origin.fence)
    if not taken.update(fence=fence, lease_until=Now() + timedelta(seconds=seconds)):
        return None
    origin.fence = fence
    del origin.lease_until  # the database's time; read again when it is looked at
    return fence


def renew_lease(origin: Origin, *, fence: int, seconds: float) -> None:
    """Keep the lease for `seconds` from now. Inside a transaction this is the fence check of its commit (I21).

    Raises:
        StaleLease: another worker has a newer fence, or the origin was stopped or closed.
    """
    renewed = _live(origin).filter(fence=fence).update(lease_until=Now() + timedelta(seconds=seconds))
    if not renewed:
        raise StaleLease(f"{origin} went on without this worker.")


def release_lease(origin: Origin, *, fence: int) -> None:
    """Give the lease back, unless another worker has it by now."""
    _row(origin).filter(fence=fence).update(lease_until=None)


@transaction.atomic
def stop_origin(*, origin: Origin, actor: Actor, reason: str) -> None:
    """Let nothing more start here: no action is claimed after this commits; what already left ends as it ends (I16).

    Asked by somebody who may run sessions there, or who tells us what the source says (the ticket is gone).
    """
    if not actor.can(Permission.WRITE_SIGNALS):
        require(actor, Permission.RUN_SESSIONS, origin.company)
    _stop(origin, actor=actor, reason=reason)


@transaction.atomic
def cancel_actions(*, origin: Origin, actor: Actor, reason: str, calls: str = "") -> int:
    """Withdraw every action of `origin` that has not left yet; how many. `calls` = only where the call id begins so."""
    # the origin first, as the claim does, so that the two wait for each other and never block each other
    _row(origin).select_for_update().get()
    open_actions = Action.objects.for_organization(origin.organization).select_for_update()
    found = list(open_actions.filter(origin=origin, state__in=WITHDRAWABLE, call_id__startswith=calls))
    for action in found:
        move(action, to=Action.State.CANCELLED, frm=WITHDRAWABLE, actor=actor, reason=reason)
    return len(found)


@transaction.atomic
def move_subject(*, organization: Organization, subject: str, company: Company | None, revision: int) -> None:
    """Tell every origin of `subject` its newest revision and company; on another company they stop (PRODUCT 2).

    What waits there for a decision is looked at again: a target that changed withdraws it (PRODUCT 7). An older
    revision than the one known changes nothing. `company` None = it belongs to no known company any more.
    """
    actor = Actor.system("sync", organization)
    live = Origin.objects.for_organization(organization).filter(subject=subject, stopped_at=None, closed_at=None)
    for origin in live.filter(revision__lte=revision).select_related("company", "organization"):
        _row(origin).filter(revision__lt=revision).update(revision=revision)
        if company is None or company.pk != origin.company_id:
            _stop(origin, actor=actor, reason="The ticket moved to another company.")
            continue
        # whether the revision is newer or not: two changes of one second share theirs
        waiting = Action.objects.for_organization(organization).filter(origin=origin, state=Action.State.WAITING)
        for action in waiting.exclude(category="read"):
            ring("action.news", str(action.pk))


def stop_company(company: Company) -> None:
    """Stop everything that goes on for a company whose work has ended."""
    actor = Actor.system("sync", company.organization)
    live = Origin.objects.for_organization(company.organization).filter(
        company=company, stopped_at=None, closed_at=None
    )
    for origin in live.select_related("company", "organization"):
        with transaction.atomic():
            _stop(origin, actor=actor, reason=f"Work for {company.name} has ended.")


def _stop(origin: Origin, *, actor: Actor, reason: str) -> None:
    stopped = _row(origin).filter(stopped_at=None).update(stopped_at=Now(), stop_reason=reason)
    cancel_actions(origin=origin, actor=actor, reason=reason)
    if stopped:
        record(actor, "origin.stopped", origin, {"reason": reason, "subject": origin.subject})


def _row(origin: Origin) -> OriginQuerySet:
    return Origin.objects.for_organization(origin.organization).filter(pk=origin.pk)


def _live(origin: Origin) -> OriginQuerySet:
    return _row(origin).filter(stopped_at=None, closed_at=None)
