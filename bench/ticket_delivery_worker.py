"""One measurement of deliveries in a process of its own; prints one JSON object.

Three ways into one table, emptied before each: the driver's own `executemany`, the upsert step alone, and the whole of
REST, a thousand tickets a request, with every processor off.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection as database  # noqa: E402
from django.test import Client  # noqa: E402
from psycopg.types.json import Jsonb  # noqa: E402
from rest_framework.exceptions import ValidationError  # noqa: E402

from integrations.contracts import TicketRecord  # noqa: E402
from integrations.models import CompanyLink, Connection  # noqa: E402
from junto.settling import settle  # noqa: E402
from junto.team.organizations import create_company, create_organization  # noqa: E402
from junto.team.tokens import create_token  # noqa: E402
from junto.tenants.actors import Actor  # noqa: E402
from junto.tenants.models import Membership, Organization, User  # noqa: E402
from signals.models import ProcessorSetting, Signal  # noqa: E402
from signals.processors import PROCESSORS  # noqa: E402
from signals.rest.serializers import MAX_ITEMS, TicketInput, ticket_record  # noqa: E402
from signals.services import upsert_signals  # noqa: E402

COMPANIES = 50
WORDS = [
    *("account", "mailbox", "printer", "server", "backup", "licence", "tunnel", "profile", "folder", "certificate"),
    *("restart", "check", "reset", "replace", "update", "remove", "restore", "assign", "confirm", "write"),
]
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Taken:
    """Seconds on the clock, and of our own process's CPU."""

    seconds: float
    cpu_seconds: float


def main(tickets: int, rounds: int) -> dict[str, float]:
    """Make who sends and what is sent, then measure each way."""
    call_command("migrate", verbosity=0)
    user = User.objects.create_user("adam", "adam@northwind.example", "not used here")
    organization = create_organization(name="Northwind MSP", slug="northwind", owner=user)
    actor = Actor.person(Membership.objects.for_organization(organization).select_related("user", "organization").get())
    psa = _connect(organization, actor)
    items = list(_items(tickets))
    _, secret = create_token(actor=actor, label="Bench", scopes=["signals:write"])
    records, bodies = _records(items), _bodies(items)
    taken: dict[str, list[Taken]] = {"executemany": [], "upsert": [], "rest": []}
    settle()  # as the server does; what the sender holds here is none of its memory
    for _ in range(rounds):
        taken["upsert"].append(_timed(lambda: upsert_signals(connection=psa, tickets=records, actor=actor)))
        _expect(tickets)
        taken["executemany"].append(_timed(partial(_insert, _stored())))
        _expect(tickets)
        taken["rest"].append(_timed(lambda: _send(bodies, secret)))
        _expect(tickets)
    seconds = {name: statistics.median(one.seconds for one in times) for name, times in taken.items()}
    work = {name: statistics.median(one.cpu_seconds for one in times) for name, times in taken.items()}
    return {
        "tickets": tickets,
        **{f"{name}_seconds": round(value, 2) for name, value in seconds.items()},
        **{f"{name}_cpu_seconds": round(value, 2) for name, value in work.items()},
        "upsert_to_executemany": round(seconds["upsert"] / seconds["executemany"], 2),
        "rest_to_executemany": round(seconds["rest"] / seconds["executemany"], 2),
    }


def _connect(organization: Organization, actor: Actor) -> Connection:
    """The system that the tickets come from, with its companies; no processor runs."""
    psa = Connection.unscoped.create(
        organization=organization, vendor="connectwise", label="ConnectWise", base_url="https://psa.example.com"
    )
    for number in range(COMPANIES):
        company = create_company(actor=actor, name=f"Company {number}")
        CompanyLink.unscoped.create(organization=organization, connection=psa, company=company, external_id=str(number))
    for processor in PROCESSORS:
        ProcessorSetting.unscoped.create(organization=organization, processor=processor.slug, enabled=False)
    return psa


def _items(count: int) -> list[dict[str, Any]]:
    """Tickets of believable size, the same at every run."""
    chance = random.Random(7)
    return [
        {
            "external_id": str(number),
            "updated_at": f"2026-11-{1 + number % 20:02}T09:{number % 60:02}:00Z",
            "subject": f"{chance.choice(WORDS)} {chance.choice(WORDS)} {number}",
            "description": " ".join(chance.choices(WORDS, k=80)),
            "company": str(number % COMPANIES),
            "status": "New",
            "priority": "Priority 3 - Medium",
            "board": {"id": "1", "name": "Service Desk"},
        }
        for number in range(count)
    ]


def _records(items: Sequence[dict[str, Any]]) -> list[TicketRecord]:
    try:
        return [ticket_record(TicketInput().run_validation(item)) for item in items]
    except ValidationError as error:
        raise RuntimeError(f"The benchmark's own tickets are refused: {error}") from error


def _timed(deed: Callable[[], object]) -> Taken:
    """What the deed takes on an empty table."""
    with database.cursor() as cursor:
        # what refers to a signal is empty here
        cursor.execute(
            "TRUNCATE signals_signal CASCADE" if database.vendor == "postgresql" else "DELETE FROM signals_signal"
        )
    began, worked = time.perf_counter(), time.process_time()
    deed()
    return Taken(time.perf_counter() - began, time.process_time() - worked)


def _expect(count: int) -> None:
    found = Signal.unscoped.count()
    if found != count:
        raise RuntimeError(f"{found} signals are stored where {count} were sent.")


def _stored() -> Rows:
    """The rows as the driver takes them."""
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {_columns()} FROM signals_signal")
        return [tuple(_value(value) for value in row) for row in cursor.fetchall()]


def _value(value: object) -> object:
    return Jsonb(value) if isinstance(value, dict) else value


def _columns() -> str:
    return ", ".join(f'"{field.column}"' for field in Signal._meta.concrete_fields)


def _insert(rows: Rows) -> None:
    """What the driver itself needs, in one transaction."""
    sign = "%s" if database.vendor == "postgresql" else "?"
    signs = ", ".join([sign] * len(Signal._meta.concrete_fields))
    words = f"INSERT INTO signals_signal ({_columns()}) VALUES ({signs})"
    database.ensure_connection()
    driver = database.connection
    if isinstance(driver, sqlite3.Connection):
        driver.execute("BEGIN")
        driver.executemany(words, rows)
        driver.execute("COMMIT")
        return
    with driver.transaction(), driver.cursor() as cursor:
        cursor.executemany(words, rows)


def _bodies(items: Sequence[dict[str, Any]]) -> list[bytes]:
    """Requests of a thousand each, as they come over the wire."""
    return [
        json.dumps({"connection": "connectwise", "items": items[start : start + MAX_ITEMS]}).encode()
        for start in range(0, len(items), MAX_ITEMS)
    ]


def _send(bodies: Sequence[bytes], secret: str) -> None:
    """The whole way, one request after the other; each answer is rendered, and must say that all were created."""
    sender = Client(HTTP_HOST="localhost", headers={"authorization": f"Bearer {secret}"})
    for body in bodies:
        answer = sender.post("/api/v1/northwind/signals/sync", data=body, content_type="application/json")
        if answer.status_code != 200 or set(answer.json()["counts"]) != {"created"}:
            raise RuntimeError(f"{answer.status_code}: {answer.content[:500]!r}")


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
