"""A person and a machine write at the same time, each with a database connection of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from signals.models import ProcessorResult, Signal
from signals.processing.corrections import correct_value
from signals.processing.pipeline import run_processors
from signals.processors import processor_of
from signals.processors.base import Producer
from signals.processors.issue_or_request import IssueOrRequest
from tests.cases import JuntoTransactionTestCase
from tests.factories import SignalFactory

ROUNDS, WAIT_SECONDS = 6, 60


class PersonAndMachineTests(JuntoTransactionTestCase):
    def test_the_persons_value_stands_however_the_writes_fall(self) -> None:
        actor = self.actor(self.theo)
        value = IssueOrRequest.model_validate({"kind": "request"})
        signals = [SignalFactory(company=self.harlow, subject="Printer offline, error") for _ in range(ROUNDS)]

        def machine() -> None:
            try:
                for signal in signals:
                    run_processors(Signal.objects.for_organization(self.northwind).get(pk=signal.pk))
            finally:
                connections.close_all()

        def person() -> None:
            try:
                for signal in signals:
                    correct_value(signal=signal, processor=processor_of("issue_or_request"), value=value, actor=actor)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(4) as pool:
            for deed in [pool.submit(each) for each in (machine, person, machine, machine)]:
                deed.result(timeout=WAIT_SECONDS)
        standing = (
            ProcessorResult.objects.for_organization(self.northwind).current().filter(processor="issue_or_request")
        )
        assert {(row.producer, row.value["kind"]) for row in standing} == {(Producer.PERSON, "request")}
        assert standing.count() == ROUNDS
