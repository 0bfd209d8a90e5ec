"""How long the admin's list of runbooks takes, with many of them, on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Literal

from bench.workers import figures_of


def measure(*, runbooks: int, rounds: int) -> dict[str, dict[str, float]]:
    """Figures by database, over `rounds` times ten requests of each view.

    Raises:
        subprocess.CalledProcessError: a worker failed; its words stand on stderr.
    """
    databases: tuple[Literal["sqlite"], Literal["postgresql"]] = ("sqlite", "postgresql")
    words = ("bench.runbook_list_worker", str(runbooks), str(rounds))
    return {each: figures_of(*words, database=each) for each in databases}
