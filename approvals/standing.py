"""Whether what let an action run still holds at the instant of the claim (I4, HOUSE 3 step 7)."""

from __future__ import annotations

from approvals.grants import grant_rules, policy_rules
from approvals.models import Action, Decision, Origin
from approvals.people import may_decide, needs_two
from approvals.policy import EffectivePolicy, Mode, OriginMode, ToolFacts, effective_policy
from integrations.tools import AnyTool
from junto.canonical import digest
from junto.tenants.actors import Actor
from junto.tenants.models import Membership

APPROVALS = (Decision.Verdict.APPROVE, Decision.Verdict.APPROVE_SESSION)


def no_longer_stands(action: Action, *, tool: AnyTool, origin: Origin) -> str:
    """Why `action` may not run any more, for a person to read; empty when its approval, policy or grant still holds."""
    if action.company.ended_words:
        return action.company.ended_words
    mode = OriginMode(origin.mode)
    rules = policy_rules(organization=action.organization, tool=tool.name)
    policy = effective_policy(ToolFacts.of(tool), str(action.company_id), rules)
    if policy.mode is Mode.DISABLED:
        return f"{tool.name} was switched off meanwhile."
    if mode is OriginMode.PREPARE and tool.is_write:
        return "This session only prepares and changes nothing."
    approvers = approvers_of(action)
    if approvers:
        return _approvers_lost_it(action, approvers)
    if (mode.unattended or action.proposed_kind == "token") and not policy.unattended:
        return "This tool may no longer run unattended."
    if action.grant_id is not None:
        return _grant_lost_it(action, tool, origin, policy)
    if action.policy_id is not None and policy.mode is Mode.AUTO and policy.ref == str(action.policy_id):
        return ""
    return "No decision, policy or grant stands behind this any more."


def approvers_of(action: Action) -> list[Membership]:
    """The distinct people who approved `action` as it is stored now: these arguments, this tool (I2)."""
    return [decision.membership for decision in approvals_of(action)]


def approvals_of(action: Action) -> list[Decision]:
    """The approvals that stand behind `action` as it is stored now, one a person, oldest first."""
    words = Decision.objects.for_organization(action.organization).filter(action=action)
    taken_back = words.filter(verdict=Decision.Verdict.TAKE_BACK).values("membership")
    given = (
        words.filter(verdict__in=APPROVALS, digest=digest(action.arguments), tool_pin=action.tool_pin)
        .exclude(membership__in=taken_back)
        .select_related("membership__user", "membership__organization")
        .order_by("created_at")
    )
    return list({decision.membership_id: decision for decision in given}.values())


def _approvers_lost_it(action: Action, approvers: list[Membership]) -> str:
    for approver in approvers:
        actor = Actor.person(approver)
        if not may_decide(actor, risk=action.risk, flags=action.flags, company=action.company):
            return f"{actor.label}, who approved this, may no longer decide it."
    if len(approvers) < 2 and needs_two(flags=action.flags, company=action.company, risk=action.risk):
        return "This cannot be undone and needs two people; only one approved."
    return ""


def _grant_lost_it(action: Action, tool: AnyTool, origin: Origin, policy: EffectivePolicy) -> str:
    standing = {rule.ref: rule for rule in grant_rules(origin=origin, tool=tool)}
    rule = standing.get(str(action.grant_id))
    if rule is None or rule.pin != tool.pin:
        return "The standing approval behind this was withdrawn."
    if rule.kind == "runbook" and origin.mode != Origin.Mode.RUNBOOK:
        return "A person took the run over: what its runbook let the agent do waits for a decision now."
    if rule.kind == "runbook" and rule.step not in origin.open_steps:
        return "The runbook's step for this does not have its turn any more."
    if rule.kind == "session" and policy.mode is not Mode.ONCE:
        return "This tool is now asked for every time."
    return ""
