"""How long a vendor's webhook waits for its 202, at a steady rate, at the server that production runs.

Everything of the real path is in it: uvicorn with the embedded engine, signatures checked, hints stored in PostgreSQL,
and the tickets read back from the sandbox beside it.
"""

from __future__ import annotations

import statistics

from bench.sandboxed import sandboxed
from bench.workers import figures_of

A_SECOND = 200
TICKETS = 50


def measure(*, seconds: int, rounds: int) -> dict[str, dict[str, float]]:
    """Figures on PostgreSQL, each the median of the rounds, but for the worst of `refused`.

    Raises:
        subprocess.CalledProcessError: a worker failed; its words stand on stderr.
    """
    found = []
    for _ in range(rounds):
        with sandboxed() as (sandbox, environment):
            numbers = [sandbox.plant_ticket(f"Scanner {number} sends nothing") for number in range(TICKETS)]
            words = (str(seconds), str(A_SECOND), ",".join(map(str, numbers)))
            found.append(
                figures_of("bench.webhook_accept_worker", *words, database="postgresql", environment=environment)
            )
    middle = {name: statistics.median(each[name] for each in found) for name in found[0]}
    return {"postgresql": {**middle, "refused": max(each["refused"] for each in found)}}
