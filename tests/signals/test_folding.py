"""One problem is one signal, however often the monitoring tells of it; maintenance is quiet; what cleared closes."""

from __future__ import annotations

import re
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.utils import timezone

from integrations.contracts import NoteRecord, TicketRecord
from integrations.models import Connection
from junto.tenants.models import Company
from signals import tasks
from signals.intake.folding import CLEARED_BUT_KEPT, occurrences
from signals.intake.maintenance import WindowRefused, end_window, plan_window
from signals.models import MaintenanceWindow, ServiceHours, Signal
from signals.services import claim_signal, release_signal
from tests.cases import JuntoTestCase
from tests.factories import CompanyLinkFactory, ConnectionFactory
from tests.signals.deliveries import deliver, stored

State = Signal.State


class FoldingTestCase(JuntoTestCase):
    """NinjaOne's alerts about Harlow's devices."""

    def setUp(self) -> None:
        super().setUp()
        self.rmm: Connection = ConnectionFactory(organization=self.northwind, vendor="ninjaone", label="NinjaOne")
        self.now = timezone.now().replace(microsecond=0)
        for company, there in ((self.harlow, "31"), (self.pinewood, "32")):
            CompanyLinkFactory(company=company, connection=self.rmm, external_id=there)

    def alert(self, uid: str, *, minute: int = 0, cleared: bool = False, **fields: Any) -> TicketRecord:
        raised = self.now + timedelta(minutes=minute)
        told: dict[str, Any] = {
            "subject": "Disk C: is almost full",
            "company_external_id": "31",
            "device_external_ids": ("812",),
            "alert_type": "CONDITION_DISK",
            "created_at": raised,
            "updated_at": raised + timedelta(seconds=30 if cleared else 0),
            "closed": cleared,
        }
        return TicketRecord(external_id=uid, **(told | fields))

    def deliver(self, *alerts: TicketRecord) -> None:
        deliver(self.rmm, *alerts)

    def signal(self, uid: str) -> Signal:
        return stored(self.rmm, uid)

    def open_ones(self) -> list[str]:
        rows = Signal.objects.for_organization(self.northwind).filter(state__in=Signal.OPEN)
        return sorted(rows.values_list("external_id", flat=True))

    def window(self, *, company: Company | None = None, minutes: int = 60) -> MaintenanceWindow:
        return plan_window(
            actor=self.actor(self.adam),
            company=company or self.harlow,
            device=None,
            starts_at=self.now - timedelta(minutes=5),
            ends_at=self.now + timedelta(minutes=minutes),
            reason="New disks",
        )


class RepeatTests(FoldingTestCase):
    def test_repeats_fold_into_the_first_that_is_open_and_are_counted(self) -> None:
        self.deliver(self.alert("a"))
        self.deliver(self.alert("b", minute=1), self.alert("c", minute=2))
        assert self.open_ones() == ["a"]
        number, told = occurrences(self.signal("a"), most=10)
        assert (number, [one.number for one in told]) == (3, ["c", "b", "a"])
        assert self.signal("b").state_reason == "It repeats signal a."

    def test_another_device_condition_or_company_is_another_problem(self) -> None:
        self.deliver(
            self.alert("a"),
            self.alert("b", device_external_ids=("813",)),
            self.alert("c", alert_type="CONDITION_CPU"),
            self.alert("d", company_external_id="32"),
            self.alert("e", alert_type=""),
        )
        assert self.open_ones() == ["a", "b", "c", "d", "e"]

    def test_a_storm_delivered_twice_and_shuffled_is_one_signal_that_counts_right(self) -> None:
        storm = [self.alert(f"s{number}", minute=number) for number in range(60)]
        for seed in range(2):
            Random(seed).shuffle(storm)
            for start in range(0, 60, 7):
                self.deliver(*storm[start : start + 7])
        [head] = self.open_ones()
        assert occurrences(self.signal(head), most=5)[0] == 60

    def test_a_repeat_rings_for_no_processor_and_no_agent(self) -> None:
        self.deliver(self.alert("a"))
        self.drain()
        self.deliver(self.alert("b", minute=1))
        self.commit()
        self.drain()
        assert not self.signal("b").results.exists()

    def test_after_the_problem_was_solved_the_next_alert_is_a_new_one(self) -> None:
        self.deliver(self.alert("a"))
        Signal.objects.for_organization(self.northwind).update(state=State.RESOLVED)
        self.deliver(self.alert("b", minute=5))
        assert self.open_ones() == ["b"]


