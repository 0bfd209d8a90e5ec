"""An alert and the ticket that an RMM opened for it in the PSA are one piece of work, until somebody parts them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from approvals.models import StaleState
from integrations.contracts import NoteRecord, TicketRecord
from integrations.models import Connection
from signals.intake.alert_words import names_in
from signals.intake.clearing import all_cleared, open_tickets
from signals.intake.folding import CLEARED_AND_OPEN, CLEARED_BUT_KEPT, occurrences
from signals.intake.unfolding import STILL_STANDS
from signals.models import Signal
from signals.services import (
    SignalNotClaimable,
    adopt_ticket,
    claim_signal,
    dismiss_signal,
    joined_ticket,
    map_company,
    part_signal,
)
from signals.tasks import sweep_strays
from tests.factories import CompanyLinkFactory, ConnectionFactory, DeviceFactory
from tests.signals.deliveries import deliver, stored
from tests.signals.test_alert_boards import AlertBoardsTestCase

State = Signal.State
TOLD = "Alert: Disk space critical\nVolume: K: (Daten)\nUsed: 3.49 TB of 3.60 TB (97 %)"


class JoiningTestCase(AlertBoardsTestCase):
    """The same server in NinjaOne, whose alerts come in, too."""

    def setUp(self) -> None:
        super().setUp()
        self.begin()
        self.rmm: Connection = ConnectionFactory(organization=self.northwind, vendor="ninjaone", label="NinjaOne")
        CompanyLinkFactory(company=self.harlow, connection=self.rmm, external_id="31")
        CompanyLinkFactory(company=self.pinewood, connection=self.rmm, external_id="32")
        DeviceFactory(company=self.harlow, connection=self.rmm, external_id="5", name="hb-srv-01")

    def tell(self, number: str = "20", *, minute: int = 0, **fields: Any) -> None:
        """The PSA's ticket."""
        told = {"description": TOLD, "device_external_ids": ("812",)} | fields
        self.deliver(self.ticket(number, "[RMM] HB-SRV-01: disk K: 97 % full", minute=minute, **told))

    def alert(self, uid: str = "a", *, minute: int = 0, **fields: Any) -> TicketRecord:
        told: dict[str, Any] = {
            "subject": "Disk space critical on hb-srv-01",
            "description": "Disk Volume: free space on K: (Daten) is below 5%. Used 3.49 TB.\n\nSeverity: CRITICAL.",
            "company_external_id": "31",
            "device_external_ids": ("5",),
            "alert_type": "CONDITION_DISK: Disk space critical",
            "created_at": self.now + timedelta(minutes=minute),
            "updated_at": self.now + timedelta(minutes=minute),
        }
        return TicketRecord(external_id=uid, **(told | fields))

    def raised(self, uid: str = "a", **fields: Any) -> Signal:
        deliver(self.rmm, self.alert(uid, **fields))
        return stored(self.rmm, uid)

    def cleared(self, uid: str = "a") -> None:
        deliver(self.rmm, self.alert(uid, closed=True, created_at=self.now, updated_at=self.now + timedelta(hours=1)))


class OneProblemTests(JoiningTestCase):
    def test_an_alert_that_has_its_ticket_already_goes_under_it_and_nobody_begins_on_it(self) -> None:
        self.tell()
        alert = self.raised(minute=1)
        assert (alert.state, alert.folded_into) == (State.MERGED, self.signal("20"))
        assert alert.state_reason == "It tells of the same problem as signal 20."
        with pytest.raises(SignalNotClaimable):
            claim_signal(alert, actor=self.actor(self.theo))
        self.commit()
        self.drain()
        assert not alert.results.exists()

    def test_a_ticket_whose_alert_is_here_already_goes_under_that_and_each_page_leads_to_the_other(self) -> None:
        alert = self.raised()
        self.tell(minute=3)
        ticket = self.signal("20")
        assert (ticket.state, ticket.folded_into, self.open_ones()) == (State.MERGED, alert, ["a"])
        number, told = occurrences(alert, most=5)
        assert (number, [one.source for one in told]) == (2, [self.psa.label, ""])
        self.log_in(self.theo)
        head = self.client.get(self.path(f"signals/{alert.pk}/")).content.decode()
        assert (f"Ticket 20 of {self.psa.label}" in head, f"signals/{ticket.pk}/" in head) == (True, True)
        page = self.client.get(self.path(f"signals/{ticket.pk}/")).content.decode()
        assert ("the same problem as another system" in page, f"signals/{alert.pk}/" in page) == (True, True)

    def test_repeats_of_either_go_under_the_same_one(self) -> None:
        alert = self.raised()
        self.tell(minute=1)
        self.tell("21", minute=400)
        self.raised("b", minute=500)
        assert (self.open_ones(), occurrences(alert, most=1)[0]) == (["a"], 4)

    def test_one_begun_on_is_not_taken_away_from_whoever_works_on_it(self) -> None:
        self.tell(description="")
        claim_signal(self.signal("20"), actor=self.actor(self.theo))
        self.raised(minute=1)
        self.tell(minute=5)
        assert self.open_ones() == ["20", "a"]


