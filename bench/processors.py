"""How much CPU the ten processors take on one ticket, without a language model, on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Literal

from bench.sandboxed import sandboxed
from bench.workers import figures_of


def measure(*, rounds: int) -> dict[str, dict[str, float]]:
    """Figures by database, over `rounds` times 50 tickets.

    Raises:
        subprocess.CalledProcessError: a worker failed; its words stand on stderr.
    """
    databases: tuple[Literal["sqlite"], Literal["postgresql"]] = ("sqlite", "postgresql")
    words = ("bench.processors_worker", str(rounds))
    with sandboxed() as (_, environment):
        return {each: figures_of(*words, database=each, environment=environment) for each in databases}
