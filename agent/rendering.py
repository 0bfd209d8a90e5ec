"""Events as people see them: the same fragments for the page and for socket frames, drawn for one reader."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape, linebreaks
from django.utils.safestring import SafeString

from agent.events import (
    ActionChanged,
    CallRefused,
    DecisionAsked,
    Event,
    ModelReplied,
    Notice,
    PersonDirected,
    PersonStarted,
    StateChanged,
    TriedAgain,
    UserSaid,
)
from agent.models import AgentSession, RunStep, SessionEvent
from agent.outages import is_silent
from agent.transcript import left_out_words
from approvals.cards import ActionCard, action_card
from approvals.models import Action, ActionRecord, Origin
from approvals.services import may_have_secret
from integrations.llm.fencing import show_escaped
from integrations.llm.rehearsal import MODEL_NAME
from integrations.marks import without_marks
from integrations.vendors import vendor_label
from junto.markdown import render_inert
from junto.tenants.access import organization_urls
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission
from signals.models import Signal
from signals.words import MODEL_SILENT

#: Characters of a tool result shown in the chat; the whole is one click away.
SHOWN_RESULT = 4_000

#: What a ticket is called that moved to a company its reader does not see.
MOVED_AWAY = "A ticket of another company by now"
#: Icon and tone of each session state (design/README.md, States).
STATE_LOOKS: dict[str, tuple[str, str]] = {
    "queued": ("clock", ""),
    "running": ("play", ""),
    "waiting_for_approval": ("hand", "accent"),
    "waiting_for_technician": ("user", ""),
    "completed": ("ok", "ok"),
    "failed": ("alert", "danger"),
    "stopped": ("pause", ""),
}


@dataclass(frozen=True)
class RenderedEvent:
    """One event as HTML for one reader."""

    number: int
    kind: str
    at: datetime
    html: SafeString
    action: UUID | None


def render_events(
    session: AgentSession, events: list[tuple[SessionEvent, Event]], *, actor: Actor
) -> list[RenderedEvent]:
    """The events, in order. An action's several states are drawn each from the action as it is now."""
    ids = {row.action_id for row, _ in events if row.action_id}
    actions = {
        action.pk: action
        for action in Action.objects.visible_to(actor)
        .filter(pk__in=ids)
        .annotate(has_record=Exists(ActionRecord.objects.visible_to(actor).filter(action=OuterRef("pk"))))
        .select_related("company", "origin", "organization")
    }
    rendered = []
    with organization_urls(session.organization.slug):
        for row, event in events:
            view = _view(event, actions.get(row.action_id) if row.action_id else None, session, actor)
            if view is None:
                continue
            context = {"event": {"number": row.number, "kind": row.kind, "at": row.created_at, **view}}
            html = SafeString(render_to_string("agent/_event.html", context).strip())
            rendered.append(RenderedEvent(row.number, row.kind, row.created_at, html, row.action_id))
    return rendered


def session_cards(actions: Sequence[Action], *, actor: Actor) -> list[ActionCard]:
    """The cards of actions with the ticket and the paths that only this floor knows."""
    ids = {action.pk: action.origin.subject.removeprefix("signal:") for action in actions}
    signals = Signal.objects.visible_to(actor).filter(pk__in=set(ids.values()))
    tickets = {str(signal.pk): signal.number for signal in signals.only("pk", "external_id")}
    cards = []
    for action in actions:
        signal_id = ids[action.pk]
        cards.append(
            replace(
                action_card(action, actor=actor),
                ticket=tickets.get(signal_id, ""),
                session_path=reverse("signal", args=[signal_id]) if signal_id in tickets else "",
                of_session=action.origin.kind == Origin.Kind.SESSION,
                result_path=reverse("action-result", args=[action.pk]) if action.result is not None else "",
                secret_path=reverse("action-secret", args=[action.pk]) if may_have_secret(action) else "",
            )
        )
    return cards


