"""The one door out: looks at the target, claims, calls the tool once, and writes down what came of it (HOUSE 3 step 7).

Nothing here talks to a vendor inside a transaction. A write leaves at most once for its action (I3): what is found
claimed after a crash becomes UNKNOWN and is read back, never sent again.
"""

from __future__ import annotations

import json
import os
import platform
import threading
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from pydantic import JsonValue

from approvals.budgets import unattended_spent, writes_spent
from approvals.companies import not_for
from approvals.drift import drift
from approvals.models import Action, ActionRecord, Origin, StaleState
from approvals.previews import StoredPreview
from approvals.revealing import draw_secret, end_secret
from approvals.standing import approvers_of, no_longer_stands
from approvals.subjects import known_of
from approvals.transitions import expire, move, worker
from integrations.dispatch import call_tool, observe_target, preview_tool, search_outcome
from integrations.errors import IntegrationError, OutcomeUnknown, ToolRefused, UnknownTool
from integrations.records import sent_records
from integrations.toolbox import filled_in, toolbox
from integrations.tools import AnyTool, Flag, OutcomeStrategy, ToolResult
from integrations.warrants import Warrant
from junto.canonical import digest
from junto.crashpoints import crashpoint
from junto.inbox.services import notify

log = structlog.get_logger(__name__)

#: Seconds from the claim within which a call must have ended.
CALL_SECONDS = 25.0
#: Largest result that is kept, in bytes of JSON.
MAX_RESULT_BYTES = 10 * 1024 * 1024
#: How often a claim starts over because the ticket moved on between looking and claiming.
CLAIM_ATTEMPTS = 3
RESULT_TOO_LARGE = "The answer is larger than 10 MiB and was not kept. Ask for less at once."


@dataclass(frozen=True)
class _Ending:
    """Where an action that will not run ends, and why."""

    state: Action.State
    reason: str


class _MovedOn(Exception):
    """The ticket got a new revision between looking at the target and claiming: look again."""


def preview_action(*, tool: AnyTool, arguments: dict[str, JsonValue], origin: Origin) -> StoredPreview:
    """What a call with these frozen arguments would do now; of a look-up what Junto adds to it. Raises
    IntegrationError."""
    added = filled_in(tool, origin.organization, origin.company)
    if not tool.is_write:
        return StoredPreview(filled_in=added)
    known = known_of(tool, origin.organization, origin.subject)
    preview = preview_tool(
        tool=tool,
        arguments=arguments,
        organization=origin.organization,
        company=origin.company,
        subject=origin.subject,
    )
    return StoredPreview.of(known.told_on(preview), filled_in=added)


def run_read(action: Action) -> Action:
    """Run a read that may run by itself, and store its answer once. Repeating it does no harm (C8, C9)."""
    tool = toolbox(action.organization).get(action.tool)
    try:
        result = _call(action, tool, warrant=None)
    except IntegrationError as problem:
        state = Action.State.REFUSED if isinstance(problem, ToolRefused) else Action.State.FAILED
        return _end(action, frm=Action.State.PROPOSED, to=state, reason=str(problem))
    crashpoint("C9")
    return _store(action, result, frm=Action.State.PROPOSED)


def resume_read(action_id: UUID) -> Action:
    """Run a read that was interrupted; a write is never run from here."""
    action = _load(action_id)
    if action.state != Action.State.PROPOSED or action.is_write:
        return action
    return run_read(action)


def execute_action(action_id: UUID) -> Action:
    """Run one approved action if it may still run; returns it as it is then. Safe to call any number of times."""
    for _ in range(CLAIM_ATTEMPTS):
        action = _load(action_id)
        if action.state != Action.State.APPROVED:
            return action
        try:
            tool = toolbox(action.organization).get(action.tool)
            target_state = look_at_target(action, tool)
            claimed = _claim(action, tool=tool, target_state=target_state)
        except _MovedOn:
            continue
        except IntegrationError as problem:
            refused = isinstance(problem, ToolRefused) and not isinstance(problem, UnknownTool)
            state = Action.State.REFUSED if refused else Action.State.FAILED
            return _end(action, frm=Action.State.APPROVED, to=state, reason=f"{problem} Nothing was changed.")
        except StaleState:
            return expire(_load(action_id))
        return _perform(action, tool, seen=target_state) if claimed else action
    return _load(action_id)


