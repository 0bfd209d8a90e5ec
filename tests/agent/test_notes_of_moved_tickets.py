"""A ticket that moved to another company: Junto's own notes from before stay with the company they tell of."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from integrations.marks import mark_of
from integrations.models import ExternalRef
from integrations.tools import ToolContext, registry
from junto.tenants.models import Membership
from signals.models import Signal
from signals.processing.ticket_facts import notes as notes_for_processors
from signals.similar.past import forget_past
from tests.agent.model_cases import ModelTestCase
from tests.agent.test_moved_tickets import arrive, limited
from tests.agent.test_similar_signals import solved
from tests.cases import JuntoTestCase
from tests.factories import SignalNoteFactory
from tests.scripted_model import Says
from tests.signals.deliveries import deliver, note, stored, ticket

THEIRS = "The client called: still heron."
MARKED = "Findings of the triage: KSL-SRV-FS01"
BOOKED = "Looked through KSL-SRV-DC02"
#: Of a time entry whose id an action of ours left; its text has no mark.
TIME = "8801"
BEFORE = datetime(2026, 11, 1, tzinfo=UTC)


class NotesOfMovedTicketTest(JuntoTestCase):
    """Tess reaches Pinewood Clinic alone."""

    signal: Signal
    tess: Membership

    def setUp(self) -> None:
        super().setUp()
        self.connection = arrive(self)
        ExternalRef(
            organization=self.northwind,
            connection=self.connection,
            kind="time_entry",
            external_id=TIME,
            action_id=uuid4(),
        ).save()
        self.notes = (
            note("1", THEIRS),
            note("2", f"{MARKED}\n\n{mark_of(uuid4())}"),
            note(f"TimeEntryNote:{TIME}", BOOKED),
        )
        deliver(self.connection, ticket(minute=1, notes=self.notes))

    def move(self) -> None:
        deliver(self.connection, ticket(minute=5, company_external_id="19", notes=self.notes))
        self.signal = stored(self.connection)
        self.drain()

    def page(self, by: Membership) -> str:
        self.log_in(by)
        return self.client.get(self.path(f"signals/{self.signal.pk}/")).content.decode()

    def by_rest(self, **limits: object) -> str:
        secret = self.token(self.adam, "signals:read", **limits)
        answer = self.client.get(
            f"/api/v1/northwind/signals/{self.signal.pk}", headers={"authorization": f"Bearer {secret}"}
        )
        assert answer.status_code == 200, answer.content
        return answer.content.decode()

    def assert_theirs_alone(self, text: str) -> None:
        assert (THEIRS in text, MARKED in text, BOOKED in text) == (True, False, False)

    def assert_all(self, text: str) -> None:
        assert (THEIRS in text, MARKED in text, BOOKED in text) == (True, True, True)

    def test_who_reaches_the_new_company_alone_reads_the_notes_of_people_only(self) -> None:
        self.move()
        self.assert_theirs_alone(self.page(self.tess))
        self.assert_theirs_alone(self.by_rest(companies=[self.pinewood]))

    def test_members_of_all_companies_read_every_note(self) -> None:
        self.move()
        self.assert_all(self.page(self.theo))
        self.assert_all(self.by_rest())

    def test_of_a_ticket_that_never_moved_everybody_does(self) -> None:
        self.signal = stored(self.connection)
        self.assert_all(self.page(limited(self.northwind, "hal", self.harlow)))
        self.assert_all("\n".join(each.text for each in notes_for_processors(self.signal)))

    def test_what_junto_writes_after_the_move_is_for_the_new_company(self) -> None:
        self.move()
        SignalNoteFactory(
            signal=self.signal,
            external_id="new",
            text=f"Anew: otter {mark_of(uuid4())}",
            written_at=timezone.now() + timedelta(minutes=1),
        )
        assert "Anew: otter" in self.page(self.tess)

    def test_processors_and_the_search_of_signals_are_not_told_of_it(self) -> None:
        self.move()
        self.assert_theirs_alone("\n".join(each.text for each in notes_for_processors(self.signal)))
        tool = registry.get("junto.search_signals")
        context = ToolContext(organization=self.northwind, company=self.pinewood, subject="")
        assert tool.run(context, tool.accept({"query": "outlook"})).content["signals"][0]["last_note"] == THEIRS


class PromptOfMovedTicketTest(ModelTestCase):
    @pytest.fixture(autouse=True)
    def _settings(self, settings: Settings) -> None:
        self.settings = settings

    def test_the_model_is_told_neither_of_the_ticket_s_own_nor_of_a_similar_one_s(self) -> None:
        forget_past()
        own = self.signal.company
        assert own is not None
        past = solved(own, self.signal.subject, f"{BOOKED} {mark_of(uuid4())}")
        Signal.unscoped.filter(pk__in=[past.pk, self.signal.pk]).update(company_since=timezone.now())
        past.notes.update(written_at=BEFORE)
        SignalNoteFactory(signal=past, text="Solved by the otter", written_at=BEFORE - timedelta(days=1))
        SignalNoteFactory(signal=self.signal, text=THEIRS, written_at=BEFORE)
        SignalNoteFactory(signal=self.signal, text=f"{MARKED} {mark_of(uuid4())}", written_at=BEFORE)
        with self.model(Says("That is all.")) as server:
            self.start()
        whole = json.dumps(server.requests[0].messages)
        assert "Solved by the otter" in whole
        assert (THEIRS in whole, MARKED in whole, BOOKED in whole) == (True, False, False)
