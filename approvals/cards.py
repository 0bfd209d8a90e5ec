"""What people see of an action: drawn from stored arguments and the server's look-ups, never from model text (I18)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

from approvals.decidable import target_to_type
from approvals.decisions import ChangedPreview
from approvals.fields import Field, plain, schema_fields, shown_arguments
from approvals.models import Action, Decision, Origin
from approvals.people import deciders, may_decide_action, rights_that_suffice, role_words, who_decides_words
from approvals.person_words import person_words
from approvals.previews import StoredPreview, withdrawn_words
from approvals.standing import approvals_of
from integrations.llm.fencing import show_escaped
from integrations.toolbox import toolbox
from integrations.tools import Flag, Risk
from integrations.vendors import vendor_label
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission

State = Action.State

#: State -> (word, tone, icon), as the design's table says.
LOOKS: dict[str, tuple[str, str, str]] = {
    State.PROPOSED: ("Working", "", "clock"),
    State.WAITING: ("Waiting for a decision", "accent", "hand"),
    State.APPROVED: ("Approved, about to run", "", "clock"),
    State.CLAIMED: ("Running", "", "play"),
    State.SUCCEEDED: ("Done", "ok", "ok"),
    State.FAILED: ("Failed", "danger", "alert"),
    State.UNKNOWN: ("Outcome unknown", "danger", "alert"),
    State.SETTLED: ("Settled", "", "ok"),
    State.REFUSED: ("Refused by rule", "", "ban"),
    State.DENIED: ("Denied", "", "ban"),
    State.EXPIRED: ("Too late", "", "clock"),
    State.DRIFTED: ("Withdrawn", "", "void"),
    State.SUPERSEDED: ("Withdrawn", "", "void"),
    State.CANCELLED: ("Withdrawn", "", "void"),
}

_FLAG_WORDS: dict[str, str] = {
    Flag.IRREVERSIBLE: "cannot be undone",
    Flag.CLIENT_VISIBLE: "the client sees it",
    Flag.BILLING_EFFECT: "changes what is billed",
    Flag.CREDENTIAL: "changes how somebody signs in",
    Flag.FORWARDS: "sends data elsewhere",
    Flag.SECRET: "shows something secret",
}
_CATEGORY_WORDS = {"read": "only looks something up", "write": "changes records", "execute": "runs on a system"}


@dataclass(frozen=True)
class ActionCard:
    """Everything a template needs to draw one action for one reader; all text is safe to show, escaping aside.

    `of_session` = a session asked for it, and not a processor, a rule or a person.
    `session_path`, `result_path` and `secret_path` are known to higher floors only, which fill them in.
    """

    id: UUID
    state: str
    state_word: str
    tone: str
    icon: str
    waiting: bool
    unknown: bool
    title: str
    tool: str
    tool_description: str
    category: str
    system: str
    company: str
    ticket: str
    target: str
    changes: list[tuple[str, str, str]]
    risk: str
    risk_reason: str
    seen_by: str
    client_sees: bool
    runbook_step: str
    undo: str
    asked_by: str
    asked_at: datetime
    why_asks: str
    arguments: list[tuple[str, str, str]]
    digest: str
    short_code: str
    evidence: list[str]
    ends_at: datetime | None
    may_decide: bool
    may_deny: bool
    may_modify: bool
    may_settle: bool
    may_take_back: bool
    approved_first: str
    why_not_you: str
    who_may: str
    withdrawn_when: str
    passed_to: str
    session_grant_allowed: bool
    session_only_reason: str
    needs_target_typed: str
    result: str
    decided_by: str
    decided_at: datetime | None
    decision_word: str
    reason: str
    roles_to_pass: list[tuple[str, str]] = field(default_factory=list)
    schema_fields: list[Field] = field(default_factory=list)
    what_changed: list[str] = field(default_factory=list)
    session_path: str = ""
    of_session: bool = False
    result_path: str = ""
    secret_path: str = ""


@dataclass(frozen=True)
class PreviewCard:
    """Before and after of changed arguments, inside the Modify form."""

    title: str
    tool: str
    tool_description: str
    changes: list[tuple[str, str, str]]
    arguments: list[tuple[str, str, str]]
    digest: str
    short_code: str


@dataclass(frozen=True)
class _Word:
    """Who decided, when, and what it is called."""

    by: str = ""
    word: str = ""
    at: datetime | None = None
    reason: str = ""


def action_card(action: Action, *, actor: Actor) -> ActionCard:
    """The card of `action` for `actor`. `company`, `origin`, `organization` should be loaded with it."""
    tools = toolbox(action.organization)
    tool = tools.get(action.tool) if action.tool in tools else None
    preview = StoredPreview.model_validate(action.preview)
    word, tone, icon = LOOKS[action.state]
    waiting, unknown = action.state == State.WAITING, action.state == State.UNKNOWN
    may = (waiting or unknown) and may_decide_action(actor, action)
    why_not_you = _why_not_you(action, actor, may=may) if waiting else ""
    may = may and not why_not_you
    said = _decided(action)
    first = _first_of_two(action)
    return ActionCard(
        id=action.pk,
        state=action.state,
        state_word=word,
        tone=tone,
        icon=icon,
        waiting=waiting,
        unknown=unknown,
        title=show_escaped(action.title),
        tool=show_escaped(action.tool),
        tool_description=person_words(tool.description, tool.vendor) if tool else "",
        category=action.category.capitalize(),
        system=system_label(action.tool),
        company=show_escaped(action.company.name),
        ticket=plain(action.arguments["ticket_id"]) if "ticket_id" in action.arguments else "",
        target=show_escaped(preview.target),
        changes=_changes(preview),
        risk=action.risk,
        risk_reason=risk_reason(action.category, action.flags),
        seen_by=show_escaped(preview.seen_by),
        client_sees=Flag.CLIENT_VISIBLE in action.flags,
        runbook_step=show_escaped(action.runbook_step),
        undo=show_escaped(preview.undo or (tool.undo if tool else "")),
        asked_by=_asked_by(action),
        asked_at=action.created_at,
        why_asks=action.why_asked,
        arguments=_sent(action.arguments, preview),
        digest=action.digest,
        short_code=short_code(action.digest),
        evidence=[show_escaped(line) for line in preview.evidence],
        ends_at=action.expires_at if waiting else None,
        may_decide=waiting and may,
        may_deny=waiting and actor.kind == "person" and actor.can(Permission.RUN_SESSIONS, action.company),
        may_modify=waiting and may and tool is not None,
        may_settle=unknown and may,
        may_take_back=first is not None and actor.membership is not None and first.membership_id == actor.membership.pk,
        approved_first=_first_words(first),
        why_not_you=why_not_you,
        who_may=who_decides_words(risk=action.risk, flags=action.flags) if action.risk else "",
        withdrawn_when=withdrawn_words(preview) if waiting else "",
        passed_to=role_words(Permission(action.passed_to)) if action.passed_to else "",
        session_grant_allowed=waiting and action.session_grant,
        session_only_reason="" if action.session_grant else _not_for_session(action),
        needs_target_typed=show_escaped(target_to_type(action)) if waiting else "",
        result=_result(action),
        decided_by=said.by,
        decided_at=said.at,
        decision_word=said.word,
        reason=said.reason,
        roles_to_pass=_roles_to_pass(action) if waiting and not may else [],
        schema_fields=schema_fields(tool.schema, action.arguments, system=tool.vendor)
        if tool and waiting and may
        else [],
        what_changed=_what_changed(action),
    )


def preview_card(changed: ChangedPreview) -> PreviewCard:
    """The new before and after, drawn like the card's."""
    return PreviewCard(
        title=show_escaped(changed.title),
        tool=changed.tool.name,
        tool_description=person_words(changed.tool.description, changed.tool.vendor),
        changes=_changes(changed.preview),
        arguments=_sent(changed.arguments, changed.preview),
        digest=changed.digest,
        short_code=short_code(changed.digest),
    )


