"""No tool of Sophos crosses the border of a company: not by ids that a model names, nor if the vendor's fence fell."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.errors import IntegrationError, TargetRefused, ToolUnavailable
from integrations.sophos.tools import TOOLS
from integrations.tools import Scope, registry
from tests.integrations.protected import ProtectedTestCase
from tests.integrations.rogue import rogue_server
from tests.wire import listening

CANARY = "CANARY-of-another-company"

ARGUMENTS: dict[str, dict[str, Any]] = {
    "list_endpoints": {"hostname": "CANARY"},
    "get_endpoint": {"endpoint_id": "computer"},
    "list_alerts": {},
    "get_alert": {"alert_id": "alert"},
    "list_events": {},
    "isolation_status": {"endpoint_id": "computer"},
    "tamper_status": {"endpoint_id": "computer"},
    "account_health": {},
    "list_cases": {},
    "scan_endpoint": {"endpoint_id": "computer"},
    "check_update": {"endpoint_id": "computer"},
    "isolate_endpoint": {"endpoint_id": "computer", "comment": "a"},
    "release_endpoint": {"endpoint_id": "computer", "comment": "a"},
    "act_on_alert": {"alert_id": "alert", "action": "acknowledge", "comment": "a"},
}
"""Every tool that reads or is given a record; "computer" and "alert" stand for a foreign id."""

NAMES_NO_RECORD = {"block_hash"}
"""Acts on the company's tenant as a whole, which comes from its link."""


class SophosBorderTests(ProtectedTestCase):
    def setUp(self) -> None:
        super().setUp()
        computer, alert = self.held("computers", "KSL-WS-LAGER"), self.held("alerts", "KSL-WS-LAGER")
        self.alter_computer("KSL-WS-LAGER", shown__hostname=CANARY)
        self.sandbox.alter("sophos", "alerts", alert["id"], {"shown/description": CANARY})
        event = {"tenant": computer["tenant"], "name": CANARY}
        self.sandbox.put_in("sophos", "events", event)
        case = next(one for one in self.sandbox.held("sophos", "cases") if one["tenant"] == computer["tenant"])
        self.sandbox.alter("sophos", "cases", case["id"], {"shown/name": CANARY})
        self.foreign = {"computer": computer["shown"]["id"], "alert": alert["shown"]["id"]}

    def test_every_tool_is_tried_here(self) -> None:
        assert {one.name.partition(".")[2] for one in TOOLS} == set(ARGUMENTS) | NAMES_NO_RECORD
        assert all(one.scope is Scope.COMPANY for one in TOOLS)

    def test_no_tool_finds_or_changes_anything_of_another_company(self) -> None:
        for name in ARGUMENTS:
            assert CANARY not in self.attempt(name), name
        assert self.acted() == []

    def test_the_other_company_itself_reaches_its_records(self) -> None:
        for name, words in (("list_endpoints", "endpoints"), ("list_alerts", "alerts"), ("list_cases", "cases")):
            content: Any = self.call(f"sophos.{name}", self.kessler).content
            assert CANARY in json.dumps(content[words]), name

    def test_no_preview_shows_anything_of_another_company(self) -> None:
        for name, arguments in ARGUMENTS.items():
            if registry.get(f"sophos.{name}").preview is not None:
                with pytest.raises(TargetRefused) as refused:
                    self.preview(f"sophos.{name}", **self.filled(arguments))
                assert CANARY not in str(refused.value)

    def test_nothing_comes_through_though_the_vendor_answered_for_another_tenant(self) -> None:
        """The header of every regional request is swapped on its way for that of the other company."""
        ours, theirs = self.tenant(self.harbor.name).encode(), self.tenant(self.kessler.name).encode()
        onward = listening(self.sandbox.port, [])

        def swapped(request: bytes, connection: Any) -> None:
            if b"X-Tenant-ID" in request:
                request = request.replace(ours, theirs).replace(b"/us03/", b"/eu02/", 1)
            onward(request, connection)

        with rogue_server(swapped) as wire:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
            url = f"http://127.0.0.1:{wire.port}/sophos"
            self.connect_protection(self.adam, "northwind-sophos", base_url=url, row=self.protection)
            for name in ARGUMENTS:
                assert CANARY not in self.attempt(name), name
                assert "Kessler" not in self.attempt(name), name
        assert self.acted() == []

    def test_a_foreign_computer_and_one_that_is_not_there_are_refused_alike(self) -> None:
        words = []
        for number in (self.foreign["computer"], "00000000-0000-4000-8000-000000000000"):
            with pytest.raises(TargetRefused) as refused:
                self.call("sophos.get_endpoint", endpoint_id=number)
            words.append(str(refused.value).replace(number, "N"))

        assert words[0] == words[1] == f"N is not a computer of {self.harbor.name}."

    def test_no_id_of_any_foreign_record_gets_through_any_tool(self) -> None:
        ours = self.tenant(self.harbor.name)
        foreign = {
            kind: [row["shown"] for row in self.sandbox.held("sophos", f"{kind}s") if row["tenant"] != ours]
            for kind in ("computer", "alert")
        }
        takes = sorted(name for name, given in ARGUMENTS.items() if set(given.values()) & set(foreign))

        @settings(max_examples=60, deadline=None)
        @given(name=st.sampled_from(takes), data=st.data())
        def attempt(name: str, data: st.DataObject) -> None:
            kind = next(kind for kind in foreign if kind in ARGUMENTS[name].values())
            target = data.draw(st.sampled_from(foreign[kind]))
            with pytest.raises(TargetRefused):
                self.call(f"sophos.{name}", **self.filled(ARGUMENTS[name], {kind: target["id"]}))

        attempt()
        assert self.acted() == []

    def test_a_company_without_a_link_or_with_one_that_is_no_tenant_has_no_tools(self) -> None:
        asked = len(self.asked())
        for company in (self.linked("252"), self.quayside):
            with pytest.raises(ToolUnavailable):
                self.call("sophos.list_endpoints", company)
        self.protection.links.filter(company=self.harbor).update(external_id="../partner")
        with pytest.raises(ToolUnavailable, match="not linked to a tenant"):
            self.call("sophos.list_endpoints")
        assert len(self.asked()) == asked

    def test_the_tenant_stands_in_no_arguments(self) -> None:
        named = {name for one in TOOLS for name in one.arguments.model_fields}
        assert not [name for name in named if re.search("tenant|company|region|host$", name)]

    def attempt(self, name: str) -> str:
        """Everything that came back, a refusal's words included."""
        try:
            result = self.call(f"sophos.{name}", **self.filled(ARGUMENTS[name]))
        except IntegrationError as error:
            return str(error)
        return json.dumps([result.content, result.summary])

    def filled(self, arguments: dict[str, Any], ids: dict[str, str] | None = None) -> dict[str, Any]:
        """The arguments with ids in place of the words for them."""
        ids = ids or self.foreign
        return {name: ids.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()}
