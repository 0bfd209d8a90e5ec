"""Starting the run of a runbook: on a signal or for a company, by a person or because a trigger fired.

One run per (runbook version, target) at a time. On a ticket a second one is refused with the name of the first; for a
company, of which no ticket tells, it waits in the queue: the firings in state QUEUED.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from pydantic import JsonValue

from agent.attention import attended
from agent.directing import is_run
from agent.events import Notice
from agent.journal import append_event
from agent.models import AgentSession, StartRule
from agent.services import Chosen, SessionRefused, close_session, in_force, live_session, open_session, remember_choice
from agent.start_rules import start_mode
from approvals.models import Action, Origin
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from junto.tenants.permissions import Permission, PermissionDenied, require
from junto.tenants.scoping import TenantQuerySet
from runbooks.firing import fire_by_hand, manual_trigger, tell_skipped
from runbooks.models import Runbook, TriggerFiring
from runbooks.services import NoSuchVersion, PublishedVersion, published_document
from runbooks.suspension import suspended_at
from runbooks.values import ValuesRefused, prefill, read_values
from signals.facts import SignalFacts, signal_facts
from signals.models import Signal
from signals.opening import usual_board
from signals.services import SignalNotClaimable, open_own_signal

Values = Mapping[str, JsonValue]

OPEN_REQUESTS = (Action.State.WAITING, Action.State.APPROVED, Action.State.CLAIMED, Action.State.UNKNOWN)


class NotYet(RuntimeError):
    """The run has to wait for its turn; the message says for what."""


@transaction.atomic
def run_on_signal(*, runbook: Runbook, signal: Signal, actor: Actor, given: Values) -> AgentSession:
    """Run a runbook on a ticket: the conversation that is open there ends, and the run begins.

    Raises:
        SessionRefused: it is not in force there, another run is going on, or a request waits for a decision.
        SignalNotClaimable: the ticket is closed.
        ValuesRefused: inputs are missing or of the wrong kind, by name.
        PermissionDenied: `actor` may not run sessions for the ticket's company.
    """
    if signal.company is None:
        raise SessionRefused("This signal belongs to no known company yet: choose its company first.")
    require(actor, Permission.RUN_SESSIONS, signal.company)
    version = _version(runbook, signal.company)
    inputs = read_inputs_for(version, signal, given)
    live = live_session(signal)
    if live is not None:
        _end_before_run(live, actor)
    remember_choice(signal, runbook, actor=actor)
    return _open(signal, actor, Chosen(version=version, reason=f"Run by {actor.label}", inputs=inputs))


@transaction.atomic
def run_for_company(*, runbook: Runbook, company: Company, actor: Actor, given: Values, press: str) -> TriggerFiring:
    """Run a runbook for a company without a ticket: at once, or when the run that is going on there has ended.

    The same `press` again is the same run.

    Raises:
        SessionRefused: it is not in force there, or its author did not allow a start without a ticket.
        ValuesRefused: inputs are missing or of the wrong kind, by name.
        PermissionDenied: `actor` may not run sessions for `company`.
    """
    require(actor, Permission.RUN_SESSIONS, company)
    version = _version(runbook, company)
    trigger = manual_trigger(runbook, company)
    if trigger is None:
        raise SessionRefused(
            f"“{version.title}” is run on tickets only. Its author may allow a start without one for {company.name}, "
            "among its triggers in the admin."
        )
    values = read_inputs_for(version, None, {**trigger.inputs, **given})
    firing = fire_by_hand(trigger=trigger, company=company, actor=actor, inputs=values, press=press)
    record(actor, "run.started_by_hand", firing, {"runbook": str(runbook.pk), "company": str(company.pk)})
    start_firing(firing.pk)
    firing.refresh_from_db()
    return firing


@transaction.atomic
def start_firing(firing_id: UUID) -> AgentSession | None:
    """Begin the run that a firing asks for. None: it has to wait, or was skipped; the row says why."""
    rows = TriggerFiring.unscoped.select_for_update(of=("self",))
    found = rows.filter(pk=firing_id, state=TriggerFiring.State.QUEUED).select_related(
        "organization", "trigger__board", "runbook", "company", "signal", "started_by__user", "started_by__organization"
    )
    firing: TriggerFiring | None = found.first()
    if firing is None:
        return None
    try:
        with transaction.atomic():
            session = _begin(firing)
    except NotYet as reason:
        keep_waiting(firing.pk, str(reason))
        return None
    except IntegrityError:
        keep_waiting(firing.pk, "Another run for the same target began in this moment.")
        return None
    except (SessionRefused, SignalNotClaimable, PermissionDenied, ValuesRefused, NoSuchVersion) as problem:
        _move(firing, TriggerFiring.State.SKIPPED, str(problem))
        tell_skipped(firing)
        return None
    _move(firing, TriggerFiring.State.STARTED, firing.reason if firing.reason.startswith("Late") else "")
    return session


@transaction.atomic
def drop_firing(*, firing: TriggerFiring, actor: Actor) -> None:
    """Take a run out of the queue.

    Raises:
        SessionRefused: it has begun or was skipped.
        PermissionDenied: `actor` may not run sessions for its company.
    """
    require(actor, Permission.RUN_SESSIONS, firing.company)
    rows = TriggerFiring.objects.for_organization(actor.organization)
    waiting = rows.filter(pk=firing.pk, state=TriggerFiring.State.QUEUED)
    if not waiting.update(state=TriggerFiring.State.SKIPPED, reason=f"Taken out of the queue by {actor.label}."):
        raise SessionRefused("This run waits no longer: it has begun or was skipped.")
    record(actor, "run.dropped", firing, {"runbook": str(firing.runbook_id)})


def queued(organization: Organization) -> TenantQuerySet[TriggerFiring]:
    """The queue, the longest waiting first."""
    rows: TenantQuerySet[TriggerFiring] = TriggerFiring.objects.for_organization(organization)
    return rows.filter(state=TriggerFiring.State.QUEUED).order_by("due_at", "created_at")


def keep_waiting(firing_id: UUID, reason: str) -> None:
    """Say at a queued firing why it waits."""
    rows = TriggerFiring.unscoped.filter(pk=firing_id, state=TriggerFiring.State.QUEUED)
    rows.exclude(reason=reason).update(reason=reason)


def read_inputs_for(version: PublishedVersion, signal: Signal | None, given: Values) -> dict[str, JsonValue]:
    """The typed values of a run's inputs: what was given, else what the ticket tells. Raises ValuesRefused."""
    facts: SignalFacts | None = signal_facts(signal) if signal is not None else None
    return read_values(version.inputs, {**prefill(version.inputs, facts), **given})


