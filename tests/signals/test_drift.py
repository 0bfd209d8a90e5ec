"""Comparing with the source finds what the poll cannot see, and the repair sets it right."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.lifecycle import remove_connection
from integrations.vendors import FILES
from signals import tasks
from signals.models import DriftCheck, Signal
from signals.services import poll_connection
from signals.sync import drift
from signals.sync.pages import FEW_GONE
from tests.cases import forget_calls
from tests.factories import ConnectionFactory
from tests.integrations.connected import ConnectedTestCase
from tests.signals.deliveries import stored

State = Signal.State


class DriftTests(ConnectedTestCase):
    @pytest.fixture(autouse=True)
    def _settled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drift, "ON_ITS_WAY", timedelta(minutes=-1))  # the sandbox's tickets are of this minute

    def setUp(self) -> None:
        super().setUp()
        self.sandbox.reset(seed="empty")
        self.sandbox.plant_company("HARBOR", "Harbor Dental Group")
        self.numbers = [self.sandbox.plant_ticket(f"Ticket {each}") for each in range(4)]
        poll_connection(self.connection)
        self.commit()
        forget_calls()

    def check(self) -> DriftCheck:
        found: DriftCheck = DriftCheck.objects.for_organization(self.northwind).get(connection=self.connection)
        return found

    def press(self, button: str, **said: str) -> str:
        """An admin presses a button of the sync page; what it wakes runs, and the page as it is then."""
        browser = self.log_in(self.adam)
        page = f"connections/{self.connection.pk}/sync/"
        assert browser.post(self.path(f"{page}{button}/"), said).status_code == 302
        task = {"compare": tasks.compare_connection, "repair": tasks.repair_connection}[button]
        task.call(str(self.connection.pk))
        return str(browser.get(self.path(page)).content.decode())

    def drifted(self) -> None:
        """One deleted at the source, one lost here, one old here, one with a revision that never was."""
        gone, lost, old, ahead = self.numbers
        self.sandbox.delete("tickets", gone)
        rows = Signal.objects.for_organization(self.northwind).filter(connection=self.connection)
        rows.filter(external_id=lost).delete()
        rows.filter(external_id=old).update(revision=1, subject="As it was long ago")
        late = timezone.now() + timedelta(hours=5)
        rows.filter(external_id=ahead).update(revision=drift.revision_of(late), subject="Not so at the source")

    def test_what_is_in_step_says_so(self) -> None:
        assert "In step" in self.press("compare")
        assert (self.check().at_source, self.check().here, sum(self.check().counts.values())) == (4, 4, 0)

    def test_each_kind_of_difference_is_found_and_repaired(self) -> None:
        self.drifted()
        page = self.press("compare")
        assert self.check().counts == {"missing": 1, "behind": 1, "ahead": 1, "gone": 1}
        assert "Not in step" in page
        page = self.press("repair")
        assert "In step" in page
        gone, lost, old, ahead = (str(number) for number in self.numbers)
        assert stored(self.connection, gone).state == State.GONE
        assert [stored(self.connection, each).subject for each in (lost, old, ahead)] == [
            "Ticket 1",
            "Ticket 2",
            "Ticket 3",
        ]

    def test_many_that_are_gone_are_marked_so_only_when_a_person_said_that_they_looked(self) -> None:
        more = [self.sandbox.plant_ticket(f"More {each}") for each in range(FEW_GONE)]
        poll_connection(self.connection)
        self.commit()
        for number in [self.numbers[0], *more]:
            self.sandbox.delete("tickets", number)
        page = self.press("compare")
        assert f"{FEW_GONE + 1} tickets are deleted at the source" in page
        self.press("repair")
        assert not Signal.objects.for_organization(self.northwind).filter(state=State.GONE).exists()
        self.press("repair", gone=str(FEW_GONE + 1))
        assert Signal.objects.for_organization(self.northwind).filter(state=State.GONE).count() == FEW_GONE + 1

    def test_a_vendor_that_does_not_answer_is_said_and_nothing_is_marked_as_gone(self) -> None:
        self.drifted()
        self.sandbox.fault("status", status=500, count=None)
        assert "Failed" in self.press("compare")
        assert not Signal.objects.for_organization(self.northwind).filter(state=State.GONE).exists()

    def test_every_source_is_compared_once_a_day(self) -> None:
        self.connection.refresh_from_db()
        assert drift.due_for_comparison([self.connection]) == [self.connection]
        self.press("compare")
        assert drift.due_for_comparison([self.connection]) == []

    def test_files_and_a_removed_connection_have_no_sync_page(self) -> None:
        files = ConnectionFactory(organization=self.northwind, vendor=FILES)
        browser = self.log_in(self.adam)
        assert browser.get(self.path(f"connections/{files.pk}/sync/")).status_code == 404
        remove_connection(actor=self.actor(self.adam), connection=self.connection)
        assert browser.get(self.path(f"connections/{self.connection.pk}/sync/")).status_code == 404