class TwoProblemsTests(JoiningTestCase):
    def test_what_cannot_be_decided_stays_two(self) -> None:
        self.tell()
        for uid, fields in {
            "other disk": {"description": "Disk Volume: free space on C: is below 5%."},
            "other title": {"subject": "Backup missed on hb-srv-01"},
            "one word": {"subject": "Disk on hb-srv-01"},
            "other device": {"device_external_ids": ("6",)},
            "no device": {"device_external_ids": ()},
            "too late": {"minute": 121},
        }.items():
            assert self.raised(uid, **({"alert_type": uid} | fields)).state == State.NEW, uid

    def test_another_companys_device_of_that_name_is_another(self) -> None:
        self.tell()
        DeviceFactory(company=self.pinewood, connection=self.rmm, external_id="9", name="HB-SRV-01")
        alert = self.raised(company_external_id="32", device_external_ids=("9",))
        assert (alert.state, alert.company) == (State.NEW, self.pinewood)

    def test_a_name_that_two_devices_bear_decides_nothing(self) -> None:
        self.tell()
        DeviceFactory(company=self.harlow, connection=self.rmm, external_id="6", name="HB-SRV-01")
        assert self.raised().state == State.NEW

    def test_two_tickets_that_would_fit_decide_nothing(self) -> None:
        self.tell()
        self.deliver(self.ticket("21", "Look at K:", description=TOLD, device_external_ids=("812",)))
        assert self.raised().state == State.NEW

    def test_a_ticket_of_a_board_that_holds_no_alerts_is_not_joined(self) -> None:
        self.choose()
        self.tell()
        assert self.raised().state == State.NEW


class PartingTests(JoiningTestCase):
    def test_a_person_parts_them_and_they_stay_parted(self) -> None:
        self.tell()
        alert = self.raised(minute=1)
        answer = self.log_in(self.theo).get(self.path(f"signals/{alert.pk}/"))
        assert "It is another problem" in answer.content.decode()
        self.client.post(self.path(f"signals/{alert.pk}/part/"))
        assert self.open_ones() == ["20", "a"]
        self.raised(minute=1, updated_at=self.now + timedelta(minutes=9))
        self.tell(minute=10)
        assert (self.open_ones(), occurrences(self.signal("20"), most=1)[0]) == (["20", "a"], 1)

    def test_a_repeat_of_the_same_system_can_be_parted_too_once(self) -> None:
        self.tell()
        self.tell("21", minute=1)
        part_signal(signal=self.signal("21"), actor=self.actor(self.theo))
        assert self.open_ones() == ["20", "21"]
        with pytest.raises(StaleState):
            part_signal(signal=self.signal("21"), actor=self.actor(self.theo))
        self.tell("22", minute=2)
        assert self.signal("22").folded_into == self.signal("20")

    def test_it_is_for_those_who_work_for_the_company(self) -> None:
        self.tell()
        alert = self.raised(minute=1)
        assert self.log_in(self.ines).post(self.path(f"signals/{alert.pk}/part/")).status_code == 404
        alert.refresh_from_db()
        assert alert.state == State.MERGED


