"""One measurement of a webhook's door; prints one JSON object. The server is a process of its own, as is the sandbox.

Each callback is sent at its own moment, whether the ones before are answered or not, and its time counts from there:
a server that stands still is not spared the callbacks that would have come meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
django.setup()

import httpx2  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection as database  # noqa: E402

from bench.msp import connect_psa, make_msp  # noqa: E402
from integrations.connections import account_of  # noqa: E402
from integrations.connectwise.hooks import signature_of  # noqa: E402
from integrations.models import Connection, WebhookHint  # noqa: E402
from integrations.sandbox.connectwise.callbacks import signing_key  # noqa: E402
from integrations.webhook_intake import Knock, take_in  # noqa: E402
from integrations.webhooks import fetch_wanted_key, register_webhook, webhook_address  # noqa: E402
from junto.settling import settle  # noqa: E402
from signals.models import Signal  # noqa: E402
from tests.processes import running_up  # noqa: E402
from tests.services import free_port  # noqa: E402

CONNECTIONS = 100
PATIENCE_SECONDS = 30.0
READ_BACK_SECONDS = 60.0
WARM_UP_SECONDS = 2
KEPT = ("JUNTO_SECRET_KEY", "JUNTO_AUDIT_KEY", "JUNTO_CREDENTIAL_KEYS", "JUNTO_LOCAL_TARGETS", "DATABASE_URL")


def main(seconds: int, a_second: int, numbers: list[int]) -> dict[str, float]:
    """Register a webhook, start the server, knock at its door."""
    call_command("migrate", verbosity=0)
    actor, _ = make_msp()
    psa = connect_psa(actor)
    webhook = register_webhook(actor=actor, connection=psa)
    token = webhook_address(webhook).rstrip("/").rpartition("/")[2]
    first, signature = callback(psa, numbers[0], 0)
    take_in([Knock(token=token, body=first, headers={"x-content-signature": signature})])  # lets the key be asked for
    webhook.refresh_from_db()
    fetch_wanted_key(webhook)
    port = free_port()
    kept = {name: os.environ[name] for name in KEPT}
    with running_up(Path(os.environ["JUNTO_DATA_DIR"]), port, environment=kept):
        door = f"http://127.0.0.1:{port}/hooks/{token}/"
        asyncio.run(knock(door, psa, numbers, count=WARM_UP_SECONDS * a_second, a_second=a_second, first=1))
        until_rested(READ_BACK_SECONDS)
        first_number = WARM_UP_SECONDS * a_second + 1
        taken, refused = asyncio.run(
            knock(door, psa, numbers, count=seconds * a_second, a_second=a_second, first=first_number)
        )
        ended = time.monotonic()
        unread = _unread()
        while _unread() and time.monotonic() - ended < READ_BACK_SECONDS:
            time.sleep(0.2)
        behind = time.monotonic() - ended
    hundredths = statistics.quantiles(taken, n=100)
    return {
        "sent": len(taken),
        "refused": refused,
        "p50_ms": round(1000 * hundredths[49], 1),
        "p95_ms": round(1000 * hundredths[94], 1),
        "p99_ms": round(1000 * hundredths[98], 1),
        "longest_ms": round(1000 * max(taken), 1),
        "unread_at_the_end": unread,
        "read_back_after_seconds": round(behind, 1),
    }


def until_rested(seconds: float) -> None:
    """Wait until the tickets of the warm-up are read back and went through the processors; so long at the most."""
    ended = time.monotonic()
    while (_unread() or _unprocessed()) and time.monotonic() - ended < seconds:
        time.sleep(0.2)


def callback(psa: Connection, number: int, message: int) -> tuple[bytes, str]:
    """A callback as ConnectWise sends it, and its signature."""
    told = {
        "MessageId": str(message),
        "CompanyId": account_of(psa),
        "Action": "updated",
        "Type": "ticket",
        "ID": number,
        "Entity": json.dumps({"id": number, "summary": "Scanner sends nothing", "notes": "word " * 200}),
        "Metadata": {"key_url": f"{psa.base_url}/system/callbacks/keys/1"},
    }
    body = json.dumps(told).encode()
    return body, signature_of(body, signing_key("northwind"))


async def knock(
    door: str, psa: Connection, numbers: list[int], *, count: int, a_second: int, first: int
) -> tuple[list[float], int]:
    """Send so many at that rate; the seconds of each from its moment to its answer, and how many were no 202."""
    bodies = [callback(psa, numbers[each % len(numbers)], first + each) for each in range(count)]
    limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx2.AsyncClient(limits=limits, timeout=PATIENCE_SECONDS, trust_env=False) as client:
        settle()  # the sender's own pauses are none of the server's
        began = time.perf_counter()

        async def send(each: int) -> tuple[float, bool]:
            moment = began + each / a_second
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            body, signature = bodies[each]
            headers = {"x-content-signature": signature, "content-type": "application/json"}
            try:
                answer = await client.post(door, content=body, headers=headers)
                taken = answer.status_code == 202
            except httpx2.HTTPError:
                taken = False
            return time.perf_counter() - moment, taken

        answered = await asyncio.gather(*(send(each) for each in range(count)))
    return [seconds for seconds, _ in answered], sum(not taken for _, taken in answered)


def _unprocessed() -> int:
    return int(Signal.unscoped.filter(awaits_processors=True).count())


def _unread() -> int:
    found: int = WebhookHint.unscoped.filter(read_at=None).count()
    database.close()
    return found


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), [int(each) for each in sys.argv[3].split(",")])))
