"""Admins' words on processors: which run, where, in what order, with which options and rules."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Max
from pydantic import JsonValue, ValidationError

from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet
from signals.intake.cleaning import storable
from signals.models import Board, ProcessorRule, ProcessorSetting, Signal
from signals.processing.doubts import forget
from signals.processing.option_checks import bar_problem
from signals.processing.plans import plan_of, plans
from signals.processors.base import AnyProcessor, Options
from signals.processors.rules import MOST_CONDITIONS, Condition
from signals.write_back.grants import end_grants

#: Rules of one processor; each is tried on each ticket.
MOST_RULES = 100


class SettingRefused(ValueError):
    """It cannot be set so; the message says why."""


@transaction.atomic
def switch_processor(
    *, actor: Actor, processor: AnyProcessor, enabled: bool | None, company: Company | None = None
) -> None:
    """Switch it on or off, for the organization or one company; None = as the place above says.

    Raises:
        PermissionDenied: `actor` may not manage processors.
    """
    row = _row(actor, processor, company)
    row.enabled = enabled
    row.save()
    _forget_where_off(actor, processor, company)
    end_grants(actor, processor, reason="Its settings were changed.")
    _note(actor, row, "processor.switched", {"enabled": enabled})


@transaction.atomic
def set_options(*, actor: Actor, processor: AnyProcessor, options: Options, company: Company | None = None) -> None:
    """Set its options; only what differs from the place above is kept.

    Raises:
        SettingRefused: a value would take no more to change than to set.
        PermissionDenied: `actor` may not manage processors.
    """
    row = _row(actor, processor, company)
    if problem := bar_problem(processor, options):
        raise SettingRefused(problem)
    above = processor.options_type() if company is None else _options(actor, processor)
    standard = above.model_dump(mode="json")
    row.options = {name: value for name, value in options.model_dump(mode="json").items() if value != standard[name]}
    row.save()
    end_grants(actor, processor, reason="Its settings were changed.")
    _note(actor, row, "processor.options_set", dict(row.options))


@transaction.atomic
def set_boards(*, actor: Actor, processor: AnyProcessor, boards: Collection[uuid.UUID]) -> None:
    """Limit it to some boards of the organization; none = all of them. Raises as `switch_processor`."""
    row = _row(actor, processor, None)
    row.save()
    chosen = list(Board.objects.for_organization(actor.organization).filter(pk__in=boards))
    row.boards.set(chosen)
    end_grants(actor, processor, reason="Its settings were changed.")
    _note(actor, row, "processor.boards_set", {"boards": ", ".join(sorted(board.name for board in chosen))})


@transaction.atomic
def move_processor(*, actor: Actor, processor: AnyProcessor, up: bool) -> None:
    """Change places with its neighbour of the same phase. Raises as `switch_processor`."""
    require(actor, Permission.MANAGE_PROCESSORS)
    order = [plan.processor for plan in plans(actor.organization) if plan.processor.phase == processor.phase]
    at = order.index(processor)
    to = at - 1 if up else at + 1
    if not 0 <= to < len(order):
        return
    order[at], order[to] = order[to], order[at]
    for position, each in enumerate(order):
        row = _row(actor, each, None)
        row.position = position
        row.save()
    _note(actor, _row(actor, processor, None), "processor.moved", {"position": to + 1})


@transaction.atomic
def add_rule(
    *,
    actor: Actor,
    processor: AnyProcessor,
    conditions: Sequence[Condition],
    any_holds: bool,
    label: str,
    tags: Sequence[str] = (),
) -> ProcessorRule:
    """Add a rule after the others.

    Raises:
        SettingRefused: no condition, too many, or a label that the processor does not have.
        PermissionDenied: `actor` may not manage processors.
    """
    require(actor, Permission.MANAGE_PROCESSORS)
    if not processor.takes_rules:
        raise SettingRefused(f"{processor.label} takes no rules.")
    if not 0 < len(conditions) <= MOST_CONDITIONS:
        raise SettingRefused(f"A rule has 1 to {MOST_CONDITIONS} conditions.")
    label = label.strip()
    labels = processor.labels(processor.options_type())
    if not label or (labels and label not in labels):
        raise SettingRefused("Say what the rule gives.")
    try:
        processor.value_of_label(label)
    except ValidationError as problem:
        raise SettingRefused(f"“{label[:80]}” is nothing that it gives. {processor.rule_hint}".strip()) from problem
    rules = ProcessorRule.objects.for_organization(actor.organization).filter(processor=processor.slug)
    if rules.count() >= MOST_RULES:
        raise SettingRefused(f"There are {MOST_RULES} rules already: remove one first.")
    last = rules.aggregate(last=Max("position"))["last"]
    rule: ProcessorRule = ProcessorRule.objects.create(
        organization=actor.organization,
        processor=processor.slug,
        position=0 if last is None else last + 1,
        conditions=[condition.model_dump(mode="json") for condition in conditions],
        any_holds=any_holds,
        label=label[:120],
        tags=[kept[:60] for tag in tags if (kept := storable(tag).strip())],
    )
    words = (" or " if any_holds else " and ").join(condition.words() for condition in conditions)
    record(
        actor, "processor.rule_added", rule, {"processor": processor.label, "conditions": words, "gives": rule.label}
    )
    return rule


@transaction.atomic
def remove_rule(*, actor: Actor, rule: ProcessorRule) -> None:
    """Remove a rule; values it gave stay. Raises as `switch_processor`."""
    require(actor, Permission.MANAGE_PROCESSORS)
    record(actor, "processor.rule_removed", rule, {"processor": rule.processor, "gives": rule.label})
    rule.delete()


@transaction.atomic
def move_rule(*, actor: Actor, rule: ProcessorRule, up: bool) -> None:
    """Change places with the rule before or after it. Raises as `switch_processor`."""
    require(actor, Permission.MANAGE_PROCESSORS)
    order = list(ProcessorRule.objects.for_organization(actor.organization).filter(processor=rule.processor))
    at = order.index(rule)
    to = at - 1 if up else at + 1
    if not 0 <= to < len(order):
        return
    order[at], order[to] = order[to], order[at]
    for position, each in enumerate(order):
        each.position = position
        each.save(update_fields=["position"])
    record(actor, "processor.rule_moved", rule, {"processor": rule.processor, "position": to + 1})


def _forget_where_off(actor: Actor, processor: AnyProcessor, company: Company | None) -> None:
    """What a processor asked holds no ticket that it does not read any more."""
    signals: TenantQuerySet[Signal] = Signal.objects.for_organization(actor.organization)
    plan = plan_of(actor.organization, processor, company)
    if plan.enabled:
        return
    if company is not None:
        forget(processor, signals.filter(company=company))
        return
    own = ProcessorSetting.objects.for_organization(actor.organization).filter(processor=processor.slug, enabled=True)
    forget(processor, signals.exclude(company__in=own.filter(company__isnull=False).values("company")))


def train_now(*, actor: Actor, processor: AnyProcessor) -> None:
    """Let it learn from what there is now, in the background. Raises as `switch_processor`."""
    require(actor, Permission.MANAGE_PROCESSORS)
    ring("processor.untrained", f"{actor.organization.pk}:{processor.slug}")


def _row(actor: Actor, processor: AnyProcessor, company: Company | None) -> ProcessorSetting:
    require(actor, Permission.MANAGE_PROCESSORS)
    if company is not None:
        require(actor, Permission.VIEW_WORK, company)
    rows = ProcessorSetting.objects.for_organization(actor.organization)
    row: ProcessorSetting | None = rows.select_for_update().filter(processor=processor.slug, company=company).first()
    return row or ProcessorSetting(organization=actor.organization, processor=processor.slug, company=company)


def _options(actor: Actor, processor: AnyProcessor) -> Options:
    return plan_of(actor.organization, processor).options


def _note(actor: Actor, row: ProcessorSetting, verb: str, detail: dict[str, JsonValue]) -> None:
    place = {"company": row.company.name} if row.company else {}
    record(actor, verb, row, {"processor": row.processor, **place, **detail})