class EndedHeadTests(JoiningTestCase):
    """What a signal stood for is not lost with it, and does not follow it to another company."""

    def stands_alone(self, signal: Signal) -> None:
        signal.refresh_from_db()
        assert (signal.state, signal.folded_into, signal.parted) == (State.NEW, None, False)
        assert signal.awaits_processors

    def test_an_alert_stands_for_itself_once_its_ticket_moves_and_its_repeats_go_to_it(self) -> None:
        self.tell()
        alert = self.raised(minute=1)
        self.tell(minute=5, created_at=self.now, company_external_id="32")
        self.stands_alone(alert)
        assert (self.signal("20").company, occurrences(self.signal("20"), most=1)[0]) == (self.pinewood, 1)
        assert self.raised("b", minute=9).folded_into == alert
        self.cleared("a")
        self.cleared("b")
        alert.refresh_from_db()
        assert (alert.state, self.signal("20").state) == (State.RESOLVED, State.NEW)

    def test_an_alert_stands_for_itself_once_its_ticket_is_deleted_or_merged_at_the_source(self) -> None:
        for number, end in {"20": {"deleted": True}, "30": {"merged_into": "99"}}.items():
            self.tell(number)
            alert = self.raised(number + "a", minute=1)
            assert alert.state == State.MERGED
            self.tell(number, minute=5, created_at=self.now, **end)
            self.stands_alone(alert)
            self.cleared(number + "a")

    def test_an_alert_stands_for_itself_once_its_ticket_is_of_no_known_company(self) -> None:
        self.tell()
        alert = self.raised(minute=1)
        self.tell(minute=5, created_at=self.now, company_external_id="unknown")
        self.stands_alone(alert)

    def test_a_ticket_under_an_alert_that_is_deleted_stands_for_itself(self) -> None:
        self.raised()
        self.tell(minute=1)
        self.raised(minute=5, created_at=self.now, deleted=True)
        self.stands_alone(self.signal("20"))

    def test_repeats_of_one_source_stand_on_as_one_when_the_first_goes(self) -> None:
        for end in ({"deleted": True}, {"company_external_id": "32"}):
            self.tell("20")
            self.tell("21", minute=1)
            self.tell("22", minute=2)
            self.tell("20", minute=5, created_at=self.now, **end)
            self.stands_alone(self.signal("21"))
            assert self.signal("22").folded_into == self.signal("21")
            Signal.objects.for_organization(self.northwind).all().delete()

    def test_a_repeat_that_moves_leaves_the_first_one_behind(self) -> None:
        self.tell("20")
        self.tell("21", minute=1)
        self.tell("21", minute=5, created_at=self.now, company_external_id="32")
        self.stands_alone(self.signal("21"))
        assert (self.open_ones(), self.signal("21").company) == (["20", "21"], self.pinewood)

    def test_a_repeat_that_had_cleared_is_resolved_and_what_stands_is_new(self) -> None:
        self.tell("20")
        self.raised(minute=1)
        self.cleared()
        self.tell("20", minute=90, created_at=self.now, deleted=True)
        assert stored(self.rmm, "a").state == State.RESOLVED

    def test_a_person_who_gives_the_first_one_another_company_leaves_the_rest_behind(self) -> None:
        self.tell()
        alert = self.raised(minute=1)
        map_company(signal=self.signal("20"), company=self.pinewood, actor=self.actor(self.mara))
        self.stands_alone(alert)
        assert (self.signal("20").company, self.signal("20").state) == (self.pinewood, State.NEW)

    def test_a_ticket_that_a_run_took_over_leaves_the_alert_behind_when_it_moves_and_does_not_come_twice(self) -> None:
        self.raised()
        self.tell(minute=1)
        adopt_ticket(signal=stored(self.rmm, "a"), connection=self.psa, external_id="20")
        self.tell(minute=5, created_at=self.now, company_external_id="32")
        assert (self.open_ones(), self.signal("20").company) == (["20", "a"], self.pinewood)
        self.stands_alone(stored(self.rmm, "a"))

    def test_what_a_person_dismissed_takes_its_repeats_along(self) -> None:
        self.tell("20")
        self.tell("21", minute=1)
        dismiss_signal(signal=self.signal("20"), actor=self.actor(self.theo), reason="Noise")
        self.tell("20", minute=5, created_at=self.now, status="Waiting")
        assert self.signal("21").folded_into == self.signal("20")


