"""Every request of the Sophos client, byte for byte as it is sent, and every answer of the sandbox, by contract."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from openapi_core import OpenAPI
from openapi_core.testing import MockResponse

from integrations.services import check_connection
from integrations.sophos import endpoints
from integrations.sophos.tools import TOOLS
from integrations.warrants import Traffic, classify
from tests.integrations.protected import ProtectedTestCase
from tests.integrations.rogue import Rogue, rogue_server
from tests.wire import answer_parts, as_openapi, changed_records, listening, nulls, parts

PREFIX = re.compile(r"/sophos(/[a-z]{2}\d{2}(?=/))?")
"""Where the sandbox has the server of a region; the vendor has it in the host's name."""

UNCOVERED = {
    "/account-health-check/v1/scores/historical": "get",
    "/cases/v1/cases": "post",
    "/cases/v1/cases/{caseId}": "get patch delete",
    "/cases/v1/cases/{caseId}/detections": "get",
    "/common/v1/admins": "get post",
    "/common/v1/alerts/search": "post",
    "/common/v1/directory/users": "get post",
    "/common/v1/directory/users/{userId}": "get patch delete",
    "/detections/v1/queries/detections": "post",
    "/detections/v1/queries/detections/counts": "get",
    "/detections/v1/queries/detections/{runId}": "get",
    "/detections/v1/queries/detections/{runId}/results": "get",
    "/endpoint/v1/downloads": "get",
    "/endpoint/v1/endpoint-groups": "get post",
    "/endpoint/v1/endpoint-groups/{groupId}": "get patch delete",
    "/endpoint/v1/endpoint-groups/{groupId}/endpoints": "get post delete",
    "/endpoint/v1/endpoint-groups/{groupId}/endpoints/{endpointId}": "delete",
    "/endpoint/v1/endpoints/delete": "post",
    "/endpoint/v1/endpoints/isolation": "post",
    "/endpoint/v1/endpoints/{endpointId}": "delete",
    "/endpoint/v1/endpoints/{endpointId}/adaptive-attack-protection": "get post",
    "/endpoint/v1/endpoints/{endpointId}/forensic-logs": "post",
    "/endpoint/v1/endpoints/{endpointId}/forensic-logs/{forensicLogRequestId}": "get",
    "/endpoint/v1/endpoints/{endpointId}/memory-dumps": "post",
    "/endpoint/v1/endpoints/{endpointId}/memory-dumps/{memoryDumpRequestId}": "get",
    "/endpoint/v1/endpoints/{endpointId}/tamper-protection": "post",
    "/endpoint/v1/policies": "get post",
    "/endpoint/v1/policies/{policyId}": "get patch delete",
    "/endpoint/v1/settings/allowed-items": "get post",
    "/endpoint/v1/settings/allowed-items/{allowedItemId}": "get patch delete",
    "/endpoint/v1/settings/blocked-addresses": "get",
    "/endpoint/v1/settings/blocked-addresses/bulk": "post",
    "/endpoint/v1/settings/blocked-addresses/bulk/delete": "post",
    "/endpoint/v1/settings/blocked-items/{blockedItemId}": "get delete",
    "/endpoint/v1/settings/exclusions/scanning": "get post",
    "/endpoint/v1/settings/exclusions/scanning/{exclusionId}": "get patch delete",
    "/endpoint/v1/settings/tamper-protection": "get",
    "/partner/v1/billing/usage/{year}/{month}": "get",
    "/partner/v1/tenants": "post",
    "/siem/v1/alerts": "get",
}
"""What the vendor has, too, and Junto does not use: alerts are asked for by GET, which has the same filters."""


