"""The worker of replays: some signals at a time, all their lanes side by side, every result a row.

Models are asked from several threads at once, which touch no row; rows are read and written on the task's own thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self
from uuid import UUID

import structlog
from django.db import OperationalError, transaction
from django.db.models import F, Q
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from agent.compaction import compact
from agent.dry_run import DryRun
from agent.grounds import PastTicket, ground_of, what_happened
from agent.lanes import LaneResult, compare_lanes, count_changes, write_calls
from agent.models import Replay, ReplayedSignal, ReplayLane
from agent.querysets import ReplayQuerySet
from integrations.llm.chat import ChatMessage, ModelError, ModelRefused, ModelReply
from integrations.llm.spend import estimate_tokens
from integrations.models import ModelUsage
from integrations.services import chat_model, model_info, reserve_usage, settle_usage
from junto.bells import ring
from junto.tenants.models import Organization
from junto.tenants.scoping import TenantQuerySet
from runbooks.versions import PublishedVersion, drafted_version, published_document

log = structlog.get_logger(__name__)

#: Signals worked on at once: their lanes are the calls that a model gets side by side.
AT_ONCE: Final = 4
#: Seconds one reply may take, and a lease lasts: it is renewed with every round of replies.
REPLY_SECONDS: Final = 90.0
LEASE_SECONDS: Final = 120
#: As in a session: tokens of a conversation above which old results are left out, and those set aside for an answer.
CONTEXT_TOKENS: Final = 100_000
RESERVED_ANSWER_TOKENS: Final = 4_000

Kind = ReplayLane.Kind


class ReplayLost(RuntimeError):
    """The replay was stopped, or another worker has it: nothing more is written."""


@dataclass(frozen=True)
class _Work:
    """One signal under way."""

    row: ReplayedSignal
    happened: LaneResult
    lanes: Mapping[Kind, DryRun]


def advance_replay(replay_id: UUID) -> None:
    """Work on the next signals of a replay, unless another worker does or an older one of the organization is going on.

    Safe to call at any time, any number of times, from any process. Rings again while something is left.
    """
    replay = Replay.unscoped.select_related("organization", "runbook", "asked_by__user").filter(pk=replay_id).first()
    if replay is None or not replay.is_live or not _take(replay):
        return
    try:
        more = _work_on(replay)
    except ReplayLost as reason:
        log.info("replay given up", replay=str(replay_id), reason=str(reason))
        return
    except OperationalError:
        raise  # the database is away or busy: the sweep takes it up again when the lease is over
    except Exception:
        # a fault of ours is neither tried for ever nor left as a page that never ends
        log.exception("replay failed", replay=str(replay_id))
        _end(replay, Replay.State.FAILED, "Something went wrong inside Junto; the log says what. Start it again.")
        return
    if more:
        _held(replay).update(lease_until=None)
        ring("replay.ready", str(replay.pk))
        return
    _end(replay, Replay.State.DONE)


def _take(replay: Replay) -> bool:
    """Take the lease; False when it is held, or an older replay goes first."""
    rows = Replay.objects.for_organization(replay.organization)
    if rows.filter(state__in=Replay.LIVE, created_at__lt=replay.created_at).exists():
        return False
    free = rows.filter(pk=replay.pk, state__in=Replay.LIVE).filter(Q(lease_until=None) | Q(lease_until__lte=Now()))
    taken = free.update(state=Replay.State.RUNNING, fence=F("fence") + 1, lease_until=_until())
    replay.refresh_from_db(fields=["state", "fence"])
    return bool(taken)


def _held(replay: Replay) -> ReplayQuerySet:
    """The row as long as this worker has it."""
    rows: ReplayQuerySet = Replay.objects.for_organization(replay.organization)
    return rows.filter(pk=replay.pk, fence=replay.fence, state=Replay.State.RUNNING)


def _renew(replay: Replay) -> None:
    """Keep the lease; inside a transaction this makes its commit depend on the fence. Raises ReplayLost."""
    if not _held(replay).update(lease_until=_until()):
        raise ReplayLost(f"{replay.pk} was stopped or taken over.")


def _until() -> CombinedExpression:
    return Now() + timedelta(seconds=LEASE_SECONDS)


def _end(replay: Replay, state: Replay.State, detail: str = "") -> None:
    """End it, and let the next one of the organization begin."""
    _held(replay).update(state=state, detail=detail, lease_until=None, ended_at=Now())
    ring_next(replay.organization)


def ring_next(organization: Organization) -> None:
    """Ring for the oldest replay that waits."""
    waiting = Replay.objects.for_organization(organization).filter(state__in=Replay.LIVE).order_by("created_at").first()
    if waiting is not None:
        ring("replay.ready", str(waiting.pk))


def _work_on(replay: Replay) -> bool:
    """Do the next signals; whether any are left behind them. Raises ReplayLost and ModelRefused."""
    versions = _versions(replay)
    rows = list(_pending(replay)[:AT_ONCE])
    works = [work for row in rows if (work := _begin(replay, row, versions)) is not None]
    _talk(replay, [run for work in works for run in work.lanes.values()])
    for work in works:
        _keep(replay, work)
    return _pending(replay).exists()


def _pending(replay: Replay) -> TenantQuerySet[ReplayedSignal]:
    rows: TenantQuerySet[ReplayedSignal] = ReplayedSignal.objects.for_organization(replay.organization)
    related = [f"signal__{name}" for name in ("organization", "company", "board", "contact", "device", "connection")]
    return (
        rows.filter(replay=replay, state=ReplayedSignal.State.PENDING)
        .select_related("company", "session__started_by", "session__runbook", *related)
        .order_by("position")
    )


def _versions(replay: Replay) -> dict[Kind, PublishedVersion]:
    found = {Kind.DRAFT: drafted_version(replay.runbook, replay.record)}
    if replay.published_record is not None:
        found[Kind.PUBLISHED] = published_document(replay.runbook, record=replay.published_record)
    return found


def _begin(replay: Replay, row: ReplayedSignal, versions: Mapping[Kind, PublishedVersion]) -> _Work | None:
    """The lanes of one signal; None, and a word on its row, where it cannot be replayed any more."""
    if row.signal.company_id != row.company_id:
        _change(replay, row, state=ReplayedSignal.State.LEFT_OUT, detail="The ticket belongs to another company now.")
        return None
    ticket = PastTicket(row.signal, row.company, row.session)
    runs = {kind: DryRun(ground_of(ticket, version, asker=replay.asked_by)) for kind, version in versions.items()}
    return _Work(row, what_happened(row.session), runs)


def _talk(replay: Replay, runs: Sequence[DryRun]) -> None:
    """Ask the model in rounds, all open lanes at once, until every lane is over."""
    with ThreadPoolExecutor(max_workers=2 * AT_ONCE, thread_name_prefix="junto-replay") as pool:
        while going := [run for run in runs if not run.is_over]:
            asked = [_Asked.of(replay, run) for run in going]
            answers = list(pool.map(_Asked.ask, asked))
            for each, answer in zip(asked, answers, strict=True):
                each.take(answer)
            if problem := _no_model(runs, answers):
                _end(replay, Replay.State.FAILED, f"{problem} Nothing is lost: go on when the model answers again.")
                raise ReplayLost(f"{replay.pk}: no model answers.")
            _renew(replay)


@dataclass(frozen=True)
class _Asked:
    """One request to the model, with what was set aside for it."""

    run: DryRun
    organization: Organization
    messages: list[ChatMessage]
    usage: ModelUsage

    @classmethod
    def of(cls, replay: Replay, run: DryRun) -> Self:
        """Set its cost aside before it leaves."""
        messages = compact(run.messages(), limit_tokens=CONTEXT_TOKENS)
        usage = reserve_usage(
            organization=replay.organization,
            company=run.company,
            subject=f"replay:{replay.pk}",
            model=model_info(replay.organization).model,
            tokens_in=estimate_tokens(messages, run.specs),
            tokens_out=RESERVED_ANSWER_TOKENS,
        )
        return cls(run, replay.organization, messages, usage)

    def ask(self) -> ModelReply | ModelError:
        """The reply, or what kept the model from one. Touches no row."""
        try:
            model, _ = chat_model(self.organization)
            return model.complete(self.messages, self.run.specs, deadline_seconds=REPLY_SECONDS)
        except ModelError as problem:
            return problem

    def take(self, answer: ModelReply | ModelError) -> None:
        """Count what it took, and let the lane go on with it."""
        if isinstance(answer, ModelError):
            settle_usage(self.usage, tokens_in=0, tokens_out=0)
            self.run.end(f"The model gave no answer. {answer}")
            return
        cost = settle_usage(self.usage, tokens_in=answer.tokens_in, tokens_out=answer.tokens_out)
        self.run.take(answer, cost_microcents=cost)


def _no_model(runs: Sequence[DryRun], answers: Sequence[ModelReply | ModelError]) -> ModelError | None:
    """Why there is no model to go on with: a problem that only a changed setting mends, or no answer to anybody."""
    problems = [answer for answer in answers if isinstance(answer, ModelError)]
    refused = next((problem for problem in problems if isinstance(problem, ModelRefused)), None)
    silent = problems and not any(run.result.answers for run in runs)
    return refused or (problems[0] if silent else None)


@transaction.atomic
def _keep(replay: Replay, work: _Work) -> None:
    """Write what became of one signal, as long as the lease is ours. Raises ReplayLost."""
    _renew(replay)
    row = work.row
    results = {Kind.HAPPENED: work.happened, **{kind: run.result for kind, run in work.lanes.items()}}
    ReplayLane.objects.bulk_create([_lane(row, kind, result) for kind, result in results.items()])
    before = results.get(Kind.PUBLISHED, work.happened)
    found = compare_lanes(before.calls, results[Kind.DRAFT].calls)
    counts = {kind: count_changes(found, kind) for kind in ("added", "removed", "changed")}
    _change(replay, row, state=ReplayedSignal.State.DONE, differs=any(counts.values()), **counts)


def _change(replay: Replay, row: ReplayedSignal, **values: object) -> None:
    ReplayedSignal.objects.for_organization(replay.organization).filter(pk=row.pk).update(**values)


def _lane(row: ReplayedSignal, kind: Kind, result: LaneResult) -> ReplayLane:
    return ReplayLane(
        organization=row.organization,
        replayed=row,
        kind=kind,
        calls=write_calls(result.calls),
        end=result.end,
        words=result.words,
        runs=result.count("runs"),
        asks=result.count("asks"),
        refusals=result.count("refused"),
        unseen=result.count("unseen"),
        answers=result.answers,
        tokens_in=result.tokens_in,
        tokens_out=result.tokens_out,
        cost_microcents=result.cost_microcents,
    )
