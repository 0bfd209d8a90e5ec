"""No tool crosses the border of a company or an organization, whatever ids a model names (I6, I7, T2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.dispatch import call_tool
from integrations.errors import IntegrationError, TargetRefused, ToolRefused, ToolUnavailable
from integrations.tools import Scope, registry
from junto.team.organizations import create_company
from tests.integrations.connected import KESSLER, ConnectedTestCase

CANARY = "CANARY-of-another-company"

ARGUMENTS: dict[str, dict[str, Any]] = {
    "search_tickets": {},
    "get_ticket": {"ticket_id": "ticket"},
    "list_ticket_time": {"ticket_id": "ticket"},
    "find_company": {},
    "find_contact": {},
    "list_configurations": {"contact_id": "contact"},
    "create_ticket": {"summary": "a", "description": "b", "board_id": 1, "contact_id": "contact"},
    "add_internal_note": {"ticket_id": "ticket", "text": "a"},
    "add_customer_note": {"ticket_id": "ticket", "text": "a"},
    "set_ticket_status": {"ticket_id": "ticket", "status_id": 1},
    "classify_ticket": {"ticket_id": "ticket", "priority_id": 1},
    "assign_ticket": {"ticket_id": "ticket", "member": "theo"},
    "add_time_entry": {"ticket_id": "ticket", "start": "2026-11-20T09:00:00Z", "minutes": 5, "notes": "a"},
    "list_schedule": {"start": "2026-11-20T00:00:00Z", "end": "2026-11-27T00:00:00Z"},
    "schedule_ticket": {"ticket_id": "ticket", "member": "theo", "start": "2026-11-23T09:00:00Z", "minutes": 30},
    "list_attachments": {"ticket_id": "ticket"},
    "attach_configuration": {"ticket_id": "ticket", "configuration_id": 1},
    "merge_tickets": {"ticket_id": "ticket", "child_ids": [1], "status_id": 1},
    "move_to_board": {"ticket_id": "ticket", "board_id": 2, "status_id": 1},
    "move_to_company": {"ticket_id": "ticket", "company_id": 252},
}
"""Every tool that touches a company's records; "ticket" and "contact" stand for a foreign id."""


class CompanyBorderTests(ConnectedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.contact = self.sandbox.plant_contact(CANARY, CANARY, "canary@kessler.example", company="KESSLER")
        self.ticket = self.sandbox.plant_ticket(CANARY, CANARY, company="KESSLER", contact=self.contact)
        self.sandbox.plant_note(self.ticket, CANARY)
        self.sandbox.plant_device(CANARY, company="KESSLER")

    def test_every_tool_that_touches_company_records_is_tried_here(self) -> None:
        ours = [tool for tool in registry if tool.vendor == "connectwise"]
        touching = {tool.name.partition(".")[2] for tool in ours if tool.scope is not Scope.FREE}

        assert touching == set(ARGUMENTS)

    def test_no_tool_finds_or_changes_a_record_of_another_company(self) -> None:
        for name in ARGUMENTS:
            seen = self.attempt(name, self.ticket, self.contact)
            assert CANARY not in seen, name

        assert self.sandbox.effects() == []

    def test_no_preview_shows_a_record_of_another_company(self) -> None:
        for name, arguments in ARGUMENTS.items():
            tool = registry.get(f"connectwise.{name}")
            if tool.preview is None:
                continue
            with pytest.raises(TargetRefused) as refused:
                self.preview(tool.name, **self.filled(arguments, self.ticket, self.contact))
            assert CANARY not in str(refused.value)

    def test_a_foreign_ticket_and_one_that_is_not_there_are_refused_alike(self) -> None:
        words = []
        for ticket in (self.ticket, 999_999_999):
            with pytest.raises(TargetRefused) as refused:
                self.call("connectwise.get_ticket", ticket_id=ticket)
            words.append(str(refused.value).replace(str(ticket), "N"))

        assert words[0] == words[1] == f"N is not a ticket of {self.harbor.name}."

    def test_the_other_company_itself_reaches_its_records(self) -> None:
        found: Any = self.call("connectwise.get_ticket", self.linked(KESSLER), ticket_id=self.ticket).content

        assert found["summary"] == CANARY

    def test_no_id_of_any_foreign_record_gets_through_any_tool(self) -> None:
        foreign = [row for row in self.sandbox.stored("tickets") if row["company"] != 250]
        ours = {row["id"] for row in self.sandbox.stored("contacts") if row["company"] == 250}

        @settings(max_examples=60, deadline=None)
        @given(name=st.sampled_from(sorted(ARGUMENTS)), target=st.sampled_from(foreign), contact=st.integers(1, 400))
        def attempt(name: str, target: dict[str, Any], contact: int) -> None:
            before = len(self.sandbox.effects())

            assert target["summary"] not in self.attempt(name, target["id"], contact)

            # a new ticket of our own, with a contact of our own, is all that may come of this
            if self.sandbox.effects()[before:]:
                assert name == "create_ticket"
                assert contact in ours

        attempt()

    def test_a_rival_with_the_same_numbers_is_out_of_reach(self) -> None:
        rival = self.sandbox.plant_ticket("Rival " + CANARY, owner="southgate", company="ALDER")
        seen = [self.attempt(name, rival, 1) for name in ARGUMENTS if name != "create_ticket"]

        assert not any("Rival" in text for text in seen)
        assert {row["owner"] for row in self.sandbox.log()} == {"northwind"}

    def test_a_company_of_the_rival_is_refused_before_anything_is_asked(self) -> None:
        asked = len(self.sandbox.log())
        tool = registry.get("connectwise.find_company")

        with pytest.raises(ToolUnavailable):
            call_tool(tool=tool, arguments={}, organization=self.northwind, company=self.quayside)
        with pytest.raises(ToolRefused):
            call_tool(tool=tool, arguments={}, organization=self.southgate, company=self.harbor)
        assert len(self.sandbox.log()) == asked

    def test_a_company_without_a_link_has_no_tools(self) -> None:
        unlinked = create_company(actor=self.actor(self.adam), name="Not in the PSA")

        with pytest.raises(ToolUnavailable, match="not linked"):
            self.call("connectwise.search_tickets", unlinked)

    def attempt(self, name: str, ticket: int, contact: int) -> str:
        """Everything that came back, a refusal's words included."""
        arguments = self.filled(ARGUMENTS[name], ticket, contact)
        try:
            result = self.call(f"connectwise.{name}", **arguments)
        except IntegrationError as error:
            return str(error)
        return json.dumps([result.content, result.summary])

    def filled(self, arguments: dict[str, Any], ticket: int, contact: int) -> dict[str, Any]:
        """The arguments with ids in place of the words for them."""
        ids = {"ticket": ticket, "contact": contact}
        return {name: ids.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()}
