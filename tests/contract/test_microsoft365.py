"""Every request of the Microsoft 365 client, byte for byte as it is sent, and every answer of the sandbox, by contract.

The sign-in service is another host with a contract of its own (RFC 6749): its one request is held against that here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockResponse

from integrations.microsoft365 import endpoints
from integrations.sandbox.microsoft365 import properties
from integrations.services import check_connection
from integrations.warrants import Traffic, classify
from tests.integrations.cloud import DANA, MARCUS, TOM, CloudTestCase
from tests.integrations.rogue import Rogue, rogue_server
from tests.wire import answer_parts, as_openapi, changed_records, listening, nulls, parts

PREFIX = "/microsoft365/v1.0"
LOGIN = "/microsoft365/login"
LISTED = ("riskLevel", "riskState", "complianceState", "serviceSource", "phoneType", "capabilityStatus")

UNCOVERED = {
    "/admin/serviceAnnouncement/issues": "get",
    "/contracts": "get",
    "/deviceManagement/managedDevices/{managedDevice-id}/retire": "post",
    "/deviceManagement/managedDevices/{managedDevice-id}/windowsDefenderScan": "post",
    "/deviceManagement/managedDevices/{managedDevice-id}/wipe": "post",
    "/devices": "get",
    "/devices/{device-id}": "patch",
    "/directory/deletedItems/graph.user": "get",
    "/directory/deletedItems/microsoft.graph.user": "get",
    "/directory/deletedItems/{directoryObject-id}/restore": "post",
    "/directoryRoles": "get",
    "/directoryRoles/{directoryRole-id}/members": "get",
    "/identity/conditionalAccess/policies": "get",
    "/identityProtection/riskDetections": "get",
    "/identityProtection/riskyUsers/confirmCompromised": "post",
    "/identityProtection/riskyUsers/dismiss": "post",
    "/reports/authenticationMethods/userRegistrationDetails": "get",
    "/security/alerts_v2/{alert-id}": "get patch",
    "/security/incidents": "get",
    "/security/secureScores": "get",
    "/subscriptions": "get post",
    "/subscriptions/{subscription-id}": "patch delete",
    "/tenantRelationships/delegatedAdminRelationships": "get",
    "/users/{user-id}": "delete",
    "/users/{user-id}/authentication/emailMethods": "get",
    "/users/{user-id}/authentication/fido2Methods": "get",
    "/users/{user-id}/authentication/methods/{authenticationMethod-id}/resetPassword": "post",
    "/users/{user-id}/authentication/microsoftAuthenticatorMethods": "get",
    "/users/{user-id}/authentication/passwordMethods": "get",
    "/users/{user-id}/authentication/phoneMethods": "get post",
    "/users/{user-id}/authentication/softwareOathMethods": "get",
    "/users/{user-id}/authentication/temporaryAccessPassMethods": "get",
    "/users/{user-id}/authentication/windowsHelloForBusinessMethods": "get",
    "/users/{user-id}/licenseDetails": "get",
    "/users/{user-id}/mailFolders/inbox/messageRules/{messageRule-id}": "delete",
    "/users/{user-id}/managedDevices": "get",
    "/users/{user-id}/manager": "get",
    "/users/{user-id}/messages": "get",
    "/users/{user-id}/registeredDevices": "get",
    "/users/{user-id}/sendMail": "post",
}
"""Operations of the contract that no tool needs: other ones reach the same, or people do it in the admin centre."""


class Microsoft365ContractTests(CloudTestCase):
    """Everything the client can do, once, through a server that listens in."""

    @pytest.fixture(autouse=True)
    def _contract(self, contracts_dir: Path) -> None:
        text = (contracts_dir / "msgraph" / "openapi.json").read_text(encoding="utf-8")
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
            path = urlsplit(target).path
            if path.startswith(LOGIN):
                self.check_sign_in(method, path, headers, body)
                continue
            row = classify(endpoints.GRAPH_ENDPOINTS, method=method, path=path.removeprefix(PREFIX))
            assert row is not None, target
            used.add(row)
            operation = self.specification["paths"][row.template][method.lower()]
            known = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
            assert {name for name, _ in parse_qsl(urlsplit(target).query)} <= known
            assert headers["authorization"].startswith("Bearer ")
            if row.traffic is Traffic.WRITE and body:
                self.check_properties(operation, json.loads(body))
            wrapped = as_openapi(request, wire.port)
            contract.validate_request(wrapped)
            status, answered = answer_parts(answer)
            if answered:
                contract.validate_response(wrapped, MockResponse(answered, status_code=status))
        removals = set(endpoints.REMOVE_METHOD.values())
        assert used - removals == set(endpoints.GRAPH_ENDPOINTS) - removals
        assert {row.template.split("/")[4] for row in used & removals} == {"fido2Methods", "temporaryAccessPassMethods"}

    def test_every_operation_is_used_or_listed_as_uncovered(self) -> None:
        used = {(one.template, one.method.lower()) for one in endpoints.ENDPOINTS}
        there = {
            (path, method)
            for path, methods in self.specification["paths"].items()
            for method in methods
            if method in ("get", "post", "put", "patch", "delete")
        }
        assert used <= there
        assert there - used == {(path, method) for path, methods in UNCOVERED.items() for method in methods.split()}

    def test_what_the_sandbox_lets_be_chosen_are_properties_of_the_contract(self) -> None:
        kinds = {
            "user": properties.USER,
            "group": properties.GROUP,
            "managedDevice": properties.DEVICE,
            "organization": properties.ORGANIZATION,
            "domain": properties.DOMAIN,
            "subscribedSku": properties.SKU,
        }
        for kind, names in kinds.items():
            schema = self.specification["components"]["schemas"][f"microsoft.graph.{kind}"]
            assert names <= set(schema["properties"]), kind

    def test_every_permission_that_is_named_is_one_of_the_contracts(self) -> None:
        for endpoint, words in endpoints.PERMISSIONS.items():
            operation = self.specification["paths"][endpoint.template][endpoint.method.lower()]
            told = " ".join(operation["x-permissions"])
            assert all(name in told for name in words.split(" and ")), endpoint

    def test_fields_and_values_that_come_new_and_fields_that_are_empty_break_nothing(self) -> None:
        with rogue_server(listening(self.sandbox.port, [], change=changed_records(surprises))) as wire:
            self.listen_in(wire)
            self.do_everything()

    def check_sign_in(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        """RFC 6749, 4.4.2, at the address of one tenant."""
        assert endpoints.TOKEN.matches(method, path.removeprefix(LOGIN))
        assert headers["content-type"] == "application/x-www-form-urlencoded"
        assert "authorization" not in headers
        assert set(dict(parse_qsl(body.decode()))) == {"grant_type", "client_id", "client_secret", "scope"}

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
        self.connect_cloud(self.adam, "northwind-365", base_url=url, row=self.cloud)

    def do_everything(self) -> None:
        """Test, and call every tool with every argument."""
        assert check_connection(self.cloud).ok
        self.log_in(self.adam).get(self.path(f"connections/{self.cloud.pk}/companies/"))
        self.sandbox.change_cloud("users", self.number("users", userPrincipalName=TOM), usageLocation="US")
        marcus = self.account(MARCUS)["id"]
        group = next(
            one["body"]["id"]
            for one in self.sandbox.cloud("groups")
            if one["body"]["displayName"] == "Management" and self.account(DANA)["id"] in one["body"]["members"]
        )
        rows = self.sandbox.cloud("devices")
        device = next(one["body"]["id"] for one in rows if one["body"]["deviceName"] == "HBR-LT-GABARA")
        key = next(
            one["body"]["method"]["id"]
            for one in self.sandbox.cloud("methods")
            if one["body"]["user"] == self.account(DANA)["id"] and "fido2" in one["body"]["method"]["@odata.type"]
        )
        for name, arguments in (
            ("find_user", {"text": "O'Neil ä & ?"}),
            ("get_user", {"user": marcus}),
            ("find_group", {"text": "a"}),
            ("license_pool", {}),
            ("auth_methods", {"user": DANA}),
            ("inbox_rules", {"user": DANA}),
            ("sign_ins", {"user": MARCUS, "since": "2026-01-01T00:00:00+01:00", "limit": 5}),
            ("sign_ins", {}),
            ("audit_log", {"since": "2026-01-01T00:00:00Z"}),
            ("risky_users", {}),
            ("managed_devices", {"user": MARCUS}),
            ("managed_devices", {}),
            ("security_alerts", {"severity": "high"}),
        ):
            self.call(f"microsoft365.{name}", **arguments)
        for name, arguments in (
            ("create_user", {"name": "Å B", "upn": "a.b@harbordental.example", "location": "US", "job_title": "C"}),
            ("set_account_enabled", {"user": MARCUS, "enabled": False}),
            ("revoke_sessions", {"user": MARCUS}),
            ("reset_password", {"user": MARCUS, "force_change": False}),
            ("temporary_access_pass", {"user": MARCUS, "minutes": 30}),
            ("remove_mfa_method", {"user": DANA, "method_id": key}),
            ("assign_license", {"user": TOM, "add": "SPB"}),
            ("assign_license", {"user": TOM, "remove": "SPB"}),
            ("change_group_member", {"group": group, "user": MARCUS}),
            ("change_group_member", {"group": "Management", "user": MARCUS, "action": "remove"}),
            (
                "set_auto_reply",
                {"user": MARCUS, "text": "Back\nsoon", "start": "2026-12-01T00:00:00Z", "end": "2026-12-09T00:00:00Z"},
            ),
            ("set_auto_reply", {"user": MARCUS}),
            ("device_action", {"device_id": device, "action": "sync"}),
            ("device_action", {"device_id": device, "action": "reboot"}),
            ("device_action", {"device_id": device, "action": "lock"}),
        ):
            self.preview(f"microsoft365.{name}", **arguments)
            self.set_it(f"microsoft365.{name}", **arguments)
        told: Any = self.call("microsoft365.auth_methods", user=MARCUS).content
        issued = next(one for one in told["methods"] if one["kind"] == "temporaryAccessPass")
        self.set_it("microsoft365.remove_mfa_method", user=MARCUS, method_id=issued["method_id"])


def surprises(record: dict[str, Any]) -> dict[str, Any]:
    """Nulls, and listed words of next year."""
    listed = {name: "addedIn2027" for name in LISTED if name in record and name != "riskState"}
    return {**listed, **nulls(record, "department", "mail", "deviceActionResults", "location")}
