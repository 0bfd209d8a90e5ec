"""What a lost bell, a dead worker or the clock left behind: found from the rows, never from memory."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from approvals.execution import CALL_SECONDS, tell_unknown
from approvals.grants import end_session_grants
from approvals.models import Action, ActionRecord, ActionSecret, ApprovalPolicy, Grant, StaleState
from approvals.overrides import MILDER, forget_policies
from approvals.transitions import expire, move, worker
from approvals.watching import due_for_a_look
from integrations.toolbox import toolbox
from integrations.vendors import MCP, is_mcp
from junto.bells import ring

#: Actions looked at in one sweep, per kind.
SWEEP_LIMIT = 200
#: Seconds after which a bell counts as lost.
LOST_BELL_SECONDS = 5
#: Seconds after its claim at which a call is over, whatever its worker does (its own deadline is CALL_SECONDS).
STALE_CLAIM_SECONDS = CALL_SECONDS + 5
#: Seconds after which an unfinished read is taken up again, if nobody holds its session's lease.
STALE_READ_SECONDS = 30
#: Seconds after the last look at which an unknown outcome is looked for again; then only a person helps.
READ_BACK_AFTER = (0, 10, 60, 300)

SENT_BUT_LOST = (
    "The work stopped after this was sent and before an answer was written down. It may or may not have been done."
)


def expire_actions() -> int:
    """End requests and approvals whose time is over; how many."""
    over = Action.unscoped.filter(
        state__in=[Action.State.WAITING, Action.State.APPROVED], expires_at__lte=Now()
    ).select_related("organization")
    return sum(expire(action).state == Action.State.EXPIRED for action in over[:SWEEP_LIMIT])


def give_up_stale_claims(*, older_than_seconds: float = STALE_CLAIM_SECONDS) -> int:
    """A write found claimed long after its worker must have ended is UNKNOWN and never sent again; a read may repeat.

    How many were found.
    """
    stale = Action.unscoped.filter(
        state=Action.State.CLAIMED, claimed_at__lte=Now() - timedelta(seconds=older_than_seconds)
    ).select_related("organization", "company", "origin")
    found = 0
    for action in stale[:SWEEP_LIMIT]:
        if action.is_write:
            found += _moved(action, to=Action.State.UNKNOWN, frm=Action.State.CLAIMED, reason=SENT_BUT_LOST)
        else:
            found += _moved(action, to=Action.State.APPROVED, frm=Action.State.CLAIMED, reason="")
    return found


def ring_forgotten() -> int:
    """Ring again for approved actions, interrupted reads, outcomes to look for and targets with news; how many."""
    waiting = [*_lost_approvals(), *_interrupted_reads(), *_read_backs_due()]
    for action in waiting:
        ring("action.approved", str(action.pk))
    news = list(due_for_a_look()[:SWEEP_LIMIT])
    for action in news:
        ring("action.news", str(action.pk))
    return len(waiting) + len(news)


def wipe_secrets() -> int:
    """Wipe what actions set and nobody read in time; how many."""
    return ActionSecret.unscoped.filter(expires_at__lte=Now()).exclude(sealed="").update(sealed="")


def drop_records() -> int:
    """Delete the vendors' records behind answers that were kept long enough; how many."""
    over = ActionRecord.unscoped.filter(expires_at__lte=Now()).values_list("pk", flat=True)[:SWEEP_LIMIT]
    return ActionRecord.unscoped.filter(pk__in=list(over)).delete()[0]


def forget_blocked_policies() -> int:
    """Take back the milder policies of MCP tools that are blocked or gone and of which nobody heard; how many.

    What was approved for the rest of a session that goes on ends with them.
    """
    rows = ApprovalPolicy.unscoped.filter(tool__startswith=MCP.slug, mode__in=MILDER).select_related("organization")
    granted = Grant.unscoped.filter(
        kind=Grant.Kind.SESSION, revoked_at=None, tool__startswith=MCP.slug, origin__stopped_at=None
    ).select_related("organization")
    found = {(row.organization, row.tool) for row in rows if is_mcp(row.tool)}
    found |= {(row.organization, row.tool) for row in granted if is_mcp(row.tool)}
    return sum(
        forget_policies(organization=organization, tool=tool) + end_session_grants(organization=organization, tool=tool)
        for organization, tool in found
        if tool not in toolbox(organization)
    )


def _lost_approvals() -> list[Action]:
    before = Now() - timedelta(seconds=LOST_BELL_SECONDS)
    return list(Action.unscoped.filter(state=Action.State.APPROVED, decided_at__lte=before)[:SWEEP_LIMIT])


def _interrupted_reads() -> list[Action]:
    before = Now() - timedelta(seconds=STALE_READ_SECONDS)
    idle = Q(origin__lease_until=None) | Q(origin__lease_until__lte=Now())
    found = Action.unscoped.filter(idle, state=Action.State.PROPOSED, category="read", created_at__lte=before)
    return list(found[:SWEEP_LIMIT])


def _read_backs_due() -> list[Action]:
    due = Q()
    for looked, seconds in enumerate(READ_BACK_AFTER):
        last = Q(read_back_at=None) | Q(read_back_at__lte=Now() - timedelta(seconds=seconds))
        due |= Q(read_backs=looked) & last
    return list(Action.unscoped.filter(due, state=Action.State.UNKNOWN)[:SWEEP_LIMIT])


def _moved(action: Action, *, to: Action.State, frm: Action.State, reason: str) -> int:
    try:
        with transaction.atomic():
            move(action, to=to, frm=frm, actor=worker(action.organization), reason=reason)
            if to is Action.State.UNKNOWN:
                tell_unknown(action)
    except StaleState:
        return 0
    return 1
