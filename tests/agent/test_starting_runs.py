"""Runs that begin: by hand on a ticket or for a company, by a trigger on a ticket, by the clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from agent.models import AgentSession, StartRule
from agent.services import SessionRefused, stop_session
from agent.starting import run_for_company, run_on_signal
from agent.tasks import open_waiting
from approvals.models import Action, Grant
from approvals.watching import look_again
from integrations.vendors import FILES
from junto.inbox.models import Notification
from junto.tenants.models import Company
from runbooks.firing import fire_due
from runbooks.models import Runbook, Trigger, TriggerFiring
from runbooks.services import archive_runbook, publish_runbook, save_draft
from runbooks.tasks import fire_triggers
from runbooks.triggers import save_trigger
from runbooks.values import ValuesRefused
from signals.intake.entry import Entry, enter_signal
from signals.models import Signal
from tests.agent.run_cases import HUMAN, HYBRID, DirectedRunCase
from tests.factories import ConnectionFactory, SignalFactory
from tests.scripted_model import Says

AI = """Use this when a user cannot sign in to the VPN.

1. Read the ticket. @connectwise.get_ticket(ticket_id=ticket.id)
2. Leave a note. @connectwise.add_internal_note(ticket_id=ticket.id)
"""
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class StartCase(DirectedRunCase):
    """`self.harbor` is the company of the planted ticket."""

    harbor: Company

    def setUp(self) -> None:
        super().setUp()
        assert self.signal.company is not None
        self.harbor = self.signal.company

    def ai(self, **fields: object) -> Runbook:
        """An AI runbook in force."""
        return self.publish(AI, audience="ai", **fields)

    def trigger(self, runbook: Runbook, kind: str, *, companies: tuple[Company, ...] = (), **fields: Any) -> Trigger:
        """Mara adds a trigger."""
        row = Trigger(organization=self.northwind, runbook=runbook, kind=kind, **fields)
        return save_trigger(actor=self.actor(self.mara), trigger=row, companies=companies)

    def press(self, runbook: Runbook, press: str = "one", **given: str) -> TriggerFiring:
        """Theo starts it for Harbor without a ticket, and the agent works."""
        firing = run_for_company(
            runbook=runbook, company=self.harbor, actor=self.actor(self.theo), given=given, press=press
        )
        self.drain()
        firing.refresh_from_db()
        return firing

    def firings(self) -> list[TriggerFiring]:
        return list(TriggerFiring.unscoped.order_by("created_at", "pk"))

    def let_run(self) -> None:
        StartRule.objects.for_organization(self.northwind).update(mode=StartRule.Mode.RUN)


class ByHandTest(StartCase):
    def test_a_run_on_a_ticket_ends_the_prepared_session_and_begins(self) -> None:
        prepared = self.start(mode="prepare")
        session = self.run_it(self.ai())
        prepared.refresh_from_db()
        assert (prepared.state, session.state) == ("completed", "completed")
        assert session.started_by == self.theo
        assert self.written() == ["note", "time_entry", "note"]

    def test_a_second_run_on_the_ticket_is_refused_and_names_the_first(self) -> None:
        self.hybrid()
        with pytest.raises(SessionRefused, match=r"“VPN sign-in is rejected”, version 1, of .* started by Theo Okafor"):
            self.run_it(self.ai(title="Another runbook"), by=self.oskar)

    def test_inputs_are_prefilled_from_the_ticket_checked_and_used(self) -> None:
        inputs = [
            {"name": "user", "label": "User", "type": "email", "required": True},
            {"name": "days", "label": "Days", "type": "number", "required": True},
        ]
        runbook = self.publish(AI, audience="ai", inputs=inputs)
        with pytest.raises(ValuesRefused) as refused:
            self.run_it(runbook, days="soon")
        assert refused.value.errors["days"] == "A number is expected."
        session = self.run_it(runbook, days="3", user="dana@harbor.example")
        assert session.inputs == {"user": "dana@harbor.example", "days": 3}

    def test_a_runbook_of_another_company_or_a_draft_is_refused(self) -> None:
        elsewhere = self.publish(AI, audience="ai", company=self.pinewood)
        draft = save_draft(
            actor=self.actor(self.mara), runbook=Runbook(organization=self.northwind, body=AI, title="Only a draft")
        )
        for runbook in (elsewhere, draft):
            with pytest.raises(SessionRefused, match="not published"):
                self.run_it(runbook)

    def test_without_a_ticket_its_author_must_have_allowed_it(self) -> None:
        with pytest.raises(SessionRefused, match="on tickets only"):
            self.press(self.ai())

    def test_a_run_for_a_company_opens_its_ticket_first_and_closes_with_time_and_note(self) -> None:
        runbook = self.ai()
        self.trigger(runbook, "manual")
        firing = self.press(runbook)
        assert firing.state == "started"
        assert firing.session.state == AgentSession.State.COMPLETED, self.notices(firing.session)
        assert self.written() == ["ticket", "note", "time_entry", "note"]

    def test_on_a_signal_of_a_person_a_file_or_a_monitoring_a_run_opens_its_ticket_first(self) -> None:
        runbook = self.ai()
        for vendor in ("", FILES, "ninjaone"):
            before = len(self.written())
            signal = enter_signal(
                actor=self.actor(self.theo),
                entry=Entry(
                    key=uuid4(),
                    company=self.harbor,
                    subject=f"The badge reader is slow {vendor}",
                    description="",
                    contact=None,
                    board=None,
                    priority="",
                ),
            )
            if vendor:
                elsewhere = ConnectionFactory(organization=self.northwind, vendor=vendor)
                Signal.objects.for_organization(self.northwind).filter(pk=signal.pk).update(
                    connection=elsewhere, external_id="48253"
                )
            session = self.run_on(
                run_on_signal(runbook=runbook, signal=self.reload(signal), actor=self.actor(self.theo), given={})
            )
            assert session.state == AgentSession.State.COMPLETED, self.notices(session)
            assert self.written()[before:] == ["ticket", "note", "time_entry", "note"]
            adopted = self.reload(signal)
            assert (adopted.has_ticket, adopted.connection.vendor) == (True, "connectwise")

    def test_on_an_alert_whose_ticket_an_rmm_opened_a_run_takes_that_and_opens_none(self) -> None:
        runbook, number = self.ai(), self.signal.external_id
        rmm = ConnectionFactory(organization=self.northwind, vendor="ninjaone")
        alert = SignalFactory(
            organization=self.northwind,
            company=self.harbor,
            connection=rmm,
            external_id=str(uuid4()),
            alert_type="DISK",
        )
        rows = Signal.objects.for_organization(self.northwind).filter(pk=self.signal.pk)
        rows.update(state=Signal.State.MERGED, folded_into=alert, alert_type="disk")
        session = self.run_on(
            run_on_signal(runbook=runbook, signal=self.reload(alert), actor=self.actor(self.theo), given={})
        )
        assert session.state == AgentSession.State.COMPLETED, self.notices(session)
        assert self.written() == ["note", "time_entry", "note"]
        taken = self.reload(alert)
        assert (taken.external_id, taken.connection.vendor) == (number, "connectwise")

    def test_a_run_whose_ticket_waits_for_a_word_takes_the_one_that_an_rmm_opens_meanwhile(self) -> None:
        runbook, number = self.ai(), self.signal.external_id
        Grant.objects.for_organization(self.northwind).update(revoked_at=timezone.now())
        rmm = ConnectionFactory(organization=self.northwind, vendor="ninjaone")
        alert = SignalFactory(
            organization=self.northwind,
            company=self.harbor,
            connection=rmm,
            external_id=str(uuid4()),
            alert_type="DISK",
        )
        session = self.run_on(
            run_on_signal(runbook=runbook, signal=self.reload(alert), actor=self.actor(self.theo), given={})
        )
        (asked,) = self.waiting(session)
        assert asked.tool == "connectwise.create_ticket"
        rows = Signal.objects.for_organization(self.northwind).filter(pk=self.signal.pk)
        rows.update(state=Signal.State.MERGED, folded_into=alert, alert_type="disk")
        assert look_again(asked.pk).state == Action.State.DRIFTED
        self.run_on(session)
        assert "ticket" not in self.written()
        taken = self.reload(alert)
        assert (taken.external_id, taken.connection.vendor) == (number, "connectwise")

    def test_the_same_press_twice_is_one_run(self) -> None:
        runbook = self.ai()
        self.trigger(runbook, "manual")
        assert self.press(runbook).pk == self.press(runbook).pk
        assert self.written().count("ticket") == 1

    def test_a_second_run_for_the_same_company_waits_in_the_queue_and_begins_when_the_first_ends(self) -> None:
        runbook = self.publish(HUMAN, audience="human", title="The printer takes no paper")
        self.trigger(runbook, "manual")
        first, second = self.press(runbook, "one"), self.press(runbook, "two")
        assert (first.state, second.state) == ("started", "queued")
        assert "is going on for" in second.reason
        stop_session(session=first.session, actor=self.actor(self.theo))
        open_waiting.call(str(self.northwind.pk))
        second.refresh_from_db()
        assert second.state == "started"


class SameStepsTest(StartCase):
    def test_whoever_runs_it_gets_the_same_steps_of_the_version_in_force(self) -> None:
        runbook = self.publish(HUMAN, audience="human", title="The printer takes no paper")
        told = []
        for member in (self.theo, self.oskar):
            session = self.run_it(runbook, by=member)
            told.append([(step.number, step.title) for step in self.rows(session)])
            stop_session(session=session, actor=self.actor(member))
        assert told[0] == told[1]
        assert [number for number, _ in told[0]] == [1, 2, 3]

    def test_the_model_is_given_the_steps_of_the_matched_version_in_order_with_resolved_arguments(self) -> None:
        runbook = self.ai()
        with self.model(Says("I read it.")) as server:
            self.run_it(runbook)
            rules = str(server.requests[0].messages[0]["content"])
        facts, _ = json.JSONDecoder().raw_decode(rules.split("```facts\n")[1])
        told = facts["runbook"]
        assert (told["title"], told["version"]) == ("VPN sign-in is rejected", 1)
        assert [step["number"] for step in told["steps"]] == ["1", "2"]
        assert told["steps"][1]["mentions"][0]["arguments"] == {"ticket_id": int(self.signal.external_id)}

    def test_an_onboarding_is_run_from_its_ticket_type_with_what_the_ticket_tells(self) -> None:
        self.let_run()
        body = (
            "1. Read who starts and when. @connectwise.get_ticket(ticket_id=ticket.id)\n"
            "2. Look what the company has. @connectwise.list_configurations\n"
            '3. Say what to prepare. @connectwise.add_internal_note(ticket_id=ticket.id, text="Desk, account.")\n'
        )
        onboarding = self.publish(body, audience="ai", title="A new user starts")
        self.trigger(onboarding, "classification", type="Starter")
        Signal.unscoped.filter(pk=self.signal.pk).update(type="Starter")
        fire_triggers.call(str(self.signal.pk))
        self.drain()
        (firing,) = self.firings()
        assert (firing.state, firing.session.state) == ("started", "completed")
        assert self.written() == ["note", "time_entry", "note"]


class TicketTriggerTest(StartCase):
    def arrive(self, text: str = "The same again", **planted: Any) -> Signal:
        signal = self.ticket("Cannot sign in to the VPN", text, **planted)
        self.drain()
        return signal

    def fitting(self, **fields: Any) -> Trigger:
        """A trigger on the type that planted tickets have."""
        Signal.unscoped.filter(pk=self.signal.pk).update(type="Access", subtype="VPN")
        return self.trigger(self.ai(), "classification", type="access", **fields)

    def changed(self) -> list[TriggerFiring]:
        """The planted ticket is told anew, as when its type was set."""
        fire_triggers.call(str(self.signal.pk))
        self.drain()
        return self.firings()

    def test_a_ticket_of_the_type_is_run_without_a_person_once(self) -> None:
        self.let_run()
        trigger = self.fitting()
        (firing,) = self.changed()
        assert (firing.trigger, firing.state, firing.session.state) == (trigger, "started", "completed")
        assert firing.session.runbook_reason == "Type access."
        self.changed()
        assert len(self.firings()) == 1
        assert self.written() == ["note", "time_entry", "note"]

    def test_where_the_start_rule_only_prepares_the_firing_is_skipped_and_says_so(self) -> None:
        StartRule.objects.for_organization(self.northwind).update(mode=StartRule.Mode.PREPARE)
        self.fitting()
        (firing,) = self.changed()
        assert firing.state == "skipped"
        assert "start rule: prepare" in firing.reason

    def test_a_switched_off_trigger_a_hybrid_runbook_and_another_board_begin_nothing(self) -> None:
        self.let_run()
        self.fitting(enabled=False)
        self.trigger(self.publish(HYBRID, audience="hybrid", title="For both"), "classification", type="Access")
        assert self.changed() == []

    def test_a_ticket_somebody_works_on_is_left_alone(self) -> None:
        self.start()
        self.let_run()
        self.fitting()
        (firing,) = self.changed()
        assert (firing.state, firing.reason) == ("skipped", "Somebody works or has worked on this ticket already.")

    def test_a_suspended_runbook_does_not_begin_by_itself(self) -> None:
        self.let_run()
        self.fitting()
        type(self.mara).unscoped.filter(pk=self.mara.pk).update(is_active=False)
        (firing,) = self.changed()
        assert firing.state == "skipped"
        assert "suspended" in firing.reason

    def test_the_companys_own_variant_fires_in_place_of_its_parent(self) -> None:
        self.let_run()
        trigger = self.fitting()
        own = self.ai(company=self.harbor, forked_from=trigger.runbook, title="VPN at Harbor is special")
        other = self.trigger(own, "classification", type="Access")
        (firing,) = self.changed()
        assert firing.trigger == other


class ScheduleTest(StartCase):
    def monthly(self, **fields: Any) -> Trigger:
        """The first of the month at three, for Harbor."""
        trigger = self.trigger(
            self.ai(), "schedule", cron="0 3 1 * *", time_zone="UTC", companies=(self.harbor,), **fields
        )
        # published long ago, due for the first time on the first of March
        Runbook.objects.for_organization(self.northwind).update(published_at=NOON - timedelta(days=90))
        Trigger.unscoped.filter(pk=trigger.pk).update(next_due=datetime(2026, 3, 1, 3, 0, tzinfo=UTC))
        return trigger

    def test_when_it_is_due_it_runs_for_each_listed_company_and_ends_in_the_psa(self) -> None:
        trigger = self.monthly()
        assert fire_due(datetime(2026, 3, 1, 3, 0, 10, tzinfo=UTC)) == 1
        self.drain()
        (firing,) = self.firings()
        assert (firing.state, firing.reason, firing.company) == ("started", "", self.harbor)
        assert firing.session.state == AgentSession.State.COMPLETED
        assert self.written() == ["ticket", "note", "time_entry", "note"]
        trigger.refresh_from_db()
        assert trigger.next_due == datetime(2026, 4, 1, 3, 0, tzinfo=UTC)

    def test_however_often_the_clock_looks_it_fires_once(self) -> None:
        self.monthly()
        moment = datetime(2026, 3, 1, 3, 0, 10, tzinfo=UTC)
        assert [fire_due(moment) for _ in range(3)] == [1, 0, 0]
        assert len(self.firings()) == 1

    def test_a_late_start_within_the_grace_is_told_as_late(self) -> None:
        self.monthly(grace_minutes=60)
        fire_due(datetime(2026, 3, 1, 3, 40, tzinfo=UTC))
        (firing,) = self.firings()
        assert (firing.state, firing.reason) == ("queued", "Late: it was due at 1 Mar 2026 03:00 (UTC).")

    def test_what_is_too_late_is_skipped_with_its_reason_and_its_publisher_is_told(self) -> None:
        self.monthly(grace_minutes=60)
        fire_due(NOON)
        (firing,) = self.firings()
        assert firing.state == "skipped"
        assert "it was due at 1 Mar 2026 03:00 (UTC), and starts at most 60 minutes late" in firing.reason
        notice = Notification.unscoped.get(membership=self.mara, kind="run.skipped")
        assert self.harbor.name in notice.title

    def test_what_is_skipped_for_two_companies_is_told_for_each(self) -> None:
        trigger = self.monthly(grace_minutes=60)
        trigger.companies.add(self.pinewood)
        fire_due(NOON)
        told = Notification.unscoped.filter(membership=self.mara, kind="run.skipped").values_list("title", flat=True)
        assert len(told) == 2
        assert any(self.pinewood.name in title for title in told)

    def test_many_missed_moments_are_one_line_and_the_newest_still_runs(self) -> None:
        trigger = self.monthly(grace_minutes=60)
        Trigger.unscoped.filter(pk=trigger.pk).update(cron="0 * * * *")
        fire_due(datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
        skipped, fired = sorted(self.firings(), key=lambda each: each.due_at)
        assert "6 times from 1 Mar 2026 03:00 (UTC) on" in skipped.reason
        assert (fired.state, fired.due_at.hour) == ("queued", 9)

    def test_an_archived_runbook_is_not_due(self) -> None:
        trigger = self.monthly()
        archive_runbook(actor=self.actor(self.mara), runbook=trigger.runbook)
        assert fire_due(datetime(2026, 3, 1, 3, 0, 10, tzinfo=UTC)) == 0

    def test_a_queued_run_of_an_archived_runbook_is_skipped(self) -> None:
        trigger = self.monthly()
        fire_due(datetime(2026, 3, 1, 3, 0, 10, tzinfo=UTC))
        archive_runbook(actor=self.actor(self.mara), runbook=trigger.runbook)
        self.drain()
        (firing,) = self.firings()
        assert (firing.state, "not published" in firing.reason) == ("skipped", True)

    def test_the_version_in_force_at_its_start_is_run(self) -> None:
        trigger = self.monthly()
        trigger.runbook.description = "Every month."
        changed = save_draft(actor=self.actor(self.mara), runbook=trigger.runbook)
        publish_runbook(actor=self.actor(self.mara), runbook=changed, note="Second")
        Runbook.objects.for_organization(self.northwind).update(published_at=NOON - timedelta(days=90))
        fire_due(datetime(2026, 3, 1, 3, 0, 10, tzinfo=UTC))
        self.drain()
        assert self.firings()[0].session.runbook_number == 2