class ClearingTests(FoldingTestCase):
    def test_the_signal_closes_when_all_that_repeats_it_has_cleared(self) -> None:
        self.deliver(self.alert("a"), self.alert("b", minute=1))
        self.deliver(self.alert("a", cleared=True))
        assert self.signal("a").state == State.NEW
        self.deliver(self.alert("b", minute=1, cleared=True))
        assert self.signal("a").state == State.RESOLVED

    def test_what_a_person_has_worked_on_stays_open_and_says_so(self) -> None:
        self.deliver(self.alert("a"))
        note = NoteRecord("1", "Theo", "Looking at it.", True, self.now)
        self.deliver(self.alert("a", updated_at=self.now + timedelta(seconds=5), notes=(note,)))
        self.deliver(self.alert("a", cleared=True))
        assert (self.signal("a").state, self.signal("a").state_reason) == (State.NEW, CLEARED_BUT_KEPT)

    def test_what_only_the_agent_has_looked_at_closes(self) -> None:
        self.deliver(self.alert("a"))
        agent = self.actor(self.theo)
        claim_signal(self.signal("a"), actor=agent)
        release_signal(self.signal("a"), actor=agent)
        self.deliver(self.alert("a", cleared=True))
        assert self.signal("a").state == State.RESOLVED

    def test_a_ticket_of_the_psa_closes_by_its_status_alone(self) -> None:
        psa = ConnectionFactory(organization=self.northwind)
        CompanyLinkFactory(company=self.harlow, connection=psa, external_id="31")
        deliver(psa, self.alert("7"), self.alert("8", minute=1))
        deliver(psa, self.alert("7", cleared=True, assignee="Theo"))
        assert stored(psa, "7").state == State.RESOLVED

    def test_one_that_is_raised_again_is_open_again(self) -> None:
        self.deliver(self.alert("a"))
        self.deliver(self.alert("a", cleared=True))
        self.deliver(self.alert("a", updated_at=self.now + timedelta(minutes=1)))
        assert self.signal("a").state == State.NEW


