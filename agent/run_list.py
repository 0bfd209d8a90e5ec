"""Runs in the list, and the queue of those that wait for their turn, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q
from django.urls import reverse

from agent.models import AgentSession, RunStep
from agent.querysets import SessionQuerySet
from agent.rendering import SessionLook, session_look, ticket_words
from integrations.llm.fencing import show_escaped
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission
from runbooks.models import TriggerFiring

_OVER_STEPS = Count("pk", filter=Q(state__in=RunStep.OVER))


@dataclass(frozen=True)
class RunRow:
    """One run in the list."""

    path: str
    title: str
    version: int | None
    signal_words: str
    company: str
    look: SessionLook
    over: int
    steps: int
    started: str
    started_at: datetime
    cost: str


@dataclass(frozen=True)
class QueueRow:
    """A start that waits for its turn, or did not take place."""

    id: UUID
    title: str
    runbook_path: str
    target: str
    words: str
    due_at: datetime
    reason: str
    by: str
    may_drop: bool


def runs_visible_to(actor: Actor) -> SessionQuerySet:
    """The runs the actor may see, the newest first."""
    rows: SessionQuerySet = AgentSession.objects.visible_to(actor).exclude(origin__runbook="")
    return rows.select_related(
        "organization", "signal", "company", "origin", "runbook", "started_by__user", "firing__trigger"
    ).order_by("-created_at", "-id")


def run_rows(sessions: Sequence[AgentSession], *, actor: Actor) -> list[RunRow]:
    """A page of runs in words for `actor`; one query for the steps of all."""
    counted: dict[UUID, tuple[int, int]] = {}
    if sessions:
        steps = RunStep.objects.for_organization(sessions[0].organization).filter(session__in=sessions)
        by_session = steps.order_by().values_list("session").annotate(Count("pk"), over=_OVER_STEPS)
        counted = {session_id: (over, every) for session_id, every, over in by_session}
    return [_run_row(session, actor, *counted.get(session.pk, (0, 0))) for session in sessions]


def queue_rows(firings: Sequence[TriggerFiring], actor: Actor) -> list[QueueRow]:
    """Starts in words."""
    return [
        QueueRow(
            id=firing.pk,
            title=firing.runbook.title,
            runbook_path=reverse("runbook", args=[firing.runbook_id]),
            target=f"{firing.company.name}{f', ticket {firing.signal.external_id}' if firing.signal else ''}",
            words=firing.trigger.words,
            due_at=firing.due_at,
            reason=show_escaped(firing.reason),
            by=firing.started_by.user.display_name if firing.started_by else "",
            may_drop=firing.state == TriggerFiring.State.QUEUED and actor.can(Permission.RUN_SESSIONS, firing.company),
        )
        for firing in firings
    ]


def started_words(session: AgentSession) -> str:
    """By whom or by what a run was begun."""
    if session.started_by is not None:
        return f"by {session.started_by.user.display_name}"
    if session.firing is not None:
        return f"by itself: {session.firing.trigger.words}"
    return "by itself: it fits the ticket"


def _run_row(session: AgentSession, actor: Actor, over: int, steps: int) -> RunRow:
    look = session_look(session)
    return RunRow(
        path=reverse("run", args=[session.pk]),
        title=session.runbook.title if session.runbook else "A runbook that is gone",
        version=session.runbook_number,
        signal_words=ticket_words(session, actor=actor),
        company=show_escaped(session.company.name) + ("" if session.company.is_active else " (ended)"),
        look=look,
        over=over,
        steps=steps,
        started=started_words(session),
        started_at=session.created_at,
        cost=look["cost"],
    )