def reconcile_action(action_id: UUID) -> Action:
    """Look once whether an action of unknown outcome was done. Only proof moves it; nothing is sent again (I17)."""
    action = _load(action_id)
    rows = Action.objects.for_organization(action.organization).filter(pk=action.pk, state=Action.State.UNKNOWN)
    mine = rows.filter(read_backs=action.read_backs).update(read_backs=F("read_backs") + 1, read_back_at=Now())
    if not mine or action.tool not in toolbox(action.organization) or action.claimed_at is None:
        return action
    tool = toolbox(action.organization).get(action.tool)
    if tool.outcome is OutcomeStrategy.ASK:
        return action
    try:
        outcome = search_outcome(
            tool=tool,
            arguments=action.arguments,
            organization=action.organization,
            company=action.company,
            action_id=action.pk,
            before=StoredPreview.model_validate(action.preview).target_state,
            deadline=action.claimed_at + timedelta(seconds=CALL_SECONDS),
            subject=action.origin.subject,
        )
    except IntegrationError as problem:
        rows.update(evidence=f"Looked at {timezone.now():%H:%M} UTC, without an answer: {problem}")
    else:
        if outcome.verdict == "found":
            return _end(
                action,
                frm=Action.State.UNKNOWN,
                to=Action.State.SUCCEEDED,
                evidence=f"Recovered: {outcome.evidence}",
                summary=f"Done; found again by looking. {outcome.evidence}"[:500],
            )
        rows.update(evidence=f"Looked at {timezone.now():%H:%M} UTC: {outcome.evidence}")
    action.refresh_from_db()
    return action


def _load(action_id: UUID) -> Action:
    return Action.unscoped.select_related("organization", "company", "origin").get(pk=action_id)


def look_at_target(action: Action, tool: AnyTool) -> JsonValue:
    """What the target looks like now; nothing for a read, which has none. Raises IntegrationError."""
    if not tool.is_write:
        return None
    known = known_of(tool, action.organization, action.origin.subject)
    state = observe_target(
        tool=tool,
        arguments=action.arguments,
        organization=action.organization,
        company=action.company,
        subject=action.origin.subject,
    )
    return known.beside(state)


def _claim(action: Action, *, tool: AnyTool, target_state: JsonValue) -> bool:
    """Take the action for this worker, or end it where it may not run. False = ended; the caller's row is up to date.

    Raises:
        _MovedOn: the ticket has a newer revision than the one that was looked at.
        StaleState: another worker took it.
    """
    with transaction.atomic():
        # the origin first: a stop that commits before this line is seen, one after it waits for us (I16)
        origin = Origin.objects.for_organization(action.organization).select_for_update().get(pk=action.origin_id)
        ending = _why_not(action, tool=tool, origin=origin, target_state=target_state)
        if ending is not None:
            move(
                action,
                to=ending.state,
                frm=Action.State.APPROVED,
                actor=worker(action.organization),
                reason=ending.reason,
            )
            return False
        if origin.revision != action.origin.revision:
            raise _MovedOn
        _compare_and_set(action, origin=origin, tool=tool, target_state=target_state)
        if tool.is_write:
            rows = Origin.objects.for_organization(action.organization).filter(pk=origin.pk)
            rows.update(writes_used=origin.writes_used + 1)
    return True


def _compare_and_set(action: Action, *, origin: Origin, tool: AnyTool, target_state: JsonValue) -> None:
    """APPROVED -> CLAIMED in one statement that asks everything again which can be asked of rows (decision 6)."""
    claimed = Action.objects.for_organization(action.organization).filter(
        pk=action.pk,
        tool_pin=tool.pin,
        digest=digest(action.arguments),
        company=F("origin__company"),
        company__is_active=True,
        expires_at__gt=Now(),
        origin__stopped_at=None,
        origin__closed_at=None,
        origin__revision=action.origin.revision,
        origin__fence__gte=F("fence"),
    )
    move(
        action,
        to=Action.State.CLAIMED,
        frm=Action.State.APPROVED,
        actor=worker(action.organization),
        within=claimed,
        claimed_by=f"{platform.node()}:{os.getpid()}:{threading.get_ident()}"[:80],
        claimed_at=Now(),
        fence=origin.fence,
        observed_digest=digest(target_state) if tool.is_write else "",
        observed_at=Now(),
    )


def _why_not(action: Action, *, tool: AnyTool, origin: Origin, target_state: JsonValue) -> _Ending | None:
    """Why the action must not run, asked under the origin's lock."""
    cancelled = Action.State.CANCELLED
    if origin.stopped_at is not None:
        return _Ending(cancelled, origin.stop_reason or "The session was stopped.")
    if origin.closed_at is not None:
        return _Ending(cancelled, "The session was closed before this ran.")
    if origin.company_id != action.company_id:
        return _Ending(cancelled, "The ticket moved to another company.")
    if tool.pin != action.tool_pin:
        return _Ending(cancelled, "The tool changed after this was asked. Ask again.")
    if digest(action.arguments) != action.digest:
        return _Ending(cancelled, "What is stored is not what was approved.")
    if tool.is_write and digest(target_state) != action.target_digest and (changed := drift(action, target_state)):
        return _Ending(Action.State.DRIFTED, "\n".join(changed))
    if filled_in(tool, action.organization, action.company) != action.preview.get("filled_in", {}):
        return _Ending(cancelled, "The company's id there changed since this was asked. Ask again.")
    lost = no_longer_stands(action, tool=tool, origin=origin)
    if not lost and tool.is_write:
        spent = writes_spent(origin) or (unattended_spent(action.organization) if action.unattended else "")
        # what a person approved by itself is a person's word; the budget holds for what runs without one
        lost = "" if spent and approvers_of(action) else spent
    return _Ending(cancelled, lost) if lost else None


