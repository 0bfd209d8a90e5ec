"""Escalation: rules that tell people of tickets which need an eye, once until that is over, and may propose a note.

A rule looks at rows only. What it proposes goes through the same door as the agent's wishes: it waits for a person
unless policy lets it run.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from pydantic import JsonValue

from approvals.errors import StaleLease
from approvals.models import Action, Origin
from approvals.services import open_origin, propose_action
from integrations.llm.fencing import show_escaped
from junto.audit.services import record
from junto.bells import ring
from junto.inbox.services import notify
from junto.tenants.actors import Actor
from junto.tenants.models import Membership, Organization
from junto.tenants.permissions import Permission, PermissionDenied, require
from signals.facts import vendor_id
from signals.models import Board, EscalationFiring, EscalationRule, ServiceHours, Signal
from signals.querysets import SignalQuerySet
from signals.service.attention import Attention, needing
from signals.service.clocks import are_behind, clock_of, keep_clocks
from signals.service.hours import hours_of

#: What a rule's note is proposed with.
NOTE_TOOL: Final = "connectwise.add_internal_note"
#: Rules an organization may have, and tickets that one look at a rule takes.
MOST_RULES: Final = 50
MOST_AT_ONCE: Final = 200
#: From so many tickets of one rule at once on, a member gets one notice about all of them.
TOGETHER: Final = 5
#: Notes proposed in one go.
MOST_NOTES: Final = 20
#: A ticket that meets a rule again so soon after it did not is no news: it goes to and fro.
PAUSE: Final = timedelta(hours=1)
#: So long a page waits for due times that lag behind.
CATCH_UP_SECONDS: Final = 3.0

Condition = EscalationRule.Condition
_BY_PROMISE: Final = (Condition.AT_RISK, Condition.BREACHED)
_BY_CLOCK: Final = (*_BY_PROMISE, Condition.BOUNCING)

log = structlog.get_logger(__name__)


class EscalationRefused(ValueError):
    """The rule cannot be so; the message says why."""


def draft_rule(
    *,
    actor: Actor,
    name: str,
    condition: Condition,
    board: Board | None,
    priority: str,
    notify_role: str,
    notify_member: Membership | None,
    note: str,
) -> EscalationRule:
    """A rule that may be added, and is not yet.

    Raises:
        PermissionDenied: `actor` may not see escalations, or not all companies: a rule reaches them all.
        EscalationRefused: nobody would be told, it fits no ticket, or there is one like it or of its name.
    """
    _require(actor)
    if not name.strip():
        raise EscalationRefused("Give the rule a name.")
    if condition == Condition.PRIORITY and not priority:
        raise EscalationRefused("Say which priority.")
    if not notify_role and notify_member is None:
        raise EscalationRefused("Say who is told: a role, a person, or both.")
    rules = EscalationRule.objects.for_organization(actor.organization)
    if rules.count() >= MOST_RULES:
        raise EscalationRefused(f"There are {MOST_RULES} rules already.")
    if note.strip():
        require(actor, Permission.PROPOSE_ACTIONS)
    same = rules.filter(
        condition=condition, board=board, priority=priority, notify_role=notify_role, notify_member=notify_member
    )
    if same.filter(note=note.strip()).exists():
        raise EscalationRefused("There is such a rule already.")
    if rules.filter(name=name.strip()[:80]).exists():
        raise EscalationRefused("Another rule has this name: notices could not be told apart.")
    return EscalationRule(
        organization=actor.organization,
        name=name.strip()[:80],
        condition=condition,
        board=board,
        priority=priority,
        notify_role=notify_role,
        notify_member=notify_member,
        note=note.strip(),
    )


def add_rule(*, actor: Actor, rule: EscalationRule) -> EscalationRule:
    """Make what `draft_rule` gave a rule; it fires at once for the open tickets that meet it.

    Raises:
        PermissionDenied: as `draft_rule`.
    """
    _require(actor)
    if rule.note:
        require(actor, Permission.PROPOSE_ACTIONS)
    with transaction.atomic():
        rule.save(force_insert=True)
        _note(actor, rule, "escalation.rule_added")
    return rule


@dataclass(frozen=True)
class Meeting:
    """For how many open tickets a rule would fire at once; `reckoning` = due times still come in, so maybe for more."""

    tickets: int
    reckoning: bool


def count_meeting(*, actor: Actor, rule: EscalationRule) -> Meeting:
    """What `rule`, stored or not, would fire for now. Due times that lag behind are brought up to date first.

    Raises PermissionDenied as `add_rule`.
    """
    _require(actor)
    behind = rule.condition in _BY_CLOCK and are_behind(actor.organization)
    if behind:  # a target that was just set has not reached the tickets yet
        keep_clocks(actor.organization, seconds=CATCH_UP_SECONDS)
        behind = are_behind(actor.organization)
    return Meeting(_not_fired(rule, hours_of(actor.organization)).count(), reckoning=behind)


@transaction.atomic
def switch_rule(*, actor: Actor, rule: EscalationRule, enabled: bool) -> None:
    """Let it fire, or not. Raises PermissionDenied as `add_rule`."""
    _require(actor)
    rule.enabled = enabled
    rule.save()
    _note(actor, rule, "escalation.rule_switched")


@transaction.atomic
def remove_rule(*, actor: Actor, rule: EscalationRule) -> None:
    """Drop it; what it did stays. Raises PermissionDenied as `add_rule`."""
    _require(actor)
    _note(actor, rule, "escalation.rule_removed")
    rule.delete()


def escalate(organization: Organization) -> int:
    """Fire every rule for the tickets that meet it, unless it did and that is not over yet; how many firings."""
    fired = 0
    hours = hours_of(organization)
    rules = EscalationRule.objects.for_organization(organization).filter(enabled=True)
    for rule in rules.select_related("organization", "board", "notify_member__user"):
        _end_over(rule, hours)
        signals = list(_not_fired(rule, hours).select_related("company", "organization", "clock")[:MOST_AT_ONCE])
        if signals:
            fired += _fire(rule, signals)
    _propose_notes(organization)
    return fired


def _meeting(rule: EscalationRule, hours: ServiceHours) -> SignalQuerySet:
    rows: SignalQuerySet = Signal.objects.for_organization(rule.organization).filter(state__in=Signal.OPEN)
    if rule.condition != Condition.PRIORITY:
        rows = needing(rows, Attention(rule.condition), hours=hours, now=timezone.now())
    if rule.board_id is not None:
        rows = rows.filter(board=rule.board_id)
    if rule.priority:
        rows = rows.filter(priority=rule.priority)
    return rows


def _not_fired(rule: EscalationRule, hours: ServiceHours) -> SignalQuerySet:
    """The tickets that meet the rule and that it does not stand for, nor did a moment ago."""
    ended = _firings(rule).filter(ended_at__gt=timezone.now() - PAUSE)
    rows = _meeting(rule, hours).exclude(pk__in=_firings(rule).filter(ended_at=None).values("signal"))
    found: SignalQuerySet = rows.exclude(pk__in=_of_the_same(rule, ended).values("signal"))
    return found.order_by("source_created_at", "pk")


def _firings(rule: EscalationRule) -> QuerySet[EscalationFiring]:
    return EscalationFiring.objects.for_organization(rule.organization).filter(rule=rule).order_by()


def _of_the_same(rule: EscalationRule, firings: QuerySet[EscalationFiring]) -> QuerySet[EscalationFiring]:
    """Those for the company that the ticket has now, and for the promise that is at stake now."""
    same = firings.filter(Q(seen_company=F("signal__company")) | Q(seen_company=None, signal__company=None))
    return same.filter(promise=F("signal__clock__pending")) if rule.condition in _BY_PROMISE else same


def _end_over(rule: EscalationRule, hours: ServiceHours) -> None:
    """End the firings whose ticket meets the rule no more, or meets it for another company or promise."""
    standing = _firings(rule).filter(ended_at=None)
    still = _of_the_same(rule, standing.filter(signal__in=_meeting(rule, hours).order_by().values("pk")))
    standing.exclude(pk__in=still.values("pk")).update(ended_at=timezone.now())


@transaction.atomic  # a firing that stands means that its people were told
def _fire(rule: EscalationRule, signals: Sequence[Signal]) -> int:
    """Write a firing for each ticket, and tell each member of those that they may see."""
    members = _told_by(rule)
    by_priority = rule.condition == Condition.PRIORITY
    words = f"Its priority is {rule.priority}"[:80] if by_priority else Condition(rule.condition).label
    of_promise = rule.condition in _BY_PROMISE
    seen: dict[Membership, list[EscalationFiring]] = defaultdict(list)
    fired = 0
    for signal in signals:
        told = [member for member, reach in members if reach is None or signal.company_id in reach]
        clock = clock_of(signal) if of_promise else None
        try:
            with transaction.atomic():
                firing = EscalationFiring.objects.create(
                    organization=rule.organization,
                    rule=rule,
                    signal=signal,
                    seen_company=signal.company_id,
                    promise=clock.pending if clock else "",
                    rule_name=rule.name,
                    words=f"{words}: {clock.get_pending_display().lower()}" if clock else words,
                    told=[member.user.display_name for member in told],
                    note=rule.note,
                )
                record(_clock(rule.organization), "signal.escalated", signal, {"rule": rule.name})
                ring("signal.escalated", str(signal.pk))
        except IntegrityError:  # another process did
            continue
        fired += 1
        for member in told:
            seen[member].append(firing)
    for member, theirs in seen.items():
        _tell(rule, words, member, theirs)
    return fired


def _tell(rule: EscalationRule, words: str, member: Membership, firings: Sequence[EscalationFiring]) -> None:
    if len(firings) > TOGETHER:
        by_priority = rule.condition == Condition.PRIORITY
        asked = {} if by_priority else {"attention": str(rule.condition)}
        asked |= {"priority": rule.priority} if rule.priority else {}
        asked |= {"board": str(rule.board_id)} if rule.board_id else {}
        notify(
            members=[member],
            kind="signal.escalated",
            title=f"{words}: {len(firings)} tickets",
            body=f"Rule “{rule.name}”.",
            path=f"signals/?{urlencode(asked)}",
        )
        return
    for firing in firings:
        signal = firing.signal
        company = signal.company.name if signal.company else "Company not known"
        notify(
            members=[member],
            kind="signal.escalated",
            title=f"{firing.words}: {signal}",
            body=f"{company}. Rule “{rule.name}”.",
            path=f"signals/{signal.pk}/",
            subject=f"signal:{signal.pk}:{firing.pk.hex[:8]}",
        )


def _told_by(rule: EscalationRule) -> list[tuple[Membership, frozenset[uuid.UUID] | None]]:
    """The members whom a rule tells, each with the companies they are limited to (None = not limited)."""
    rows = Membership.objects.for_organization(rule.organization).filter(is_active=True, user__is_active=True)
    found = list(rows.filter(role=rule.notify_role).select_related("user", "organization")) if rule.notify_role else []
    if rule.notify_member_id is not None:
        found += list(rows.filter(pk=rule.notify_member_id).select_related("user", "organization"))
    actors = {member.pk: (member, Actor.person(member).companies) for member in found}
    return list(actors.values())


def _propose_notes(organization: Organization) -> None:
    """Propose the notes of firings; one that a crash left behind is found again, and is proposed once."""
    waiting = EscalationFiring.objects.for_organization(organization).filter(action=None, problem="").exclude(note="")
    # a rule that was removed or switched off meanwhile proposes no more
    waiting.exclude(rule__enabled=True).update(problem="Its rule was removed or switched off first.")
    for firing in waiting.select_related(
        "signal__company", "signal__organization", "signal__connection", "organization"
    )[:MOST_NOTES]:
        try:
            _propose(firing)
        except Exception:
            log.exception("escalation note not proposed", firing=str(firing.pk))
            _note_done(firing, problem="It could not be proposed; the log says why.")


def _propose(firing: EscalationFiring) -> None:
    signal = firing.signal
    if signal.company is None or not signal.has_ticket:
        missing = "It has no company yet." if signal.company is None else "It has no ticket in the PSA."
        _note_done(firing, problem=missing)
        return
    earlier = EscalationFiring.objects.for_organization(firing.organization).filter(
        rule=firing.rule_id, signal=signal, note=firing.note, action__state=Action.State.WAITING
    )
    if earlier.exists():
        _note_done(firing, problem="The same one waits for approval already.")
        return
    origin = open_origin(
        organization=signal.organization,
        kind=Origin.Kind.BY_HAND,
        key=f"escalation:{firing.pk}",
        subject=signal.origin_subject,
        mode=Origin.Mode.PROCESSOR,  # nobody sits in front of it: what never runs unattended asks
        company=signal.company,
        revision=signal.revision,
    )
    arguments: dict[str, JsonValue] = {"ticket_id": vendor_id(signal.external_id), "text": firing.note}
    try:
        action = propose_action(
            actor=Actor.system("escalation", signal.organization),
            origin=origin,
            fence=origin.fence,
            tool_name=NOTE_TOOL,
            arguments=arguments,
            call_id="note",
        )
    except (StaleLease, PermissionDenied) as problem:
        _note_done(firing, problem=str(problem)[:300])
        return
    _note_done(firing, action=action)


def _note_done(firing: EscalationFiring, *, action: Action | None = None, problem: str = "") -> None:
    rows = EscalationFiring.objects.for_organization(firing.organization).filter(pk=firing.pk)
    rows.update(action=action, problem=problem)
    ring("signal.escalated", str(firing.signal_id))


def history_of(signal: Signal, *, actor: Actor) -> list[dict[str, object]]:
    """What rules did about a ticket, oldest first, for its page: what was before it left another company is for
    members of all companies only.
    """
    rows = EscalationFiring.objects.visible_to(actor).filter(signal=signal)
    entries = []
    for firing in rows.select_related("action").order_by("fired_at"):
        parts = [f"{firing.words} (rule “{firing.rule_name}”)." if firing.rule_name else f"{firing.words}."]
        parts += [show_escaped(firing.reason)] if firing.reason else []
        parts.append(f"Told {', '.join(map(str, firing.told))}." if firing.told else "Nobody there may see it.")
        if firing.action is not None:
            parts.append(f"Internal note: {firing.action.get_state_display().lower()}.")
        elif firing.problem:
            parts.append(f"No note was proposed: {firing.problem}")
        path = f"{reverse('approvals')}?action={firing.action_id}" if firing.action_id else ""
        entries.append({"icon": "flame", "text": " ".join(parts), "at": firing.fired_at, "path": path})
    return entries


def _require(actor: Actor) -> None:
    require(actor, Permission.VIEW_ESCALATIONS)
    require(actor, Permission.VIEW_WORK)  # on the organization: only who reaches all companies


def _clock(organization: Organization) -> Actor:
    return Actor.system("clock", organization)


def _note(actor: Actor, rule: EscalationRule, verb: str) -> None:
    detail: dict[str, JsonValue] = {"name": rule.name, "condition": rule.condition, "enabled": rule.enabled}
    record(actor, verb, rule.organization, detail)
