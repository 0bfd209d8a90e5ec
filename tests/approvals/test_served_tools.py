"""A tool of an MCP server at the one door: asked, approved, sent once, and void when its server changes it."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.cards import action_card, preview_card
from approvals.models import Action, ApprovalPolicy, Grant, Origin
from approvals.services import DecisionRefused, decide_action, open_origin, preview_change, propose_action
from approvals.tasks import sweep_actions
from integrations.models import CompanyLink, McpTool
from integrations.services import check_connection
from junto.tenants.actors import Actor
from tests.integrations.served import GET, GUIDES, LIST, NOTE, SYSTEM, ServedTestCase


class ServedToolTests(ServedTestCase):
    def setUp(self) -> None:
        """A session about Harbor, a read and a write in use."""
        super().setUp()
        self.classify("search_guides", GUIDES)
        self.classify("set_asset_note", NOTE)
        self.origin = open_origin(
            organization=self.northwind,
            kind=Origin.Kind.SESSION,
            key="served",
            subject="signal:1",
            mode=Origin.Mode.TRIAGE,
            company=self.harbor,
            revision=1,
        )
        self.number = 0

    def ask(self, name: str, **arguments: Any) -> Action:
        """The agent asks for a call."""
        self.number += 1
        self.origin.refresh_from_db()
        return propose_action(
            actor=Actor.system("agent", self.northwind),
            origin=self.origin,
            fence=self.origin.fence,
            tool_name=f"{SYSTEM}.{name}",
            arguments=arguments,
            call_id=f"call-{self.number}",
        )

    def note(self) -> Action:
        """The agent asks to put a note on one of Harbor's assets."""
        return self.ask("set_asset_note", asset=self.asset_of("HARBOR"), note="Moved to room 4")

    def approve(self, action: Action) -> Action:
        """Theo approves, and what that wakes is done."""
        decide_action(action_id=action.pk, actor=self.actor(self.theo), verdict="approve", digest=action.digest)
        self.drain()
        action.refresh_from_db()
        return action

    def test_a_read_runs_by_itself_and_its_answer_is_foreign_text(self) -> None:
        action = self.ask("search_guides", words="printer")

        assert action.state == Action.State.SUCCEEDED
        assert action.foreign
        assert "cleaning page" in str(action.result)

    def test_a_write_waits_with_its_exact_arguments_and_is_sent_once(self) -> None:
        action = self.note()
        assert action.state == Action.State.WAITING
        assert ["company, filled in by Junto", "Not read", "HARBOR"] in action.preview["changes"]
        assert self.sandbox.effects() == []

        action = self.approve(action)

        assert action.state == Action.State.SUCCEEDED
        assert len(self.sandbox.effects()) == 1

    def test_the_card_lists_exactly_what_the_server_receives(self) -> None:
        action = self.note()
        listed = self.listed(action)
        assert list(listed) == ["asset", "note", "company, filled in by Junto"]

        self.approve(action)

        (effect,) = self.sandbox.effects()
        assert {name.split(",")[0]: value for name, value in listed.items()} == effect["body"]["params"]["arguments"]
        assert self.listed(action) == listed

    def test_the_card_of_a_look_up_that_is_asked_for_lists_exactly_what_the_server_receives(self) -> None:
        self.classify("list_assets", LIST)
        self.always("list_assets")
        action = self.ask("list_assets")
        assert action.state == Action.State.WAITING
        assert self.listed(action) == {"company, filled in by Junto": "HARBOR"}

        self.approve(action)

        call = next(row for row in self.sandbox.log() if row["route"] == "/mcp/tools/call/list_assets")
        assert call["body"]["params"]["arguments"] == {"company": "HARBOR"}

    def test_a_look_up_whose_filled_in_id_changed_since_it_was_asked_for_is_withdrawn(self) -> None:
        self.classify("list_assets", LIST)
        self.always("list_assets")
        action = self.ask("list_assets")
        CompanyLink.unscoped.filter(connection=self.server, company=self.harbor).update(external_id="OTHER")

        action = self.approve(action)

        assert action.state == Action.State.CANCELLED
        assert action.reason == "The company's id there changed since this was asked. Ask again."

    def test_a_changed_look_up_whose_filled_in_id_is_not_what_the_person_saw_is_not_approved(self) -> None:
        self.classify("list_assets", LIST)
        self.always("list_assets")
        action = self.ask("list_assets")
        changed = preview_change(action_id=action.pk, actor=self.actor(self.theo), arguments={"words": "FW"})
        CompanyLink.unscoped.filter(connection=self.server, company=self.harbor).update(external_id="OTHER")

        with pytest.raises(DecisionRefused, match="changed after you were shown"):
            decide_action(
                action_id=action.pk,
                actor=self.actor(self.theo),
                verdict="approve",
                digest=changed.digest,
                target_digest=changed.target_digest,
                arguments={"words": "FW"},
            )

        assert not [row for row in self.sandbox.log() if row["route"] == "/mcp/tools/call/list_assets"]
        assert all(row["route"] != "/mcp/tools/call/list_assets" for row in self.sandbox.log())

    def test_changed_arguments_keep_what_junto_fills_in(self) -> None:
        action = self.note()
        changed = preview_change(
            action_id=action.pk, actor=self.actor(self.theo), arguments={**action.arguments, "note": "Room 5"}
        )
        assert ("company, filled in by Junto", "HARBOR", "string") in preview_card(changed).arguments

    def test_a_look_up_of_another_companys_record_shows_nothing_of_it_at_any_time(self) -> None:
        self.classify("get_asset", GET)
        self.always("get_asset")
        foreign = self.asset_of("KESSLER")
        action = self.ask("get_asset", asset=foreign)
        card = action_card(action, actor=self.actor(self.theo))
        assert self.listed(action) == {"asset": foreign, "company, filled in by Junto": "HARBOR"}

        action = self.approve(action)

        assert action.state in (Action.State.REFUSED, Action.State.FAILED)
        held = next(one for one in self.sandbox.held("mcp", "assets") if f"A-{one['id']}" == foreign)
        after = action_card(action, actor=self.actor(self.theo))
        told = f"{card} {after} {action.result} {action.reason} {action.summary}"
        assert "KESSLER" not in told
        assert str(held["name"]) not in told

    def listed(self, action: Action) -> dict[str, str]:
        """What the card lists as exactly what is sent."""
        return {name: value for name, value, _ in action_card(action, actor=self.actor(self.theo)).arguments}

    def always(self, name: str) -> None:
        """A policy that this tool always asks."""
        ApprovalPolicy(organization=self.northwind, tool=f"{SYSTEM}.{name}", mode="always", set_by=self.adam).save()

    def test_a_blocked_tool_is_refused_and_nothing_of_it_is_told(self) -> None:
        action = self.ask("export_assets")

        assert action.state == Action.State.REFUSED
        assert "Every asset" not in f"{action.reason} {action.title}"

    def test_an_approval_is_void_when_the_server_changed_the_tool_meanwhile(self) -> None:
        action = self.note()
        self.alter_tool("set_asset_note", description="Put a note on every asset of every client.")

        action = self.approve(action)

        assert action.state in (Action.State.REFUSED, Action.State.CANCELLED, Action.State.FAILED)
        assert self.sandbox.effects() == []

    def test_a_write_that_was_cut_off_is_for_a_person_to_settle(self) -> None:
        action = self.note()
        self.sandbox.fault("cut_after", vendor="mcp", path="*/tools/call/*")

        assert self.approve(action).state == Action.State.UNKNOWN
        self.drain()
        assert len(self.sandbox.effects()) == 1

    def test_milder_policies_end_with_the_tool_they_were_said_of(self) -> None:
        for tool, mode in (("set_asset_note", "auto"), ("search_guides", "always")):
            ApprovalPolicy(organization=self.northwind, tool=f"{SYSTEM}.{tool}", mode=mode, set_by=self.adam).save()
            self.alter_tool(tool, description="Other.")
        check_connection(self.server, insists=True)
        self.drain()

        left = ApprovalPolicy.objects.for_organization(self.northwind).values_list("tool", "mode")
        assert list(left) == [(f"{SYSTEM}.search_guides", "always")]

    def test_a_policy_that_also_forbids_unattended_use_keeps_only_that(self) -> None:
        tool = f"{SYSTEM}.set_asset_note"
        ApprovalPolicy(
            organization=self.northwind, tool=tool, mode="auto", never_unattended=True, set_by=self.adam
        ).save()
        self.alter_tool("set_asset_note", description="Other.")
        check_connection(self.server, insists=True)
        self.drain()

        left = ApprovalPolicy.objects.for_organization(self.northwind).values_list("mode", "never_unattended")
        assert list(left) == [("always", True)]
        self.classify("set_asset_note", NOTE)
        assert self.note().state == Action.State.WAITING

    def test_what_was_approved_of_a_server_does_not_hold_at_another_address(self) -> None:
        ApprovalPolicy(
            organization=self.northwind, tool=f"{SYSTEM}.set_asset_note", mode="auto", set_by=self.adam
        ).save()
        Grant(**self.standing("runbook", step="1", runbook="1:1")).save()
        session = Grant(**self.standing("session", origin=self.origin))
        session.save()
        waiting = self.ask("set_asset_note", asset=self.asset_of("HARBOR"), note="x")
        assert waiting.state == Action.State.APPROVED

        self.move_server()
        self.classify("set_asset_note", NOTE)
        self.drain()

        waiting.refresh_from_db()
        assert waiting.state in (Action.State.REFUSED, Action.State.CANCELLED)
        assert not ApprovalPolicy.objects.for_organization(self.northwind).exists()
        session.refresh_from_db()
        assert session.revoked_at
        assert self.note().state == Action.State.WAITING
        assert self.sandbox.effects() == []

    def standing(self, kind: str, **more: Any) -> dict[str, Any]:
        """The fields of a standing approval to write notes on Harbor's assets."""
        tool = self.tool("set_asset_note")
        return {
            "organization": self.northwind,
            "kind": kind,
            "tool": tool.name,
            "tool_pin": tool.pin,
            "company": self.harbor,
            "words": "Notes.",
            "issued_by": self.adam,
            **more,
        }

    def test_a_policy_ends_with_its_tool_though_the_bell_was_lost(self) -> None:
        for tool in ("set_asset_note", "search_guides"):
            ApprovalPolicy(organization=self.northwind, tool=f"{SYSTEM}.{tool}", mode="auto", set_by=self.adam).save()
        McpTool.unscoped.filter(name="set_asset_note").update(state=McpTool.State.CHANGED)

        sweep_actions.call()

        left = ApprovalPolicy.objects.for_organization(self.northwind).values_list("tool", flat=True)
        assert list(left) == [f"{SYSTEM}.search_guides"]