def _begin(firing: TriggerFiring) -> AgentSession:
    """Raises NotYet, or what keeps the run from ever beginning."""
    actor = Actor.person(firing.started_by) if firing.started_by else Actor.system("agent", firing.organization)
    version = _version(firing.runbook, firing.company)
    by_itself = firing.started_by is None
    if not firing.trigger.enabled:
        raise SessionRefused("The trigger was switched off.")
    if by_itself and version.audience == Runbook.Audience.AI:
        _require_in_force_unattended(firing)
    signal = firing.signal
    if signal is None:
        _require_free(firing, version)
        inputs = read_inputs_for(version, None, firing.inputs)
        signal = _own_signal(firing, version)
    else:
        signal = Signal.objects.for_organization(firing.organization).select_related(
            "organization", "company", "board", "contact", "device", "connection"
        ).get(pk=signal.pk)  # fmt: skip
        if signal.company_id != firing.company_id:
            raise SessionRefused(f"The ticket is not {firing.company.name}’s any more.")
        _require_untouched(signal, actor)
        inputs = read_inputs_for(version, signal, firing.inputs)
    chosen = Chosen(version=version, reason=f"{firing.trigger.words}.", inputs=inputs, firing=firing)
    return _open(signal, actor, chosen)


def _open(signal: Signal, actor: Actor, chosen: Chosen) -> AgentSession:
    """The session of the run. Of a runbook for people the agent carries out nothing: it waits until it is asked."""
    if chosen.version.audience != Runbook.Audience.HUMAN:
        return open_session(signal=signal, actor=actor, mode="runbook", chosen=chosen)
    session = open_session(signal=signal, actor=actor, mode="triage", chosen=chosen)
    origins = Origin.objects.for_organization(session.organization)
    origins.filter(pk=session.origin_id).update(runbook=chosen.version.pin)
    text = "People carry out this runbook: tick its steps as you do them. The agent helps when you write to it."
    append_event(session, Notice(tone="quiet", text=text, parks=True))
    return session