def card_html(action_id: UUID, *, actor: Actor, in_queue: bool = False) -> str:
    """One action's card as it is now, for one reader. Raises Action.DoesNotExist where the reader may not see it."""
    rows = Action.objects.visible_to(actor).select_related("company", "origin", "organization", "policy", "grant")
    with organization_urls(actor.organization.slug):
        card = session_cards([rows.get(pk=action_id)], actor=actor)[0]
        return render_to_string("agent/_approval_card.html", {"card": card, "in_queue": in_queue})


def ticket_words(session: AgentSession, *, actor: Actor) -> str:
    """What the session's ticket is called now, escaped; of one that moved away only for who may see it there."""
    if not sees_ticket(session, actor=actor):
        return MOVED_AWAY
    return show_escaped(str(session.signal))


def sees_ticket(session: AgentSession, *, actor: Actor) -> bool:
    """Whether `actor`, who may see the session, may see its ticket as it is now: it may have moved since."""
    return actor.companies is None or session.signal.company_id in actor.companies


class SessionLook(TypedDict):
    """A session's state in words, icon and tone, with what it used; the same in templates and in frames."""

    id: str
    state: str
    state_word: str
    icon: str
    tone: str
    live: bool
    mode: str
    steps: int
    cost: str
    may_try_again: bool


def session_look(session: AgentSession) -> SessionLook:
    """How a session is shown."""
    icon, tone = STATE_LOOKS[session.state]
    word = session.get_state_display()
    silent = is_silent(session)
    if silent:
        word, tone, icon = MODEL_SILENT
    return SessionLook(
        id=str(session.pk),
        state=session.state,
        state_word=word,
        icon=icon,
        tone=tone,
        live=session.is_live,
        mode=session.origin.mode,
        steps=session.steps_used,
        cost=f"{session.cost_microcents / 100_000_000:.2f} $" if session.cost_microcents else "",
        may_try_again=silent,
    )


def _view(event: Event, action: Action | None, session: AgentSession, actor: Actor) -> dict[str, Any] | None:
    if isinstance(event, UserSaid):
        return _message(event.name, SafeString(linebreaks(escape(show_escaped(event.text)))), by_agent=False)
    if isinstance(event, PersonStarted):
        return {"shape": "line", "icon": "play", "text": f"{event.name} started the agent"}
    if isinstance(event, ModelReplied):
        return _reply(event)
    if isinstance(event, CallRefused):
        text = f"The agent wrote its call of {show_escaped(event.name)} wrongly: nothing was called. It was told why."
        cause = show_escaped(event.reason) if actor.can(Permission.MANAGE_MODEL) else ""
        return {"shape": "notice", "icon": "ban", "tone": "warn", "text": text, "cause": cause}
    if isinstance(event, ActionChanged):
        return _action(event, action, actor)
    if isinstance(event, StateChanged):
        return _state(event)
    if isinstance(event, PersonDirected):
        return {"shape": "line", "icon": "user", "text": show_escaped(event.text), "step": event.step}
    if isinstance(event, DecisionAsked):
        return _decision(event, session, actor)
    if isinstance(event, TriedAgain):
        return {"shape": "line", "icon": "refresh", "text": "The agent tried again by itself"}
    return _notice(event, session, actor)


def _message(author: str, body: SafeString, *, by_agent: bool, **more: Any) -> dict[str, Any]:
    initials = "".join(part[0] for part in author.split()[:2]).upper()
    return {"shape": "message", "by_agent": by_agent, "author": author, "initials": initials, "body": body, **more}


def _reply(event: ModelReplied) -> dict[str, Any] | None:
    if not event.text.strip() and not event.aborted and not event.left_out:
        return None
    # by the answer, not by the session: a model may be connected, or taken away, in the middle of one
    meta = "Rehearsal model" if event.model == MODEL_NAME else event.model
    text = f"{event.text}\n\n{left_out_words(event)}" if event.left_out else event.text
    return _message(
        "Agent", render_inert(show_escaped(without_marks(text))), by_agent=True, meta=meta, aborted=event.aborted
    )


