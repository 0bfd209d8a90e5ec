"""Whether a session may ask its model once more, and how much of one answer is taken up (I15, T16)."""

from __future__ import annotations

from agent.journal import Progress
from agent.models import AgentSession
from agent.repeats import MOST_SAME_FAILURES, same_failure, told_people
from agent.transcript import failed_calls
from approvals.budgets import MAX_CALLS, MAX_COST_MICROCENTS, MAX_STEPS, MAX_TOKENS, MAX_WORK_SECONDS

_MICROCENTS_PER_DOLLAR = 100_000_000


def spent(session: AgentSession, progress: Progress) -> str:
    """Why the model is not asked again until a person speaks: the first budget that is used up; empty while none is."""
    if not _used_up(session, progress):
        return ""
    # a person may have renewed them since the session was read
    session.refresh_from_db(fields=["steps_used", "work_seconds"])
    session.origin.refresh_from_db(fields=["calls_used"])
    words = _used_up(session, progress)
    return f"This session used its {words} since a person last spoke. Write a message to let it go on." if words else ""


def _used_up(session: AgentSession, progress: Progress) -> str:
    replies = progress.since_a_person_spoke
    used = {
        f"{MAX_STEPS} steps": session.steps_used >= MAX_STEPS,
        f"{MAX_CALLS} tool calls": session.origin.calls_used >= MAX_CALLS,
        f"{MAX_TOKENS:,} tokens": sum(reply.tokens_in + reply.tokens_out for reply in replies) >= MAX_TOKENS,
        f"{MAX_COST_MICROCENTS // _MICROCENTS_PER_DOLLAR} $": (
            sum(reply.cost_microcents for reply in replies) >= MAX_COST_MICROCENTS
        ),
        f"{MAX_WORK_SECONDS // 60} minutes of work": session.work_seconds >= MAX_WORK_SECONDS,
    }
    return next((name for name, over in used.items() if over), "")


def stuck(progress: Progress) -> str:
    """Why the model is not asked again until a person speaks: it makes one failing call again and again (T16)."""
    failures = failed_calls(progress.events, progress.actions)
    call = same_failure(progress.since_a_person_spoke[::-1], failures, times=MOST_SAME_FAILURES)
    return told_people(call, failures[call.call_id]) if call else ""
