"""No tool of the PSA crosses the border of a company or an organization, and none of its writes is told wrongly (I6,
I7, T2).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from integrations.dispatch import call_tool
from integrations.errors import IntegrationError, OutcomeUnknown, TargetRefused, ToolRefused, ToolUnavailable
from integrations.models import ExternalRef
from integrations.tools import registry
from junto.team.organizations import create_company
from junto.tenants.models import Company
from tests.integrations.border import CANARY, BorderConformance
from tests.integrations.connected import HARBOR, KESSLER, ConnectedTestCase
from tests.integrations.outcomes import OutcomeConformance
from tests.integrations.rogue import Respond
from tests.wire import changed_records, listening


class ConnectWiseBorderTests(BorderConformance, ConnectedTestCase):
    arguments = {
        "search_tickets": {"contact_id": "contact"},
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
        "attach_configuration": {"ticket_id": "ticket", "configuration_id": "configuration"},
        "merge_tickets": {"ticket_id": "ticket", "child_ids": ["child"], "status_id": 1},
        "move_to_board": {"ticket_id": "ticket", "board_id": 2, "status_id": 1},
        "move_to_company": {"ticket_id": "ticket", "company_id": 252},
    }
    common = frozenset({"board_id", "status_id", "priority_id", "type_id", "subtype_id", "item_id", "company_id"})
    silent = frozenset({"find_company", "list_ticket_time", "list_schedule", "list_attachments"})

    def plant(self, *, times: int = 1) -> Mapping[str, list[Any]]:
        contact = {"firstName": CANARY, "lastName": CANARY, "company": {"identifier": "KESSLER"}}
        mail = [{"communicationItems": [{"value": f"canary{at}@kessler.example"}]} for at in range(times)]
        contacts = [one["id"] for one in self.sandbox.plant_many("contacts", [contact | one for one in mail])]
        ticket = {"summary": CANARY, "board": {"name": "Service Desk"}, "initialDescription": CANARY}
        theirs = {"company": {"identifier": "KESSLER"}, "contact": {"id": contacts[0]}}
        tickets = [one["id"] for one in self.sandbox.plant_many("tickets", [ticket | theirs] * times)]
        self.sandbox.plant_note(tickets[0], CANARY)
        rival = self.sandbox.plant_many(
            "tickets", [ticket | {"company": {"identifier": "ALDER"}}] * times, owner="southgate"
        )
        ours = {row["id"] for row in self.sandbox.stored("tickets")}
        tickets += [one["id"] for one in rival if one["id"] not in ours]
        device = self.sandbox.plant_device(CANARY, company="KESSLER")
        return {"ticket": tickets, "child": tickets, "contact": contacts, "configuration": [device]}

    def own(self) -> Mapping[str, Any]:
        contacts = [row["id"] for row in self.sandbox.stored("contacts") if row["company"] == int(HARBOR)]
        return {
            "ticket": self.sandbox.plant_ticket(),
            "child": self.sandbox.plant_ticket(),
            "contact": contacts[0],
            "configuration": self.sandbox.plant_device("QX-1"),
        }

    def astray(self) -> Respond:
        theirs = {"id": int(KESSLER), "identifier": "KESSLER", "name": self.kessler.name}

        def kesslers(record: dict[str, Any]) -> dict[str, Any]:
            return {"company": theirs, "summary": CANARY, "firstName": CANARY} if "company" in record else {}

        return listening(self.sandbox.port, [], change=changed_records(kesslers))

    def unlinked(self) -> Company:
        return create_company(actor=self.actor(self.adam), name="Not in the PSA")

    def test_a_refusal_says_what_is_no_record_of_whom(self) -> None:
        ticket = self.plant()["ticket"][0]
        with pytest.raises(TargetRefused) as refused:
            self.call("connectwise.get_ticket", ticket_id=ticket)
        assert str(refused.value) == f"{ticket} is not a ticket of {self.harbor.name}."

    def test_only_our_own_organization_is_asked_for_a_rivals_ticket_and_a_rivals_company_asks_nothing(self) -> None:
        asked, tool = len(self.sandbox.log()), registry.get("connectwise.find_company")
        with pytest.raises(ToolUnavailable):
            call_tool(tool=tool, arguments={}, organization=self.northwind, company=self.quayside)
        with pytest.raises(ToolRefused):
            call_tool(tool=tool, arguments={}, organization=self.southgate, company=self.harbor)
        assert len(self.sandbox.log()) == asked
        rival = self.sandbox.plant_ticket("Rival", owner="southgate", company="ALDER")
        self.attempt("get_ticket", {"ticket_id": rival})
        assert {row["owner"] for row in self.sandbox.log()} == {"northwind"}


class ConnectWiseOutcomeTests(OutcomeConformance, ConnectedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ticket, other = self.sandbox.plant_ticket(status="New"), self.sandbox.plant_ticket()
        options: Any = self.call("connectwise.board_options", board_id=1).content
        there: Any = self.call("connectwise.board_options", board_id=2).content
        status = {row["name"]: row["id"] for row in options["statuses"]}
        closed = next(row["id"] for row in options["statuses"] if row["closed"])
        at, ticket = {"start": "2026-11-20T09:00:00Z"}, {"ticket_id": self.ticket}
        self.calls: dict[str, dict[str, Any]] = {
            "add_internal_note": ticket | {"text": "Checked."},
            "add_customer_note": ticket | {"text": "Done."},
            "set_ticket_status": ticket | {"status_id": status["In Progress"]},
            "classify_ticket": ticket | {"type_id": options["types"][0]["id"]},
            "assign_ticket": ticket | {"member": "theo"},
            "add_time_entry": ticket | at | {"minutes": 15, "notes": "Checked."},
            "create_ticket": {"summary": "New UPS", "description": "Order one.", "board_id": 1},
            "schedule_ticket": ticket | at | {"member": "theo", "minutes": 30},
            "attach_configuration": ticket | {"configuration_id": self.sandbox.plant_device("QX-1")},
            "merge_tickets": ticket | {"child_ids": [self.sandbox.plant_ticket()], "status_id": closed},
            "move_to_board": {"ticket_id": other, "board_id": 2, "status_id": int(there["statuses"][0]["id"])},
            "move_to_company": {"ticket_id": self.sandbox.plant_ticket(), "company_id": int(KESSLER)},
        }

    def orders(self) -> Mapping[str, Mapping[str, Any]]:
        return self.calls

    def test_a_note_that_was_found_again_is_known_as_our_own(self) -> None:
        self.lost("cut_after", "add_internal_note")

        (effect,) = self.sandbox.effects()
        reference = ExternalRef.objects.for_organization(self.northwind).get(action_id=self.action)
        assert reference.external_id == str(effect["record"]["id"])

    def test_an_answer_cut_in_half_leaves_the_write_unknown(self) -> None:
        with pytest.raises(OutcomeUnknown):
            self.sent("add_internal_note", self.calls["add_internal_note"], kind="truncated")

        assert len(self.sandbox.effects()) == 1

    def test_a_vendor_that_falls_silent_after_a_write_leaves_it_unknown(self) -> None:
        self.sandbox.fault("half_open", method="POST", hold_seconds=20)
        with pytest.raises(OutcomeUnknown):
            self.write("add_internal_note", self.calls["add_internal_note"], seconds=1.5)

        assert len(self.sandbox.effects()) == 1

    def test_a_field_that_somebody_changed_meanwhile_is_unclear(self) -> None:
        name, arguments = "connectwise.set_ticket_status", self.calls["set_ticket_status"]
        before = self.preview(name, **arguments).target_state
        self.sandbox.change_ticket(self.ticket, status={"name": "Waiting on Client"})

        assert self.outcome_of(name, arguments, before, ago=timedelta(minutes=5)).verdict == "unclear"

    def test_a_vendor_that_fails_before_the_write_makes_it_fail_for_certain(self) -> None:
        for fault in ({"kind": "status", "status": 500}, {"kind": "html", "status": 200}, {"kind": "cut_before"}):
            self.sandbox.fault(**fault, method="GET", count=None)
            with pytest.raises(IntegrationError) as failure:
                self.write("add_internal_note", self.calls["add_internal_note"])
            self.sandbox.clear_faults()
            assert not isinstance(failure.value, OutcomeUnknown), fault

        assert self.sandbox.effects() == []

    def test_the_same_arguments_send_the_same_bytes(self) -> None:
        name, arguments, action = "connectwise.add_time_entry", self.calls["add_time_entry"], uuid.uuid4()
        for _ in range(2):
            call_tool(
                tool=registry.get(name),
                arguments=arguments,
                organization=self.northwind,
                company=self.harbor,
                warrant=self.warrant(name, arguments, action_id=action),
            )

        first, second = self.sandbox.effects()
        assert first["body"] == second["body"]
        assert ExternalRef.objects.for_organization(self.northwind).filter(kind="time_entry").count() == 2