class SophosContractTests(ProtectedTestCase):
    """Everything the client can do, once, through a server that listens in."""

    @pytest.fixture(autouse=True)
    def _contract(self, contracts_dir: Path) -> None:
        text = (contracts_dir / "sophos" / "openapi.json").read_text(encoding="utf-8")
        self.specification: dict[str, Any] = json.loads(text)

    def contract(self, port: int) -> OpenAPI:
        """The contract with this server in place of the vendor's several."""
        plain = deepcopy(self.specification)
        for path in plain["paths"].values():
            path.pop("servers", None)
        return OpenAPI.from_dict({**plain, "servers": [{"url": f"http://127.0.0.1:{port}"}], "security": []})

    def test_every_request_and_every_answer_keeps_the_contract(self) -> None:
        heard: list[tuple[bytes, bytes]] = []
        with rogue_server(listening(self.sandbox.port, heard)) as wire:
            self.do_everything(wire)

        contract, used = self.contract(wire.port), set()
        for request, answer in heard:
            method, target, headers, body = parts(request)
            path = PREFIX.sub("", urlsplit(target).path, count=1)
            row = classify(endpoints.ENDPOINTS, method=method, path=path)
            assert row is not None, target
            used.add(row)
            operation = self.specification["paths"][row.template][method.lower()]
            known = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
            assert {name for name, _ in parse_qsl(urlsplit(target).query)} <= known, target
            assert (row == endpoints.TOKEN) == ("authorization" not in headers)
            if row.traffic is Traffic.WRITE:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                assert set(json.loads(body)) <= set(schema.get("properties", {}))
            wrapped = as_openapi(PREFIX.sub("", request.decode(), count=1).encode(), wire.port)
            contract.validate_request(wrapped)
            status, answered = answer_parts(answer)
            contract.validate_response(wrapped, MockResponse(answered, status_code=status))
        assert used == set(endpoints.ENDPOINTS)

    def test_what_is_not_used_of_the_contract_is_listed(self) -> None:
        used = {(one.template, one.method.lower()) for one in endpoints.ENDPOINTS}
        there = {
            (path, method)
            for path, methods in self.specification["paths"].items()
            for method in methods
            if method in ("get", "post", "put", "patch", "delete")
        }
        assert used <= there
        assert there - used == {(path, method) for path, methods in UNCOVERED.items() for method in methods.split()}

    def test_refusals_keep_the_contract(self) -> None:
        """Their body is the one that every error of the contract has."""
        key = self.sandbox.sophos["northwind-sophos-reading"]
        base, computer = key.base_url, self.computer("HBR-WS-LAB")
        form = {"grant_type": "client_credentials", "scope": "token"}
        form |= {"client_id": key.client_id, "client_secret": key.client_secret}
        token = requests.post(f"{base}/api/v2/oauth2/token", data=form, timeout=10).json()["access_token"]
        fenced = {"Authorization": f"Bearer {token}", "X-Tenant-ID": self.tenant("Harbor Dental Group")}
        one = f"{base}/us03/endpoint/v1/endpoints"
        contract = self.contract(self.sandbox.port)
        for expected, method, url, headers in (
            (401, "GET", one, {**fenced, "Authorization": "Bearer none"}),
            (403, "GET", one.replace("us03", "eu01"), fenced),
            (403, "PATCH", f"{one}/{computer}/isolation", fenced),
            (404, "GET", f"{one}/{computer[:-4]}0000", fenced),
            (400, "GET", f"{one}?healthStatus=wonderful", fenced),
            (400, "GET", f"{one}?healthState=bad", fenced),
            (400, "GET", f"{one}?pageFromKey=nonsense", fenced),
            (400, "GET", f"{one}?pageSize=501", fenced),
        ):
            body = {"enabled": True} if method == "PATCH" else None
            answer = requests.request(method, url, headers=headers, json=body, timeout=10)
            assert answer.status_code == expected, url
            target = PREFIX.sub("", urlsplit(url).path, count=1)
            wrapped = as_openapi(f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), self.sandbox.port)
            contract.validate_response(wrapped, MockResponse(answer.content, status_code=expected))
            assert {"error", "message", "correlationId", "requestId"} <= set(answer.json())

    def test_fields_and_values_that_come_new_and_fields_that_are_empty_break_nothing(self) -> None:
        with rogue_server(listening(self.sandbox.port, [], change=changed_records(surprises))) as wire:
            self.do_everything(wire)

    def do_everything(self, wire: Rogue) -> None:
        """Test with each kind of credentials, and call every tool with every argument, through a server."""
        self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
        url = f"http://127.0.0.1:{wire.port}/sophos"
        for name in ("northwind-sophos-organization", "northwind-sophos-harbor", "northwind-sophos"):
            self.connect_protection(self.adam, name, base_url=url, row=self.protection)
            assert check_connection(self.protection).ok
            self.call("sophos.list_endpoints")
        lab, tried = self.computer("HBR-WS-LAB"), set()
        yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        lately = (datetime.now(UTC) - timedelta(hours=20)).isoformat()
        calls: list[tuple[str, dict[str, Any]]] = [
            ("list_endpoints", {"hostname": "HBR-WS ä & ?", "health": "bad", "isolated": False, "limit": 5}),
            ("get_endpoint", {"endpoint_id": lab}),
            ("list_alerts", {"severity": "high", "since": yesterday, "until": lately, "endpoint_id": lab}),
            ("get_alert", {"alert_id": self.alert("HBR-WS-LAB")}),
            ("list_events", {"endpoint_id": lab, "since": lately}),
            ("list_events", {}),
            ("isolation_status", {"endpoint_id": lab}),
            ("tamper_status", {"endpoint_id": lab}),
            ("account_health", {}),
            ("list_cases", {"status": "new"}),
            ("scan_endpoint", {"endpoint_id": lab}),
            ("check_update", {"endpoint_id": lab}),
            ("isolate_endpoint", {"endpoint_id": lab, "comment": "Running malware"}),
            ("isolation_status", {"endpoint_id": lab}),
            ("release_endpoint", {"endpoint_id": lab, "comment": "Clean again"}),
            ("act_on_alert", {"alert_id": self.alert("HBR-WS-LAB"), "action": "cleanPua", "comment": "Unwanted"}),
            ("block_hash", {"sha256": "ba7816bf" * 8, "comment": "Dropper"}),
        ]
        for name, arguments in calls:
            tried.add(f"sophos.{name}")
            if next(one for one in TOOLS if one.name == f"sophos.{name}").is_write:
                self.preview(f"sophos.{name}", **arguments)
            self.call(f"sophos.{name}", **arguments)
        assert tried == {one.name for one in TOOLS}


def surprises(record: dict[str, Any]) -> dict[str, Any]:
    """Nulls, and listed words of next year."""
    listed = {name: "addedIn2027" for name in ("platform", "product", "billingType", "category") if name in record}
    return {**listed, **nulls(record, "os", "health", "group", "associatedPerson", "comment", "lastSeenAt")}
