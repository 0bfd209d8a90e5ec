"""How long tickets take on their way in through REST, beside the database's own bulk insert into the same table."""

from __future__ import annotations

from typing import Literal

from bench.workers import figures_of


def measure(*, tickets: int, rounds: int) -> dict[str, dict[str, float]]:
    """Figures by database, each the median of the rounds.

    Raises:
        subprocess.CalledProcessError: a worker failed; its words stand on stderr.
    """
    databases: tuple[Literal["sqlite"], Literal["postgresql"]] = ("sqlite", "postgresql")
    words = ("bench.ticket_delivery_worker", str(tickets), str(rounds))
    return {each: figures_of(*words, database=each) for each in databases}
