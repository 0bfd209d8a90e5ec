"""Verbs of a session: open, say, stop, close, choose a runbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from django.db import transaction
from django.utils import timezone
from pydantic import JsonValue

from agent.attention import ring_session
from agent.events import Notice, PersonStarted, StateChanged, UserSaid
from agent.frames import MESSAGE_LIMIT
from agent.journal import append_event, was_said
from agent.models import AgentSession, RunStep
from agent.steps import lay_out, read_steps
from agent.stopping import stopped_at, stopped_words
from approvals.models import Origin
from approvals.services import cancel_actions, open_origin, set_mode, stop_origin
from integrations.llm.fencing import says_something
from integrations.services import model_info
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership
from junto.tenants.permissions import Permission, require
from runbooks.choices import record_choice
from runbooks.matching import Match, match_signal
from runbooks.models import Runbook, TriggerFiring
from runbooks.services import PublishedVersion, published_document
from runbooks.values import prefill
from signals.facts import signal_facts
from signals.models import Signal
from signals.services import claim_signal, release_signal

#: The columns in which a session holds its runbook.
PINS = ("runbook", "runbook_number", "runbook_record", "runbook_score", "runbook_reason", "inputs", "by_company")

StartMode = Literal["prepare", "triage", "runbook"]


class SessionRefused(ValueError):
    """The session cannot do that now; the message says why and what to do."""


@dataclass(frozen=True)
class Chosen:
    """A runbook that is to be followed, with the values of its inputs and why it was chosen."""

    version: PublishedVersion
    reason: str
    inputs: Mapping[str, JsonValue] = field(default_factory=dict)
    score: float | None = None
    firing: TriggerFiring | None = None

    @classmethod
    def by_match(cls, signal: Signal, match: Match) -> Self:
        """The version a match found, with what the ticket tells of its inputs."""
        version = published_document(match.runbook, record=match.record)
        inputs = prefill(version.inputs, signal_facts(signal))
        return cls(version=version, reason=match.reason, inputs=inputs, score=match.score)


@transaction.atomic
def open_session(
    *, signal: Signal, actor: Actor, mode: StartMode = "triage", chosen: Chosen | None = None
) -> AgentSession:
    """Open a session on `signal`, or let `actor` go on with the prepared one that is open.

    Without `chosen` the best match is pinned.

    Raises:
        SessionRefused: the signal has no company yet or an ended one, is closed, or somebody else works on it.
        PermissionDenied: `actor` may not run sessions for the signal's company.
    """
    company = _company_at_work(signal, actor)
    live = _not_over(signal)
    if live is not None and live.company_id != company.pk:
        raise SessionRefused("The ticket just moved here from another company, whose session is ending. Try it again.")
    if live is not None:
        return _continue(live, actor=actor)
    if chosen is None or chosen.firing is None or chosen.firing.signal_id is not None:
        claim_signal(signal, actor=actor)
    chosen = chosen or _matched(signal)
    session = _new_session(signal, company, by=actor.membership)
    session.origin = open_origin(
        organization=signal.organization,
        kind=Origin.Kind.SESSION,
        key=str(session.pk),
        subject=f"signal:{signal.pk}",
        mode=Origin.Mode(mode),
        company=company,
        revision=signal.revision,
        runbook=chosen.version.pin if chosen and mode == "runbook" else "",
    )
    if chosen is not None:
        _pin(session, chosen)
    session.save(force_insert=True)
    if chosen is not None:
        lay_out(session, chosen.version)
    record(actor, "session.opened", session, {"signal": str(signal.pk), "mode": mode})
    append_event(session, StateChanged(state=session.state, detail=_opening_words(session, mode), by=actor.label))
    ring_session(session)
    ring("signal.changed", str(signal.pk))
    return session


def _company_at_work(signal: Signal, actor: Actor) -> Company:
    """The signal's company, where `actor` may run sessions; raises what `open_session` does where nobody may."""
    if signal.company is None:
        raise SessionRefused("This signal belongs to no known company yet: choose its company first.")
    require(actor, Permission.RUN_SESSIONS, signal.company)
    if signal.company.ended_words:
        raise SessionRefused(signal.company.ended_words)
    return signal.company


def _new_session(signal: Signal, company: Company, *, by: Membership | None) -> AgentSession:
    """A session that is not saved yet, with the model that will be asked."""
    info = model_info(signal.organization)
    return AgentSession(
        organization=signal.organization,
        signal=signal,
        company=company,
        started_by=by,
        model_label=info.label,
        rehearsal=info.rehearsal,
    )


def live_session(signal: Signal) -> AgentSession | None:
    """The one session of `signal`, as the ticket of its present company, that is not over; None where there is none.

    That of a company it was moved away from is ending, and nobody goes on in it.
    """
    found = _not_over(signal)
    return found if found is not None and found.company_id == signal.company_id else None


def _not_over(signal: Signal) -> AgentSession | None:
    return (
        AgentSession.objects.for_organization(signal.organization)
        .select_related("origin", "organization", "company", "signal")
        .filter(signal=signal, state__in=AgentSession.LIVE)
        .first()
    )


