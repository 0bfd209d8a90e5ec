"""Whether a person waits for a session: those go before what the agent does by itself."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from agent.models import AgentSession, SessionEvent
from approvals.models import Decision
from junto.bells import ring

#: Kinds of events in which a person speaks.
PERSONS = ("user_said", "person_started", "person_directed")


def attended() -> Q:
    """Sessions that a person waits for: one started it, took it over, wrote in it or decided one of its actions."""
    spoken = SessionEvent.unscoped.filter(session=OuterRef("pk"), kind__in=PERSONS)
    decided = Decision.unscoped.filter(action__origin=OuterRef("origin"))
    return Q(started_by__isnull=False) | Q(Exists(spoken)) | Q(Exists(decided))


def is_attended(session_id: UUID) -> bool:
    """Whether a person waits for this session, asked now."""
    return AgentSession.unscoped.filter(attended(), pk=session_id).exists()


def ring_session(session_id: UUID) -> None:
    """Give a session its next step: at once where a person waits for it, else after what people wait for."""
    if is_attended(session_id):
        ring("session.ready", str(session_id))
    else:
        ring("session.unattended", str(session_id))
