"""No tool of NinjaOne crosses the border of a company, where ids are the whole tenant's; and what becomes of its orders
without an answer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import TargetRefused
from tests.integrations.border import CANARY, BorderConformance
from tests.integrations.monitored import HARBOR_THERE, KESSLER_THERE, MonitoredTestCase
from tests.integrations.outcomes import OutcomeConformance
from tests.integrations.rogue import Respond
from tests.wire import changed_records, listening

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
THERE = int(KESSLER_THERE)


class NinjaOneBorderTests(BorderConformance, MonitoredTestCase):
    arguments = {
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
    common = frozenset({"script_id", "action_uid"})
    silent = frozenset(
        {"device_storage", "device_software", "pending_patches", "last_user", "list_services", "list_scripts"}
    )

    def setUp(self) -> None:
        super().setUp()
        self.consent()

    def plant(self, *, times: int = 1) -> Mapping[str, list[Any]]:
        number = self.number("KSL-SRV-FS01")
        self.sandbox.change_monitored("devices", number, displayName=CANARY, systemName=CANARY)
        names = {"organizationId": THERE, "displayName": CANARY, "systemName": CANARY}
        self.sandbox.plant_many_monitored("devices", [names] * (times - 1))
        rows = self.sandbox.monitored("devices")
        devices = [number, *(one["id"] for one in rows if one["displayName"] == CANARY and one["id"] != number)]
        known = self.sandbox.monitored("alerts")[0]
        like = {name: value for name, value in known.items() if name not in ("id", "uid")}
        told = like | {"subject": CANARY, "message": CANARY}
        self.sandbox.plant_many_monitored("alerts", [told | {"deviceId": one} for one in devices])
        alerts = [one["uid"] for one in self.sandbox.monitored("alerts") if one["subject"] == CANARY]
        return {"device": devices, "alert": alerts}

    def own(self) -> Mapping[str, Any]:
        rows = self.sandbox.monitored("devices")
        ours = {one["id"] for one in rows if one["organizationId"] == int(HARBOR_THERE)}
        alert = next(one["uid"] for one in self.sandbox.monitored("alerts") if one["deviceId"] in ours)
        return {"device": self.number("HBR-WS-LAB"), "alert": alert}

    def astray(self) -> Respond:
        def kesslers(record: dict[str, Any]) -> dict[str, Any]:
            names = {"displayName": CANARY, "systemName": CANARY, "subject": CANARY, "message": CANARY}
            return names | {"organizationId": THERE} if "organizationId" in record else {}

        return listening(self.sandbox.port, [], change=changed_records(kesslers))

    def test_a_refusal_says_what_is_no_device_of_whom(self) -> None:
        number = self.number("KSL-SRV-FS01")
        with pytest.raises(TargetRefused) as refused:
            self.call("ninjaone.get_device", device_id=number)
        assert str(refused.value) == f"{number} is not a device of {self.harbor.name}."

    def test_a_device_that_moved_to_another_organization_is_out_of_reach_at_once(self) -> None:
        number = self.number("HBR-WS-LAB")
        self.call("ninjaone.get_device", device_id=number)
        self.sandbox.change_monitored("devices", number, organizationId=THERE)

        with pytest.raises(TargetRefused):
            self.call("ninjaone.get_device", device_id=number)


class NinjaOneOutcomeTests(OutcomeConformance, MonitoredTestCase):
    """An order whose answer never came: found in the log, or proved absent once the log has settled."""

    wire_path = "*/v2/*"

    def setUp(self) -> None:
        super().setUp()
        self.consent()
        self.lab = self.number("HBR-WS-LAB")
        alerts: Any = self.call("ninjaone.device_alerts", device_id=self.lab).content
        self.calls: dict[str, dict[str, Any]] = {
            "run_script": {"device_id": self.lab, "script_id": 101},
            "control_service": {"device_id": self.lab, "service": "Spooler", "action": "STOP"},
            "reboot_device": {"device_id": self.lab, "reason": "a"},
            "scan_patches": {"device_id": self.lab},
            "apply_patches": {"device_id": self.lab},
            "set_maintenance": {"device_id": self.lab, "end": TOMORROW, "reason": "a"},
            "reset_alert": {"alert_uid": alerts["alerts"][0]["uid"]},
        }

    def orders(self) -> Mapping[str, Mapping[str, Any]]:
        return self.calls

    def test_a_restart_of_a_service_is_left_to_a_person(self) -> None:
        self.calls["control_service"]["action"] = "RESTART"
        assert self.lost("cut_after", "control_service").verdict == "unclear"

    def test_a_reboot_by_somebody_else_in_between_is_a_changed_target(self) -> None:
        arguments = self.calls["reboot_device"]
        before = self.preview("ninjaone.reboot_device", **arguments)
        time.sleep(0.01)
        self.call("ninjaone.reboot_device", **arguments)

        assert self.preview("ninjaone.reboot_device", **arguments).target_digest != before.target_digest
