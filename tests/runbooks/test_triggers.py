"""Triggers as Mara sets them in the admin, and what becomes of wrong ones."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from junto.audit.models import AuditEntry
from junto.tenants.permissions import PermissionDenied
from runbooks.firing import fire_on_signal
from runbooks.models import Runbook, Trigger, TriggerFiring
from runbooks.services import publish_runbook, save_draft
from runbooks.triggers import remove_trigger, save_trigger, switch_trigger
from signals.models import ProcessorResult, ReviewItem, Signal
from tests.factories import BoardFactory, SignalFactory
from tests.runbooks.cases import RunbookCase


class TriggerCase(RunbookCase):
    runbook: Runbook

    def setUp(self) -> None:
        super().setUp()
        self.runbook = self.published()
        self.log_in(self.mara)

    def page(self, rest: str = "") -> str:
        return self.path(f"admin/runbooks/runbook/{self.runbook.pk}/triggers/{rest}")

    def add(self, kind: str, **form: Any) -> Any:
        """Mara fills the form of one kind in; the page that follows."""
        return self.client.post(self.page(f"add/{kind}/"), form, follow=True)

    def only(self) -> Trigger:
        return Trigger.unscoped.get()


class PageTests(TriggerCase):
    def test_a_ticket_type_is_added_and_stands_in_the_list(self) -> None:
        page = self.add("classification", type="Access", subtype="Password")
        self.assertContains(page, "Type Access / Password")
        assert (self.only().enabled, self.only().runbook) == (True, self.runbook)
        assert AuditEntry.unscoped.filter(organization=self.northwind, verb="trigger.added").exists()

    def test_an_alert_type_is_limited_to_a_board_and_companies(self) -> None:
        board = BoardFactory(organization=self.northwind, name="Monitoring")
        page = self.add("alert", alert_type="disk_full", board=str(board.pk), companies=[str(self.harlow.pk)])
        self.assertContains(page, "Board Monitoring")
        assert list(self.only().companies.all()) == [self.harlow]

    def test_a_schedule_says_when_it_is_due_next(self) -> None:
        form = {"cron": "0 3 * * mon", "time_zone": "Europe/Berlin", "grace_minutes": "30"}
        page = self.add("schedule", companies=[str(self.harlow.pk)], **form)
        trigger = self.only()
        assert trigger.next_due is not None
        self.assertContains(page, f"Next {trigger.local(trigger.next_due):%-d %b %Y} 03:00 (Europe/Berlin)")
        assert (trigger.local(trigger.next_due).hour, trigger.local(trigger.next_due).weekday()) == (3, 0)

    def test_what_cannot_be_is_said_at_its_field(self) -> None:
        page = self.add("schedule", cron="every monday", time_zone="Mars/Olympus", grace_minutes="-1")
        for words in ("Ensure this value is greater than or equal to 0.",):
            self.assertContains(page, words)
        page = self.add("schedule", cron="every monday", time_zone="Mars/Olympus", grace_minutes="5")
        for words in ("Five fields are expected", "There is no such time zone"):
            self.assertContains(page, words)
        page = self.add("schedule", cron="0 3 * * *", time_zone="UTC", grace_minutes="5")
        self.assertContains(page, "Choose for which companies")
        self.assertContains(self.add("classification"), "Name the ticket type.")
        self.assertContains(self.add("alert"), "Name the alert type.")
        assert not Trigger.unscoped.exists()

    def test_a_schedule_comes_at_most_every_five_minutes(self) -> None:
        for cron in ("* * * * *", "0,2 * * * *", "0,6,12,18,24,30,36,42,48,54,55 * * * *"):
            page = self.add("schedule", cron=cron, time_zone="UTC", grace_minutes="5", companies=[str(self.harlow.pk)])
            self.assertContains(page, "At most every 5 minutes")
        assert not Trigger.unscoped.exists()

    def test_a_start_by_hand_is_there_once_for_the_same_companies(self) -> None:
        self.add("manual")
        self.assertContains(self.add("manual"), "by hand already")
        self.add("manual", companies=[str(self.harlow.pk)])
        assert Trigger.unscoped.count() == 2

    def test_a_day_that_never_comes_and_a_moment_chosen_by_chance_are_no_schedule(self) -> None:
        form = {"time_zone": "UTC", "grace_minutes": "5", "companies": [str(self.harlow.pk)]}
        for cron, words in (("0 0 31 2 *", "No such day ever comes"), ("R 3 * * *", "Five fields are expected")):
            self.assertContains(self.add("schedule", cron=cron, **form), words)
        assert not Trigger.unscoped.exists()

    def publish_with(self, *inputs: dict[str, Any]) -> None:
        """The runbook's next version asks for these."""
        self.runbook.inputs = list(inputs)
        saved = save_draft(actor=self.actor(self.mara), runbook=self.runbook)
        self.runbook = publish_runbook(actor=self.actor(self.mara), runbook=saved)

    def test_a_schedule_needs_a_value_for_every_required_input(self) -> None:
        self.publish_with({"name": "days", "label": "Days kept", "type": "number", "required": True})
        form = {"cron": "0 3 * * *", "time_zone": "UTC", "grace_minutes": "5", "companies": [str(self.harlow.pk)]}
        self.assertContains(self.add("schedule", **form, input_days="soon"), "A number is expected.")
        self.assertContains(self.add("schedule", **{**form, "cron": "soon"}), "Five fields are expected")
        self.assertContains(self.add("schedule", **form), "This is needed.")
        self.add("schedule", **form, input_days="14")
        assert self.only().inputs == {"days": 14}

    def test_a_schedule_asks_for_the_inputs_in_force_and_fills_their_defaults_in(self) -> None:
        self.publish_with({"name": "days", "label": "Days kept", "type": "number", "default": 30})
        self.runbook.inputs = [{"name": "fresh", "label": "Fresh", "type": "string"}]
        save_draft(actor=self.actor(self.mara), runbook=self.runbook)
        page = self.client.get(self.page("add/schedule/"))
        self.assertContains(page, "Days kept")
        self.assertContains(page, 'value="30"')
        self.assertNotContains(page, "Fresh")

    def test_publishing_lists_the_schedules_that_the_new_version_starts_not_and_the_runbook_says_so(self) -> None:
        form = {"cron": "0 3 * * *", "time_zone": "UTC", "grace_minutes": "5", "companies": [str(self.harlow.pk)]}
        self.add("schedule", **form)
        self.runbook.inputs = [{"name": "fresh", "label": "What is fresh", "type": "string"}]
        self.runbook = save_draft(actor=self.actor(self.mara), runbook=self.runbook)
        page = self.client.get(self.path(f"admin/runbooks/runbook/{self.runbook.pk}/publish/"))
        self.assertContains(page, "What is fresh: This is needed.")
        publish_runbook(actor=self.actor(self.mara), runbook=self.runbook)
        for path in ("", f"{self.runbook.pk}/change/", f"{self.runbook.pk}/triggers/"):
            page = self.client.get(self.path(f"admin/runbooks/runbook/{path}"))
            self.assertContains(page, "starts no run" if path.endswith("/change/") or not path else "Starts no run")
            self.assertContains(page, "What is fresh: This is needed.")
        self.client.post(self.page(f"{self.only().pk}/"), {**form, "input_fresh": "Bread"})
        self.assertNotContains(self.client.get(self.page()), "Starts no run")

    def test_it_is_switched_off_and_on_and_a_passed_moment_is_not_made_up_for(self) -> None:
        form = {"cron": "0 3 * * *", "time_zone": "UTC", "grace_minutes": "5", "companies": [str(self.harlow.pk)]}
        self.add("schedule", **form)
        self.client.post(self.page(f"{self.only().pk}/switch/"), {"enabled": "0"})
        assert (self.only().enabled, self.only().next_due) == (False, None)
        self.client.post(self.page(f"{self.only().pk}/switch/"), {"enabled": "1"})
        assert (self.only().enabled, self.only().next_due is not None) == (True, True)

    def test_one_that_never_fired_is_removed_and_one_that_did_is_kept(self) -> None:
        self.add("classification", type="Access")
        signal = SignalFactory(company=self.harlow, type="Access")
        fire_on_signal(signal)
        page = self.client.post(self.page(f"{self.only().pk}/remove/"), follow=True)
        self.assertContains(page, "switch it off instead")
        self.assertContains(page, f"ticket {signal.external_id}")
        TriggerFiring.unscoped.all().delete()
        self.client.post(self.page(f"{self.only().pk}/remove/"))
        assert not Trigger.unscoped.exists()

    def test_a_trigger_of_another_runbook_or_kind_is_404(self) -> None:
        self.add("classification", type="Access")
        other = self.published(title="Free a full disk")
        path = self.path(f"admin/runbooks/runbook/{other.pk}/triggers/{self.only().pk}/")
        assert self.client.get(path).status_code == 404
        assert self.client.get(self.page("add/moon/")).status_code == 404

    def test_who_may_not_write_the_runbook_changes_none(self) -> None:
        self.add("classification", type="Access")
        for who, status in ((self.theo, 403), (self.ines, 404)):
            self.log_in(who)
            for rest in ("", "add/alert/", f"{self.only().pk}/"):
                assert self.client.post(self.page(rest), {"alert_type": "x"}).status_code == status


