"""NinjaOne's tools against the sandbox: what they find, and what they do, by its request log and its records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import (
    InvalidArguments,
    TargetRefused,
    VendorForbidden,
    VendorRefused,
)
from integrations.tools import DefaultPolicy, registry
from junto.tenants.models import Company
from tests.integrations.monitored import MonitoredTestCase

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


class ReadingTests(MonitoredTestCase):
    def test_the_device_of_a_ticket_is_found_by_the_name_it_has_in_the_psa(self) -> None:
        here: Any = self.call("connectwise.list_configurations", name="HBR-WS-LAB").content
        found: Any = self.call("ninjaone.find_device", text=here["configurations"][0]["name"]).content

        assert [one["id"] for one in found["devices"]] == [self.number("HBR-WS-LAB")]
        assert found["devices"][0]["online"] is True

    def test_a_device_is_told_with_its_system_memory_and_last_start(self) -> None:
        result = self.call("ninjaone.get_device", device_id=self.number("HBR-WS-LAB"))
        told: Any = result.content

        assert told["operating_system"].startswith("Windows 10 Pro")
        assert told["memory_gb"] == 8.0
        assert told["last_start"] < datetime.now(UTC).isoformat()
        assert result.summary == "HBR-WS-LAB, online"

    def test_storage_tells_the_fullest_volume_first_of_all(self) -> None:
        result = self.call("ninjaone.device_storage", self.kessler, device_id=self.number("KSL-SRV-FS01"))
        content: Any = result.content

        assert result.summary == "K: 3.1 % free"
        assert {one["name"] for one in content["volumes"]} == {"C:", "K:", "P:"}

    def test_alerts_of_the_company_come_newest_first_with_their_devices(self) -> None:
        content: Any = self.call("ninjaone.org_alerts").content

        assert [one["device"] for one in content["alerts"]] == [
            "HBR-PRN-FRONT",
            "HBR-WS-LAB",
            "HBR-NAS-01",
            "HBR-SRV-01",
        ]

    def test_offline_devices_and_classes_are_told_apart(self) -> None:
        offline: Any = self.call("ninjaone.list_devices", online=False).content
        servers: Any = self.call("ninjaone.list_devices", node_class="WINDOWS_SERVER").content

        assert [one["name"] for one in offline["devices"]] == ["HBR-PRN-FRONT"]
        assert [one["name"] for one in servers["devices"]] == ["HBR-SRV-01"]

    def test_missing_updates_software_services_and_the_last_user_are_read(self) -> None:
        lab = self.number("HBR-WS-LAB")
        patches: Any = self.call("ninjaone.pending_patches", device_id=lab).content
        software: Any = self.call("ninjaone.device_software", device_id=lab, name="tune").content
        stopped: Any = self.call("ninjaone.list_services", device_id=lab, state="STOPPED").content
        user: Any = self.call("ninjaone.last_user", device_id=lab).content
        log: Any = self.call("ninjaone.device_activities", device_id=lab).content

        assert [(one["kb"], one["status"]) for one in patches["patches"]] == [("KB5068781", "FAILED")]
        assert [one["name"] for one in software["software"]] == ["PC Tune-Up Deluxe"]
        assert [one["name"] for one in stopped["services"]] == ["wuauserv"]
        assert user["user"] == "HARBOR\\tom.kowalski"
        assert {one["subject"] for one in log["activities"]} >= {"Memory usage", "User logged in"}


class ActingTests(MonitoredTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.lab, self.server = self.number("HBR-WS-LAB"), self.number("HBR-SRV-01")

    def acted(self) -> list[dict[str, Any]]:
        """What happened at NinjaOne, by its log of requests."""
        return [row for row in self.sandbox.effects() if row["vendor"] == "ninjaone"]

    def test_each_asks_a_person_where_neither_policy_nor_grant_speaks(self) -> None:
        asks = {tool.name: tool.policy for tool in registry if tool.vendor == "ninjaone" and tool.is_write}

        assert len(asks) == 7
        assert DefaultPolicy.AUTO not in asks.values()
        assert {name for name, policy in asks.items() if policy is DefaultPolicy.ALWAYS} == {
            "ninjaone.run_script",
            "ninjaone.control_service",
            "ninjaone.reboot_device",
            "ninjaone.apply_patches",
        }

    def test_a_script_is_previewed_by_name_and_run_once(self) -> None:
        self.consent()
        arguments = {"device_id": self.lab, "script_id": 101, "parameters": "-Days 30"}
        preview = self.preview("ninjaone.run_script", **arguments)
        self.call("ninjaone.run_script", **arguments)

        assert preview.title == "Run “Clear temporary files” on HBR-WS-LAB"
        (run,) = self.acted()
        assert run["body"] == {"type": "SCRIPT", "id": 101, "parameters": "-Days 30"}

    def test_a_script_that_ninjaone_does_not_allow_and_characters_of_the_shell_are_refused(self) -> None:
        self.consent()
        with pytest.raises(TargetRefused, match="does not allow this script"):
            self.call("ninjaone.run_script", device_id=self.lab, script_id=999)
        for nasty in ("a; shutdown", "$(x)", "a | b", "a\nb", "`id`", "a > c"):
            with pytest.raises(InvalidArguments):
                self.call("ninjaone.run_script", device_id=self.lab, script_id=101, parameters=nasty)
        assert self.acted() == []

    def test_a_client_that_may_only_read_acts_on_nothing(self) -> None:
        self.connect_monitoring(self.adam, "northwind-rmm-reading", row=self.monitoring)

        with pytest.raises(VendorForbidden, match="has not the scope control"):
            self.call("ninjaone.reboot_device", device_id=self.lab, reason="a")
        assert self.acted() == []

    def test_a_service_with_a_dollar_in_its_name_is_started(self) -> None:
        bwl = self.company_of("253", "34")
        server = self.number("BWL-SRV-01")
        arguments = {"device_id": server, "service": "MSSQL$CASES", "action": "START"}
        preview = self.preview("ninjaone.control_service", bwl, **arguments)
        self.call("ninjaone.control_service", bwl, **arguments)

        assert preview.changes[0].before == "STOPPED"
        services = self.device("BWL-SRV-01")["inside"]["services"]
        assert {"name": "MSSQL$CASES", "state": "RUNNING"}.items() <= services[0].items()

    def test_a_reboot_names_who_is_signed_in_and_restarts(self) -> None:
        before = self.device("HBR-WS-LAB")["inside"]["os"]["lastBootTime"]
        preview = self.preview("ninjaone.reboot_device", device_id=self.lab, reason="Updates wait")
        self.call("ninjaone.reboot_device", device_id=self.lab, reason="Updates wait")

        assert "tom.kowalski" in " ".join(preview.evidence)
        assert self.device("HBR-WS-LAB")["inside"]["os"]["lastBootTime"] > before
        assert self.acted()[0]["path"].endswith("/reboot/NORMAL")

    def test_updates_are_scanned_for_and_installed(self) -> None:
        self.call("ninjaone.scan_patches", device_id=self.lab)
        preview = self.preview("ninjaone.apply_patches", device_id=self.lab)
        self.call("ninjaone.apply_patches", device_id=self.lab)

        assert [change.label for change in preview.changes] == ["KB5068781"]
        after: Any = self.call("ninjaone.pending_patches", device_id=self.lab).content
        assert after["patches"] == []
        assert after["needs_reboot"] is True

    def test_maintenance_begins_now_and_ends_when_the_person_read_it_would(self) -> None:
        arguments = {"device_id": self.server, "end": TOMORROW.isoformat(), "reason": "Updates"}
        preview = self.preview("ninjaone.set_maintenance", **arguments)
        self.call("ninjaone.set_maintenance", **arguments)

        assert preview.changes[0].before == "no"
        window = self.device("HBR-SRV-01")["maintenance"]
        assert window["end"] == TOMORROW.timestamp()
        assert window["status"] == "IN_MAINTENANCE"
        for end in (datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(days=8)):
            with pytest.raises(TargetRefused, match="must lie ahead"):
                self.preview("ninjaone.set_maintenance", **{**arguments, "end": end.isoformat()})

    def test_an_alert_is_reset_and_no_longer_stands(self) -> None:
        alerts: Any = self.call("ninjaone.device_alerts", device_id=self.server).content
        self.call("ninjaone.reset_alert", alert_uid=alerts["alerts"][0]["uid"])

        after: Any = self.call("ninjaone.device_alerts", device_id=self.server).content
        assert after["alerts"] == []

    def test_nothing_is_ordered_on_a_device_that_is_offline(self) -> None:
        self.consent()
        self.sandbox.change_monitored("devices", self.lab, offline=True)
        for name, more in (
            ("reboot_device", {"reason": "a"}),
            ("run_script", {"script_id": 101}),
            ("scan_patches", {}),
            ("apply_patches", {}),
            ("control_service", {"service": "Spooler", "action": "STOP"}),
        ):
            with pytest.raises(TargetRefused, match="is offline"):
                self.call(f"ninjaone.{name}", device_id=self.lab, **more)
        assert self.acted() == []

    def test_a_token_that_ends_before_the_order_stops_it_and_is_no_reason_to_send_it_again(self) -> None:
        self.sandbox.fault("status", vendor="ninjaone", method="POST", path="*/reboot/*", status=401)
        with pytest.raises(Exception, match="does not accept the credentials"):
            self.call("ninjaone.reboot_device", device_id=self.lab, reason="a")

        assert len(self.asked("/reboot/{mode}")) == 1
        assert self.acted() == []

    def test_a_definite_no_of_the_vendor_is_told_in_its_words(self) -> None:
        mac = self.number("HBR-LT-GABARA")
        with pytest.raises(VendorRefused, match="not applicable for os patches"):
            self.call("ninjaone.scan_patches", device_id=mac)

    def company_of(self, here: str, there: str) -> Company:
        """The company of that number in the PSA, linked to that organization in NinjaOne."""
        from_psa = self.linked(here)
        self.link_there(from_psa, there)
        return from_psa
