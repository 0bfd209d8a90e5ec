"""Whether a person waits for a session: those go before what the agent does by itself."""

from __future__ import annotations

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


def is_attended(session: AgentSession) -> bool:
    """Whether a person waits for this session, asked now."""
    return session.started_by_id is not None or AgentSession.unscoped.filter(attended(), pk=session.pk).exists()


def ring_session(session: AgentSession) -> None:
    """Give a session its next step: at once where a person waits for it, else after what people wait for."""
    if is_attended(session):
        ring("session.ready", str(session.pk))
    else:
        ring("session.unattended", str(session.pk))
