"""Northwind with the two processors that choose from ConnectWise's own lists, at the vendor sandbox."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from django.core.cache import cache
from django.db import connection

from integrations.services import open_ticket_source
from signals.models import ProcessorResult, ProcessorRule, ProcessorSetting, Signal
from tests.cases import forget_calls
from tests.integrations.connected import ConnectedTestCase
from tests.signals.deliveries import deliver, stored


class TypingCase(ConnectedTestCase):
    """A ticket arrives from the vendor; every processor is off but those that a test switches on."""

    def setUp(self) -> None:
        """Nothing remembered of the lists; the agent is not woken."""
        super().setUp()
        cache.clear()
        self.wake_no_agent()
        self.forget_bells()

    def forget_bells(self) -> None:
        """What was rung so far is lost."""
        connection.run_on_commit = []
        forget_calls()

    def switch(self, slug: str, **options: Any) -> ProcessorSetting:
        """On, without an Admin's grant."""
        row: ProcessorSetting = ProcessorSetting.objects.create(
            organization=self.northwind, processor=slug, enabled=True, options=options
        )
        return row

    def rule(self, slug: str, label: str, word: str = "outlook") -> None:
        """Tickets with the word in the title get the label."""
        condition = {"field": "subject", "operator": "contains", "value": word}
        rows = ProcessorRule.objects.for_organization(self.northwind).filter(processor=slug)
        ProcessorRule.objects.create(
            organization=self.northwind, processor=slug, conditions=[condition], label=label, position=rows.count()
        )

    def arrive(self, subject: str = "Outlook keeps asking for the password", **fields: Any) -> Signal:
        """A ticket of Harbor's at the vendor, read, and seen by the processors."""
        number = self.sandbox.plant_ticket(subject, **fields)
        return self.read(number)

    def read(self, number: int | str) -> Signal:
        """The ticket as the vendor has it, and everything that it rings for."""
        self.take_in(number)
        self.drain()
        return stored(self.connection, str(number))

    def take_in(self, number: int | str) -> None:
        """The ticket as the vendor has it; nothing runs yet."""
        with closing(open_ticket_source(self.connection)) as source:
            deliver(self.connection, source.ticket(str(number)))

    def standing(self, signal: Signal, slug: str = "ticket_type") -> ProcessorResult | None:
        """What stands."""
        rows = ProcessorResult.objects.for_organization(self.northwind).current()
        found: ProcessorResult | None = rows.filter(signal=signal, processor=slug).first()
        return found

    def words(self, signal: Signal, slug: str = "ticket_type") -> str:
        """What stands, as its key; empty where nothing does."""
        row = self.standing(signal, slug)
        return row.key if row else ""
