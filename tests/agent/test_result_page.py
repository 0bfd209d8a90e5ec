"""The full record behind an answer: one click from the card, for those who may see its company, and for no model."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import F
from django.http import HttpResponse

from agent.by_hand import run_by_hand
from approvals.models import Action, ActionRecord
from approvals.models.records import KEPT
from approvals.services import decide_action
from approvals.sweeps import drop_records
from integrations.tools import registry
from junto.tenants.models import Membership
from junto.tenants.permissions import Role
from tests.agent.model_cases import ModelTestCase
from tests.factories import MembershipFactory
from tests.integrations.documented import DocumentedTestCase
from tests.integrations.resold import ResoldTestCase
from tests.scripted_model import Says

#: A field of ConnectWise's records that no tool's answer has.
ONLY_THERE = "_info"
PASSWORD = "Gr33n-Tree!"
DEVICE = "HBR-SRV-01"


class RecordCase(ModelTestCase):
    def look_up(self, tool: str = "connectwise.get_ticket", key: str = "c" * 32, **arguments: Any) -> Action:
        """Theo looks something up by hand; about the ticket unless he says otherwise."""
        if tool == "connectwise.get_ticket":
            arguments = {"ticket_id": int(self.signal.external_id)}
        action, _ = run_by_hand(
            actor=self.actor(self.theo), signal=self.signal, tool=registry.get(tool), arguments=arguments, key=key
        )
        return action

    def result(self, action: Action, by: Membership | None = None) -> HttpResponse:
        """The page of its result."""
        return self.log_in(by or self.theo).get(self.path(f"actions/{action.pk}/result/"))

    def record(self, action: Action) -> str:
        """What is kept of the records behind its answer; empty where nothing is."""
        row = ActionRecord.unscoped.filter(action=action).first()
        return json.dumps(row.content) if row else ""


class OneClickTests(RecordCase):
    def test_the_card_in_the_chat_leads_to_the_record_that_no_model_was_told(self) -> None:
        with self.model(Says("I look.", (self.look(),)), Says("That is all."), Says("Still all.")) as model:
            session = self.start()
            session = self.say(session, "And now?")
        action = self.actions(session, "connectwise.get_ticket")[0]

        card = self.log_in(self.theo).get(self.path(f"signals/{self.signal.pk}/"))
        self.assertContains(card, f"actions/{action.pk}/result/#records")
        self.assertContains(self.result(action), "The full record, as ConnectWise PSA sent it")
        self.assertContains(self.result(action), ONLY_THERE)
        assert ONLY_THERE in self.record(action)
        assert ONLY_THERE not in json.dumps([request.body for request in model.requests])

    def test_what_was_looked_up_by_hand_shows_it_beside_the_answer(self) -> None:
        page = self.result(self.look_up())

        self.assertContains(page, "What the agent works with")
        self.assertContains(page, "data-record")
        self.assertContains(page, ONLY_THERE)

    def test_a_password_in_a_note_is_not_kept(self) -> None:
        self.signal = self.ticket("VPN", f"<b>Password:</b> {PASSWORD}")
        action = self.look_up()

        assert ONLY_THERE in self.record(action)
        assert "Gr33n" not in self.record(action)

    def test_nobody_of_another_msp_or_company_sees_it(self) -> None:
        action = self.look_up()
        limited = MembershipFactory(
            organization=self.northwind, role=Role.MANAGER, all_companies=False, companies=[self.kessler]
        )

        assert self.result(action, self.ines).status_code == 404
        assert self.client.get(f"/o/southgate/actions/{action.pk}/result/").status_code == 404
        assert self.result(action, limited).status_code == 404
        for stranger in (self.ines, limited):
            assert not ActionRecord.objects.visible_to(self.actor(stranger)).exists()

    def test_after_its_time_the_record_is_gone_and_the_answer_stays(self) -> None:
        action = self.look_up()
        assert drop_records() == 0

        ActionRecord.unscoped.filter(action=action).update(expires_at=F("expires_at") - KEPT)
        assert drop_records() == 1
        page = self.result(action)
        self.assertContains(page, "What the agent works with")
        self.assertNotContains(page, "full record")

    def test_a_change_keeps_no_record(self) -> None:
        assert not self.record(self.look_up("connectwise.board_options"))


class KeptBackTests(DocumentedTestCase, ResoldTestCase, RecordCase):
    def test_a_tool_that_tells_secrets_or_our_prices_keeps_no_record(self) -> None:
        month: dict[str, Any] = {"month": "2026-10"}
        for key, tool, arguments in (
            ("a" * 32, "itglue.list_password_names", {}),
            ("b" * 32, "pax8.list_invoice_items", month),
        ):
            action = self.look_up(tool, key, **arguments)
            if action.state == Action.State.WAITING:
                by = self.actor(self.owner())
                decide_action(action_id=action.pk, actor=by, verdict="approve", digest=action.digest)
                self.drain()
            action.refresh_from_db()
            assert action.state == Action.State.SUCCEEDED, (tool, action.state, action.reason)
            assert not self.record(action)

    def test_what_a_subscription_costs_the_msp_is_in_no_record(self) -> None:
        action = self.look_up("pax8.list_subscriptions", "d" * 32)
        costs = {str(row["shown"]["partnerCost"]) for row in self.rows("subscriptions")}

        assert any(row.get("price") for row in action.result["subscriptions"])
        assert '"price": "[removed]"' in self.record(action)
        self.assertContains(self.result(action), "also one that the answer above tells")
        assert "productId" in self.record(action)
        assert '"partnerCost": "[removed]"' in self.record(action)
        assert costs
        assert not [cost for cost in costs if f": {cost}" in self.record(action)]

    def test_a_password_in_the_notes_of_a_documented_device_is_not_kept(self) -> None:
        number = self.number("configurations", DEVICE)
        self.change_documented(
            "configurations", number, notes=f"<table><tr><td>Pwd</td><td>{PASSWORD}</td></tr></table>"
        )
        action = self.look_up("itglue.get_configuration", "e" * 32, configuration_id=number)

        assert "Pwd" in self.record(action)
        assert "Gr33n" not in self.record(action)

    def owner(self) -> Membership:
        """Who may decide what has to do with money."""
        return MembershipFactory(organization=self.northwind, role=Role.OWNER, billing_tools=True)