class ServiceTests(TriggerCase):
    def new(self, **fields: Any) -> Trigger:
        return Trigger(runbook=self.runbook, **fields)

    def test_only_an_author_saves_switches_and_removes(self) -> None:
        trigger = self.new(kind="alert", alert_type="disk_full")
        theo = self.actor(self.theo)
        with pytest.raises(PermissionDenied):
            save_trigger(actor=theo, trigger=trigger, companies=())
        save_trigger(actor=self.actor(self.mara), trigger=trigger, companies=())
        with pytest.raises(PermissionDenied):
            switch_trigger(actor=theo, trigger=trigger, enabled=False)
        with pytest.raises(PermissionDenied):
            remove_trigger(actor=theo, trigger=trigger)

    def test_companies_and_boards_of_a_rival_are_refused(self) -> None:
        board = BoardFactory(organization=self.southgate)
        with pytest.raises(ValidationError) as refused:
            save_trigger(
                actor=self.actor(self.mara),
                trigger=self.new(kind="alert", alert_type="x", board=board),
                companies=[self.quayside],
            )
        assert refused.value.message_dict.keys() == {"companies", "board"}

    def test_a_companys_runbook_fires_for_no_other_company(self) -> None:
        own = self.published(title="Harlow is special", company=self.harlow)
        with pytest.raises(ValidationError, match="one company only"):
            save_trigger(
                actor=self.actor(self.mara),
                trigger=Trigger(runbook=own, kind="alert", alert_type="x"),
                companies=[self.pinewood],
            )