def _action(event: ActionChanged, action: Action | None, actor: Actor) -> dict[str, Any]:
    if action is None:
        return {"shape": "line", "icon": "lock", "text": "An action you may not see"}
    shared = {"action": str(action.pk)}
    # whatever a person was asked has a card, a look-up too; so has every write that got as far as a preview
    asked = action.why_asked or action.state == Action.State.UNKNOWN
    if not asked and (not action.is_write or (action.state == Action.State.REFUSED and not action.preview)):
        return {"shape": "tool", **shared, **_tool(action)}
    return {"shape": "approval", **shared, "card": session_cards([action], actor=actor)[0]}


def _decision(event: DecisionAsked, session: AgentSession, actor: Actor) -> dict[str, Any]:
    """The question with a button for each answer while it waits for one; then with what was chosen."""
    rows = RunStep.objects.for_organization(session.organization).filter(session=session, number=event.step)
    step = rows.select_related("by__user").first()
    waits = step is not None and step.state == RunStep.State.WAITING and session.is_live
    return {
        "shape": "decision",
        "step": event.step,
        "label": step.label if step else str(event.step),
        "question": show_escaped(event.question),
        "options": event.options if waits and actor.can(Permission.RUN_SESSIONS, session.company) else (),
        "answer": show_escaped(step.answer) if step else "",
        "by": step.by.user.display_name if step and step.by else "",
        "path": reverse("run-direct", args=[session.pk]),
    }


def _tool(action: Action) -> dict[str, Any]:
    result = json.dumps(action.result, ensure_ascii=False, indent=2) if action.result is not None else ""
    text = without_marks(result)
    waits = action.state in (Action.State.PROPOSED, Action.State.WAITING, Action.State.APPROVED, Action.State.CLAIMED)
    seconds = ""
    if action.finished_at:
        # the database's clock finished what ours began
        seconds = f"{max(0.0, (action.finished_at - action.created_at).total_seconds()):.1f} s"
    return {
        "icon": "search" if action.category == "read" else "ban",
        "title": show_escaped(action.title or action.tool),
        "system": _system(action.tool),
        "category": action.category.capitalize(),
        "seconds": seconds,
        "ok": None if waits else action.state == Action.State.SUCCEEDED,
        "note": show_escaped(action.reason),
        "arguments": [(name, show_escaped(_plain(value)), "text") for name, value in action.arguments.items()],
        "result": show_escaped(text[:SHOWN_RESULT]),
        "cut": len(text) > SHOWN_RESULT,
        "result_path": reverse("action-result", args=[action.pk]) if text else "",
        "has_record": getattr(action, "has_record", False),
    }


def _system(tool: str) -> str:
    slug = tool.partition(".")[0]
    return vendor_label(slug) or "Junto"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _state(event: StateChanged) -> dict[str, Any] | None:
    words = {
        "queued": f"Session opened{f' by {event.by}' if event.by else ''}. {event.detail}",
        "completed": f"Session closed{f' by {event.by}' if event.by else ''}. {event.detail}",
        "stopped": f"Stopped{f' by {event.by}' if event.by else ''}. {event.detail}",
        "failed": f"Session failed. {event.detail}",
    }
    if event.state not in words:
        return None
    return {"shape": "line", "icon": STATE_LOOKS[event.state][0], "text": show_escaped(words[event.state].strip())}


def _notice(event: Notice, session: AgentSession, actor: Actor) -> dict[str, Any]:
    if event.tone == "quiet":
        return {"shape": "line", "icon": "book", "text": show_escaped(event.text)}
    cause = show_escaped(event.cause) if actor.can(Permission.MANAGE_MODEL) else ""
    run_path = reverse("run", args=[session.pk]) if event.parks and session.origin.runbook else ""
    text = show_escaped(event.text)
    return {"shape": "notice", "icon": "alert", "tone": event.tone, "text": text, "cause": cause, "run_path": run_path}
