"""A person's word and a processor's write-back at the same moment: the person's is never written over."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import Any

import pytest
from django.core.cache import cache

from approvals.execution import execute_action
from approvals.models import Action
from integrations.services import open_ticket_source, save_connection
from junto.audit.models import AuditEntry
from signals.models import ProcessorResult, ProcessorRule, Signal
from signals.processing.corrections import correct_value
from signals.processors.base import Producer
from signals.processors.ticket_type import TicketType
from signals.tasks import process_signal, write_back
from tests.approvals.test_races import at_once
from tests.integrations.connected import ConnectedTransactionTestCase
from tests.integrations.rogue import rogue_server
from tests.signals.deliveries import deliver, stored
from tests.signals.test_write_back import OPTIONS, TYPE, WriteBackCase
from tests.wire import listening, parts

ROUNDS = 5
#: More requests than a write-back makes, from the wish to the last answer.
MOST_REQUESTS = 40


class CorrectionRaces(ConnectedTransactionTestCase):
    """Theo corrects here, on one thread, what another carries to ConnectWise."""

    def setUp(self) -> None:
        super().setUp()
        cache.clear()
        self.settings.BELLS = {bell: [] for bell in self.settings.BELLS}
        condition = {"field": "subject", "operator": "contains", "value": "outlook"}
        ProcessorRule.objects.create(
            organization=self.northwind, processor=TYPE.slug, conditions=[condition], label="Email > Outlook"
        )
        self.take_in(self.sandbox.plant_ticket("The first ticket brings its board"))
        self.log_in(self.adam)
        self.client.post(self.path("processors/ticket_type/switch/"), {"enabled": "on"})
        assert self.client.post(self.path("processors/ticket_type/options/"), OPTIONS).status_code == 302

    def take_in(self, number: int) -> Signal:
        with closing(open_ticket_source(self.connection)) as source:
            deliver(self.connection, source.ticket(str(number)))
        return stored(self.connection, str(number))

    def found(self) -> tuple[Signal, ProcessorResult]:
        """A ticket with a type that is to go to ConnectWise."""
        signal = self.take_in(self.sandbox.plant_ticket("Outlook is slow"))
        process_signal.call(str(signal.pk))
        return signal, ProcessorResult.objects.for_organization(self.northwind).current().get(
            signal=signal, processor=TYPE.slug
        )

    def action(self, signal: Signal) -> Action | None:
        found: Action | None = (
            Action.objects.for_organization(self.northwind).filter(origin__subject=signal.origin_subject).first()
        )
        return found

    def carry(self, signal: Signal, row: ProcessorResult) -> None:
        write_back.call(str(row.pk))
        action = self.action(signal)
        if action is not None:
            execute_action(action.pk)

    def numbers(self, verb: str, target: object) -> list[int]:
        """Where such deeds stand in the audit log: its numbers are given in the order of commits."""
        rows = AuditEntry.objects.for_organization(self.northwind).filter(verb=verb, target_id=str(target))
        return list(rows.values_list("number", flat=True))

    def test_nothing_is_claimed_after_the_persons_word_and_that_word_stands(self) -> None:
        ended = set()
        for number in range(ROUNDS):
            signal, row = self.found()
            effects = len(self.sandbox.effects())
            if number % 2:  # the other half of the way: allowed, and about to leave
                write_back.call(str(row.pk))
            actor, value = self.actor(self.theo), TicketType(type="Network")
            results = at_once(
                lambda signal=signal, row=row: self.carry(signal, row),  # type: ignore[misc]
                lambda signal=signal, value=value, actor=actor: correct_value(  # type: ignore[misc]
                    signal=signal, processor=TYPE, value=value, actor=actor
                ),
            )
            assert [each for each in results if isinstance(each, Exception)] == []
            standing = (
                ProcessorResult.objects.for_organization(self.northwind)
                .current()
                .get(signal=signal, processor=TYPE.slug)
            )
            assert (standing.producer, standing.key) == (Producer.PERSON, "network")
            action = self.action(signal)
            left = len(self.sandbox.effects()) - effects
            ended.add(action.state if action else "never asked")
            if action is None or action.state != Action.State.SUCCEEDED:
                assert left == 0
                continue
            assert left == 1
            (claimed,) = self.numbers("action.claimed", action.pk)
            (corrected,) = self.numbers("processor.corrected", signal.pk)
            assert claimed < corrected, "it was claimed although the person's word was there"
        assert ended <= {"never asked", Action.State.SUCCEEDED, Action.State.CANCELLED}


@pytest.mark.service
class CorrectionRacesOnPostgres(CorrectionRaces):
    """The same where rows are locked and not the whole file."""


class ChangeAtTheSourceTests(WriteBackCase):
    """Somebody changes the ticket in ConnectWise just before the n-th request of a write-back, for every n."""

    def test_a_value_set_there_before_the_last_look_is_never_written_over(self) -> None:
        heard: list[str] = []
        armed: dict[str, Any] = {}
        onward = listening(self.sandbox.port, [])

        def respond(request: bytes, connection: socket.socket) -> None:
            if armed:
                heard.append(parts(request)[0])
                if len(heard) == armed["at"]:
                    self.sandbox.change_ticket(armed["ticket"], type={"name": "Network"})
            onward(request, connection)

        with rogue_server(respond) as wire:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
            ours = self.sandbox.connections["northwind"].api_url
            save_connection(
                actor=self.actor(self.adam),
                vendor="connectwise",
                label="PSA",
                base_url=ours.replace(f":{self.sandbox.port}", f":{wire.port}"),
                credentials=self.credentials("northwind"),
                connection=self.connection,
            )
            self.grant()
            overwritten = []
            for at in range(1, MOST_REQUESTS):
                signal = self.asked()
                heard.clear()
                armed.update(at=at, ticket=int(signal.external_id))
                self.propose(signal)
                self.drain()
                armed.clear()
                if len(heard) < at:
                    break
                if self.at_vendor(signal)[0] != "Network":
                    overwritten.append(heard[at - 1])
        assert len(heard) > 5
        # ConnectWise takes no condition with a change: only what comes while the request itself is on its way is lost
        assert overwritten == ["PATCH"]
