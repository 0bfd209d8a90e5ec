"""What the bell and the clock wake of replays. Each is safe to repeat."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now
from django_tasks import task

from agent.models import Replay
from agent.replaying import advance_replay
from junto.bells import ring


@task
def work_on_replay(replay_id: str) -> None:
    """Do the next signals of a replay."""
    advance_replay(UUID(replay_id))


@task
def sweep_replays(_: str = "") -> None:
    """Find what a lost bell or a dead worker left behind: live replays that nobody works on."""
    live = Replay.unscoped.filter(state__in=Replay.LIVE).filter(Q(lease_until=None) | Q(lease_until__lte=Now()))
    for replay_id in live.order_by("created_at").values_list("pk", flat=True):
        ring("replay.ready", str(replay_id))
