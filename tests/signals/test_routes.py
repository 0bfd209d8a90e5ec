"""A route that a person accepted is done in ConnectWise: by an action of theirs, through the one door."""

from __future__ import annotations

from contextlib import closing
from typing import Any
from unittest.mock import patch

import pytest

from approvals.models import Action, Origin
from approvals.services import Verdict, decide_action, offered_tools, open_origin, propose_action
from integrations.errors import IntegrationError, TargetRefused
from integrations.services import open_ticket_source
from junto.audit.models import AuditEntry
from junto.team.services import limit_to_companies
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from signals import tasks
from signals.models import ProcessorResult, ProcessorRule, ProcessorSetting, ReviewItem, Signal
from tests.signals.deliveries import stored
from tests.signals.typing_cases import TypingCase


class RoutesCase(TypingCase):
    """Harbor takes what comes in for nobody."""

    def setUp(self) -> None:
        super().setUp()
        self.switch(
            "router",
            companies=[self.harbor.name],
            closed_status="Closed",
            board_descriptions="Alerts: what monitoring posts",
        )
        self.arrive("The first alert brings its board", board="Alerts")
        self.sandbox.plant_ticket("x")

    def proposed(self, label: str, **ticket: Any) -> Signal:
        """A ticket of Harbor's for which the router proposes this."""
        self.rule("router", label, "misplaced")
        return self.arrive("Misplaced", **ticket)

    def accept(self, signal: Signal, by: Membership) -> str:
        """On the page of what was found."""
        row = ReviewItem.objects.for_organization(self.northwind).get(signal=signal, state="open").result
        path = self.path(f"signals/{signal.pk}/findings/router/confirm/")
        page = self.log_in(by).post(path, {"result": str(row.pk)}, follow=True).content.decode()
        self.drain()
        return page

    def action(self, signal: Signal) -> Action:
        found: Action = (
            Action.objects.for_organization(self.northwind)
            .filter(origin__subject=signal.origin_subject)
            .latest("created_at")
        )
        return found

    def there(self, signal: Signal) -> Any:
        """The ticket as ConnectWise really has it."""
        with closing(open_ticket_source(self.connection)) as source:
            return source.ticket(signal.external_id)

    def writes(self) -> list[Any]:
        return [row["body"] for row in self.sandbox.effects()]


class CloseTests(RoutesCase):
    def test_who_may_decide_it_closes_it_with_one_press_and_the_signal_follows(self) -> None:
        signal = self.proposed("close")
        assert self.writes() == []
        assert "Accepted, and being done in the PSA." in self.accept(signal, self.mara)
        action = self.action(signal)
        assert (action.state, action.tool, action.unattended) == (
            Action.State.SUCCEEDED,
            "connectwise.set_ticket_status",
            False,
        )
        assert action.decisions.get().membership == self.mara
        assert (self.there(signal).status, len(self.writes())) == ("Closed", 1)
        assert self.read(signal.external_id).state == Signal.State.RESOLVED

    def test_who_may_not_passes_it_on_and_nothing_leaves_before(self) -> None:
        signal = self.proposed("close")
        assert "waits for somebody who may decide it" in self.accept(signal, self.theo)
        assert self.action(signal).state == Action.State.WAITING
        assert self.writes() == []

    def test_two_presses_and_two_people_ask_for_it_once(self) -> None:
        signal = self.proposed("close")
        row = ReviewItem.objects.for_organization(self.northwind).get(signal=signal, processor="router").result
        path = self.path(f"signals/{signal.pk}/findings/router/confirm/")
        for person in (self.theo, self.theo, self.oskar):
            self.log_in(person).post(path, {"result": str(row.pk)})
            self.drain()
        actions = Action.objects.for_organization(self.northwind).filter(origin__subject=signal.origin_subject)
        asked = actions.filter(tool="connectwise.set_ticket_status").order_by("created_at")
        assert [action.state for action in asked] == [Action.State.CANCELLED, Action.State.SUCCEEDED]
        assert len(self.writes()) == 1

    def test_a_ticket_that_somebody_changed_first_is_left_as_it_is(self) -> None:
        signal = self.proposed("close")
        self.sandbox.change_ticket(int(signal.external_id), status={"name": "In Progress"})
        assert "The PSA stays as it is." in self.accept(signal, self.mara)
        assert self.action(signal).state == Action.State.REFUSED
        assert self.there(signal).status == "In Progress"

    def test_reverted_it_is_open_again(self) -> None:
        signal = self.proposed("close")
        self.accept(signal, self.mara)
        row = ProcessorResult.objects.for_organization(self.northwind).current().get(signal=signal, processor="router")
        self.client.post(self.path(f"signals/{signal.pk}/findings/router/revert/"), {"result": str(row.pk)})
        self.drain()
        assert self.there(signal).status == "New"

    def test_a_status_that_the_board_does_not_have_is_told_and_nothing_is_asked(self) -> None:
        signal = self.proposed("close", board="Onboarding")
        assert "Onboarding has no status “Closed” that closes a ticket" in self.accept(signal, self.mara)
        assert self.writes() == []


