"""What must hold before a person's word on an action is taken, each by its own name and message."""

from __future__ import annotations

import hmac
from uuid import UUID

from django.db.models.functions import Now

from approvals import errors
from approvals.grants import policy_rules
from approvals.models import Action, Decision
from approvals.people import may_decide_action, who_may_decide
from approvals.policy import Mode, ToolFacts, effective_policy
from approvals.previews import StoredPreview
from integrations.errors import ToolRefused
from integrations.toolbox import toolbox
from integrations.tools import AnyTool, Risk
from junto.tenants.actors import Actor


def visible_action(action_id: UUID, actor: Actor) -> Action:
    action: Action = (
        Action.objects.visible_to(actor).select_related("organization", "company", "origin").get(pk=action_id)
    )
    return action


def tool_of(action: Action) -> AnyTool:
    try:
        tool = toolbox(action.organization).get(action.tool)
    except ToolRefused as problem:
        raise errors.PolicyForbids(str(problem)) from problem
    if tool.pin != action.tool_pin:
        raise errors.PolicyForbids("The tool changed after this was asked. Deny it, and let it be asked again.")
    return tool


def require_decider(action: Action, actor: Actor) -> None:
    if actor.kind != "person":
        raise errors.NotYours("Only a person decides.")
    if not may_decide_action(actor, action):
        raise errors.NotYours(f"You may not decide this. {who_may_decide(action).words} Pass it on to one of them.")


def require_waiting(action: Action) -> None:
    """By what the row said when it was read; whether its time is over is asked in the statement that decides."""
    problem = None if action.state == Action.State.WAITING else not_waiting(action)
    if problem is not None:
        raise problem


def not_waiting(action: Action) -> errors.DecisionRefused | None:
    """Why nobody can decide this any more; None while it waits."""
    if action.state == Action.State.WAITING:
        waits = Action.objects.for_organization(action.organization).filter(pk=action.pk, expires_at__gt=Now())
        return None if waits.exists() else errors.Expired("This request waited too long and can no longer be decided.")
    if action.state == Action.State.EXPIRED:
        return errors.Expired("This request waited too long and can no longer be decided.")
    if action.state == Action.State.DRIFTED:
        return errors.Drifted(f"The target changed, so this was withdrawn. {action.reason}".strip())
    return errors.AlreadyDecided(how_it_stands(action))


def how_it_stands(action: Action) -> str:
    """Who was first, or what became of it."""
    last = (
        Decision.objects.for_organization(action.organization)
        .filter(action__in=[action.pk, *action.replaced_by.values_list("pk", flat=True)])
        .exclude(verdict=Decision.Verdict.TAKE_BACK)
        .select_related("membership__user")
        .order_by("-created_at")
        .first()
    )
    if last is None or action.state == Action.State.CANCELLED:  # withdrawn after the first of two had approved
        return f"This waits no more: {action.get_state_display().lower()}. {action.reason}".strip()
    if last.verdict == Decision.Verdict.DENY:
        verb = "denied"
    else:
        verb = "changed and approved" if last.modified else "approved"
    return f"{last.membership.user.display_name} {verb} this at {last.created_at:%H:%M} UTC."


def require_digest(shown: str, stored: str) -> None:
    if not hmac.compare_digest(shown.encode(), stored.encode()):
        raise errors.DigestMismatch("What you saw is not what would be sent. Read the request again and decide then.")


def require_new_word(action: Action, actor: Actor, verdict: Decision.Verdict) -> None:
    """Everybody approves a request once. Who did may still deny it, or take the approval back, while it waits."""
    said = Decision.objects.for_organization(action.organization).filter(action=action, membership=actor.membership)
    spoken = set(said.values_list("verdict", flat=True))
    if Decision.Verdict.TAKE_BACK in spoken and verdict is not Decision.Verdict.DENY:
        raise errors.AlreadyDecided("You took your approval back. Others may approve this, or you deny it.")
    if spoken and verdict in (Decision.Verdict.APPROVE, Decision.Verdict.APPROVE_SESSION):
        raise errors.AlreadyDecided("You have approved this already. A second person has to approve it too.")


def require_reason(reason: str) -> None:
    """A denial says why: the agent acts on it, and others read it (PRODUCT 7)."""
    if not any(letter.isprintable() and not letter.isspace() for letter in reason):
        raise errors.NoReason("Say why you deny this: the agent acts on your reason.", fields={"reason": "Missing."})


def require_same_target(shown: str, now: str) -> None:
    """A preview holds for the target as it was: before and after must be what the person saw (I2, T6)."""
    if not hmac.compare_digest(shown.encode(), now.encode()):
        raise errors.Drifted("The target changed after you were shown the change. Show it again, then decide.")


def require_target(action: Action, preview: StoredPreview | None, typed: str) -> None:
    """A high-risk action asks for its target's name, so that nobody approves it by habit (T7)."""
    wanted = target_to_type(action, preview)
    if wanted and typed.strip().casefold() != wanted.casefold():
        raise errors.TargetNotTyped(f"Type “{wanted}” to approve this.", fields={"target": "That is not the target."})


def target_to_type(action: Action, preview: StoredPreview | None = None) -> str:
    """What must be typed to approve `action`; empty where nothing must."""
    if action.risk != Risk.HIGH or not action.is_write:
        return ""
    shown = preview or StoredPreview.model_validate(action.preview)
    return (shown.target or action.company.name).strip()


def require_allowed(action: Action, *, session: bool) -> None:
    """Policy has the last word: switched off since, or asked for every time."""
    tool = tool_of(action)
    rules = policy_rules(organization=action.organization, tool=tool.name)
    policy = effective_policy(ToolFacts.of(tool), str(action.company_id), rules)
    if policy.mode is Mode.DISABLED:
        raise errors.PolicyForbids(f"{tool.name} is switched off. Nobody can approve it now.")
    if session and not (action.session_grant and policy.mode is Mode.ONCE):
        raise errors.NotForSession("This is decided one call at a time. Approve only this one.")
