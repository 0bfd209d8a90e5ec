"""A ticket that moved to another company: Junto's own notes and time from before stay with the company they tell of."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from integrations.contracts import TimeRecord
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
LOOKED, TALKED = "Restarted KSL-SRV-APP03", "Talked with the client"
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
        self.times = (
            TimeRecord(TIME, "Junto", 30, True, LOOKED, BEFORE),
            TimeRecord("8802", "Theo", 15, True, TALKED, BEFORE),
            TimeRecord("8803", "Junto", 5, False, f"{LOOKED} again {mark_of(uuid4())}", BEFORE),
        )
        deliver(self.connection, ticket(minute=1, notes=self.notes, time_entries=self.times))

    def move(self) -> None:
        deliver(
            self.connection,
            ticket(minute=5, company_external_id="19", notes=self.notes, time_entries=self.times),
        )
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

    def assert_their_time_alone(self, text: str) -> None:
        assert (TALKED in text, LOOKED in text) == (True, False)

    def assert_all_time(self, text: str) -> None:
        assert (TALKED in text, text.count(LOOKED)) == (True, 2)

    def test_who_reaches_the_new_company_alone_reads_the_notes_of_people_only(self) -> None:
        self.move()
        self.assert_theirs_alone(self.page(self.tess))
        self.assert_theirs_alone(self.by_rest(companies=[self.pinewood]))

    def test_members_of_all_companies_read_every_note(self) -> None:
        self.move()
        self.assert_all(self.page(self.theo))
        self.assert_all(self.by_rest())

    def test_the_time_that_was_booked_is_treated_as_the_notes_are(self) -> None:
        self.move()
        self.assert_their_time_alone(page := self.page(self.tess))
        assert ("15 min" in page, "50 min" in page) == (True, False)
        self.assert_their_time_alone(self.by_rest(companies=[self.pinewood]))
        self.assert_all_time(page := self.page(self.theo))
        assert "50 min" in page
        self.assert_all_time(self.by_rest())

    def test_time_that_junto_books_after_the_move_is_for_the_new_company_though_the_work_began_before(self) -> None:
        self.move()
        ExternalRef(
            organization=self.northwind,
            connection=self.connection,
            kind="time_entry",
            external_id="8804",
            action_id=uuid4(),
        ).save()
        self.times += (TimeRecord("8804", "Junto", 5, True, "For Pinewood now", BEFORE),)
        deliver(
            self.connection,
            ticket(minute=9, company_external_id="19", notes=self.notes, time_entries=self.times),
        )
        page = self.page(self.tess)
        assert ("For Pinewood now" in page, LOOKED in page) == (True, False)

    def test_of_a_ticket_that_never_moved_everybody_does(self) -> None:
        self.signal = stored(self.connection)
        self.assert_all_time(self.page(limited(self.northwind, "ida", self.harlow)))
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


@pytest.mark.service
class NotesOfMovedTicketOnPostgresTest(NotesOfMovedTicketTest):
    """The same where the database itself compares moments, marks and ids in other words."""


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
