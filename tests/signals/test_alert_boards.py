"""Tickets that a monitoring opens in the PSA fold like alerts, on the boards that an Admin chose for that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from integrations.contracts import TicketRecord
from integrations.models import Connection, Device
from junto.audit.models import AuditEntry
from signals.intake.alert_words import condition_in
from signals.intake.folding import occurrences
from signals.intake.maintenance import plan_window
from signals.intake.placing import place_waiting
from signals.intake.unfolding import STILL_OPEN
from signals.models import Board, Signal
from signals.services import claim_signal
from signals.sync.polling import poll_connection
from tests.cases import JuntoTestCase
from tests.factories import CompanyFactory, CompanyLinkFactory, ConnectionFactory, DeviceFactory
from tests.integrations.connected import ConnectedTestCase
from tests.signals.deliveries import deliver, stored

State = Signal.State


class AlertBoardsTestCase(JuntoTestCase):
    """A PSA whose board 7 an RMM opens tickets on, and a server of Harlow's."""

    def setUp(self) -> None:
        super().setUp()
        self.psa: Connection = ConnectionFactory(organization=self.northwind)
        CompanyLinkFactory(company=self.harlow, connection=self.psa, external_id="31")
        CompanyLinkFactory(company=self.pinewood, connection=self.psa, external_id="32")
        self.server: Device = DeviceFactory(
            company=self.harlow, connection=self.psa, external_id="812", name="HB-SRV-01"
        )
        self.now = timezone.now().replace(microsecond=0)

    def ticket(self, number: str, subject: str, *, minute: int = 0, **fields: Any) -> TicketRecord:
        moment = self.now + timedelta(minutes=minute)
        told: dict[str, Any] = {
            "company_external_id": "31",
            "board_external_id": "7",
            "board_name": "Alerts",
            "created_at": moment,
            "updated_at": moment,
        }
        return TicketRecord(external_id=number, subject=subject, **(told | fields))

    def deliver(self, *tickets: TicketRecord) -> None:
        deliver(self.psa, *tickets)

    def signal(self, number: str) -> Signal:
        return stored(self.psa, number)

    def choose(self, *names: str) -> str:
        """Adam ticks the boards on the page of maintenance; returns what the page says then."""
        boards = Board.objects.for_organization(self.northwind).filter(name__in=names)
        form = {"boards": [str(board.pk) for board in boards]}
        answer = self.log_in(self.adam).post(self.path("maintenance/alert-boards/"), form, follow=True)
        return str(answer.content.decode())

    def begin(self) -> None:
        """Junto has heard of the board, which holds alerts."""
        self.deliver(self.ticket("1", "Board opened", closed=True))
        assert "Saved." in self.choose("Alerts")

    def open_ones(self) -> list[str]:
        rows = Signal.objects.for_organization(self.northwind).filter(state__in=Signal.OPEN)
        return sorted(rows.values_list("external_id", flat=True))