def short_code(digest: str) -> str:
    """The fingerprint people can compare at a glance, as in "7f3a 91c2"."""
    return f"{digest[:4]} {digest[4:8]}"


def system_label(tool: str) -> str:
    """The system a tool belongs to, by its label."""
    slug = tool.partition(".")[0]
    return vendor_label(slug) or slug.capitalize()[:40]


def risk_reason(category: str, flags: list[str]) -> str:
    """Why a tool has its risk, in plain words."""
    words = [text for flag, text in _FLAG_WORDS.items() if flag in flags]
    return ", ".join(words) or _CATEGORY_WORDS.get(category, "")


def _changes(preview: StoredPreview) -> list[tuple[str, str, str]]:
    """What is different afterwards; where nothing is, everything that was looked at."""
    lines = [line for line in preview.changes if line[1] != line[2]] or preview.changes
    return [(show_escaped(label), show_escaped(was), show_escaped(will)) for label, was, will in lines]


def _sent(arguments: Mapping[str, JsonValue], preview: StoredPreview) -> list[tuple[str, str, str]]:
    """Everything that is sent: what was asked with, and what Junto adds."""
    added = [(f"{name}, filled in by Junto", value, kind) for name, value, kind in shown_arguments(preview.filled_in)]
    return [*shown_arguments(arguments), *added]


