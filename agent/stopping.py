"""Where an answer stopped a run: at a decision whose chosen option says “stop here” (see `runbooks.numbering`)."""

from __future__ import annotations

from collections.abc import Sequence

from agent.models import RunStep
from runbooks.versions import PublishedVersion


def stopped_at(steps: Sequence[RunStep], version: PublishedVersion) -> RunStep | None:
    """The decision at which the run was stopped by its answer; None where it went on to its last step."""
    written = version.document.steps
    return next((step for step, text in zip(steps, written, strict=False) if step.answer in text.stops), None)


def stopped_words(step: RunStep) -> str:
    """How notes and pages tell of it."""
    by = f" by {step.by.user.display_name}" if step.by else ""
    return f"stopped at step {step.label}, “{step.title}”, with the answer “{step.answer}”{by}"
