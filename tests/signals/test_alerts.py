"""NinjaOne's alerts become signals: the poll of its list over HTTP, against the vendor sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from integrations.lifecycle import let_alerts_in
from integrations.models import CompanyLink, Connection, Device, SyncCursor
from integrations.services import pause_connection
from signals import tasks
from signals.intake.folding import CLEARED_BUT_KEPT, occurrences
from signals.intake.maintenance import plan_window
from signals.models import Signal
from signals.services import adopt_ticket, claim_signal
from signals.sync.alerts import poll_alerts
from signals.sync.urgencies import alert_priorities
from tests.factories import SignalFactory
from tests.integrations.monitored import MonitoredTestCase
from tests.signals.deliveries import stored

State = Signal.State
DISK = "CONDITION_AGENT_DISK_FREE_SPACE"


class AlertsTestCase(MonitoredTestCase):
    """Alerts are wanted; `lab` is a workstation of Harbor's, which is linked, and `law` a server of another client."""

    def setUp(self) -> None:
        super().setUp()
        let_alerts_in(actor=self.actor(self.adam), connection=self.monitoring, taken=True)
        self.lab, self.law = self.number("HBR-WS-LAB"), self.number("BWL-SRV-01")

    def raise_alert(self, on: int = 0, **fields: Any) -> str:
        """An alert in NinjaOne; returns its uid."""
        told = {"subject": "Low disk", "message": "C: is below 5%", "sourceType": DISK, "severity": "MAJOR"}
        planted = self.sandbox.plant_monitored("alerts", {"deviceId": on or self.lab, **told, **fields})
        return str(planted["uid"])

    def signal(self, uid: str) -> Signal:
        return stored(self.monitoring, uid)

    def poll(self) -> None:
        report = poll_alerts(self.monitoring)
        assert report is not None
        assert report.error == ""

    def arrived(self) -> int:
        return Signal.objects.for_organization(self.northwind).filter(connection=self.monitoring).count()


class StandingTests(AlertsTestCase):
    def test_an_alert_is_a_signal_with_its_company_device_and_condition_and_no_ticket(self) -> None:
        uid = self.raise_alert()
        self.poll()
        signal = self.signal(uid)
        assert (signal.company, signal.state, signal.alert_type) == (self.harbor, State.NEW, f"{DISK}: Low disk")
        assert (signal.subject, signal.description) == (
            "Low disk on HBR-WS-LAB",
            "C: is below 5%\n\nSeverity: MAJOR.",
        )
        assert signal.device is not None
        assert (signal.device.name, signal.device.external_id) == ("HBR-WS-LAB", str(self.lab))
        assert (signal.has_ticket, signal.number, signal.priority_number) == (False, "", 2)

    def test_alerts_bear_the_priorities_of_the_psa_and_the_admin_sees_which(self) -> None:
        uids = [self.raise_alert(severity=word, subject=word) for word in ("CRITICAL", "MODERATE", "MINOR")]
        self.poll()
        names = ["Priority 1 - Critical", "Priority 3 - Normal", "Priority 4 - Low"]
        assert [self.signal(uid).priority for uid in uids] == names
        page = self.log_in(self.adam).get(self.path(f"connections/{self.monitoring.pk}/sync/"))
        self.assertContains(page, "Priority 3 - Normal")
        self.assertContains(page, "They are on no board")

    def test_an_alert_that_came_under_another_name_is_renamed_with_the_next_poll(self) -> None:
        uid = self.raise_alert(severity="MODERATE")
        self.poll()
        Signal.objects.for_organization(self.northwind).filter(external_id=uid).update(priority="Priority 3 - Medium")
        self.poll()
        assert self.signal(uid).priority == "Priority 3 - Normal"

    def test_where_the_psa_cannot_be_asked_its_tickets_tell_its_words_and_without_any_the_usual_ones_count(
        self,
    ) -> None:
        cache.clear()
        self.sandbox.fault("status", status=403, vendor="connectwise", count=None)
        assert alert_priorities(self.northwind)[2] == "Priority 3 - Medium"
        SignalFactory(connection=self.connection, company=self.harbor, priority="P3 whenever")
        assert alert_priorities(self.northwind)[2] == "P3 whenever"

    def test_a_second_poll_changes_nothing(self) -> None:
        self.poll()
        number = self.arrived()
        report = poll_alerts(self.monitoring)
        assert report is not None
        assert number == len(self.sandbox.monitored("alerts"))
        assert (report.read, report.changed, self.arrived()) == (number, 0, number)

    def test_repeats_fold_and_another_condition_of_the_same_kind_does_not(self) -> None:
        first = self.raise_alert()
        self.poll()
        again, other = self.raise_alert(), self.raise_alert(subject="No space for the backup")
        self.poll()
        assert occurrences(self.signal(first), most=5)[0] == 2
        assert (self.signal(again).state, self.signal(other).state) == (State.MERGED, State.NEW)

    def test_an_organization_that_is_linked_to_no_company_waits_for_review_and_folds_when_it_is_linked(self) -> None:
        uids = [self.raise_alert(self.law, createTime=1_700_000_000.0 + each) for each in range(2)]
        self.poll()
        assert {self.signal(uid).state for uid in uids} == {State.NEEDS_REVIEW}
        assert "is not linked" in self.signal(uids[0]).state_reason
        there = self.signal(uids[0]).company_external_id
        named = {str(one["id"]): one["name"] for one in self.sandbox.monitored("organizations")}
        links = CompanyLink.objects.for_organization(self.northwind)
        law = links.get(connection=self.connection, external_name=named[there])
        self.link_there(law.company, there)
        tasks.place_waiting.call(str(self.monitoring.pk))
        self.poll()
        assert {self.signal(uid).company for uid in uids} == {law.company}
        assert sorted(self.signal(uid).state for uid in uids) == [State.MERGED, State.NEW]

    def test_a_window_of_the_device_that_the_psa_knows_keeps_its_alerts_quiet(self) -> None:
        psa = Device.objects.for_organization(self.northwind).get(connection=self.connection, name="HBR-WS-LAB")
        now = timezone.now()
        plan_window(
            actor=self.actor(self.adam),
            company=self.harbor,
            device=psa,
            starts_at=now - timedelta(minutes=5),
            ends_at=now + timedelta(hours=1),
            reason="New disk",
        )
        uid = self.raise_alert()
        self.poll()
        assert self.signal(uid).state == State.DISMISSED

    def test_where_the_list_does_not_say_whose_a_device_is_it_is_asked_for_and_only_for_news(self) -> None:
        uid = self.raise_alert(device=None)
        self.poll()
        assert (self.signal(uid).company, self.signal(uid).subject) == (self.harbor, "Low disk on HBR-WS-LAB")
        asked = len(self.asked("/v2/device/{id}"))
        self.poll()
        assert len(self.asked("/v2/device/{id}")) == asked == 1


