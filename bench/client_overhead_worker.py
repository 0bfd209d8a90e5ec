"""One measurement of the client in a process of its own; prints one JSON object.

The same request, one ticket of the sandbox's PSA by its number, is sent in turns: by `requests` over a kept connection
and over a new one, by our client over a kept connection, and by a client opened for this one call, as a tool's is.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing

import django
import requests

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
django.setup()

from django.core.management import call_command  # noqa: E402

from bench.msp import connect_psa, make_msp  # noqa: E402
from bench.sandboxed import PSA  # noqa: E402
from integrations.connections import open_client  # noqa: E402
from integrations.connectwise import endpoints  # noqa: E402
from integrations.connectwise.client import API_VERSION, ConnectWiseClient, normal_base_url  # noqa: E402
from integrations.models import Connection, ConnectionPace  # noqa: E402
from integrations.warrants import Errand  # noqa: E402

CALLS_A_ROUND = 100
WARM_UP = 10
WHERE = "id>0"


def main(rounds: int) -> dict[str, float]:
    """Milliseconds of one call by each way, and what ours takes beside a bare one."""
    call_command("migrate", verbosity=0)
    actor, _ = make_msp()
    psa = connect_psa(actor)
    entered = json.loads(os.environ[PSA])
    session = requests.Session()
    session.trust_env = False
    with closing(_client(psa)) as kept:
        ways: dict[str, Callable[[], int]] = {
            "bare_kept": lambda: _bare(session, entered),
            "bare_new": lambda: _bare_anew(entered),
            "client_kept": lambda: kept.tickets(conditions=WHERE, limit=1)[0].id,
            "client_new": lambda: _one_errand(psa),
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        worked: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(WARM_UP + rounds * CALLS_A_ROUND):
            ConnectionPace.unscoped.filter(connection=psa).update(next_at=None)  # nobody shall wait for a turn here
            for name, call in ways.items():
                began, cpu = time.perf_counter(), time.process_time()
                if not call():
                    raise RuntimeError("The sandbox gave no ticket.")
                if number >= WARM_UP:
                    taken[name].append(1000 * (time.perf_counter() - began))
                    worked[name].append(1000 * (time.process_time() - cpu))
    return _figures(taken, worked)


def _figures(taken: dict[str, list[float]], worked: dict[str, list[float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, times in taken.items():
        found[f"{name}_p50_ms"] = round(statistics.median(times), 2)
        found[f"{name}_p95_ms"] = round(statistics.quantiles(times, n=20)[-1], 2)
        found[f"{name}_cpu_ms"] = round(statistics.median(worked[name]), 2)
    for way in ("kept", "new"):
        found[f"ratio_{way}"] = round(found[f"client_{way}_p50_ms"] / found[f"bare_{way}_p50_ms"], 2)
        found[f"added_{way}_ms"] = round(found[f"client_{way}_p50_ms"] - found[f"bare_{way}_p50_ms"], 2)
    return {**found, "calls": len(taken["bare_kept"])}


def _bare(session: requests.Session, entered: dict[str, dict[str, str]]) -> int:
    key = entered["credentials"]
    answer = session.get(
        normal_base_url(str(entered["base_url"])) + endpoints.TICKETS.path(),
        params={"orderBy": "id desc", "page": "1", "pageSize": "1", "conditions": WHERE},
        auth=(f"{key['company_id']}+{key['public_key']}", key["private_key"]),
        headers={
            "clientId": key["client_id"],
            "Accept": f"application/vnd.connectwise.com+json; version={API_VERSION}",
        },
        timeout=10,
    )
    answer.raise_for_status()
    return int(answer.json()[0]["id"])


def _bare_anew(entered: dict[str, dict[str, str]]) -> int:
    with requests.Session() as session:
        session.trust_env = False
        return _bare(session, entered)


def _client(psa: Connection) -> ConnectWiseClient:
    client = open_client(psa, Errand(deadline=time.monotonic() + 600.0))
    if not isinstance(client, ConnectWiseClient):
        raise TypeError("This is no client of the PSA.")
    return client


def _one_errand(psa: Connection) -> int:
    with closing(_client(psa)) as client:
        return client.tickets(conditions=WHERE, limit=1)[0].id


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
