"""Escalation rules: who is told of which ticket, once until that is over, and what is proposed."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db.models import F
from django.utils import timezone

from integrations.models import Connection
from integrations.vendors import FILES
from junto.inbox.models import Notification
from junto.team.services import limit_to_companies
from junto.tenants.permissions import Role
from signals.models import EscalationFiring, EscalationRule, ServiceClock, ServiceTarget, Signal
from signals.service.clocks import keep_clocks
from signals.service.escalation import PAUSE, TOGETHER, escalate
from signals.service.escalation_pages import SUDDEN
from tests.agent.cases import SessionTestCase
from tests.cases import JuntoTestCase
from tests.factories import BoardFactory, SignalFactory

RULE = {"name": "Urgent", "condition": "priority", "priority": "Priority 1", "role": Role.TECHNICIAN.value}


class EscalationTests(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.signal: Signal = SignalFactory(company=self.harlow, priority="Priority 1", subject="Server down")

    def add(self, **more: Any) -> EscalationRule:
        answer = self.log_in(self.mara).post(self.path("escalations/rules/"), {**RULE, **more})
        assert answer.status_code == 302, answer.content
        return EscalationRule.unscoped.latest("created_at")

    def told(self) -> list[tuple[str, str]]:
        rows = Notification.unscoped.filter(kind="signal.escalated").select_related("membership__user")
        return sorted((row.membership.user.first_name, row.title) for row in rows)

    def test_a_rule_tells_its_role_and_its_person_once_for_each_ticket(self) -> None:
        self.add(member=str(self.oskar.pk))
        assert [escalate(self.northwind), escalate(self.northwind)] == [1, 0]
        assert [name for name, _ in self.told()] == ["Oskar", "Theo"]
        Signal.unscoped.update(changed_at=timezone.now())
        Notification.unscoped.update(read_at=timezone.now())
        assert escalate(self.northwind) == 0
        assert len(self.told()) == 2

    def test_a_ticket_that_was_solved_and_opened_again_is_told_again(self) -> None:
        self.add()
        escalate(self.northwind)
        for state in (Signal.State.RESOLVED, Signal.State.NEW):
            Signal.unscoped.update(state=state)
            assert escalate(self.northwind) == 0
        EscalationFiring.unscoped.update(ended_at=F("ended_at") - PAUSE)
        assert [escalate(self.northwind), escalate(self.northwind)] == [1, 0]
        assert [name for name, _ in self.told()] == ["Theo", "Theo"]

    def test_a_ticket_of_another_company_is_news_to_who_sees_that_one(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.theo, all_companies=False, companies=[self.pinewood]
        )
        self.add(member=str(self.oskar.pk))
        escalate(self.northwind)
        assert [name for name, _ in self.told()] == ["Oskar"]
        for company in (None, self.pinewood):
            Signal.unscoped.update(company=company)
            assert [escalate(self.northwind), escalate(self.northwind)] == [1, 0]
        assert [name for name, _ in self.told()].count("Theo") == 1

    def test_the_solution_that_is_late_is_told_besides_the_answer_that_was(self) -> None:
        ServiceTarget.objects.create(
            organization=self.northwind,
            priority="Priority 1",
            response_minutes=1,
            resolution_minutes=2,
            around_the_clock=True,
        )
        Signal.unscoped.update(source_created_at=timezone.now() - timedelta(hours=1))
        keep_clocks(self.northwind)
        self.add(condition="breached", priority="")
        assert [escalate(self.northwind), escalate(self.northwind)] == [1, 0]
        ServiceClock.unscoped.update(responded_at=timezone.now())
        Signal.unscoped.update(changed_at=timezone.now())
        keep_clocks(self.northwind)
        assert [escalate(self.northwind), escalate(self.northwind)] == [1, 0]
        words = ["A promise is breached: response", "A promise is breached: solution"]
        assert list(EscalationFiring.unscoped.order_by("fired_at").values_list("words", flat=True)) == words
        assert [title for _, title in self.told()] == [f"{each}: {self.signal}" for each in words]

    def test_what_fired_before_junto_knew_when_that_is_over_does_not_fire_again(self) -> None:
        self.add()
        escalate(self.northwind)
        EscalationFiring.unscoped.update(seen_company=None)
        import_module("signals.migrations.0032_escalations_that_end").fill(apps, None)
        assert escalate(self.northwind) == 0

    def test_nobody_is_told_of_a_company_they_may_not_see(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.theo, all_companies=False, companies=[self.pinewood]
        )
        self.add()
        escalate(self.northwind)
        assert self.told() == []
        SignalFactory(company=self.pinewood, priority="Priority 1", subject="Theirs")
        escalate(self.northwind)
        assert [name for name, _ in self.told()] == ["Theo"]

    def test_switched_on_again_it_says_how_many_it_hits_and_asks_where_they_are_many(self) -> None:
        rule = self.add()
        path = self.path(f"escalations/rules/{rule.pk}/")
        self.client.post(path, {"do": "off"})
        answer = self.client.post(path, {"do": "on"}, follow=True)
        self.assertContains(answer, "is on. It fires for one open ticket now.")
        self.client.post(path, {"do": "off"})
        SignalFactory.create_batch(SUDDEN, company=self.harlow, priority="Priority 1")
        answer = self.client.post(path, {"do": "on"})
        self.assertContains(answer, f"is still off. {SUDDEN + 1} open tickets meet it", status_code=400)
        rule.refresh_from_db()
        assert not rule.enabled
        assert self.client.post(path, {"do": "on", "sure": str(SUDDEN + 1)}).status_code == 302
        rule.refresh_from_db()
        assert rule.enabled

    def test_right_after_a_target_is_set_a_rule_counts_by_it(self) -> None:
        self.log_in(self.adam).post(
            self.path("service/targets/"), {"response_hours": "0.1", "resolution_hours": "", "clock": "always"}
        )
        long_ago = timezone.now() - timedelta(days=2)
        SignalFactory.create_batch(SUDDEN, company=self.harlow, source_created_at=long_ago)
        answer = self.log_in(self.mara).post(
            self.path("escalations/rules/"), {**RULE, "condition": "breached", "priority": ""}
        )
        self.assertContains(answer, f"{SUDDEN + 1} open tickets meet this rule now", status_code=400)

    def test_a_stale_ticket_is_escalated_and_one_that_was_solved_is_not(self) -> None:
        old = timezone.now() - timedelta(days=30)
        Signal.unscoped.update(source_updated_at=old)
        SignalFactory(company=self.harlow, source_updated_at=old, state=Signal.State.RESOLVED)
        SignalFactory(company=self.harlow, source_updated_at=timezone.now())
        self.add(condition="stale", priority="")
        escalate(self.northwind)
        assert [firing.signal for firing in EscalationFiring.unscoped.all()] == [self.signal]

    def test_of_many_tickets_at_once_each_member_gets_one_notice(self) -> None:
        for _ in range(TOGETHER):
            SignalFactory(company=self.harlow, priority="Priority 1")
        self.add()
        assert escalate(self.northwind) == TOGETHER + 1
        assert self.told() == [("Theo", f"Its priority is Priority 1: {TOGETHER + 1} tickets")]
        assert Notification.unscoped.get(kind="signal.escalated").path == "signals/?priority=Priority+1"

    def test_the_notice_of_many_leads_to_those_that_the_rule_is_about(self) -> None:
        board = BoardFactory(organization=self.northwind)
        Signal.unscoped.update(source_updated_at=timezone.now() - timedelta(days=30), board=board)
        old = {"board": board, "priority": "Priority 1", "source_updated_at": timezone.now() - timedelta(days=30)}
        SignalFactory.create_batch(TOGETHER, company=self.harlow, **old)
        self.add(condition="stale", board=str(board.pk))
        assert escalate(self.northwind) == TOGETHER + 1
        path = f"signals/?attention=stale&priority=Priority+1&board={board.pk}"
        assert Notification.unscoped.get(kind="signal.escalated").path == path

    def test_the_ticket_s_page_and_the_page_of_rules_tell_what_was_done(self) -> None:
        self.add()
        escalate(self.northwind)
        self.assertContains(self.client.get(self.path(f"signals/{self.signal.pk}/")), "Told Theo Okafor.")
        self.assertContains(self.client.get(self.path("escalations/")), "Server down")

    def test_a_rule_that_is_off_or_removed_fires_no_more_and_what_it_did_stays(self) -> None:
        rule = self.add()
        escalate(self.northwind)
        SignalFactory(company=self.harlow, priority="Priority 1")
        for do in ("off", "remove"):
            self.client.post(self.path(f"escalations/rules/{rule.pk}/"), {"do": do})
            assert escalate(self.northwind) == 0
        assert EscalationFiring.unscoped.get().rule_name == "Urgent"

    def test_a_technician_and_a_manager_of_one_company_may_not_make_rules_and_a_stranger_finds_none(self) -> None:
        rule = self.add()
        assert self.log_in(self.theo).get(self.path("escalations/")).status_code == 403
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        assert self.log_in(self.mara).post(self.path("escalations/rules/"), RULE).status_code == 403
        away = self.path(f"escalations/rules/{rule.pk}/", organization=self.southgate)
        assert self.log_in(self.ines).post(away, {"do": "remove"}).status_code == 404

    def test_what_is_missing_is_said(self) -> None:
        self.log_in(self.mara)
        for wrong, words in (({"role": ""}, "Say who is told"), ({"priority": ""}, "Say which priority")):
            answer = self.client.post(self.path("escalations/rules/"), {**RULE, **wrong})
            self.assertContains(answer, words, status_code=400)

    def test_the_same_rule_twice_is_refused(self) -> None:
        self.add()
        answer = self.client.post(self.path("escalations/rules/"), {**RULE, "name": "Again"})
        self.assertContains(answer, "There is such a rule already.", status_code=400)
        answer = self.client.post(self.path("escalations/rules/"), {**RULE, "condition": "stale"})
        self.assertContains(answer, "Another rule has this name", status_code=400)

    def test_what_is_missing_is_asked_for_before_a_second_press_is(self) -> None:
        SignalFactory.create_batch(SUDDEN, company=self.harlow, priority="Priority 1")
        answer = self.log_in(self.mara).post(self.path("escalations/rules/"), {**RULE, "role": "", "member": ""})
        self.assertContains(answer, "Say who is told", status_code=400)
        self.assertNotContains(answer, "meet this rule now", status_code=400)

    def test_a_rule_that_would_fire_for_many_at_once_takes_a_second_press(self) -> None:
        SignalFactory.create_batch(SUDDEN - 1, company=self.harlow, priority="Priority 1")  # beside the first
        self.log_in(self.mara)
        answer = self.client.post(self.path("escalations/rules/"), RULE)
        self.assertContains(answer, f"{SUDDEN} open tickets meet this rule now", status_code=400)
        assert not EscalationRule.unscoped.exists()
        assert self.client.post(self.path("escalations/rules/"), {**RULE, "sure": str(SUDDEN)}).status_code == 302


class ProposedNoteTests(SessionTestCase):
    def test_a_note_waits_for_a_person_and_is_proposed_once(self) -> None:
        Signal.unscoped.filter(pk=self.signal.pk).update(priority="Priority 1")
        said = {**RULE, "note": "The team lead was told."}
        assert self.log_in(self.mara).post(self.path("escalations/rules/"), said).status_code == 302
        escalate(self.northwind)
        escalate(self.northwind)
        action = EscalationFiring.unscoped.get(signal=self.signal).action
        assert action is not None
        assert (action.tool, action.state) == ("connectwise.add_internal_note", "waiting")
        assert action.arguments["text"] == "The team lead was told."
        assert not self.sandbox.effects()

    def test_no_second_note_is_proposed_while_the_first_one_waits(self) -> None:
        Signal.unscoped.filter(pk=self.signal.pk).update(priority="Priority 1")
        self.log_in(self.mara).post(self.path("escalations/rules/"), {**RULE, "note": "The team lead was told."})
        escalate(self.northwind)
        EscalationFiring.unscoped.update(ended_at=timezone.now() - PAUSE)
        assert escalate(self.northwind) == 1
        first, second = EscalationFiring.unscoped.order_by("fired_at")
        assert first.action is not None
        assert (second.action, second.problem) == (None, "The same one waits for approval already.")

    def test_a_rule_that_is_gone_proposes_no_more(self) -> None:
        Signal.unscoped.filter(pk=self.signal.pk).update(priority="Priority 1")
        said = {**RULE, "note": "The team lead was told."}
        assert self.log_in(self.mara).post(self.path("escalations/rules/"), said).status_code == 302
        rule = EscalationRule.unscoped.get()
        EscalationFiring.unscoped.create(
            organization=self.northwind, rule=rule, signal=self.signal, rule_name=rule.name, note=rule.note
        )
        self.client.post(self.path(f"escalations/rules/{rule.pk}/"), {"do": "off"})
        escalate(self.northwind)
        firing = EscalationFiring.unscoped.get()
        assert (firing.action, firing.problem) == (None, "Its rule was removed or switched off first.")

    def test_a_ticket_out_of_a_file_has_a_number_and_no_place_for_a_note(self) -> None:
        Signal.unscoped.filter(pk=self.signal.pk).update(priority="Priority 1")
        Connection.unscoped.filter(pk=self.signal.connection_id).update(vendor=FILES)
        said = {**RULE, "note": "The team lead was told."}
        assert self.log_in(self.mara).post(self.path("escalations/rules/"), said).status_code == 302
        escalate(self.northwind)
        firing = EscalationFiring.unscoped.get(signal=self.signal)
        assert (firing.action, firing.problem) == (None, "It has no ticket in the PSA.")
