"""What our client adds to a request (guard, pace, errand, typed records) against bare `requests`, in the same run."""

from __future__ import annotations

from typing import Literal

from bench.sandboxed import sandboxed
from bench.workers import figures_of


def measure(*, rounds: int) -> dict[str, dict[str, float]]:
    """Figures by database, over `rounds` times 100 calls of each kind.

    Raises:
        subprocess.CalledProcessError: a worker failed; its words stand on stderr.
    """
    databases: tuple[Literal["sqlite"], Literal["postgresql"]] = ("sqlite", "postgresql")
    words = ("bench.client_overhead_worker", str(rounds))
    with sandboxed() as (_, environment):
        return {each: figures_of(*words, database=each, environment=environment) for each in databases}
