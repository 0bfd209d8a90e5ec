"""Every request of the NinjaOne client, byte for byte as it is sent, and every answer of the sandbox, by contract."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from integrations.ninjaone import endpoints
from integrations.services import check_connection
from integrations.warrants import Traffic, classify
from tests.integrations.monitored import MonitoredTestCase
from tests.integrations.rogue import Respond, Rogue, rogue_server

PREFIX = "/ninjaone"


def listening(port: int, heard: list[tuple[bytes, bytes]], change: Any = None) -> Respond:
    """Hands each request to the sandbox and its answer back, perhaps changed; keeps both."""

    def respond(request: bytes, connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port), 10) as onward:
            onward.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            answer = b"".join(iter(lambda: onward.recv(65536), b""))
        heard.append((request, answer))
        connection.sendall(change(answer) if change else answer)

    return respond


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
            assert (row.traffic is Traffic.CONTROL) == ("authorization" not in headers)
            if row.traffic is Traffic.WRITE and body:
                self.check_properties(operation, json.loads(body))
            wrapped = as_openapi(request, wire.port)
            contract.validate_request(wrapped)
            status, answered = answer_parts(answer)
            if answered:
                contract.validate_response(wrapped, MockResponse(answered, status_code=status))
        assert used == set(endpoints.ENDPOINTS)

    def test_fields_and_values_that_come_new_and_fields_that_are_empty_break_nothing(self) -> None:
        with rogue_server(listening(self.sandbox.port, [], change=with_surprises)) as wire:
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

    def do_everything(self) -> None:
        """Test, and call every tool with every argument."""
        assert check_connection(self.monitoring).ok
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


def parts(request: bytes) -> tuple[str, str, dict[str, str], bytes]:
    """Method, target, headers and body."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    method, target, _version = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return method, target, {name.lower(): value for name, value in headers.items()}, body


def answer_parts(answer: bytes) -> tuple[int, bytes]:
    """Status and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def as_openapi(request: bytes, port: int) -> MockRequest:
    """The request as openapi-core reads one."""
    method, target, headers, body = parts(request)
    split = urlsplit(target)
    return MockRequest(
        f"http://127.0.0.1:{port}",
        method.lower(),
        split.path,
        args=dict(parse_qsl(split.query)),
        headers=headers,
        data=body or None,
        content_type=headers.get("content-type", "application/json"),
    )


def with_surprises(answer: bytes) -> bytes:
    """The same answer with a field of next year, nulls and listed words of next year in every record."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not body:
        return answer
    changed = json.dumps(surprised(json.loads(body))).encode()
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    return b"\r\n".join([*lines, f"Content-Length: {len(changed)}".encode()]) + b"\r\n\r\n" + changed


def surprised(value: Any) -> Any:
    """Every record of an answer with what a later version may bring."""
    if isinstance(value, list):
        return [surprised(one) for one in value]
    if not isinstance(value, dict):
        return value
    changed = {name: surprised(one) for name, one in value.items()}
    listed = {name: "ADDED_IN_2027" for name in ("approvalStatus", "mediaType", "language") if name in value}
    absent = {name: None for name in ("maintenance", "publicIP", "severity") if name not in value}
    return {**changed, **listed, **absent, "addedIn2027": {"deep": [1, None]}}
