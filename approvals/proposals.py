"""From a wish to an action: checked, evaluated, written down; a read that may run is run (HOUSE 3 step 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from pydantic import JsonValue

from approvals.budgets import calls_spent, unattended_spent, writes_spent
from approvals.errors import StaleLease
from approvals.execution import preview_action, run_read
from approvals.grants import grant_rules, hold_grant, policy_rules
from approvals.models import Action, Origin
from approvals.people import needs_two
from approvals.policy import (
    Allow,
    Ask,
    Mode,
    OriginMode,
    Proposal,
    Refuse,
    ToolFacts,
    Verdict,
    effective_policy,
    evaluate,
)
from approvals.previews import StoredPreview
from approvals.transitions import enter
from integrations.errors import IntegrationError, InvalidArguments, ToolRefused
from integrations.services import is_offered
from integrations.services import offered_tools as connected_tools
from integrations.toolbox import toolbox
from integrations.tools import AnyTool, Scope
from junto.canonical import NotCanonical, digest
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from junto.tenants.permissions import Permission, require

#: How long a request waits for a person, in seconds.
WAIT_SECONDS = 4 * 60 * 60
#: How long what was decided may take to begin, in seconds.
RUN_WITHIN_SECONDS = 15 * 60


@dataclass(frozen=True)
class _Request:
    """Who asks, on what, and under which fence."""

    actor: Actor
    origin: Origin
    fence: int
    call_id: str
    step: str
    step_words: str
    facts: Mapping[str, JsonValue]
    inputs: Mapping[str, JsonValue]
    expects: Mapping[str, str]


@dataclass(frozen=True)
class _Draft:
    """What will be written: the call as frozen, and either the tool or the reason why there is no going on."""

    tool_name: str
    arguments: dict[str, JsonValue]
    tool: AnyTool | None = None
    title: str = ""
    refusal: str = ""
    failure: str = ""
    verdict: Verdict | None = None
    preview: StoredPreview | None = None


def propose_action(
    *,
    actor: Actor,
    origin: Origin,
    fence: int,
    tool_name: str,
    arguments: Mapping[str, JsonValue],
    call_id: str,
    step: str = "",
    runbook_step: str = "",
    facts: Mapping[str, JsonValue] | None = None,
    inputs: Mapping[str, JsonValue] | None = None,
    expects: Mapping[str, str] | None = None,
) -> Action:
    """Ask for one tool call. Called again with the same call id it returns the action there is.

    `origin` is a row that was read in this step or request, with its organization and company: what may have changed
    since (fence, stop, calls) is asked again when the action is written.

    The action comes back SUCCEEDED or FAILED (a read that ran), APPROVED (a write that its policy or grant lets run),
    WAITING (a person decides), or REFUSED with the reason. `step` is the key of the runbook's step that the call is
    made for, `runbook_step` says it in words. `facts` (by path) and `inputs` (by name) are what the server knows,
    against which grants hold bound arguments and conditions. `expects`: what the caller last saw of the target, as
    people name it (empty = nothing there); where the live target is otherwise, somebody was there first, and the action
    is REFUSED. Not to be called inside a transaction: previews and reads go
    to the vendor.

    Raises:
        StaleLease: `fence` is not the origin's current one, or the origin is over.
        PermissionDenied: `actor` may not propose actions for the origin's company.
    """
    require(actor, Permission.PROPOSE_ACTIONS, origin.company)
    request = _Request(actor, origin, fence, call_id, step, runbook_step, facts or {}, inputs or {}, expects or {})
    action = _write(_foresee(_prepare(request, tool_name, arguments), request), request)
    if action.state == Action.State.PROPOSED:
        return run_read(action)
    return action


def offered_tools(
    *, organization: Organization, company: Company, reads_only: bool = False, to_person: bool = False
) -> list[AnyTool]:
    """The tools a session about `company` may be told of: connected, linked to it, and not switched off (I11).

    `to_person`: those that a person may run there by hand, which may reach another company.
    """
    rules = policy_rules(organization=organization)
    return [
        tool
        for tool in connected_tools(organization=organization, company=company)
        if (to_person or tool.scope is not Scope.ACROSS)
        and not (reads_only and tool.is_write)
        and effective_policy(ToolFacts.of(tool), str(company.pk), rules).mode is not Mode.DISABLED
    ]


def _known(request: _Request) -> Action | None:
    rows = Action.objects.for_organization(request.origin.organization)
    # a person's changed version stands for the call it replaced
    return rows.filter(origin=request.origin, call_id=request.call_id).order_by("-created_at", "-id").first()


def _prepare(request: _Request, tool_name: str, arguments: Mapping[str, JsonValue]) -> _Draft:
    """The call in its frozen form; what cannot be frozen is kept as it came, refused."""
    origin = request.origin
    raw = _Draft(tool_name=tool_name.replace("\x00", "")[:120], arguments=_storable(arguments))
    try:
        tool = toolbox(origin.organization).get(tool_name)
        frozen = tool.freeze(arguments)
        digest(frozen)
        title = tool.title_of(frozen)
    except InvalidArguments as problem:
        return replace(raw, title=tool.label, refusal=f"The arguments do not fit: {problem}")
    except NotCanonical as problem:
        return replace(raw, title=tool.label, refusal=f"The arguments cannot be sent: {problem}")
    except ToolRefused as problem:
        return replace(raw, refusal=str(problem))
    draft = _Draft(tool_name=tool.name, arguments=frozen, tool=tool, title=title)
    if not is_offered(tool, organization=origin.organization, company=origin.company):
        return replace(draft, refusal=f"{tool.name} is not available for {origin.company.name}.")
    if tool.scope is Scope.ACROSS and request.actor.kind != "person":
        return replace(draft, refusal=f"{tool.name} reaches another company: only a person proposes it.")
    return replace(draft, refusal=origin.company.ended_words or calls_spent(origin))


def _verdict(request: _Request, tool: AnyTool, arguments: Mapping[str, JsonValue]) -> Verdict:
    origin = request.origin
    proposal = Proposal(
        tool=ToolFacts.of(tool),
        arguments=arguments,
        company=str(origin.company_id),
        origin=str(origin.pk),
        mode=OriginMode(origin.mode),
        runbook=origin.runbook,
        step=request.step,
        facts=request.facts,
        inputs=request.inputs,
        by_token=request.actor.kind == "token",
        four_eyes=needs_two(flags=tool.flags, company=origin.company, risk=tool.risk),
    )
    rules = policy_rules(organization=origin.organization, tool=tool.name)
    verdict = evaluate(proposal, rules, ())
    if isinstance(verdict, Ask):
        # only what would ask can be helped by a grant
        proposal = replace(proposal, open_steps=_open_steps(origin))
        verdict = evaluate(proposal, rules, grant_rules(origin=origin, tool=tool))
    if isinstance(verdict, Allow) and tool.is_write:
        spent = writes_spent(origin) or (unattended_spent(origin.organization) if proposal.unattended else "")
        return Ask(spent) if spent else verdict
    return verdict


def _open_steps(origin: Origin) -> frozenset[str]:
    """The steps that have their turn now, whatever was known when the row was read."""
    rows = Origin.objects.for_organization(origin.organization)
    return frozenset(rows.values_list("open_steps", flat=True).get(pk=origin.pk))


def _foresee(draft: _Draft, request: _Request) -> _Draft:
    """Look at what a write would do, before any transaction begins; a refused call is not looked at."""
    tool = draft.tool
    if tool is None or draft.refusal:
        return draft
    verdict = _verdict(request, tool, draft.arguments)
    draft = replace(draft, verdict=verdict)
    if isinstance(verdict, Refuse) or not (tool.is_write or isinstance(verdict, Ask)):
        return draft
    try:
        preview = preview_action(tool=tool, arguments=draft.arguments, origin=request.origin)
    except ToolRefused as problem:
        return replace(draft, refusal=str(problem))
    except IntegrationError as problem:
        return replace(draft, failure=f"{problem} Nothing was changed.")
    if not tool.is_write:
        return replace(draft, preview=preview) if preview.filled_in else draft
    otherwise = preview.otherwise_than(request.expects)
    return replace(draft, preview=preview, title=preview.title, refusal=otherwise)


@transaction.atomic
def _write(draft: _Draft, request: _Request) -> Action:
    """Write the action in the state its verdict gives, under the origin's fence."""
    origin = request.origin
    live = Origin.objects.for_organization(origin.organization).filter(
        pk=origin.pk, fence=request.fence, stopped_at=None, closed_at=None
    )
    # locks the origin: the fence holds until we commit, and no second proposal spends the same grant
    if not live.update(calls_used=F("calls_used") + 1):
        raise StaleLease(f"{origin} went on without this worker, or is over.")
    origin.calls_used += 1
    known = _known(request)
    if known is not None:
        return known
    action = _row(draft, request)
    if draft.refusal or draft.tool is None or draft.verdict is None:
        action.state, action.reason = Action.State.REFUSED, draft.refusal
    elif draft.failure:
        action.state, action.reason = Action.State.FAILED, draft.failure
    elif isinstance(draft.verdict, Allow) and draft.verdict.by == "grant":
        # asked again under the lock: a grant is spent once
        if origin.mode == OriginMode.PROCESSOR:
            hold_grant(draft.verdict.ref, organization=origin.organization)
        _settle(action, _verdict(request, draft.tool, draft.arguments), draft.tool)
    else:
        _settle(action, draft.verdict, draft.tool)
    if action.state in Action.TERMINAL:
        action.finished_at = timezone.now()
    return enter(action, actor=request.actor)