@transaction.atomic
def post_message(*, session: AgentSession, actor: Actor, text: str, frame_id: str = "") -> None:
    """Write what a person says into the session and make it the model's turn.

    A message with a `frame_id` is written once: sent again by the same person, it changes nothing.

    Raises:
        SessionRefused: the session is over, or nothing of the text can be read, or it is longer than
            MESSAGE_LIMIT characters.
    """
    require(actor, Permission.RUN_SESSIONS, session.company)
    if actor.membership is None:
        raise SessionRefused("Only people speak in a session.")
    if not says_something(text):
        raise SessionRefused("The message holds nothing that can be read: nothing was sent.")
    if len(text) > MESSAGE_LIMIT:
        raise SessionRefused(f"The message has {len(text)} characters; {MESSAGE_LIMIT} fit. Shorten it or use a note.")
    # whoever sends the same message on two lines at once waits here, the origin first as everywhere
    Origin.objects.for_organization(session.organization).select_for_update().get(pk=session.origin_id)
    session.refresh_from_db()
    if was_said(session, membership_id=actor.membership.pk, frame_id=frame_id):
        return
    if not session.is_live:
        raise SessionRefused("This session is over. Start the agent again to go on.")
    append_event(
        session,
        UserSaid(
            membership_id=actor.membership.pk,
            name=actor.label,
            role=actor.membership.get_role_display(),
            text=text.replace("\x00", ""),
            frame_id=frame_id,
        ),
    )
    ring("session.ready", str(session.pk))


@transaction.atomic
def stop_session(*, session: AgentSession, actor: Actor, reason: str = "") -> None:
    """Stop at once: no action is claimed after this commits; what already left ends as it ends (I16).

    Raises:
        SessionRefused: it is over already.
    """
    require(actor, Permission.RUN_SESSIONS, session.company)
    session.refresh_from_db()
    if not session.is_live:
        raise SessionRefused("This session is over already.")
    stop_origin(origin=session.origin, actor=actor, reason=reason or f"{actor.label} stopped the session.")
    _end(session, to=AgentSession.State.STOPPED, actor=actor, detail=reason)


@transaction.atomic
def close_session(*, session: AgentSession, actor: Actor) -> None:
    """End the conversation: open requests are withdrawn and the signal goes to review.

    Raises:
        SessionRefused: it is over already.
    """
    require(actor, Permission.RUN_SESSIONS, session.company)
    session.refresh_from_db()
    if not session.is_live:
        raise SessionRefused("This session is over already.")
    cancel_actions(origin=session.origin, actor=actor, reason=f"{actor.label} closed the session.")
    _end(session, to=AgentSession.State.COMPLETED, actor=actor, detail="")


@transaction.atomic
def end_stopped_session(*, session: AgentSession, actor: Actor) -> None:
    """End a session whose origin was stopped from below, so that a new one can be offered."""
    session.refresh_from_db()
    if session.is_live and session.origin.stopped_at is not None:
        _end(session, to=AgentSession.State.STOPPED, actor=actor, detail=session.origin.stop_reason)


@transaction.atomic
def fail_session(*, session: AgentSession, actor: Actor) -> None:
    """End a session that an internal error keeps from going on; open requests are withdrawn, its signal goes to review.

    The error itself stands in the server's log with the session's id.
    """
    if not session.is_live:
        return
    cancel_actions(origin=session.origin, actor=actor, reason="The session failed.")
    detail = f"An error inside Junto ended it. Start a new session; tell your administrator the id {session.pk}."
    _end(session, to=AgentSession.State.FAILED, actor=actor, detail=detail)


@transaction.atomic
def complete_run(*, session: AgentSession, actor: Actor, version: PublishedVersion, succeeded: bool) -> None:
    """End a run that is past its last step. The signal is resolved where the runbook says so and it succeeded.

    `succeeded` = the ticket, the time and the note of its end are in the PSA too. One that an answer stopped resolves
    nothing: what it was for did not happen. Nor does one beside a technician with a step that nobody ticked.
    """
    steps = read_steps(session)
    stop = stopped_at(steps, version)
    passed = [step for step in steps if step.state == RunStep.State.PASSED]
    detail = f"It was {stopped_words(stop)}." if stop else _end_words(passed)
    if not succeeded:
        detail += " The closing note or the time is missing in the PSA: look at the run's page."
    unproved = bool(passed) and version.audience == Runbook.Audience.HYBRID
    resolves = succeeded and stop is None and not unproved and version.on_success == Runbook.OnSuccess.RESOLVE
    state = Signal.State.RESOLVED if resolves else Signal.State.IN_REVIEW
    _end(session, to=AgentSession.State.COMPLETED, actor=actor, detail=detail, signal_state=state)


def _end_words(passed: Sequence[RunStep]) -> str:
    """How a run ended that went to its end."""
    if not passed:
        return "Every step is done or was skipped by a person."
    which = f"step {passed[0].label}" if len(passed) == 1 else f"steps {_ranges(passed)}"
    return f"Every tool's work is done or was skipped by a person; whether {which} happened is not recorded."


