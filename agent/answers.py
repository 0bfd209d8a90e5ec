"""What a frame does, and the frame that answers it. The socket and the approvals queue share this translation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.template.loader import render_to_string

from agent.frames import (
    ChooseRunbook,
    Close,
    Decide,
    Frame,
    PassOn,
    Ping,
    PreviewChange,
    Say,
    Settle,
    Start,
    Stop,
    TryAgain,
)
from agent.models import AgentSession
from agent.outages import try_again
from agent.services import (
    SessionRefused,
    choose_runbook,
    close_session,
    live_session,
    open_session,
    post_message,
    stop_session,
)
from approvals.cards import preview_card
from approvals.models import Action
from approvals.services import DecisionRefused, decide_action, pass_on, preview_change, settle_action
from junto.tenants.actors import Actor
from runbooks.models import Runbook
from signals.models import Signal
from signals.services import SignalNotClaimable

Message = dict[str, Any]


@dataclass(frozen=True)
class FrameRefused(Exception):
    """The frame was understood and not obeyed: `message` says why, `fields` which values are wrong and how."""

    code: str
    message: str
    fields: dict[str, str] = field(default_factory=dict)

    def as_frame(self, frame_id: str) -> Message:
        """The error frame."""
        return {"type": "error", "id": frame_id, "code": self.code, "message": self.message, "fields": self.fields}


def answer(frame: Frame, *, actor: Actor, signal: Signal | None) -> Message:
    """Do what `frame` asks and return the answer; `signal` is the page's, None in the queue.

    Raises:
        FrameRefused: it was not done; nothing changed.
    """
    try:
        return _do(frame, actor=actor, signal=signal)
    except DecisionRefused as refusal:
        raise FrameRefused(refusal.code, str(refusal), dict(refusal.fields)) from refusal
    except (SessionRefused, SignalNotClaimable) as refusal:
        raise FrameRefused("refused", str(refusal)) from refusal
    except PermissionDenied as refusal:
        raise FrameRefused("forbidden", str(refusal)) from refusal
    except (Action.DoesNotExist, Runbook.DoesNotExist) as refusal:
        raise FrameRefused("not_found", "That is not here, or not for you to see.") from refusal


def _do(frame: Frame, *, actor: Actor, signal: Signal | None) -> Message:
    if isinstance(frame, Decide):
        return _decide(frame, actor)
    if isinstance(frame, PreviewChange):
        return _preview(frame, actor)
    if isinstance(frame, PassOn):
        asked = pass_on(action_id=frame.action, actor=actor, permission=frame.role)
        return {"type": "ack", "id": frame.id, "message": f"Passed on to {asked}."}
    if isinstance(frame, Settle):
        settle_action(action_id=frame.action, actor=actor, done=frame.done, evidence=frame.evidence)
        return {"type": "ack", "id": frame.id}
    if isinstance(frame, Ping):
        return {"type": "pong"}
    if signal is None:
        raise FrameRefused("unknown_type", f"{frame.type} works on a signal's own page.")
    return _on_signal(frame, actor=actor, signal=signal)


def _on_signal(frame: Frame, *, actor: Actor, signal: Signal) -> Message:
    if isinstance(frame, Start):
        session = open_session(signal=signal, actor=actor, mode="triage")
        return {"type": "ack", "id": frame.id, "session": str(session.pk)}
    session = _live(signal)
    if isinstance(frame, Say):
        post_message(session=session, actor=actor, text=frame.text, frame_id=frame.id)
    elif isinstance(frame, Stop):
        stop_session(session=session, actor=actor, reason=frame.reason)
    elif isinstance(frame, TryAgain):
        try_again(session=session, actor=actor)
    elif isinstance(frame, Close):
        close_session(session=session, actor=actor)
    elif isinstance(frame, ChooseRunbook):
        choose_runbook(session=session, actor=actor, runbook=_runbook(frame.runbook, actor))
    return {"type": "ack", "id": frame.id}


def _live(signal: Signal) -> AgentSession:
    session = live_session(signal)
    if session is None:
        raise FrameRefused("no_session", "No session is open on this signal: start the agent first.")
    return session


def _runbook(runbook_id: UUID | None, actor: Actor) -> Runbook | None:
    return None if runbook_id is None else Runbook.objects.visible_to(actor).get(pk=runbook_id)


def _decide(frame: Decide, actor: Actor) -> Message:
    decide_action(
        action_id=frame.action,
        actor=actor,
        verdict=frame.verdict,
        digest=frame.digest,
        reason=frame.reason,
        arguments=frame.arguments,
        target_digest=frame.target_digest,
        target=frame.target,
    )
    return {"type": "ack", "id": frame.id}


def _preview(frame: PreviewChange, actor: Actor) -> Message:
    changed = preview_change(action_id=frame.action, actor=actor, arguments=frame.arguments)
    return {
        "type": "preview",
        "id": frame.id,
        "action": str(frame.action),
        "arguments": changed.arguments,
        "digest": changed.digest,
        "target_digest": changed.target_digest,
        "html": render_to_string("agent/_preview.html", {"card": preview_card(changed)}),
    }
