"""Deliveries that run at the same time on several threads, each with its own database connection."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from integrations.contracts import TicketRecord
from junto.tenants.models import Company
from signals.models import Signal
from tests.cases import JuntoTransactionTestCase
from tests.factories import CompanyLinkFactory, ConnectionFactory
from tests.signals.deliveries import deliver, ticket

THREADS, TICKETS, REVISIONS, WAIT_SECONDS = 4, 12, 5, 60


class TwoAtOnce(JuntoTransactionTestCase):
    def test_deliveries_at_the_same_time_leave_one_signal_a_ticket_at_its_newest_revision(self) -> None:
        psa = ConnectionFactory(organization=self.northwind)
        CompanyLinkFactory(company=self.harlow, connection=psa, external_id="250")
        everything = [
            ticket(str(number), minute=minute, subject=f"Revision {minute}")
            for number in range(TICKETS)
            for minute in range(REVISIONS)
        ]

        def run(seed: int) -> None:
            shuffled: list[TicketRecord] = random.Random(seed).sample(everything, len(everything))
            try:
                for start in range(0, len(shuffled), 7):
                    deliver(psa, *shuffled[start : start + 7])
            finally:
                connections.close_all()

        with ThreadPoolExecutor(THREADS) as pool:
            for result in [pool.submit(run, seed) for seed in range(THREADS)]:
                result.result(timeout=WAIT_SECONDS)
        signals = Signal.objects.for_organization(self.northwind)
        assert signals.count() == TICKETS
        assert set(signals.values_list("subject", flat=True)) == {f"Revision {REVISIONS - 1}"}


class TwoAtOnceTests(TwoAtOnce):
    """On SQLite, which lets one write at a time."""


@pytest.mark.service
class TwoAtOnceOnPostgres(TwoAtOnce):
    """The same where rows are locked and not the whole file."""

    def test_what_another_delivery_is_just_inserting_is_met_and_the_newest_revision_stands(self) -> None:
        psa = ConnectionFactory(organization=self.northwind)
        CompanyLinkFactory(company=self.harlow, connection=psa, external_id="250")
        inserted, waited = threading.Event(), threading.Event()

        def first() -> None:
            try:
                with transaction.atomic():
                    deliver(psa, ticket("1", minute=1, subject="Older"))
                    inserted.set()
                    waited.wait(WAIT_SECONDS)
            finally:
                connections.close_all()

        def second() -> list[str]:
            try:
                inserted.wait(WAIT_SECONDS)
                found = deliver(psa, ticket("1", minute=2, subject="Newer"), ticket("2", minute=2))
                return [each.outcome for each in found]
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            earlier, later = pool.submit(first), pool.submit(second)
            until_somebody_waits_for_a_lock()
            waited.set()
            earlier.result(timeout=WAIT_SECONDS)
            assert later.result(timeout=WAIT_SECONDS) == ["updated", "created"]
        told = Signal.objects.for_organization(self.northwind).values_list("external_id", "subject")
        assert dict(told) == {"1": "Newer", "2": ticket().subject}

    def test_a_delivery_that_the_database_ends_for_the_sake_of_another_begins_again(self) -> None:
        psa = ConnectionFactory(organization=self.northwind)
        CompanyLinkFactory(company=self.harlow, connection=psa, external_id="250")
        deliver(psa, ticket("1", alert_type="DISK"))

        def delivery() -> list[str]:
            look_for_deadlocks_after(seconds=4)
            try:
                return [each.outcome for each in deliver(psa, ticket("1", minute=1, alert_type="DISK"))]
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():  # the other way round: the company first, then the signal
                look_for_deadlocks_after(seconds=WAIT_SECONDS)
                Company.objects.for_organization(self.northwind).select_for_update().get(pk=self.harlow.pk)
                delivered = pool.submit(delivery)
                until_somebody_waits_for_a_lock()
                Signal.unscoped.select_for_update().get(external_id="1")
            assert delivered.result(timeout=WAIT_SECONDS) == ["updated"]
        look_for_deadlocks_after(seconds=1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            assert cursor.fetchone()[0] == 1


def look_for_deadlocks_after(*, seconds: int) -> None:
    """Who looks first ends itself."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET deadlock_timeout = '{seconds}s'")


def until_somebody_waits_for_a_lock() -> None:
    """Return as soon as one of the database's processes stands still before what another has not committed."""
    for _ in range(WAIT_SECONDS * 50):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("Nobody waited.")