class FoldingTicketsTests(AlertBoardsTestCase):
    def test_the_same_problem_of_a_device_folds_whatever_was_measured(self) -> None:
        self.begin()
        self.deliver(self.ticket("20", "[RMM] HB-SRV-01: disk K: 97 % full", device_external_ids=("812",)))
        self.deliver(self.ticket("21", "[RMM] HB-SRV-01: disk K: 98% full", minute=9, device_external_ids=("812",)))
        assert self.open_ones() == ["20"]
        assert self.signal("20").alert_type == "[RMM] disk K: full"
        assert self.signal("21").state_reason == "It repeats signal 20."
        number, told = occurrences(self.signal("20"), most=5)
        assert (number, [one.number for one in told]) == (2, ["21", "20"])

    def test_of_those_under_a_ticket_that_is_closed_the_oldest_still_open_stands_for_the_rest(self) -> None:
        self.begin()
        numbers = ("20", "21", "22", "23")
        told = {each: self.ticket(each, "HB-SRV-01: disk G: 91 % full", minute=int(each)) for each in numbers}
        self.deliver(*told.values())
        self.deliver(replace(told["21"], closed=True, updated_at=self.now + timedelta(minutes=30)))
        assert self.open_ones() == ["20"]
        self.deliver(replace(told["20"], closed=True, updated_at=self.now + timedelta(minutes=31)))
        assert self.open_ones() == ["22"]
        assert self.signal("22").state_reason == STILL_OPEN
        assert self.signal("22").awaits_processors
        assert self.signal("23").folded_into == self.signal("22")
        assert (self.signal("20").state, self.signal("21").state) == (Signal.State.RESOLVED, Signal.State.MERGED)

    def test_another_disk_device_company_or_board_is_another_problem(self) -> None:
        self.begin()
        DeviceFactory(company=self.harlow, connection=self.psa, external_id="813", name="HB-SRV-02")
        self.deliver(
            self.ticket("20", "[RMM] HB-SRV-01: disk K: 97 % full"),
            self.ticket("21", "[RMM] HB-SRV-01: disk C: 97 % full"),
            self.ticket("22", "[RMM] HB-SRV-02: disk K: 97 % full"),
            self.ticket("23", "[RMM] HB-SRV-01: disk K: 97 % full", company_external_id="32"),
            self.ticket("24", "[RMM] HB-SRV-01: disk K: 97 % full", board_external_id="8", board_name="Help desk"),
        )
        assert self.open_ones() == ["20", "21", "22", "23", "24"]
        assert self.signal("24").alert_type == ""

    def test_without_the_choice_nothing_folds(self) -> None:
        self.deliver(self.ticket("20", "[RMM] HB-SRV-01: offline"), self.ticket("21", "[RMM] HB-SRV-01: offline"))
        assert (self.open_ones(), self.signal("20").alert_type) == (["20", "21"], "")

    def test_the_device_is_the_one_of_the_company_that_the_summary_names(self) -> None:
        self.begin()
        DeviceFactory(company=self.harlow, connection=self.psa, external_id="813", name="HB-SRV-011")
        DeviceFactory(company=self.pinewood, connection=self.psa, external_id="814", name="PW-SRV-01")
        self.deliver(
            self.ticket("20", "hb-srv-01 is offline"),
            self.ticket("21", "HB-SRV-01 cannot reach HB-SRV-011"),
            self.ticket("22", "PW-SRV-01 is offline"),
        )
        assert self.signal("20").device == self.server
        assert (self.signal("21").device, self.signal("22").device) == (None, None)

    def test_a_ticket_that_people_rename_and_classify_stays_the_alert_it_was(self) -> None:
        self.begin()
        self.deliver(self.ticket("20", "HB-SRV-01: disk K: 97 % full"))
        self.deliver(self.ticket("20", "Clean up K: with the client", minute=1, type="Server", subtype="Disk"))
        self.deliver(self.ticket("21", "HB-SRV-01: disk K: 99 % full", minute=2))
        assert self.open_ones() == ["20"]

    def test_an_alert_type_that_the_source_tells_counts(self) -> None:
        self.begin()
        self.deliver(self.ticket("20", "HB-SRV-01: disk K: 97 % full", alert_type="DISK"))
        self.deliver(self.ticket("20", "HB-SRV-01: disk K: 97 % full", minute=1))
        assert self.signal("20").alert_type == "DISK"

    def test_tickets_fold_once_their_company_is_known(self) -> None:
        self.begin()
        for number in ("20", "21"):
            self.deliver(self.ticket(number, "HB-SRV-01: disk K: 97 % full", company_external_id="33"))
        assert self.open_ones() == ["20", "21"]
        kite = CompanyFactory(organization=self.northwind, name="Kite")
        server = DeviceFactory(company=kite, connection=self.psa, external_id="815", name="HB-SRV-01")
        CompanyLinkFactory(company=kite, connection=self.psa, external_id="33")
        place_waiting(self.psa)
        assert len(self.open_ones()) == 1
        assert (self.signal("20").device, self.signal("20").alert_type) == (server, "disk K: full")

    def test_maintenance_keeps_them_quiet(self) -> None:
        self.begin()
        plan_window(
            actor=self.actor(self.adam),
            company=self.harlow,
            device=self.server,
            starts_at=self.now - timedelta(minutes=5),
            ends_at=self.now + timedelta(hours=1),
            reason="New disks",
        )
        self.deliver(self.ticket("20", "HB-SRV-01 is offline"), self.ticket("21", "HB-SRV-09 is offline"))
        assert (self.open_ones(), self.signal("20").state) == (["21"], State.DISMISSED)


class ChoosingTests(AlertBoardsTestCase):
    def test_what_is_open_folds_at_once_but_not_what_somebody_has_begun_on(self) -> None:
        for number in ("20", "21", "22"):
            self.deliver(self.ticket(number, "HB-SRV-01: disk K: 97 % full", minute=int(number)))
        claim_signal(self.signal("22"), actor=self.actor(self.theo))
        assert "Saved. 1 open ticket repeats another." in self.choose("Alerts")
        assert self.open_ones() == ["20", "22"]
        entry = AuditEntry.objects.for_organization(self.northwind).filter(verb="alerts.boards_set").last()
        assert entry is not None
        assert entry.detail == {"boards": ["Alerts"]}
        page = self.log_in(self.adam).get(self.path("maintenance/")).content.decode()
        assert "Tickets of these boards are alerts" in page
        assert "checked" in page

    def test_taken_back_what_is_folded_stays_and_nothing_more_folds(self) -> None:
        self.begin()
        self.deliver(self.ticket("20", "HB-SRV-01 is offline"), self.ticket("21", "HB-SRV-01 is offline", minute=1))
        self.choose()
        self.deliver(self.ticket("22", "HB-SRV-01 is offline", minute=2))
        assert self.open_ones() == ["20", "22"]

    def test_it_is_for_those_who_manage_integrations_and_for_their_own_boards(self) -> None:
        self.begin()
        board = Board.objects.for_organization(self.northwind).get(name="Alerts")
        for member, status in ((self.theo, 403), (self.mara, 403), (self.ines, 404)):
            answer = self.log_in(member).post(self.path("maintenance/alert-boards/"), {"boards": []})
            assert answer.status_code == status
        board.refresh_from_db()
        assert board.holds_alerts
        form = {"boards": ["0b8a4b7e-0000-4000-8000-000000000000"]}
        answer = self.log_in(self.adam).post(self.path("maintenance/alert-boards/"), form, follow=True)
        assert "Nothing was saved" in answer.content.decode()


