"""A ticket's description is written anew as it grows; what came from the source stays beside it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from signals.models import ProcessorResult, ProcessorSetting, Signal, SignalNote
from signals.processing.pipeline import run_processors
from signals.processors.base import Producer
from tests.agent.model_cases import ModelEndpoint
from tests.cases import JuntoTestCase
from tests.factories import SignalFactory
from tests.scripted_model import Asks, Says

TEXT = "The scanner on floor 2 sends nothing since Monday.\nThe address of the mail server had changed."


class DescriptionTests(ModelEndpoint, JuntoTestCase):
    for_processors = True

    @pytest.fixture(autouse=True)
    def _settings(self, settings: Settings) -> None:
        self.settings = settings

    def setUp(self) -> None:
        super().setUp()
        self.signal: Signal = SignalFactory(
            company=self.harlow, subject="Scanner does not send", description="Scans never arrive by mail."
        )
        self.setting = ProcessorSetting.objects.create(
            organization=self.northwind, processor="description", enabled=True
        )

    def note(self, text: str, *, internal: bool = False) -> None:
        number = SignalNote.objects.for_organization(self.northwind).count()
        SignalNote.objects.create(
            organization=self.northwind,
            signal=self.signal,
            external_id=str(number),
            author="Rosa Bell",
            text=text,
            internal=internal,
            written_at=timezone.now() + timedelta(minutes=number),
        )

    def read(self) -> ProcessorResult | None:
        run_processors(self.signal, only={"description"})
        rows = ProcessorResult.objects.for_organization(self.northwind).current()
        found: ProcessorResult | None = rows.filter(processor="description").first()
        return found

    def test_a_ticket_that_has_not_grown_keeps_its_description(self) -> None:
        self.note("It still does not work.")
        self.note("Theo: the password of the mailbox is on the other sheet.", internal=True)
        assert self.read() is None

    def test_without_a_model_it_is_a_digest_of_what_the_client_may_see_and_says_so(self) -> None:
        self.note("It is the scanner on floor 2.")
        self.note("The mail server moved, its address is wrong there.")
        self.note("The password of the mailbox is on the other sheet.", internal=True)
        result = self.read()
        assert result is not None
        assert result.producer == Producer.RULE
        assert "digest" in result.reason
        assert "Rosa Bell: It is the scanner on floor 2" in result.value["text"]
        assert "password" not in result.value["text"]

    def test_a_model_writes_it_and_the_page_shows_it_above_the_original(self) -> None:
        self.note("It is the scanner on floor 2.")
        self.note("The mail server moved.")
        said = Says(calls=[Asks("answer", {"text": TEXT, "confidence": 0.9, "reason": "From two notes."})])
        with self.model(said) as server:
            result = self.read()
        assert result is not None
        assert (result.producer, result.value) == (Producer.MODEL, {"text": TEXT, "notes": 2})
        assert "The mail server moved." in str(server.requests[0].messages[1]["content"])
        self.log_in(self.theo)
        page = self.client.get(self.path(f"signals/{self.signal.pk}/")).content.decode()
        updated, original = page.index("sends nothing since Monday.<br>"), page.index("Scans never arrive by mail.")
        assert updated < page.index("The original, as it came") < original
        self.signal.refresh_from_db()
        assert self.signal.description == "Scans never arrive by mail."