def _perform(action: Action, tool: AnyTool, *, seen: JsonValue) -> Action:
    """Call the tool for a claimed action, once, and write down the end. Never inside a transaction."""
    crashpoint("C13")
    warrant = None
    if tool.is_write and action.claimed_at is not None:
        warrant = Warrant(
            action_id=action.pk,
            digest=action.digest,
            tool_pin=action.tool_pin,
            fence=action.fence,
            deadline=action.claimed_at + timedelta(seconds=CALL_SECONDS),
        )
    drawn = draw_secret(action) if tool.draws_secret else ""
    try:
        result = _call(action, tool, warrant=warrant, seen=seen, drawn=drawn)
    except OutcomeUnknown as problem:
        return _end(action, frm=Action.State.CLAIMED, to=Action.State.UNKNOWN, reason=_without(drawn, str(problem)))
    except IntegrationError as problem:  # a vendor may repeat in its refusal what it was sent
        return _end(action, frm=Action.State.CLAIMED, to=Action.State.FAILED, reason=_without(drawn, str(problem)))
    crashpoint("C15")
    return _store(action, result, frm=Action.State.CLAIMED)


def _call(
    action: Action, tool: AnyTool, *, warrant: Warrant | None, seen: JsonValue = None, drawn: str = ""
) -> ToolResult:
    return call_tool(
        tool=tool,
        arguments=action.arguments,
        organization=action.organization,
        company=action.company,
        subject=action.origin.subject,
        warrant=warrant,
        seen=seen,
        drawn_secret=drawn,
        not_for_company=partial(not_for, action.company),
        deadline_seconds=CALL_SECONDS,
    )


def _store(action: Action, result: ToolResult, *, frm: Action.State) -> Action:
    content = _without(result.secret, _keepable(result.content))
    summary = str(_without(result.secret, _keepable(result.summary)))[:500]
    if len(json.dumps(content, ensure_ascii=False).encode()) > MAX_RESULT_BYTES:
        if not action.is_write:
            return _end(action, frm=frm, to=Action.State.FAILED, reason=RESULT_TOO_LARGE)
        content = None  # the write happened; only what it answered is dropped
    return _end(
        action,
        frm=frm,
        to=Action.State.SUCCEEDED,
        secret=result.secret,
        record=_record_of(action, result),
        result=content,
        summary=summary,
        foreign=result.foreign,
    )


def _record_of(action: Action, result: ToolResult) -> JsonValue:
    """The vendor's records behind an answer, to be kept; none where a tool tells secrets or the MSP's own prices."""
    if {Flag.SECRET, Flag.BILLING_EFFECT} & set(action.flags):
        return None
    return _without(result.secret, _keepable(sent_records(result.records)))


def _end(
    action: Action,
    *,
    frm: Action.State,
    to: Action.State,
    secret: str = "",
    record: JsonValue = None,
    **changes: JsonValue,
) -> Action:
    """Write the end of an action; when somebody else wrote another meanwhile, theirs stands (I21)."""
    try:
        with transaction.atomic():
            move(action, to=to, frm=frm, actor=worker(action.organization), detail=None, within=None, **changes)
            if Flag.SECRET in action.flags and action.is_write:
                end_secret(action, secret=secret)
            if record is not None:
                ActionRecord(organization=action.organization, action=action, content=record).save(force_insert=True)
            if to is Action.State.UNKNOWN:
                tell_unknown(action)
        crashpoint("C16")
    except StaleState as stale:
        log.warning("the end of an action came too late", action=str(action.pk), end=to, problem=str(stale))
        action.refresh_from_db()
    return action


def tell_unknown(action: Action) -> None:
    """Tell those who approved an action that nobody knows whether it was done. Call inside the transaction."""
    notify(
        members=approvers_of(action),
        kind="action.unknown",
        title=f"Outcome unknown: {action.title}",
        body="It was sent, but no clear answer came back. Look whether it was done before anything is tried again.",
        path=f"approvals/?action={action.pk}",
        subject=f"action:{action.pk}",
    )


def _keepable(value: JsonValue) -> JsonValue:
    """`value` without the characters that PostgreSQL cannot keep, which are shown as U+FFFD."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_keepable(each) for each in value]
    if isinstance(value, dict):
        return {str(_keepable(name)): _keepable(each) for name, each in value.items()}
    return value


def _without(secret: str, value: JsonValue) -> JsonValue:
    """`value` without a secret that a tool should not have put there."""
    if not secret:
        return value
    if isinstance(value, str):
        return value.replace(secret, "[removed]")
    if isinstance(value, list):
        return [_without(secret, each) for each in value]
    if isinstance(value, dict):
        return {name.replace(secret, "[removed]"): _without(secret, each) for name, each in value.items()}
    return value