class ClearingTests(AlertsTestCase):
    def test_what_no_longer_stands_is_resolved_and_keeps_what_was_told(self) -> None:
        uid = self.raise_alert()
        self.poll()
        self.sandbox.clear_alert(uid)
        self.poll()
        signal = self.signal(uid)
        assert (signal.state, signal.closed_at_source, signal.source_status) == (State.RESOLVED, True, "Cleared")
        assert signal.description == "C: is below 5%\n\nSeverity: MAJOR."
        assert signal.company == self.harbor

    def test_what_a_person_works_on_stays_open(self) -> None:
        uid = self.raise_alert()
        self.poll()
        claim_signal(self.signal(uid), actor=self.actor(self.theo))
        self.signal(uid).notes.create(
            organization=self.northwind, external_id="1", author="Theo", text="On it.", written_at=timezone.now()
        )
        self.sandbox.clear_alert(uid)
        self.poll()
        assert self.signal(uid).state in Signal.OPEN
        assert self.signal(uid).state_reason == CLEARED_BUT_KEPT

    def test_one_that_stands_again_as_if_nothing_had_been_is_open_again(self) -> None:
        uid = self.raise_alert(createTime=1_700_000_000.0, updateTime=1_700_000_000.0)
        self.poll()
        self.sandbox.clear_alert(uid)
        self.poll()
        self.raise_alert(uid=uid, createTime=1_700_000_000.0, updateTime=1_700_000_000.0)
        self.poll()
        self.poll()
        assert self.signal(uid).state == State.NEW

    def test_a_failure_of_the_vendor_clears_nothing_and_is_told_on_the_connection(self) -> None:
        uid = self.raise_alert()
        self.poll()
        self.sandbox.fault(count=None, kind="status", status=500)
        report = poll_alerts(self.monitoring)
        self.sandbox.clear_faults()
        assert report is not None
        assert report.error
        assert self.signal(uid).state == State.NEW
        row = Connection.objects.for_organization(self.northwind).get(pk=self.monitoring.pk)
        assert (row.state, row.state_detail) == (Connection.State.FAILING, report.error)

    def test_an_alert_whose_ticket_was_opened_is_told_again_and_brings_no_second_signal(self) -> None:
        uid = self.raise_alert()
        self.poll()
        head = self.signal(uid)
        adopt_ticket(signal=head, connection=self.connection, external_id="48999")
        self.raise_alert()
        self.poll()
        self.sandbox.clear_alert(uid)
        self.poll()
        live = Signal.objects.for_organization(self.northwind).filter(
            alert_type=head.alert_type, device=head.device, state__in=Signal.OPEN
        )
        assert [one.external_id for one in live] == ["48999"]


class SwitchTests(AlertsTestCase):
    def press(self, taken: str) -> int:
        page = self.log_in(self.adam).post(self.path(f"connections/{self.monitoring.pk}/alerts/"), {"taken": taken})
        self.monitoring.refresh_from_db()
        return page.status_code

    def test_nothing_is_read_where_alerts_are_not_wanted(self) -> None:
        assert self.press("no") == 302
        tasks.poll_connection.call(str(self.monitoring.pk))
        assert (self.monitoring.takes_alerts, self.arrived()) == (False, 0)
        assert self.press("yes") == 302
        tasks.poll_connection.call(str(self.monitoring.pk))
        assert self.arrived() > 0

    def test_whoever_may_not_manage_integrations_cannot_switch_and_a_psa_has_no_switch(self) -> None:
        for member, connection, status in ((self.theo, self.monitoring, 403), (self.adam, self.connection, 404)):
            path = self.path(f"connections/{connection.pk}/alerts/")
            assert self.log_in(member).post(path, {"taken": "no"}).status_code == status
        self.monitoring.refresh_from_db()
        assert self.monitoring.takes_alerts

    def test_a_paused_connection_is_left_alone_and_goes_on_later(self) -> None:
        pause_connection(actor=self.actor(self.adam), connection=self.monitoring, paused=True)
        tasks.poll_connection.call(str(self.monitoring.pk))
        assert self.arrived() == 0
        pause_connection(actor=self.actor(self.adam), connection=self.monitoring, paused=False)
        tasks.poll_connection.call(str(self.monitoring.pk))
        assert self.arrived() > 0
        cursor = SyncCursor.objects.for_organization(self.northwind).get(connection=self.monitoring)
        assert cursor.high_water is not None