def _settle(action: Action, verdict: Verdict, tool: AnyTool) -> None:
    """Give a new action the state that `verdict` says."""
    if isinstance(verdict, Refuse):
        action.state, action.reason = Action.State.REFUSED, verdict.reason
        return
    if isinstance(verdict, Ask):
        action.state, action.why_asked = Action.State.WAITING, verdict.reason
        action.session_grant = verdict.session_grant
        action.expires_at = timezone.now() + timedelta(seconds=WAIT_SECONDS)
        return
    _note_authority(action, verdict)
    if not tool.is_write:
        action.state = Action.State.PROPOSED
        return
    action.state = Action.State.APPROVED
    action.decided_at = timezone.now()
    action.expires_at = timezone.now() + timedelta(seconds=RUN_WITHIN_SECONDS)


def _note_authority(action: Action, verdict: Allow) -> None:
    if verdict.by == "policy":
        action.policy_id = verdict.ref
    elif verdict.by == "grant":
        action.grant_id = verdict.ref


def _row(draft: _Draft, request: _Request) -> Action:
    tool, preview, origin = draft.tool, draft.preview, request.origin
    return Action(
        organization=origin.organization,
        origin=origin,
        company=origin.company,
        call_id=request.call_id,
        proposed_kind=request.actor.kind,
        proposed_by=request.actor.label,
        tool=draft.tool_name,
        tool_pin=tool.pin if tool else "",
        category=tool.category if tool else "",
        risk=tool.risk if tool else "",
        flags=sorted(tool.flags) if tool else [],
        arguments=draft.arguments,
        digest=digest(draft.arguments),
        runbook_step=request.step_words[:120],
        revision=origin.revision,
        title=(draft.title or draft.tool_name)[:300],
        preview=preview.model_dump(mode="json") if preview else {},
        target_digest=preview.target_digest if preview and tool and tool.is_write else "",
        unattended=OriginMode(origin.mode).unattended or request.actor.kind == "token",
        fence=request.fence,
    )


def _storable(arguments: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Refused arguments as they came, or nothing where no database could keep them."""
    try:
        digest(arguments)
    except NotCanonical:
        return {}
    return dict(arguments)