def _ranges(steps: Sequence[RunStep]) -> str:
    """Labels of steps in order, those of three and more in a row as "2 to 9"."""
    rows: list[list[RunStep]] = []
    for step in steps:
        if rows and rows[-1][-1].number + 1 == step.number:
            rows[-1].append(step)
        else:
            rows.append([step])
    words = [
        f"{row[0].label} to {row[-1].label}" if len(row) > 2 else ", ".join(step.label for step in row) for row in rows
    ]
    return ", ".join(words)


@transaction.atomic
def choose_runbook(*, session: AgentSession, actor: Actor, runbook: Runbook | None) -> None:
    """Pin another published runbook (None = none) to a live session; the choice is told in the chat.

    It is remembered, and counts when signals like this one are matched.

    Raises:
        SessionRefused: the session is over, runs unattended, or the runbook is not in force for its company.
    """
    require(actor, Permission.RUN_SESSIONS, session.company)
    session.refresh_from_db()
    if not session.is_live or session.origin.mode == Origin.Mode.RUNBOOK or session.origin.runbook:
        raise SessionRefused("The runbook of this session can no longer be changed.")
    if runbook is not None and not in_force(runbook, session.company):
        raise SessionRefused("That runbook is not published for this company.")
    version = published_document(runbook) if runbook else None
    offered = remember_choice(session.signal, runbook, actor=actor)
    if version is None:
        session.runbook = session.runbook_number = session.runbook_record = session.runbook_score = None
        session.runbook_reason, session.inputs = f"Chosen by {actor.label}", {}
    else:
        inputs = prefill(version.inputs, signal_facts(session.signal))
        _pin(session, Chosen(version=version, reason=f"Chosen by {actor.label}", inputs=inputs))
    session.save(update_fields=PINS)
    lay_out(session, version)
    names = {"runbook": runbook, "matched": offered}
    told = {name: str(each.pk) if each else None for name, each in names.items()}
    record(actor, "session.runbook_chosen", session, told)
    chosen = f"the runbook “{runbook.title}”" if runbook else "no runbook"
    append_event(session, Notice(tone="quiet", text=f"{actor.label} chose {chosen}."))


def remember_choice(signal: Signal, runbook: Runbook | None, *, actor: Actor) -> Runbook | None:
    """Store what a person chose beside what matched best, which is returned (None = nothing did).

    It counts when signals like this one are matched.
    """
    best = _best(signal)
    offered = best.runbook if best else None
    record_choice(signal=signal, offered=offered, chosen=runbook, actor=actor)
    return offered


def in_force(runbook: Runbook, company: Company) -> bool:
    """Whether a runbook may be followed for `company` now."""
    return (
        runbook.organization_id == company.organization_id
        and runbook.status == Runbook.Status.PUBLISHED
        and runbook.company_id in (None, company.pk)
    )


def _continue(session: AgentSession, *, actor: Actor) -> AgentSession:
    if session.origin.mode != Origin.Mode.PREPARE:
        return session
    if actor.membership is None:
        return session
    set_mode(origin=session.origin, mode=Origin.Mode.TRIAGE)
    session.started_by = actor.membership
    session.save(update_fields=["started_by"])
    record(actor, "session.started", session, {})
    append_event(
        session,
        PersonStarted(membership_id=actor.membership.pk, name=actor.label, role=actor.membership.get_role_display()),
    )
    ring("session.ready", str(session.pk))
    return session


def _best(signal: Signal) -> Match | None:
    return next((match for match in match_signal(signal) if match.above_threshold), None)


def _matched(signal: Signal) -> Chosen | None:
    match = _best(signal)
    return Chosen.by_match(signal, match) if match else None


def _pin(session: AgentSession, chosen: Chosen) -> None:
    version = chosen.version
    session.runbook_id, session.runbook_number = version.runbook_id, version.number
    session.runbook_record = version.record
    session.runbook_score, session.runbook_reason = chosen.score, chosen.reason
    session.inputs = dict(chosen.inputs)
    session.firing = chosen.firing
    session.by_company = chosen.firing is not None and chosen.firing.signal_id is None


def _opening_words(session: AgentSession, mode: StartMode) -> str:
    matched = f"Runbook matched: {session.runbook.title}." if session.runbook else "No runbook matched."
    how = {"prepare": "Prepares: looks up and reports.", "triage": "", "runbook": "Runs the runbook."}[mode]
    return f"{matched} {how}".strip()


def _end(
    session: AgentSession,
    *,
    to: AgentSession.State,
    actor: Actor,
    detail: str,
    signal_state: Signal.State = Signal.State.IN_REVIEW,
) -> None:
    session.move(to=to, detail=detail)
    Origin.objects.for_organization(session.organization).filter(pk=session.origin_id, closed_at=None).update(
        closed_at=timezone.now()
    )
    release_signal(session.signal, actor=actor, state=signal_state)
    record(actor, f"session.{to.value}", session, {"detail": detail})
    # what was stopped from below, as its ticket moved or is gone, was not stopped by the agent: the reason says by what
    by = "" if to is AgentSession.State.STOPPED and actor.membership is None else actor.label
    append_event(session, StateChanged(state=to.value, detail=detail, by=by))
    ring("signal.changed", str(session.signal_id))
