"""Every request of the NinjaOne client, byte for byte as it is sent, and every answer of the sandbox, by contract."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockResponse

from integrations.ninjaone import endpoints
from integrations.services import check_connection
from integrations.warrants import Traffic, classify
from integrations.webhooks import register_webhook, unregister_webhook
from tests.integrations.monitored import MonitoredTestCase
from tests.integrations.rogue import Rogue, rogue_server
from tests.wire import answer_parts, as_openapi, changed_records, listening, nulls, parts

PREFIX = "/ninjaone"


class NinjaOneContractTests(MonitoredTestCase):
    """Everything the client can do, once, through a server that listens in."""

    @pytest.fixture(autouse=True)
    def _contract(self, contracts_dir: Path) -> None:
        text = (contracts_dir / "ninjaone" / "openapi.json").read_text(encoding="utf-8")
        self.specification: dict[str, Any] = json.loads(text)

    def test_every_request_and_every_answer_keeps_the_contract(self) -> None:
        heard: list[tuple[bytes, bytes]] = []
        with rogue_server(listening(self.sandbox.port, heard)) as wire:
            self.listen_in(wire)
            self.do_everything()

        contract = OpenAPI.from_dict(
            {**self.specification, "servers": [{"url": f"http://127.0.0.1:{wire.port}{PREFIX}"}], "security": []}
        )
        used = set()
        for request, answer in heard:
            method, target, headers, body = parts(request)
            row = classify(endpoints.ENDPOINTS, method=method, path=urlsplit(target).path.removeprefix(PREFIX))
            assert row is not None, target
            used.add(row)
            operation = self.specification["paths"][row.template][method.lower()]
            known = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
            assert {name for name, _ in parse_qsl(urlsplit(target).query)} <= known
            assert (row == endpoints.TOKEN) == ("authorization" not in headers)
            if row.traffic is Traffic.WRITE and body:
                self.check_properties(operation, json.loads(body))
            wrapped = as_openapi(request, wire.port)
            contract.validate_request(wrapped)
            status, answered = answer_parts(answer)
            if answered:
                contract.validate_response(wrapped, MockResponse(answered, status_code=status))
        assert used == set(endpoints.ENDPOINTS)

    def test_fields_and_values_that_come_new_and_fields_that_are_empty_break_nothing(self) -> None:
        with rogue_server(listening(self.sandbox.port, [], change=changed_records(surprises))) as wire:
            self.listen_in(wire)
            self.do_everything()

    def check_properties(self, operation: dict[str, Any], body: dict[str, Any]) -> None:
        """No property but those of the contract: the vendor ignores or refuses others."""
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        if "$ref" in schema:
            schema = self.specification["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        assert set(body) <= set(schema.get("properties", {}))

    def listen_in(self, wire: Rogue) -> None:
        """Send Northwind's connection through the server."""
        self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
        url = f"http://127.0.0.1:{wire.port}{PREFIX}"
        self.connect_monitoring(self.adam, "northwind-rmm", base_url=url, row=self.monitoring)
        self.consent()

    def do_everything(self) -> None:
        """Test, and call every tool with every argument."""
        assert check_connection(self.monitoring).ok
        register_webhook(actor=self.actor(self.adam), connection=self.monitoring)
        unregister_webhook(actor=self.actor(self.adam), connection=self.monitoring)
        server, lab = self.number("HBR-SRV-01"), self.number("HBR-WS-LAB")
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
        alerts: Any = self.call("ninjaone.device_alerts", device_id=server).content
        for name, arguments in (
            ("list_devices", {"node_class": "WINDOWS_SERVER", "online": True, "limit": 5}),
            ("list_devices", {"online": False}),
            ("find_device", {"text": "HBR-SRV ä & ?"}),
            ("get_device", {"device_id": server}),
            ("org_alerts", {"severity": "MAJOR"}),
            ("device_activities", {"device_id": server, "since": "2026-01-01T00:00:00Z"}),
            ("device_storage", {"device_id": server}),
            ("device_software", {"device_id": server, "name": "chrome"}),
            ("pending_patches", {"device_id": lab}),
            ("last_user", {"device_id": lab}),
            ("list_services", {"device_id": server, "state": "RUNNING"}),
            ("list_scripts", {"device_id": server}),
        ):
            self.call(f"ninjaone.{name}", **arguments)
        for name, arguments in (
            ("run_script", {"device_id": server, "script_id": 101, "parameters": "-Days 30", "run_as": "system"}),
            ("control_service", {"device_id": server, "service": "Spooler", "action": "RESTART"}),
            ("reboot_device", {"device_id": server, "reason": "Updates"}),
            ("scan_patches", {"device_id": lab}),
            ("apply_patches", {"device_id": lab}),
            ("set_maintenance", {"device_id": server, "end": tomorrow, "features": ["ALERTS"], "reason": "Updates"}),
            ("reset_alert", {"alert_uid": alerts["alerts"][0]["uid"]}),
        ):
            self.preview(f"ninjaone.{name}", **arguments)
            self.call(f"ninjaone.{name}", **arguments)


def surprises(record: dict[str, Any]) -> dict[str, Any]:
    """Nulls, and listed words of next year."""
    listed = {name: "ADDED_IN_2027" for name in ("approvalStatus", "mediaType", "language") if name in record}
    return {**listed, **nulls(record, "maintenance", "publicIP", "severity")}