class MaintenanceTests(FoldingTestCase):
    def kept_quiet(self) -> list[str]:
        """What the page says under *Kept quiet*, by window."""
        page = self.client.get(self.path("maintenance/")).content.decode()
        cells = re.findall(r'data-label="Kept quiet">(.*?)</td>', page, re.DOTALL)
        return [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in cells]

    def test_alerts_raised_in_it_are_quiet_and_say_why(self) -> None:
        self.window()
        self.deliver(self.alert("a"), self.alert("b", company_external_id="32"), self.alert("c", alert_type=""))
        assert self.open_ones() == ["b", "c"]
        assert "maintenance" in self.signal("a").state_reason
        assert "New disks" in self.signal("a").state_reason

    def test_what_still_stands_when_it_ends_is_due_once_and_what_cleared_is_not(self) -> None:
        window = self.window()
        self.deliver(self.alert("a"), self.alert("b", minute=1), self.alert("c", alert_type="CPU"))
        self.deliver(self.alert("c", alert_type="CPU", cleared=True))
        MaintenanceWindow.objects.for_organization(self.northwind).update(ends_at=self.now)
        tasks.end_maintenance.call("")
        tasks.end_maintenance.call("")
        assert self.open_ones() == ["a"]
        assert occurrences(self.signal("a"), most=5)[0] == 2
        window.refresh_from_db()
        assert window.settled_at is not None

    def test_an_admin_ends_it_early(self) -> None:
        window = self.window()
        self.deliver(self.alert("a"))
        assert end_window(actor=self.actor(self.adam), window=window) == 1
        assert self.open_ones() == ["a"]

    def test_one_that_is_over_tells_what_it_kept_quiet_and_how_many_of_these_stood_at_the_end(self) -> None:
        window = self.window()
        self.deliver(self.alert("a"), self.alert("b", minute=1), self.alert("c", alert_type="CPU"))
        self.deliver(self.alert("c", alert_type="CPU", cleared=True))
        self.log_in(self.adam)
        assert self.kept_quiet() == ["3 alerts"]
        end_window(actor=self.actor(self.adam), window=window)
        assert self.kept_quiet() == ["3 alerts 2 stood at the end"]
        Signal.objects.for_organization(self.northwind).delete()
        assert self.kept_quiet() == ["3 alerts 2 stood at the end"]

    def test_what_another_window_keeps_quiet_on_is_counted_by_both(self) -> None:
        first = self.window(minutes=60)
        self.deliver(self.alert("a"))
        longer = self.window(minutes=90)
        assert end_window(actor=self.actor(self.adam), window=first) == 1
        assert (self.signal("a").state, self.signal("a").quiet_by) == (State.DISMISSED, longer)
        self.deliver(self.alert("a", cleared=True))
        assert end_window(actor=self.actor(self.adam), window=longer) == 0
        self.log_in(self.adam)
        assert sorted(self.kept_quiet()) == ["1 alert 1 stood at the end", "1 alert None stood at the end"]

    def test_one_that_was_over_before_anybody_counted_tells_what_is_known_of_it(self) -> None:
        window = self.window()
        self.deliver(self.alert("a"))
        end_window(actor=self.actor(self.adam), window=window)
        MaintenanceWindow.objects.for_organization(self.northwind).update(kept_quiet=None, stood_at_end=None)
        self.log_in(self.adam)
        assert self.kept_quiet() == ["1 alert"]

    def test_one_that_has_not_begun_is_called_off_with_its_times_and_can_be_planned_anew(self) -> None:
        self.log_in(self.adam)
        form = {"company": str(self.harlow.pk), "starts_at": "2027-10-30T22:00", "ends_at": "2027-10-31T06:00"}
        form["reason"] = "New firewall"
        assert self.client.post(self.path("maintenance/"), form).status_code == 302
        planned = MaintenanceWindow.objects.for_organization(self.northwind).get()
        page = self.client.get(self.path("maintenance/")).content.decode()
        assert ("30 Oct 2027 22:00" in page, "31 Oct 2027 06:00" in page, "Call off" in page) == (True, True, True)
        answer = self.client.post(self.path(f"maintenance/{planned.pk}/end/"), follow=True).content.decode()
        assert ("is called off" in answer, "Called off" in answer, "30 Oct 2027 22:00" in answer) == (True, True, True)
        off = MaintenanceWindow.objects.for_organization(self.northwind).get()
        assert (off.starts_at, off.ends_at) == (planned.starts_at, planned.ends_at)
        assert self.client.post(self.path("maintenance/"), form).status_code == 302
        again = self.client.post(self.path("maintenance/"), form)
        assert (again.status_code, "This window is set already." in again.content.decode()) == (400, True)

    def test_an_hour_that_comes_twice_or_never_can_be_chosen(self) -> None:
        ServiceHours.objects.create(organization=self.northwind, time_zone="Europe/Berlin")
        self.log_in(self.adam)
        form = {"company": str(self.harlow.pk), "reason": "Night work"}
        for starts, ends in (("2027-10-31T02:30", "2027-10-31T02:45"), ("2027-03-28T02:30", "2027-03-28T04:00")):
            answer = self.client.post(self.path("maintenance/"), form | {"starts_at": starts, "ends_at": ends})
            assert answer.status_code == 302, starts
        rows = MaintenanceWindow.objects.for_organization(self.northwind).order_by("starts_at")
        assert [(f"{row.starts_at:%H:%M}", f"{row.ends_at:%H:%M}") for row in rows] == [
            ("01:30", "02:00"),  # 03:30 to 04:00 in summer time
            ("00:30", "01:45"),  # from the first 02:30 to the second 02:45
        ]

    def test_an_alert_from_before_it_stays(self) -> None:
        self.deliver(self.alert("a", minute=-30))
        self.window()
        self.deliver(self.alert("a", minute=-30, updated_at=self.now))
        assert self.open_ones() == ["a"]

    def test_one_that_is_over_or_too_long_is_refused(self) -> None:
        for minutes in (-10, 60 * 24 * 20):
            with pytest.raises(WindowRefused):
                self.window(minutes=minutes)