class PolledTests(ConnectedTestCase):
    def test_the_poll_folds_what_an_rmm_opens_in_connectwise(self) -> None:
        poll_connection(self.connection)
        board = Board.objects.for_organization(self.northwind).get(name="Alerts")
        self.log_in(self.adam).post(self.path("maintenance/alert-boards/"), {"boards": [str(board.pk)]})
        record = {"company": {"identifier": "HARBOR"}, "board": {"name": "Alerts"}}
        numbers = [
            self.sandbox.plant("tickets", {"summary": f"[RMM] HBR-SRV-01: memory {used} % in use", **record})["id"]
            for used in (91, 96)
        ]
        poll_connection(self.connection)
        first, second = (stored(self.connection, str(number)) for number in numbers)
        assert (first.alert_type, second.state, second.folded_into) == ("[RMM] memory in use", State.MERGED, first)
        assert first.device is not None
        page = self.log_in(self.theo).get(self.path(f"signals/{first.pk}/")).content.decode()
        assert "Told 2 times" in page


def test_what_was_measured_and_when_is_no_part_of_a_condition_and_what_is_counted_from_is() -> None:
    names = ["HB-SRV-01", "DC"]
    for one, other in (
        ("HB-SRV-01: disk K: 97 % full", "HB-SRV-01 disk K: 3.5% full"),
        ("No answer since 40 minutes (21.11.2026 14:05)", "No answer since 2 h (2026-11-22 02:17)"),
        ("Temperature 71 °C on HB-SRV-01", "Temperature 68°C on HB-SRV-01"),
        ("Used 109 GB of 120 GB", "Used 110.5 GB of 120 GB"),
        ("Backup missed at 14:05", "Backup missed at 15:10"),
        ("Sicherung fehlt (22.11.2026, um 02:17)", "Sicherung fehlt (23.11.2026, um 03:00)"),
        ("Stopped 2026-11-22T02:17:00Z", "Stopped 2026-11-23T04:17:09Z"),
        ("Stopped 11/22/2026 2:17 PM", "Stopped 11/23/2026 10:45 AM"),
        ("CPU 97 % busy, drive 95 % full", "CPU 98 % busy, drive 96 % full"),
        ("Down since 3 h", "Down since 4 h"),
        ("Offline 09:15:22", "Offline 10:15:23"),
    ):
        assert condition_in(one, names) == condition_in(other, names), one
    for one, other in (
        ("disk C: 97 % full", "disk D: 97 % full"),
        ("drive 3 has failed", "drive 4 has failed"),
        ("HB-SRV-02 is offline", "HB-SRV-03 is offline"),
        ("No answer of 192.0.2.10", "No answer of 192.0.2.11"),
        ("Port 1/0/24 is down", "Port 1/0/23 is down"),
        ("interface 2/1/1 is down", "interface 1/1/1 is down"),
        ("Update 1.2.3 failed", "Update 1.2.4 failed"),
        ("Update 10.0.2026 failed", "Update 11.0.2026 failed"),
        ("Physical Disk 0:10 failed", "Physical Disk 0:11 failed"),
        ("Physical Disk 0:1:10 failed", "Physical Disk 0:1:11 failed"),
        ("Slot 3 h has failed", "Slot 4 h has failed"),
        ("LUN 4 D is offline", "LUN 5 D is offline"),
        ("Bay 2 C: no battery", "Bay 3 C: no battery"),
        ("Volume 1 TB-Archive is full", "Volume 2 TB-Archive is full"),
        ("Drive 4 GB-Pool is full", "Drive 5 GB-Pool is full"),
        ("Rule 12-24 failed", "Rule 12-25 failed"),
        (f"{'Long ' * 30} one", f"{'Long ' * 30} two"),
    ):
        assert condition_in(one, names) != condition_in(other, names), one
    assert condition_in("97 %", names) == "97 %"
    assert len(condition_in("x" * 300, [])) <= 120
