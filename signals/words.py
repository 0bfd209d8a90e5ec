"""How a signal's state and its agent session are said on screen: word, tone and icon (design, States)."""

from __future__ import annotations

from typing import Final, NamedTuple

from signals.models import Signal

#: Names of priorities, the most urgent first, for tickets that no PSA gave one: ConnectWise's own as it is installed.
USUAL_PRIORITIES: Final = ("Priority 1 - Critical", "Priority 2 - High", "Priority 3 - Medium", "Priority 4 - Low")


class Word(NamedTuple):
    """A word with its tone ("", accent, ok, warn, danger) and the name of its icon."""

    word: str
    tone: str
    icon: str


STATE_WORDS: dict[str, Word] = {
    Signal.State.NEW: Word("New", "", "dot"),
    Signal.State.NEEDS_REVIEW: Word("Needs review", "warn", "alert"),
    Signal.State.TRIAGING: Word("Working", "", "play"),
    Signal.State.IN_REVIEW: Word("To review", "", "eye"),
    Signal.State.RESOLVED: Word("Resolved", "ok", "ok"),
    Signal.State.DISMISSED: Word("Dismissed", "", "ban"),
    Signal.State.MERGED: Word("Merged", "", "merge"),
    Signal.State.GONE: Word("Gone at source", "", "void"),
}

PROPOSED_FIX = Word("Proposed fix", "ok", "ok")
NOT_STARTED = Word("Not started", "", "dot")
NEEDS_APPROVAL = Word("Needs approval", "accent", "hand")
WORKING = Word("Working", "", "play")
WAITING_FOR_REPLY = Word("Waiting for reply", "", "clock")
MODEL_SILENT = Word("Model did not answer", "warn", "alert")
STOPPED = Word("Stopped", "", "pause")
DONE = Word("Done", "ok", "ok")


def state_word(signal: Signal, *, has_fix: bool) -> Word:
    """What the state is called; a signal waits for review for want of a company, or as not all of it could be kept.

    `has_fix` = something was proposed or done for it that stands; where nothing was, its ended session fixed nothing.
    """
    if signal.state == Signal.State.NEEDS_REVIEW and signal.company_id is None:
        return Word("Needs a company", "warn", "alert")
    return PROPOSED_FIX if signal.state == Signal.State.IN_REVIEW and has_fix else STATE_WORDS[signal.state]
