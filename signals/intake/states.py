"""Which state a signal is in after its source said something new. Pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.utils import timezone

from signals.models import Signal

State = Signal.State


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the signal was before: its state, company, and whether the source had closed it.

    `left_out` = it was too large then. What needs review for neither that nor a company has a value in doubt.
    """

    state: str
    company_id: uuid.UUID | None
    closed: bool
    left_out: bool = False

    @property
    def in_doubt(self) -> bool:
        """Whether a processor was not sure of it: so it stays until the processors have read the new text."""
        return self.state == State.NEEDS_REVIEW and self.company_id is not None and not self.left_out


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the source says now; `company_id` is the company of ours that the source's one is linked to.

    `left_out` = the ticket was too large to be kept whole: a person looks before anything begins by itself.
    """

    company_id: uuid.UUID | None
    closed: bool
    deleted: bool
    merged: bool = False
    left_out: bool = False


def first_state(told: Told) -> State:
    """The state of a signal never seen before (PRODUCT 2)."""
    if told.deleted:
        return State.GONE
    if told.merged:
        return State.MERGED
    if told.closed:
        return State.RESOLVED
    return State.NEW if told.company_id and not told.left_out else State.NEEDS_REVIEW


def next_state(known: Known, told: Told) -> State:
    """The state of a known signal after a newer revision.

    The source alone deletes, merges, closes and reopens. A move to another company, or to none, starts the work over.
    What people decided in Junto (dismissed, merged, resolved while the source left it open) is left alone.
    """
    state = State(known.state)
    if told.deleted:
        return State.GONE
    if state in (State.DISMISSED, State.MERGED):
        return state
    if told.merged:
        return State.MERGED
    if told.closed:
        return State.RESOLVED
    if state in (State.NEW, State.NEEDS_REVIEW):
        first = first_state(told)
        return state if known.in_doubt and first is State.NEW else first
    reopened = state == State.GONE or (state == State.RESOLVED and known.closed)
    if reopened or (state in Signal.OPEN and _needs_new_start(known, told)):
        return first_state(told)
    return state


def left_company(before: object, after: object) -> dict[str, object]:
    """The moment at which a signal leaves a company, as its column; nothing where it stays, or had none."""
    return {} if before in (None, after) else {"company_since": timezone.now()}


def _needs_new_start(known: Known, told: Told) -> bool:
    """Whether it moved, or its company became known; a first company found for a signal in review is a start too."""
    return known.company_id != told.company_id
