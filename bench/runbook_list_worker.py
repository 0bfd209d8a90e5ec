"""One measurement of the list of runbooks in a process of its own; prints one JSON object."""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from junto.team.organizations import create_company, create_organization  # noqa: E402
from junto.tenants.actors import Actor  # noqa: E402
from junto.tenants.models import Company, Membership, Organization, User  # noqa: E402
from runbooks.models import Runbook, RunbookLabel  # noqa: E402

REQUESTS_A_ROUND = 10
COMPANIES = 50
BATCH = 1000
WORDS = [
    *("account", "mailbox", "printer", "server", "backup", "licence", "tunnel", "profile", "folder", "certificate"),
    *("restart", "check", "reset", "replace", "update", "remove", "restore", "assign", "confirm", "write"),
]
SYSTEMS = ("connectwise", "ninjaone", "microsoft365", "sophos", "junto")


def main(runbooks: int, rounds: int) -> dict[str, float]:
    """Make the rows, then ask for each view."""
    call_command("migrate", verbosity=0)
    user = User.objects.create_user("mara", "mara@northwind.example", "not used here")
    organization = create_organization(name="Northwind MSP", slug="northwind", owner=user)
    membership = Membership.objects.for_organization(organization).select_related("user", "organization").get()
    actor = Actor.person(membership)
    companies = [create_company(actor=actor, name=f"Company {number}") for number in range(COMPANIES)]
    plant(organization, companies, runbooks)
    browser = Client(HTTP_HOST="localhost")
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return measured(browser, rounds, views(companies, runbooks))


def views(companies: list[Company], runbooks: int) -> dict[str, str]:
    """What is asked for, by name."""
    return {
        "plain": "",
        "last_page": f"?p={max(1, runbooks // 50)}",
        "by_status": "?status__exact=published",
        "by_company": f"?company__id__exact={companies[0].pk}",
        "by_system_and_tag": "?system=ninjaone&tag=tag7",
        "newest_first": "?o=-7",
        "search_much": "?q=mailbox",
        "search_little": "?q=runbook+4711",
        "search_nothing": "?q=zeppelin",
    }


def measured(browser: Client, rounds: int, asked: dict[str, str]) -> dict[str, float]:
    """Milliseconds of all requests, and of each view."""
    taken: dict[str, list[float]] = {name: [] for name in asked}
    for query in asked.values():
        ask(browser, query)
    for _ in range(rounds * REQUESTS_A_ROUND):
        for name, query in asked.items():
            taken[name].append(ask(browser, query))
    everything = [each for times in taken.values() for each in times]
    with CaptureQueriesContext(connection) as queries:
        ask(browser, "")
    return {
        "p50_ms": round(statistics.median(everything), 1),
        "p95_ms": p95(everything),
        **{f"{name}_p95_ms": p95(times) for name, times in taken.items()},
        "queries": len(queries),
    }


def ask(browser: Client, query: str) -> float:
    """Milliseconds of one request."""
    began = time.perf_counter()
    answer = browser.get(f"/o/northwind/admin/runbooks/runbook/{query}")
    taken = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{query}: {answer.status_code}")
    return taken


def p95(times: list[float]) -> float:
    """The 95th percentile."""
    return round(statistics.quantiles(times, n=20)[-1], 1)


def plant(organization: Organization, companies: list[Company], count: int) -> None:
    """Runbooks of believable size, with their labels, the same at every run."""
    chance = random.Random(7)
    rows = list(rows_of(organization, companies, count, chance))
    for start in range(0, count, BATCH):
        batch = rows[start : start + BATCH]
        for row in batch:
            row.searched = row.text_to_search()
        Runbook.unscoped.bulk_create(batch)
        put_in_force([row for row in batch if row.status == Runbook.Status.PUBLISHED])
        RunbookLabel.unscoped.bulk_create([label for row in batch for label in labels_of(row, chance)])
    with connection.cursor() as cursor:
        # as PostgreSQL does by itself a minute after so many rows came
        cursor.execute("ANALYZE")


def put_in_force(published: list[Runbook]) -> None:
    """Each with the record of its version, as `publish_runbook` leaves it."""
    Runbook.history.bulk_history_create(published)
    records = dict(Runbook.history.model.objects.filter(id__in=[row.pk for row in published]).values_list("id", "pk"))
    for row in published:
        row.published_number, row.published_record = 1, records[row.pk]
    Runbook.unscoped.bulk_update(published, ["published_number", "published_record"])


def rows_of(
    organization: Organization, companies: list[Company], count: int, chance: random.Random
) -> Iterator[Runbook]:
    """Unsaved rows: half global, two thirds published."""
    for number in range(count):
        yield Runbook(
            organization=organization,
            company=chance.choice(companies) if number % 2 else None,
            title=f"Runbook {number}: {chance.choice(WORDS)} the {chance.choice(WORDS)}",
            description=" ".join(chance.choices(WORDS, k=12)),
            body="\n".join(f"{step}. {' '.join(chance.choices(WORDS, k=25))}" for step in range(1, 15)),
            category=chance.choice(Runbook.Category.values),
            audience=chance.choice(Runbook.Audience.values),
            status=chance.choice(["published", "published", "draft"]),
            tags=[f"tag{chance.randrange(40)}"],
        )


def labels_of(row: Runbook, chance: random.Random) -> list[RunbookLabel]:
    """Its tag, and a system."""
    words = [("tag", row.tags[0]), ("system", chance.choice(SYSTEMS))]
    return [RunbookLabel(organization=row.organization, runbook=row, kind=kind, word=word) for kind, word in words]


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