class ClearedTests(JoiningTestCase):
    def test_an_alert_that_clears_stays_open_while_its_ticket_is_and_closes_with_it(self) -> None:
        alert = self.raised()
        self.tell(minute=1)
        self.cleared()
        alert.refresh_from_db()
        assert (alert.state, alert.state_reason) == (State.NEW, CLEARED_AND_OPEN)
        self.tell(minute=90, closed=True, created_at=self.now)
        alert.refresh_from_db()
        assert alert.state == State.RESOLVED

    def test_work_on_the_alert_is_work_on_its_ticket(self) -> None:
        alert = self.raised()
        self.tell(minute=1)
        note = NoteRecord("1", "Theo", "Looking at it.", True, self.now)
        self.raised(updated_at=self.now + timedelta(minutes=2), notes=(note,))
        self.cleared()
        alert.refresh_from_db()
        assert (alert.state, alert.state_reason) == (State.NEW, CLEARED_BUT_KEPT)

    def test_a_run_on_the_alert_takes_its_ticket_and_opens_no_second_one(self) -> None:
        alert = self.raised()
        self.tell(minute=1)
        ticket = joined_ticket(alert)
        assert ticket == self.signal("20")
        adopt_ticket(signal=alert, connection=self.psa, external_id="20")
        taken = self.signal("20")
        assert (taken.pk, taken.state, joined_ticket(taken)) == (alert.pk, State.NEW, None)
        self.tell(minute=2)
        self.cleared()
        assert all_cleared(self.northwind, taken.pk)
        assert [one.external_id for one in open_tickets(self.northwind, taken.pk)] == ["20"]
        self.tell("21", minute=300)
        assert self.open_ones() == ["20"]


class LeftStandingTests(JoiningTestCase):
    def close(self, *, ago: timedelta) -> None:
        """Somebody closes the ticket in the PSA."""
        closed_at = self.now - ago
        self.deliver(replace(self.told(), closed=True, updated_at=closed_at))

    def told(self) -> TicketRecord:
        """The ticket that was opened for the alert, five hours ago, and what the alert is."""
        began = self.now - timedelta(hours=5)
        text = "[RMM] HB-SRV-01: disk K: 97 % full"
        return self.ticket(
            "20", text, description=TOLD, device_external_ids=("812",), created_at=began, updated_at=began
        )

    def begin_both(self, *uids: str) -> None:
        began = self.now - timedelta(hours=5)
        self.deliver(self.told())
        for uid in uids:
            self.raised(uid, created_at=began, updated_at=began)

    def sweep(self) -> None:
        sweep_strays.call("")

    def test_an_alert_that_stands_an_hour_after_its_ticket_was_closed_is_a_signal_again(self) -> None:
        self.begin_both("a", "b")
        assert self.open_ones() == ["20"]
        self.close(ago=timedelta(minutes=61))
        self.sweep()
        assert self.open_ones() == ["a"]
        alert = stored(self.rmm, "a")
        assert (alert.state, alert.state_reason, alert.awaits_processors) == (State.NEW, STILL_STANDS, True)
        assert stored(self.rmm, "b").folded_into == alert
        self.sweep()
        assert self.open_ones() == ["a"]

    def test_it_has_an_hour_to_clear(self) -> None:
        self.begin_both("a")
        self.close(ago=timedelta(minutes=50))
        self.sweep()
        assert self.open_ones() == []
        assert stored(self.rmm, "a").folded_into == self.signal("20")

    def test_one_that_cleared_stays_with_its_ticket(self) -> None:
        self.begin_both("a")
        self.cleared()
        self.close(ago=timedelta(hours=3))
        self.sweep()
        assert self.open_ones() == []

    def test_one_that_the_ticket_was_opened_for_here_is_a_signal_again_too(self) -> None:
        began = self.now - timedelta(hours=5)
        adopt_ticket(signal=self.raised(created_at=began, updated_at=began), connection=self.psa, external_id="20")
        self.deliver(self.told())
        self.close(ago=timedelta(hours=2))
        self.sweep()
        assert self.open_ones() == ["a"]
        assert stored(self.rmm, "a").state_reason == STILL_STANDS


def test_names_are_drives_figures_and_words_with_a_capital_inside_of_a_sentence() -> None:
    told = "Windows service SQL Server (CASES) changed to STOPPED on SRV-1. Error 0x80070035 on K: after 5 minutes."
    assert names_in(told, "SRV-1") == ["SQL", "Server", "CASES", "STOPPED", "0x80070035", "K:"]
    assert names_in("No answer since 2 hours.", "") == []