class MoveTests(RoutesCase):
    def test_to_another_board_with_its_first_status_and_no_type_of_the_former(self) -> None:
        signal = self.proposed("board: Alerts")
        self.accept(signal, self.mara)
        assert self.action(signal).tool == "connectwise.move_to_board"
        ticket = self.there(signal)
        assert (ticket.board_name, ticket.status, ticket.type) == ("Alerts", "New", "")
        assert len(self.writes()) == 1

    def test_to_another_company_by_who_may_decide_what_is_high_risk(self) -> None:
        signal = self.proposed(f"company: {self.kessler.name}")
        assert "waits for somebody who may decide it" in self.accept(signal, self.theo)
        action = self.action(signal)
        assert (action.tool, action.risk, sorted(action.flags)) == (
            "connectwise.move_to_company",
            "high",
            ["client_visible", "forwards"],
        )
        assert self.there(signal).company_external_id == "250"

    def test_what_is_high_risk_needs_its_target_typed_and_moved_the_ticket_is_the_other_companys_here_too(self) -> None:
        signal = self.proposed(f"company: {self.kessler.name}")
        assert "under Approvals" in self.accept(signal, self.mara)
        action = self.action(signal)
        assert (action.state, self.writes()) == (Action.State.WAITING, [])
        typed = action.preview["target"]
        decide_action(
            action_id=action.pk,
            actor=self.actor(self.mara),
            verdict=Verdict.APPROVE,
            digest=action.digest,
            target=typed,
        )
        self.drain()
        assert self.there(signal).company_external_id == "251"
        self.read(signal.external_id)
        assert stored(self.connection, signal.external_id).company == self.kessler
        assert AuditEntry.objects.for_organization(self.northwind).filter(verb="action.succeeded").count() == 1

    def test_a_company_that_the_person_may_not_see_is_not_reached(self) -> None:
        signal = self.proposed(f"company: {self.kessler.name}")
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harbor]
        )
        assert "is no company that Junto knows" in self.accept(signal, self.mara)
        assert self.writes() == []

    def test_no_model_is_told_of_it_and_what_one_asks_for_all_the_same_is_refused(self) -> None:
        offered = {tool.name for tool in offered_tools(organization=self.northwind, company=self.harbor)}
        assert "connectwise.move_to_board" in offered
        assert "connectwise.move_to_company" not in offered
        signal = self.arrive("Anything")
        origin = open_origin(
            organization=self.northwind,
            kind=Origin.Kind.SESSION,
            key="s",
            subject=signal.origin_subject,
            mode=Origin.Mode.TRIAGE,
            company=self.harbor,
            revision=signal.revision,
        )
        action = propose_action(
            actor=Actor.system("agent", self.northwind),
            origin=origin,
            fence=origin.fence,
            tool_name="connectwise.move_to_company",
            arguments={"ticket_id": int(signal.external_id), "company_id": 251},
            call_id="1",
        )
        assert (action.state, "only a person proposes it" in action.reason) == (Action.State.REFUSED, True)
        assert action.preview == {}

    def test_to_a_company_that_junto_does_not_work_for_nobody_moves_it(self) -> None:
        with pytest.raises(TargetRefused, match="is no company that Junto works for"):
            self.preview("connectwise.move_to_company", ticket_id=self.sandbox.plant_ticket(), company_id=99_999)


