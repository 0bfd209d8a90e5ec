"""No tool of NinjaOne crosses the border of a company, whatever ids a model names: ids there are the whole tenant's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import IntegrationError, TargetRefused, ToolUnavailable
from integrations.tools import Scope, registry
from tests.integrations.monitored import MonitoredTestCase

CANARY = "CANARY-of-another-company"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")

ARGUMENTS: dict[str, dict[str, Any]] = {
    "list_devices": {},
    "find_device": {"text": "CANARY"},
    "get_device": {"device_id": "device"},
    "device_alerts": {"device_id": "device"},
    "org_alerts": {},
    "device_activities": {"device_id": "device"},
    "device_storage": {"device_id": "device"},
    "device_software": {"device_id": "device"},
    "pending_patches": {"device_id": "device"},
    "last_user": {"device_id": "device"},
    "list_services": {"device_id": "device"},
    "list_scripts": {"device_id": "device"},
    "run_script": {"device_id": "device", "script_id": 101},
    "control_service": {"device_id": "device", "service": "Spooler", "action": "STOP"},
    "reboot_device": {"device_id": "device", "reason": "a"},
    "scan_patches": {"device_id": "device"},
    "apply_patches": {"device_id": "device"},
    "set_maintenance": {"device_id": "device", "end": TOMORROW, "reason": "a"},
    "reset_alert": {"alert_uid": "alert"},
}
"""Every tool; "device" and "alert" stand for a foreign id."""


class NinjaOneBorderTests(MonitoredTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.consent()
        number = self.number("KSL-SRV-FS01")
        self.sandbox.change_monitored("devices", number, displayName=CANARY, systemName=CANARY)
        alert = self.sandbox.plant_monitored("alerts", {"deviceId": number, "subject": CANARY, "message": CANARY})
        self.foreign: dict[str, Any] = {"device": number, "alert": alert["uid"]}

    def test_every_tool_is_tried_here(self) -> None:
        tools = [tool for tool in registry if tool.vendor == "ninjaone"]

        assert {tool.name.partition(".")[2] for tool in tools} == set(ARGUMENTS)
        assert all(tool.scope is Scope.COMPANY for tool in tools)

    def test_no_tool_finds_or_changes_anything_of_another_company(self) -> None:
        for name in ARGUMENTS:
            assert CANARY not in self.attempt(name), name
        assert [row for row in self.sandbox.effects() if row["vendor"] == "ninjaone"] == []

    def test_no_preview_shows_anything_of_another_company(self) -> None:
        for name, arguments in ARGUMENTS.items():
            if registry.get(f"ninjaone.{name}").preview is not None:
                with pytest.raises(TargetRefused) as refused:
                    self.preview(f"ninjaone.{name}", **self.filled(arguments))
                assert CANARY not in str(refused.value)

    def test_a_foreign_device_and_one_that_is_not_there_are_refused_alike(self) -> None:
        words = []
        for number in (self.foreign["device"], 999_999):
            with pytest.raises(TargetRefused) as refused:
                self.call("ninjaone.get_device", device_id=number)
            words.append(str(refused.value).replace(str(number), "N"))

        assert words[0] == words[1] == f"N is not a device of {self.harbor.name}."

    def test_the_other_company_itself_reaches_its_device_though_a_filter_were_ignored(self) -> None:
        found: Any = self.call("ninjaone.find_device", self.kessler, text=CANARY).content
        assert [one["id"] for one in found["devices"]] == [self.foreign["device"]]

    def test_a_device_that_moved_to_another_organization_is_out_of_reach_at_once(self) -> None:
        number = self.number("HBR-WS-LAB")
        self.call("ninjaone.get_device", device_id=number)
        self.sandbox.change_monitored("devices", number, organizationId=32)

        with pytest.raises(TargetRefused):
            self.call("ninjaone.get_device", device_id=number)

    def test_a_company_without_a_link_and_a_rivals_company_have_no_tools(self) -> None:
        asked = len(self.asked())
        for company in (self.linked("252"), self.quayside):
            with pytest.raises(ToolUnavailable):
                self.call("ninjaone.list_devices", company)
        assert len(self.asked()) == asked

    def attempt(self, name: str) -> str:
        """Everything that came back, a refusal's words included."""
        try:
            result = self.call(f"ninjaone.{name}", **self.filled(ARGUMENTS[name]))
        except IntegrationError as error:
            return str(error)
        return json.dumps([result.content, result.summary])

    def filled(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments with ids in place of the words for them."""
        return {
            name: self.foreign.get(value, value) if isinstance(value, str) else value
            for name, value in arguments.items()
        }
