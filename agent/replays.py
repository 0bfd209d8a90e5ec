"""Verbs of a replay: choose past signals, start, stop, go on. Who may publish the draft may replay it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from agent.models import AgentSession, Replay, ReplayedSignal
from agent.replaying import ring_next
from integrations.services import model_info
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from runbooks.guards import locked, require_author
from runbooks.models import Runbook
from runbooks.reviewing import newest_record
from runbooks.versions import drafted_version
from signals.models import Signal

#: Signals of one replay.
MOST_SIGNALS: Final = 100


class ReplayRefused(ValueError):
    """The replay cannot be started or go on like that; the message says why and what to do."""


@dataclass(frozen=True)
class Wanted:
    """Which past signals: those whose session had this runbook, or all; with these words, of this company or board.

    `most` = how many at the most, the newest first.
    """

    which: Literal["followed", "all"] = "followed"
    words: str = ""
    company: UUID | None = None
    board: UUID | None = None
    most: int = 20


def past_signals(*, actor: Actor, runbook: Runbook, wanted: Wanted) -> QuerySet[Signal]:
    """The signals in the draft's scope that `actor` may see, as wanted, the newest first."""
    rows: QuerySet[Signal] = Signal.objects.visible_to(actor).filter(company__isnull=False)
    if runbook.company_id is not None:
        rows = rows.filter(company=runbook.company_id)
    followed = AgentSession.objects.for_organization(actor.organization).filter(
        signal=OuterRef("pk"), runbook=runbook, company=OuterRef("company")
    )
    rows = rows.annotate(followed=Exists(followed))
    if wanted.which == "followed":
        rows = rows.filter(followed=True)
    if wanted.words:
        rows = rows.search(wanted.words, organization=actor.organization).signals  # type: ignore[attr-defined]
    if wanted.company is not None:
        rows = rows.filter(company=wanted.company)
    if wanted.board is not None:
        rows = rows.filter(board=wanted.board)
    newest = rows.select_related("company", "board", "connection").defer("raw", "description", "words")
    return newest.order_by("-source_created_at", "id")[: max(1, min(wanted.most, MOST_SIGNALS))]


@transaction.atomic
def start_replay(*, actor: Actor, runbook: Runbook, signals: Sequence[UUID]) -> Replay:
    """Replay the newest saved draft on these signals, in the order given; the work begins after the commit.

    Raises:
        PermissionDenied: `actor` may not publish for the draft's company (none = all).
        ReplayRefused: no signal, too many, none of the scope, a checklist for people, or one is under way already.
    """
    runbook = locked(runbook, actor)
    require_author(actor, runbook)
    if actor.membership is None:
        raise ReplayRefused("Only a person starts a replay.")
    if runbook.audience == Runbook.Audience.HUMAN:
        raise ReplayRefused("People carry this runbook out and the agent never does: there is nothing to replay.")
    chosen = _chosen(actor, runbook, signals)
    live = Replay.objects.for_organization(actor.organization).filter(runbook=runbook, state__in=Replay.LIVE)
    if live.exists():
        raise ReplayRefused("A replay of this runbook is under way already. Wait for it, or stop it first.")
    replay = _new_replay(runbook, by=actor.membership)
    drafted_version(runbook, replay.record)
    replay.save(force_insert=True)
    _lay_out(replay, chosen)
    record(actor, "replay.started", replay, {"runbook": str(runbook.pk), "signals": len(chosen)})
    ring("replay.ready", str(replay.pk))
    return replay


def _new_replay(runbook: Runbook, *, by: Membership) -> Replay:
    """A replay that is not saved yet: of the newest record, beside what is in force, by the model of the day."""
    info = model_info(runbook.organization)
    return Replay(
        organization=runbook.organization,
        runbook=runbook,
        record=newest_record(runbook),
        published_record=runbook.published_record,
        published_number=runbook.published_number,
        asked_by=by,
        model_label=info.label,
        rehearsal=info.rehearsal,
    )


def _lay_out(replay: Replay, chosen: Sequence[Signal]) -> None:
    """Write down what is to be replayed, in this order, each beside the last session it had."""
    sessions = _last_sessions(replay.runbook, chosen)
    ReplayedSignal.objects.bulk_create(
        ReplayedSignal(
            organization=replay.organization,
            replay=replay,
            signal=signal,
            company=signal.company,
            session=sessions.get(signal.pk),
            position=position,
        )
        for position, signal in enumerate(chosen, start=1)
    )


@transaction.atomic
def stop_replay(*, actor: Actor, replay: Replay) -> None:
    """Ask no model any more; what is there stays. Stopping one that is over changes nothing.

    Raises:
        PermissionDenied: `actor` may not publish for the runbook's company (none = all).
    """
    require_author(actor, replay.runbook)
    rows = Replay.objects.for_organization(actor.organization).filter(pk=replay.pk, state__in=Replay.LIVE)
    if rows.update(state=Replay.State.STOPPED, lease_until=None, ended_at=Now()):
        record(actor, "replay.stopped", replay, {})
        ring_next(replay.organization)


@transaction.atomic
def resume_replay(*, actor: Actor, replay: Replay) -> None:
    """Go on with one that was stopped or failed, where it was.

    Raises:
        PermissionDenied: `actor` may not publish for the runbook's company (none = all).
        ReplayRefused: it is done, or another one of this runbook is under way.
    """
    runbook = locked(replay.runbook, actor)
    require_author(actor, runbook)
    rows = Replay.objects.for_organization(actor.organization)
    if rows.filter(runbook=runbook, state__in=Replay.LIVE).exists():
        raise ReplayRefused("A replay of this runbook is under way already. Wait for it, or stop it first.")
    ended = rows.filter(pk=replay.pk, state__in=[Replay.State.STOPPED, Replay.State.FAILED])
    if not ended.update(state=Replay.State.QUEUED, detail="", ended_at=None):
        raise ReplayRefused("It went to its end already. Start a new one.")
    record(actor, "replay.resumed", replay, {})
    ring("replay.ready", str(replay.pk))


def _chosen(actor: Actor, runbook: Runbook, signals: Sequence[UUID]) -> list[Signal]:
    wanted = list(dict.fromkeys(signals))
    if not wanted:
        raise ReplayRefused("Choose at least one ticket.")
    if len(wanted) > MOST_SIGNALS:
        raise ReplayRefused(f"At most {MOST_SIGNALS} tickets fit into one replay.")
    rows = Signal.objects.visible_to(actor).filter(pk__in=wanted, company__isnull=False)
    if runbook.company_id is not None:
        rows = rows.filter(company=runbook.company_id)
    found = {signal.pk: signal for signal in rows.select_related("company").defer("raw", "description", "words")}
    if len(found) < len(wanted):
        raise ReplayRefused("Some of these tickets are not there any more, or not this runbook's. Choose again.")
    return [found[key] for key in wanted]


def _last_sessions(runbook: Runbook, signals: Sequence[Signal]) -> dict[UUID, AgentSession]:
    """Each signal's last session on a published version, one of this runbook before those of others."""
    companies = {signal.pk: signal.company_id for signal in signals}
    rows = AgentSession.objects.for_organization(runbook.organization).filter(
        signal__in=companies, runbook_record__isnull=False
    )
    found: dict[UUID, AgentSession] = {}
    for row in rows.only("pk", "signal_id", "company_id", "runbook_id", "created_at").order_by("created_at"):
        held = found.get(row.signal_id)
        better = held is None or row.runbook_id == runbook.pk or held.runbook_id != runbook.pk
        if better and row.company_id == companies[row.signal_id]:
            found[row.signal_id] = row
    return found