def _version(runbook: Runbook, company: Company) -> PublishedVersion:
    """The version in force for `company`. Raises SessionRefused where there is none."""
    if not in_force(runbook, company):
        raise SessionRefused(f"“{runbook.title}” is not published for {company.name}.")
    return published_document(runbook)


def _end_before_run(live: AgentSession, actor: Actor) -> None:
    """End the conversation that stands in the way of a run. Raises SessionRefused where it must not end now."""
    if is_run(live):
        raise SessionRefused(f"{_name(live)} is going on here. Wait for its end, or stop it on its page.")
    open_requests = Action.objects.for_organization(live.organization).filter(
        origin_id=live.origin_id, state__in=OPEN_REQUESTS
    )
    if open_requests.exists():
        raise SessionRefused("A request of the open session waits for its decision or its outcome: settle that first.")
    close_session(session=live, actor=actor)


def _require_untouched(signal: Signal, actor: Actor) -> None:
    """Raises unless nobody has worked on the ticket yet and its board lets runbooks begin by themselves."""
    rule = start_mode(signal)
    if rule != StartRule.Mode.RUN:
        board = f"The board “{signal.board.name}”" if signal.board else "Your organization"
        raise SessionRefused(f"{board} does not let runbooks begin by themselves (start rule: {rule.value}).")
    live = live_session(signal)
    if live is not None and is_run(live):
        raise SessionRefused(f"{_name(live)} is going on here already.")
    sessions = AgentSession.objects.for_organization(signal.organization).filter(signal=signal)
    if sessions.filter(attended()).exists() or sessions.exclude(origin__runbook="").exists():
        raise SessionRefused("Somebody works or has worked on this ticket already.")
    if live is not None and live.state in (AgentSession.State.QUEUED, AgentSession.State.RUNNING):
        raise NotYet("The agent is still looking at this ticket.")
    if live is not None:
        _end_before_run(live, actor)


def _require_free(firing: TriggerFiring, version: PublishedVersion) -> None:
    """Raises NotYet while the same version runs for the same company."""
    rows = AgentSession.objects.for_organization(firing.organization).select_related("runbook", "started_by__user")
    other = rows.filter(
        runbook=firing.runbook_id,
        runbook_number=version.number,
        company=firing.company_id,
        by_company=True,
        state__in=AgentSession.LIVE,
    ).first()
    if other is not None:
        raise NotYet(f"{_name(other)} is going on for {firing.company.name}; this one begins when that has ended.")


def _require_in_force_unattended(firing: TriggerFiring) -> None:
    reasons = suspended_at(firing.runbook, firing.company)
    if reasons:
        raise SessionRefused(f"Its unattended use is suspended. {' '.join(reasons)}")


def _own_signal(firing: TriggerFiring, version: PublishedVersion) -> Signal:
    return open_own_signal(
        organization=firing.organization,
        company=firing.company,
        subject=version.title,
        description=f"{firing.trigger.words}. {version.description}".strip(),
        # known from the start, so that the model is told what its board offers
        board=firing.trigger.board or usual_board(firing.company),
    )


def _move(firing: TriggerFiring, state: TriggerFiring.State, reason: str) -> None:
    firing.state, firing.reason = state, reason
    if state == TriggerFiring.State.STARTED:
        firing.started_at = timezone.now()
    firing.save(update_fields=["state", "reason", "started_at"])


def _name(session: AgentSession) -> str:
    """A run that stands in the way, so that people find it."""
    title = session.runbook.title if session.runbook else "A run"
    by = f", started by {session.started_by.user.display_name}" if session.started_by else ""
    return f"“{title}”, version {session.runbook_number}, of {session.created_at:%-d %b %Y %H:%M} UTC{by},"