class FitTests(TriggerCase):
    def trigger(self, **fields: Any) -> Trigger:
        companies = fields.pop("companies", ())
        row = Trigger(runbook=self.runbook, **fields)
        return save_trigger(actor=self.actor(self.mara), trigger=row, companies=companies)

    def fires(self, **fields: Any) -> bool:
        signal: Signal = SignalFactory(**{"company": self.harlow, "type": "Access", "subtype": "VPN", **fields})
        return bool(fire_on_signal(signal))

    def test_type_and_subtype_are_compared_without_capitals(self) -> None:
        self.trigger(kind="classification", type="ACCESS", subtype="vpn")
        assert self.fires()
        assert not self.fires(subtype="Password")
        assert not self.fires(type="Hardware")

    def test_an_alert_fires_by_its_type(self) -> None:
        self.trigger(kind="alert", alert_type="Disk_Full")
        assert self.fires(alert_type="disk_full")
        assert not self.fires(alert_type="")

    def test_board_and_companies_limit_it(self) -> None:
        board = BoardFactory(organization=self.northwind)
        self.trigger(kind="classification", type="Access", board=board, companies=[self.harlow])
        assert self.fires(board=board)
        assert not self.fires()
        assert not self.fires(board=board, company=self.pinewood)

    def test_a_ticket_that_is_closed_or_whose_company_is_unknown_fires_nothing(self) -> None:
        self.trigger(kind="classification", type="Access")
        assert not self.fires(closed_at_source=True)
        assert not self.fires(state=Signal.State.IN_REVIEW)
        assert not self.fires(company=None, organization=self.northwind)

    def test_while_it_is_in_doubt_what_the_ticket_is_nothing_fires_and_another_doubt_holds_nothing_up(self) -> None:
        self.trigger(kind="classification", type="Access")
        for processor, fires in (("ticket_type", False), ("router", False), ("summary", True)):
            signal = SignalFactory(company=self.harlow, type="Access", state=Signal.State.NEEDS_REVIEW)
            row = ProcessorResult.objects.create(
                organization=self.northwind, signal=signal, processor=processor, producer="rule", revision=1
            )
            ReviewItem.objects.create(organization=self.northwind, signal=signal, processor=processor, result=row)
            assert bool(fire_on_signal(signal)) is fires

    def test_a_ticket_of_the_rival_fires_nothing_of_ours(self) -> None:
        self.trigger(kind="classification", type="Access")
        assert not self.fires(company=self.quayside)

    def test_however_often_a_ticket_is_looked_at_it_fires_once(self) -> None:
        self.trigger(kind="classification", type="Access")
        signal = SignalFactory(company=self.harlow, type="Access")
        for _ in range(3):
            fire_on_signal(signal)
        assert TriggerFiring.unscoped.count() == 1
