"""How long the list of signals takes, with many of them, as a page and through REST, on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Literal

from bench.workers import figures_of


def measure(*, signals: int, rounds: int) -> dict[str, dict[str, float]]:
    """Figures by database, over `rounds` times ten requests of each view.

    Raises:
        subprocess.CalledProcessError: a worker failed; its words stand on stderr.
    """
    databases: tuple[Literal["sqlite"], Literal["postgresql"]] = ("sqlite", "postgresql")
    words = ("bench.signal_list_worker", str(signals), str(rounds))
    return {each: figures_of(*words, database=each) for each in databases}
