"""Deliveries that run at the same time on several threads, each with its own database connection."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from integrations.contracts import TicketRecord
from signals.models import Signal
from tests.cases import JuntoTransactionTestCase
from tests.factories import CompanyLinkFactory, ConnectionFactory
from tests.signals.deliveries import deliver, ticket

THREADS, TICKETS, REVISIONS, WAIT_SECONDS = 4, 12, 5, 60


class TwoAtOnceTests(JuntoTransactionTestCase):
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
