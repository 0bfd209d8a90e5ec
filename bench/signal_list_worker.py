"""One measurement of the list of signals in a process of its own; prints one JSON object."""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection as database  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from bench.msp import WORDS, make_msp, text  # noqa: E402
from integrations.models import Connection, Contact  # noqa: E402
from junto.settling import settle  # noqa: E402
from junto.team.tokens import create_token  # noqa: E402
from junto.tenants.actors import Actor  # noqa: E402
from junto.tenants.models import Company, User  # noqa: E402
from signals.models import Board, Signal  # noqa: E402

REQUESTS_A_ROUND = 10
BATCH = 1000
CONTACTS = 2000
BOARDS = ("Service Desk", "Projects", "Monitoring", "Onboarding")
PRIORITIES = ("Priority 1 - Critical", "Priority 2 - High", "Priority 3 - Medium", "Priority 4 - Low")
ASSIGNEES = [f"Technician {number}" for number in range(12)]
#: The newest change of a ticket; the others were changed in the weeks before.
NEWEST = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPEN_SHARE = 0.1


def main(signals: int, rounds: int) -> dict[str, float]:
    """Make the rows, then ask for each view."""
    call_command("migrate", verbosity=0)
    actor, companies = make_msp()
    boards = plant(actor, companies, signals)
    page, rest = Client(HTTP_HOST="localhost"), Client(HTTP_HOST="localhost")
    page.force_login(User.objects.get(), backend="django.contrib.auth.backends.ModelBackend")
    _, secret = create_token(actor=actor, label="Bench", scopes=["signals:read"])
    rest.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    asked = {
        **{name: ask(page, f"/o/northwind/signals/?{query}") for name, query in page_views(companies, boards).items()},
        **{name: ask(rest, f"/api/v1/northwind/signals?{query}") for name, query in rest_views(companies).items()},
    }
    settle()  # as the server does
    return {"signals": signals, **measured(asked, rounds)}


def page_views(companies: Sequence[Company], boards: Sequence[Board]) -> dict[str, str]:
    """What a technician asks the page for, by name."""
    return {
        "plain": "",
        "third_page": "page=3",
        "all": "state=all",
        "by_state": "state=resolved",
        "by_board": f"board={boards[0].pk}",
        "by_company": f"company={companies[3].pk}&state=all",
        "by_assignee_and_priority": "assignee=Technician+4&priority=Priority+1+-+Critical",
        "most_urgent": "order=priority",
        "search_much": "q=mailbox",
        "search_two_words": "q=mailbox+certificate&state=all",
        "search_little": "q=4711&state=all",
        "search_nothing": "q=zeppelin&state=all",
        "search_company": "q=company+7&state=all",
        "search_in_company": f"q=printer&company={companies[3].pk}",
    }


def rest_views(companies: Sequence[Company]) -> dict[str, str]:
    """What a sync job asks for, by name."""
    return {
        "rest_plain": "",
        "rest_by_state_and_company": f"state=new&company={companies[3].pk}",
        "rest_search": "q=zeppelin",
    }


def ask(client: Client, path: str) -> Callable[[], None]:
    """One request, whose answer is rendered whole."""

    def request() -> None:
        answer = client.get(path)
        if answer.status_code != 200 or not answer.content:
            raise RuntimeError(f"{path}: {answer.status_code}")

    return request


def measured(asked: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Milliseconds of all requests and of each view, and the most statements that one took."""
    taken: dict[str, list[float]] = {name: [] for name in asked}
    queries = 0
    for request in asked.values():
        request()
        with CaptureQueriesContext(database) as seen:
            request()
        queries = max(queries, len(seen))
    for _ in range(rounds * REQUESTS_A_ROUND):
        for name, request in asked.items():
            began = time.perf_counter()
            request()
            taken[name].append((time.perf_counter() - began) * 1000)
    everything = [each for times in taken.values() for each in times]
    return {
        "p50_ms": round(statistics.median(everything), 1),
        "p95_ms": p95(everything),
        **{f"{name}_p95_ms": p95(times) for name, times in taken.items()},
        "queries": queries,
    }


def p95(times: list[float]) -> float:
    """The 95th percentile."""
    return round(statistics.quantiles(times, n=20)[-1], 1)


def plant(actor: Actor, companies: Sequence[Company], count: int) -> list[Board]:
    """Tickets of about 600 characters, the same at every run; the boards they stand on."""
    chance, organization = random.Random(7), actor.organization
    psa = Connection.unscoped.create(
        organization=organization, vendor="connectwise", label="ConnectWise", base_url="https://psa.example.com"
    )
    boards = Board.unscoped.bulk_create(
        Board(organization=organization, connection=psa, external_id=str(number), name=name)
        for number, name in enumerate(BOARDS)
    )
    contacts = Contact.unscoped.bulk_create(
        Contact(
            organization=organization,
            connection=psa,
            company=companies[number % len(companies)],
            external_id=str(number),
            name=f"Person {number}",
        )
        for number in range(CONTACTS)
    )
    rows = tickets(boards, contacts, count, chance)
    while batch := [row for _, row in zip(range(BATCH), rows, strict=False)]:
        Signal.unscoped.bulk_create(batch)
    with database.cursor() as cursor:
        # as PostgreSQL does by itself a minute after so many rows came
        cursor.execute("VACUUM ANALYZE" if database.vendor == "postgresql" else "ANALYZE")
    return boards


def tickets(
    boards: Sequence[Board], contacts: Sequence[Contact], count: int, chance: random.Random
) -> Iterator[Signal]:
    """Unsaved rows: one in ten is open."""
    for number in range(count):
        contact = chance.choice(contacts)
        is_open = chance.random() < OPEN_SHARE
        changed_at = NEWEST - timedelta(seconds=37 * (count - number))
        yield Signal(
            organization_id=contact.organization_id,
            connection_id=contact.connection_id,
            external_id=str(number),
            company_id=contact.company_id,
            contact=contact,
            board=chance.choice(boards),
            assignee=chance.choice(ASSIGNEES),
            priority=chance.choice(PRIORITIES),
            subject=f"{chance.choice(WORDS)} {chance.choice(WORDS)} {number}",
            description=text(chance, 80),
            source_status="New" if is_open else "Closed",
            closed_at_source=not is_open,
            state=chance.choice(Signal.OPEN) if is_open else Signal.State.RESOLVED,
            source_created_at=changed_at - timedelta(days=2),
            source_updated_at=changed_at,
            revision=number,
            awaits_processors=False,
        )


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