class AloneTests(RoutesCase):
    """What an Admin answers for is done without a person: what a rule says, and no more."""

    def setUp(self) -> None:
        super().setUp()
        self.arrive("The first ticket brings its board")

    def grant(self, **options: str) -> str:
        """Adam saves the router's options so."""
        said = {
            "confidence": "0.95",
            "companies": self.harbor.name,
            "closed_status": "Closed",
            "board_descriptions": "Alerts: what monitoring posts",
            "write_back": "on",
            "most_a_day": "2",
            "ask_model": "on",
            "model_daily": "10",
        }
        path = self.path("processors/router/options/")
        return self.log_in(self.adam).post(path, said | options, follow=True).content.decode()

    def test_a_rule_closes_it_under_the_admins_standing_approval_and_it_can_be_reverted(self) -> None:
        page = self.grant()
        assert "set them to Closed, where a rule says so" in page
        assert "move them to Alerts, where a rule says so" in page
        assert "Adam Reyes answers for this" in page
        signal = self.proposed("close")
        action = self.action(signal)
        assert (action.state, action.unattended, action.why_asked) == (Action.State.SUCCEEDED, True, "")
        assert action.grant is not None
        assert action.grant.issued_by == self.adam
        assert self.there(signal).status == "Closed"
        assert self.read(signal.external_id).state == Signal.State.RESOLVED
        row = ProcessorResult.objects.for_organization(self.northwind).current().get(signal=signal, processor="router")
        self.log_in(self.mara).post(self.path(f"signals/{signal.pk}/findings/router/revert/"), {"result": str(row.pk)})
        self.drain()
        assert self.there(signal).status == "New"
        self.read(signal.external_id)
        assert self.there(signal).status == "New"

    def test_a_rule_moves_it_to_a_described_board(self) -> None:
        self.grant()
        signal = self.proposed("board: Alerts")
        assert self.action(signal).tool == "connectwise.move_to_board"
        assert (self.there(signal).board_name, len(self.writes())) == ("Alerts", 1)

    def test_another_company_and_what_somebody_owns_wait_for_a_person(self) -> None:
        self.grant()
        self.proposed(f"company: {self.kessler.name}")
        ProcessorRule.objects.for_organization(self.northwind).delete()
        self.rule("router", "close", "misplaced")
        number = self.sandbox.plant_ticket("Misplaced, and Oskar's")
        owned = [{"op": "replace", "path": "owner", "value": {"identifier": "oskar"}}]
        self.sandbox.change("tickets", number, owned, owner="northwind")
        self.read(number)
        assert self.writes() == []
        assert ReviewItem.objects.for_organization(self.northwind).filter(state="open").count() == 2

    def test_what_somebody_takes_before_the_change_leaves_waits_for_a_person(self) -> None:
        self.grant()
        self.rule("router", "close", "misplaced")
        number = self.sandbox.plant_ticket("Misplaced")
        with patch.object(tasks, "carry_back", side_effect=IntegrationError("It is away.")):
            signal = self.read(number)
        row = self.standing(signal, "router")
        assert row is not None
        owned = [{"op": "replace", "path": "owner", "value": {"identifier": "oskar"}}]
        self.sandbox.change("tickets", number, owned, owner="northwind")
        self.take_in(number)
        tasks.write_back.call(str(row.pk))
        self.drain()
        assert self.action(signal).state == Action.State.WAITING
        assert self.writes() == []

    def test_beyond_the_days_number_each_waits_under_approvals(self) -> None:
        self.grant(most_a_day="1")
        self.rule("router", "close", "misplaced")
        first, second = self.arrive("Misplaced one"), self.arrive("Misplaced two")
        assert [self.action(each).state for each in (first, second)] == [Action.State.SUCCEEDED, Action.State.WAITING]
        card = self.log_in(self.mara).get(self.path(f"approvals/?action={self.action(second).pk}")).content.decode()
        assert "<dt>Asked by</dt><dd>Catchall router, <a" in card
        assert f"about ticket {second.external_id}" in card
        assert len(self.writes()) == 1

    def test_settings_changed_behind_the_pages_back_are_not_covered(self) -> None:
        self.grant()
        row = ProcessorSetting.objects.for_organization(self.northwind).get(processor="router")
        row.options = {**row.options, "companies": [self.harbor.name, self.kessler.name]}
        row.save()
        self.rule("router", "close", "misplaced")
        signal = self.arrive("Misplaced", company="KESSLER")
        assert self.action(signal).state == Action.State.WAITING
        assert self.writes() == []

    def test_a_closed_status_that_no_board_has_is_refused_with_those_that_there_are(self) -> None:
        page = self.grant(closed_status="Shut")
        assert "No board has a status “Shut” that closes a ticket. These do: “" in page
        assert "No board has" not in self.grant()
