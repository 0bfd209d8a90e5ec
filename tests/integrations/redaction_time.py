"""How long the redaction of a text takes, for the tests of this folder."""

from __future__ import annotations

from time import process_time

from integrations.texts import redacted


def assert_time_by_length(piece: str) -> None:
    """A text of `piece` over and over, four times as long, takes no more than ten times the CPU, and under a second.

    Three times, as a machine that is busy measures badly.
    """
    for attempt in range(3):
        short, long = (_seconds((piece * size)[:size]) for size in (5_000, 20_000))
        if long < 1.0 and long < max(short * 10, 0.05):
            return
        assert attempt < 2, f"{short:.3f} s for 5,000 characters, {long:.3f} s for 20,000"


def _seconds(text: str) -> float:
    begun = process_time()
    redacted(text)
    return process_time() - begun
