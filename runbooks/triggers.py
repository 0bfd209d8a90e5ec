"""What an author says about when a runbook fits or begins: triggers are added, changed, switched and removed here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from runbooks.guards import require_author
from runbooks.inputs import InputDeclaration
from runbooks.lacking import asked_now
from runbooks.models import Trigger
from runbooks.schedules import comes_within, next_moment
from runbooks.values import ValuesRefused, read_values

Kind = Trigger.Kind

#: Kinds whose runs have no ticket: their inputs are known beforehand or asked of a person.
WITHOUT_TICKET = (Kind.SCHEDULE, Kind.MANUAL)

#: Minutes that lie at least between two moments of a schedule.
LEAST_MINUTES = 5
#: Minutes that a start may be late at most.
MOST_GRACE = 7 * 24 * 60


@transaction.atomic
def save_trigger(*, actor: Actor, trigger: Trigger, companies: Iterable[Company]) -> Trigger:
    """Add or change a condition. It counts from now on; a schedule is due at its next moment.

    Raises:
        PermissionDenied: `actor` may not author the runbook.
        ValidationError: by field name, what its kind lacks or cannot be.
    """
    require_author(actor, trigger.runbook)
    trigger.organization = trigger.runbook.organization
    chosen = list(companies)
    trigger.full_clean(exclude=["organization", "runbook"])
    problems = trigger_problems(trigger, chosen)
    if problems:
        raise ValidationError(problems)
    adding = trigger._state.adding
    _plan(trigger)
    trigger.save()
    trigger.companies.set(chosen)
    verb = "trigger.added" if adding else "trigger.changed"
    record(actor, verb, trigger, {"runbook": str(trigger.runbook_id), "words": trigger.words})
    return trigger


@transaction.atomic
def switch_trigger(*, actor: Actor, trigger: Trigger, enabled: bool) -> None:
    """Switch a condition on or off. Moments that pass while it is off are not made up for.

    Raises:
        PermissionDenied: `actor` may not author the runbook.
    """
    require_author(actor, trigger.runbook)
    trigger.enabled = enabled
    _plan(trigger)
    trigger.save(update_fields=["enabled", "next_due"])
    verb = "trigger.switched_on" if enabled else "trigger.switched_off"
    record(actor, verb, trigger, {"runbook": str(trigger.runbook_id), "words": trigger.words})


@transaction.atomic
def remove_trigger(*, actor: Actor, trigger: Trigger) -> None:
    """Remove a condition that never came true; one that did is kept for what it tells, and can be switched off.

    Raises:
        PermissionDenied: `actor` may not author the runbook.
        ValidationError: it fired before.
    """
    require_author(actor, trigger.runbook)
    if trigger.firings.exists():
        raise ValidationError("It has fired, and its runs refer to it: switch it off instead.")
    record(actor, "trigger.removed", trigger, {"runbook": str(trigger.runbook_id), "words": trigger.words})
    trigger.delete()


def _plan(trigger: Trigger) -> None:
    """Set when it is due next."""
    runs = trigger.kind == Kind.SCHEDULE and trigger.enabled
    trigger.next_due = next_moment(trigger.cron, trigger.time_zone, timezone.now()) if runs else None


def trigger_problems(trigger: Trigger, companies: list[Company]) -> dict[str, str]:
    """All that keeps it from being saved and that no single field can tell, by field name.

    The values of inputs become what their types make of them.
    """
    errors: dict[str, str] = {}
    try:
        trigger.clean()
    except ValidationError as problem:
        errors = {name: " ".join(words) for name, words in problem.message_dict.items()}
    if trigger.kind in WITHOUT_TICKET:
        try:
            trigger.inputs = read_values(asked_of(trigger), trigger.inputs)
        except ValuesRefused as refused:
            errors["inputs"] = str(refused)
    errors |= _misplaced(trigger, companies)
    if trigger.kind == Kind.SCHEDULE:
        if trigger.grace_minutes > MOST_GRACE:
            errors["grace_minutes"] = f"At most {MOST_GRACE:,} minutes, which is a week."
        if "cron" not in errors and comes_within(trigger.cron, timedelta(minutes=LEAST_MINUTES)):
            errors["cron"] = f"At most every {LEAST_MINUTES} minutes: what is more frequent, let an alert start."
    return errors


def asked_of(trigger: Trigger) -> list[InputDeclaration]:
    """The inputs it may give values for. A schedule has nobody to ask for the rest; a start by hand asks its person."""
    needed = trigger.kind == Kind.SCHEDULE
    return [each.model_copy(update={"required": each.required and needed}) for each in asked_now(trigger.runbook)]


def _misplaced(trigger: Trigger, companies: list[Company]) -> dict[str, str]:
    """What is wrong with where it counts, by field name."""
    runbook = trigger.runbook
    errors: dict[str, str] = {}
    if any(company.organization_id != runbook.organization_id for company in companies):
        errors["companies"] = "Choose companies of yours."
    if runbook.company_id is not None and any(company.pk != runbook.company_id for company in companies):
        errors["companies"] = "This runbook is for one company only; leave the list empty."
    if trigger.kind == Kind.SCHEDULE and runbook.company_id is None and not companies:
        errors["companies"] = "Choose for which companies: a schedule runs once for each of them."
    if trigger.kind == Kind.MANUAL and _is_there(trigger, companies):
        errors["board"] = "People may start it by hand already, just like this."
    if trigger.board is not None and trigger.board.organization_id != runbook.organization_id:
        errors["board"] = "Choose one of your boards."
    return errors


def _is_there(trigger: Trigger, companies: list[Company]) -> bool:
    """Whether the runbook has this very condition: the same companies, board and values."""
    others = Trigger.objects.for_organization(trigger.runbook.organization).filter(
        runbook=trigger.runbook, kind=trigger.kind, board=trigger.board, inputs=trigger.inputs
    )
    return any(set(other.companies.all()) == set(companies) for other in others.exclude(pk=trigger.pk))
