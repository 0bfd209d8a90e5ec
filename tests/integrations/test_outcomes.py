"""Writes that fail, and writes of which nobody knows: told apart, and found out by reading back (TRUST (c))."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.dispatch import call_tool, preview_tool, search_outcome
from integrations.errors import IntegrationError, OutcomeUnknown, VendorForbidden, WarrantRefused
from integrations.models import ExternalRef
from integrations.tools import Outcome, registry
from tests.integrations.connected import KESSLER, ConnectedTestCase

PAST = timedelta(minutes=-5)


class OutcomeTests(ConnectedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ticket = self.sandbox.plant_ticket(status="New")
        options: Any = self.call("connectwise.board_options", board_id=1).content
        self.status = next(row["id"] for row in options["statuses"] if row["name"] == "In Progress")
        self.type = options["types"][0]["id"]
        closed = next(row["id"] for row in options["statuses"] if row["closed"])
        self.calls: dict[str, dict[str, Any]] = {
            "connectwise.add_internal_note": {"ticket_id": self.ticket, "text": "Checked."},
            "connectwise.add_customer_note": {"ticket_id": self.ticket, "text": "Done."},
            "connectwise.set_ticket_status": {"ticket_id": self.ticket, "status_id": self.status},
            "connectwise.classify_ticket": {"ticket_id": self.ticket, "type_id": self.type},
            "connectwise.assign_ticket": {"ticket_id": self.ticket, "member": "theo"},
            "connectwise.add_time_entry": {
                "ticket_id": self.ticket,
                "start": "2026-11-20T09:00:00Z",
                "minutes": 15,
                "notes": "Checked.",
            },
            "connectwise.create_ticket": {"summary": "New UPS", "description": "Order one.", "board_id": 1},
            "connectwise.schedule_ticket": {
                "ticket_id": self.ticket,
                "member": "theo",
                "start": "2026-11-20T09:00:00Z",
                "minutes": 30,
            },
            "connectwise.attach_configuration": {
                "ticket_id": self.ticket,
                "configuration_id": self.sandbox.plant_device("QX-1"),
            },
            "connectwise.merge_tickets": {
                "ticket_id": self.ticket,
                "child_ids": [self.sandbox.plant_ticket()],
                "status_id": closed,
            },
            "connectwise.move_to_board": {
                "ticket_id": self.sandbox.plant_ticket(),
                "board_id": 2,
                "status_id": self.first_status(2),
            },
            "connectwise.move_to_company": {"ticket_id": self.sandbox.plant_ticket(), "company_id": int(KESSLER)},
        }

    def first_status(self, board: int) -> int:
        options: Any = self.call("connectwise.board_options", board_id=board).content
        return int(options["statuses"][0]["id"])

    def test_every_write_is_tried_here(self) -> None:
        assert set(self.calls) == {tool.name for tool in registry if tool.is_write and tool.vendor == "connectwise"}

    def test_a_write_whose_answer_was_lost_is_unknown_and_then_found(self) -> None:
        for name in self.calls:
            action, before = uuid.uuid4(), self.state(name)
            self.fault_writes("cut_after")

            with pytest.raises(OutcomeUnknown):
                self.write(name, action)

            outcome = self.search(name, action, before)
            assert outcome.verdict == "found", (name, outcome)
        assert len(self.sandbox.effects()) == len(self.calls)

    def test_a_note_that_was_found_again_is_known_as_our_own(self) -> None:
        action = uuid.uuid4()
        self.fault_writes("cut_after")
        with pytest.raises(OutcomeUnknown):
            self.write("connectwise.add_internal_note", action)

        self.search("connectwise.add_internal_note", action, None)

        (effect,) = self.sandbox.effects()
        reference = ExternalRef.objects.for_organization(self.northwind).get(action_id=action)
        assert reference.external_id == str(effect["record"]["id"])

    def test_a_write_that_never_arrived_is_unknown_and_then_absent(self) -> None:
        for name in self.calls:
            action, before = uuid.uuid4(), self.state(name)
            self.fault_writes("cut_before")

            with pytest.raises(OutcomeUnknown):
                self.write(name, action)

            outcome = self.search(name, action, before)
            assert outcome.verdict == "absent", (name, outcome)
        assert self.sandbox.effects() == []

    def test_an_answer_cut_in_half_leaves_the_write_unknown(self) -> None:
        action = uuid.uuid4()
        self.fault_writes("truncated")

        with pytest.raises(OutcomeUnknown):
            self.write("connectwise.add_internal_note", action)

        assert len(self.sandbox.effects()) == 1

    def test_a_server_error_after_a_write_is_sent_leaves_it_unknown(self) -> None:
        self.fault_writes("status", status=502)

        with pytest.raises(OutcomeUnknown):
            self.write("connectwise.add_internal_note", uuid.uuid4())

    def test_a_vendor_that_falls_silent_after_a_write_leaves_it_unknown(self) -> None:
        self.fault_writes("half_open", hold_seconds=20)

        with pytest.raises(OutcomeUnknown):
            self.write("connectwise.add_internal_note", uuid.uuid4(), deadline_seconds=1.5)

        assert len(self.sandbox.effects()) == 1

    def test_a_missing_mark_proves_nothing_before_the_index_has_settled(self) -> None:
        name = "connectwise.add_internal_note"

        outcome = self.search(name, uuid.uuid4(), None, deadline=datetime.now(UTC) + timedelta(seconds=10))

        assert outcome.verdict == "unclear"

    def test_a_field_that_somebody_changed_meanwhile_is_unclear(self) -> None:
        name = "connectwise.set_ticket_status"
        before = self.state(name)
        self.sandbox.change_ticket(self.ticket, status={"name": "Waiting on Client"})

        assert self.search(name, uuid.uuid4(), before).verdict == "unclear"

    def test_a_read_only_key_makes_a_write_fail_for_certain(self) -> None:
        self.sandbox.fault("status", status=403, method="POST", count=None)

        with pytest.raises(VendorForbidden):
            self.write("connectwise.add_internal_note", uuid.uuid4())

        assert self.sandbox.effects() == []

    def test_a_vendor_that_fails_before_the_write_makes_it_fail_for_certain(self) -> None:
        for fault in ({"kind": "status", "status": 500}, {"kind": "html", "status": 200}, {"kind": "cut_before"}):
            self.sandbox.fault(**fault, method="GET", count=None)
            with pytest.raises(IntegrationError) as failure:
                self.write("connectwise.add_internal_note", uuid.uuid4())
            self.sandbox.clear_faults()
            assert not isinstance(failure.value, OutcomeUnknown), fault

        assert self.sandbox.effects() == []

    def test_no_write_of_any_tool_leaves_without_a_warrant_or_with_another_ones(self) -> None:
        for name, arguments in self.calls.items():
            tool = registry.get(name)
            other = self.warrant(name, arguments | {"ticket_id": 1} if "ticket_id" in arguments else arguments)
            late = self.warrant(name, arguments, deadline=datetime.now(UTC))
            old = self.warrant(name, arguments, tool_pin="0" * 64)
            changed = self.warrant(name, arguments, digest="0" * 64)
            wrong = [None, late, old, changed] + ([other] if "ticket_id" in arguments else [])
            for warrant in wrong:
                with pytest.raises(WarrantRefused):
                    call_tool(
                        tool=tool,
                        arguments=arguments,
                        organization=self.northwind,
                        company=self.harbor,
                        warrant=warrant,
                    )

        assert self.sandbox.effects() == []

    def test_the_same_arguments_send_the_same_bytes(self) -> None:
        action = uuid.uuid4()
        for _ in range(2):
            self.write("connectwise.add_time_entry", action)

        first, second = self.sandbox.effects()
        assert first["body"] == second["body"]
        assert ExternalRef.objects.for_organization(self.northwind).filter(kind="time_entry").count() == 2

    def fault_writes(self, kind: str, **options: Any) -> None:
        """Break the next request that writes, and no read."""
        self.sandbox.clear_faults()
        for method in ("POST", "PATCH"):
            self.sandbox.fault(kind, method=method, **options)

    def write(self, name: str, action: uuid.UUID, deadline_seconds: float = 30.0) -> None:
        """Run a write as the action."""
        arguments = self.calls[name]
        call_tool(
            tool=registry.get(name),
            arguments=arguments,
            organization=self.northwind,
            company=self.harbor,
            warrant=self.warrant(name, arguments, action_id=action),
            deadline_seconds=deadline_seconds,
        )

    def state(self, name: str) -> Any:
        """The target as it is now."""
        return preview_tool(
            tool=registry.get(name),
            arguments=self.calls[name],
            organization=self.northwind,
            company=self.harbor,
        ).target_state

    def search(self, name: str, action: uuid.UUID, before: Any, deadline: datetime | None = None) -> Outcome:
        """Look for the outcome, once everything has settled unless a deadline is given."""
        self.sandbox.clear_faults()
        return search_outcome(
            tool=registry.get(name),
            arguments=self.calls[name],
            organization=self.northwind,
            company=self.harbor,
            action_id=action,
            before=before,
            deadline=deadline or datetime.now(UTC) + PAST,
        )