def _asked_by(action: Action) -> str:
    """A person by name, a program by its token's, the agent, the processor whose value it carries, or a rule."""
    if action.proposed_kind != "system":
        name = show_escaped(action.proposed_by)
        return f"{name} (API token)" if action.proposed_kind == "token" else name
    if action.origin.kind == Origin.Kind.PROCESSOR:
        return show_escaped(action.runbook_step) or "Processor"
    return "Agent" if action.origin.kind == Origin.Kind.SESSION else "Rule"


def _first_of_two(action: Action) -> Decision | None:
    """The approval that stands already behind a request which needs two."""
    if action.state != State.WAITING or Flag.IRREVERSIBLE not in action.flags:
        return None
    return next(iter(approvals_of(action)), None)


def _first_words(first: Decision | None) -> str:
    if first is None:
        return ""
    return (
        f"{show_escaped(first.membership.user.display_name)} approved this at {first.created_at:%H:%M} UTC. "
        "It cannot be undone, so one more person must approve it."
    )


def _why_not_you(action: Action, actor: Actor, *, may: bool) -> str:
    """Why the reader of a waiting request has no button to approve it; empty where there is one."""
    if actor.membership is not None and Flag.IRREVERSIBLE in action.flags:
        said = Decision.objects.for_organization(action.organization).filter(action=action, membership=actor.membership)
        spoken = set(said.values_list("verdict", flat=True))
        if Decision.Verdict.TAKE_BACK in spoken:
            return "You took your approval back."
        if spoken:
            return "You approved this."
    return "" if may else "You may not decide this one."


def _decided(action: Action) -> _Word:
    decision = (
        Decision.objects.for_organization(action.organization)
        .filter(action=action)
        .exclude(verdict=Decision.Verdict.TAKE_BACK)
        .select_related("membership__user")
        .order_by("-created_at")
        .first()
    )
    if decision is not None:
        people = approvals_of(action) if decision.verdict == Decision.Verdict.APPROVE else []
        return _Word(
            by=show_escaped(" and ".join(each.membership.user.display_name for each in people or [decision])),
            word="Changed and approved" if decision.modified else decision.get_verdict_display(),
            at=decision.created_at,
            reason=show_escaped(decision.reason),
        )
    if action.state in (State.WAITING, State.PROPOSED, State.REFUSED):
        return _Word(at=action.finished_at)
    by_grant, by_policy = action.grant_id is not None, action.policy_id is not None
    word = "By standing approval" if by_grant else ("By policy" if by_policy else "")
    return _Word(word=word, at=action.decided_at or action.finished_at)


def _result(action: Action) -> str:
    """What came of it, in one line."""
    if action.state == State.SETTLED:
        return f"{'It was done' if action.settled_done else 'It was not done'}. {show_escaped(action.evidence)}"
    if action.state == State.UNKNOWN:
        return show_escaped(f"{action.reason} {action.evidence}".strip())
    if action.state == State.SUCCEEDED:
        return show_escaped(action.summary)
    if action.state in (State.DENIED, State.DRIFTED, State.WAITING):
        return ""
    return show_escaped(action.reason)


def _what_changed(action: Action) -> list[str]:
    if action.state != State.DRIFTED:
        return []
    return [show_escaped(line) for line in action.reason.splitlines()] or ["The target changed."]


def _not_for_session(action: Action) -> str:
    if action.risk == Risk.HIGH:
        return "Not available for a session: high risk is decided one at a time."
    if action.origin.kind != Origin.Kind.SESSION:
        return "Not available for a session: this request belongs to none."
    return "Not available for a session: this tool is decided one at a time."


def _roles_to_pass(action: Action) -> list[tuple[str, str]]:
    """Rights that suffice and that somebody holds, as (codename, words)."""
    return [
        (right.value, role_words(right))
        for right in rights_that_suffice(action.risk)
        if deciders(right, flags=action.flags, company=action.company)
    ]
