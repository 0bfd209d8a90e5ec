"""What the model is shown of the tools it may use, and how it finds the others."""

from __future__ import annotations

import pytest

from agent.offering import FIND_TOOLS, FOUND, SHOWN_WHOLE, Wants, found_tools, names_found, shown_tools, tool_specs
from approvals.models import Action, ApprovalPolicy
from approvals.overrides import set_policy
from approvals.policy import Mode
from integrations.llm.spend import estimate_tokens
from integrations.tools import AnyTool, Scope, registry
from tests.agent.model_cases import ModelTestCase
from tests.integrations.monitored import MonitoredTestCase
from tests.scripted_model import Asks, Says

ALL = {tool.name: tool for tool in registry if tool.scope is not Scope.ACROSS}
TICKET = "Got a new phone, the authenticator codes do not work any more"


def test_what_fits_the_ticket_is_shown_for_less_than_a_third_of_what_all_tools_cost() -> None:
    specs = tool_specs(ALL, Wants(ticket=TICKET))

    shown = {spec.name for spec in specs}
    assert {"connectwise.get_ticket", "connectwise.add_internal_note", "microsoft365.remove_mfa_method"} <= shown
    assert 3 * estimate_tokens((), specs) < estimate_tokens((), tool_specs(ALL, Wants("", named=frozenset(ALL))))


def test_what_the_runbook_names_and_a_person_writes_is_always_shown() -> None:
    wants = Wants(TICKET, remarks=["try ninjaone.reboot_device"], named=frozenset({"pax8.place_order", "bank.send"}))

    assert {"ninjaone.reboot_device", "pax8.place_order"} <= shown_tools(ALL, wants).keys() <= ALL.keys()


def test_what_was_shown_stays_while_people_go_on_talking() -> None:
    before = shown_tools(ALL, Wants(TICKET))
    after = shown_tools(ALL, Wants(TICKET, remarks=["isolate the computer in Sophos"]))

    assert before.keys() < after.keys()
    assert "sophos.isolate_endpoint" in after


def test_few_tools_are_shown_as_they_are_without_one_to_find_more() -> None:
    few = {name: tool for name, tool in ALL.items() if tool.vendor in ("connectwise", "junto")}
    assert len(few) <= SHOWN_WHOLE

    assert shown_tools(few, Wants("")).keys() == few.keys() - {FIND_TOOLS}


def test_where_the_one_that_finds_is_switched_off_everything_is_shown() -> None:
    rest = {name: tool for name, tool in ALL.items() if name != FIND_TOOLS}
    assert len(rest) > SHOWN_WHOLE

    assert shown_tools(rest, Wants(TICKET)).keys() == rest.keys()


@pytest.mark.parametrize(
    ("words", "tool"),
    [
        ("isolate a computer from the network", "sophos.isolate_endpoint"),
        ("buy more licence seats", "pax8.change_quantity"),
        ("who signed in", "microsoft365.sign_ins"),
        ("restart a service", "ninjaone.control_service"),
        ("documents in IT Glue", "itglue.list_documents"),
    ],
)
def test_words_find_tools(words: str, tool: str) -> None:
    found = found_tools(ALL, words)

    assert tool in names_found([found])
    assert len(names_found([found])) <= FOUND


def test_words_that_find_nothing_are_answered_with_the_systems_there_are() -> None:
    assert found_tools(ALL, "zzzz")["tools_of_each_system"] != {}
    assert names_found([found_tools(ALL, "zzzz"), None, {"tools": "x"}]) == frozenset()


def test_the_one_that_finds_tells_how_many_are_not_shown() -> None:
    spec = next(spec for spec in tool_specs(ALL, Wants(TICKET)) if spec.name == FIND_TOOLS)

    assert "of Pax8" in spec.description


class FindingTests(MonitoredTestCase, ModelTestCase):
    """Two systems are connected, which have more tools than are shown."""

    def test_a_model_finds_a_tool_by_words_and_may_call_it_from_then_on(self) -> None:
        search = Asks(FIND_TOOLS, {"words": "which patches are pending on a device"})
        call = Asks("ninjaone.pending_patches", {"device_id": self.number("HBR-WS-LAB")})
        with self.model(Says(calls=(search,)), Says(calls=(call,)), Says("That is all.")) as server:
            session = self.start()

        first, second, third = (set(request.offered) for request in server.requests)
        assert call.tool not in first
        assert call.tool in second
        assert first <= second <= third
        assert self.actions(session, call.tool)[0].state == Action.State.SUCCEEDED
        found = self.actions(session, FIND_TOOLS)[0]
        assert found.state == Action.State.SUCCEEDED
        assert not found.foreign

    def test_what_was_found_is_known_again_to_whoever_takes_the_session_up(self) -> None:
        with self.model(Says(calls=(Asks(FIND_TOOLS, {"words": "pending patches"}),)), Says("Found.")) as server:
            session = self.start()
        with self.model(Says("Still there.")) as again:
            self.say(session, "Go on.")

        assert "ninjaone.pending_patches" in server.requests[-1].offered
        assert "ninjaone.pending_patches" in again.requests[0].offered

    def test_a_tool_that_is_switched_off_is_neither_shown_nor_found(self) -> None:
        tool: AnyTool = registry.get("ninjaone.pending_patches")
        set_policy(actor=self.actor(self.adam), tool=tool, mode=Mode.DISABLED)
        assert ApprovalPolicy.unscoped.filter(tool=tool.name).exists()
        with self.model(Says(calls=(Asks(FIND_TOOLS, {"words": "pending patches"}),)), Says("None.")) as server:
            session = self.start()

        assert tool.name not in str(self.actions(session, FIND_TOOLS)[0].result)
        assert tool.name not in server.requests[-1].offered
