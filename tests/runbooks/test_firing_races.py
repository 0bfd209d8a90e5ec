"""Many look at one condition at the same moment: one firing comes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import OperationalError, close_old_connections

from runbooks.firing import fire_due, fire_on_signal
from runbooks.models import Runbook, Trigger, TriggerFiring
from runbooks.services import publish_runbook, save_draft
from runbooks.triggers import save_trigger
from signals.models import Signal
from tests.cases import JuntoTransactionTestCase
from tests.factories import ConnectionFactory, SignalFactory
from tests.runbooks.cases import RESET

AT_ONCE = 6
DUE = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


class RaceTests(JuntoTransactionTestCase):
    def trigger(self, **fields: object) -> Trigger:
        """Mara's trigger on a published AI runbook, for Harlow."""
        ConnectionFactory(organization=self.northwind)
        mara = self.actor(self.mara)
        draft = Runbook(title="Reset a password", body=RESET, audience=Runbook.Audience.AI)
        runbook = publish_runbook(actor=mara, runbook=save_draft(actor=mara, runbook=draft))
        Runbook.unscoped.filter(pk=runbook.pk).update(published_at=datetime(2026, 1, 1, tzinfo=UTC))
        return save_trigger(
            actor=mara, trigger=Trigger(runbook=Runbook.unscoped.get(pk=runbook.pk), **fields), companies=[self.harlow]
        )

    def all_at_once(self, look: Callable[[], object]) -> None:
        """`AT_ONCE` threads look at the same moment; a busy database is asked again, as the clock would."""
        barrier = threading.Barrier(AT_ONCE)

        def run() -> None:
            barrier.wait(timeout=30)
            for _ in range(20):
                try:
                    look()
                    break
                except OperationalError:
                    continue
            close_old_connections()

        threads = [threading.Thread(target=run) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert not any(thread.is_alive() for thread in threads)

    def test_a_ticket_that_many_processes_hear_of_fires_once(self) -> None:
        self.trigger(kind="classification", type="Access")
        signal = SignalFactory(company=self.harlow, type="Access")
        self.all_at_once(lambda: fire_on_signal(Signal.unscoped.select_related("organization").get(pk=signal.pk)))
        assert TriggerFiring.unscoped.count() == 1

    def test_a_schedule_that_many_clocks_find_due_fires_once(self) -> None:
        trigger = self.trigger(kind="schedule", cron="0 3 1 * *", time_zone="UTC")
        Trigger.unscoped.filter(pk=trigger.pk).update(next_due=DUE)
        self.all_at_once(lambda: fire_due(DUE))
        assert TriggerFiring.unscoped.count() == 1
