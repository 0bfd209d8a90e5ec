"""No tool of Microsoft 365 crosses the border of a company, whatever ids and names a model gives; and what becomes of
its writes without an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from integrations.errors import TargetRefused
from tests.integrations.border import CANARY, BorderConformance
from tests.integrations.cloud import DANA, KESSLER_PERSON, MARCUS, TOM, CloudTestCase
from tests.integrations.outcomes import OutcomeConformance
from tests.integrations.rogue import Respond
from tests.wire import listening


class Microsoft365BorderTests(BorderConformance, CloudTestCase):
    names_new = frozenset({"create_user"})
    arguments = {
        "find_user": {"text": "CANARY"},
        "get_user": {"user": "user"},
        "find_group": {"text": "CANARY"},
        "license_pool": {},
        "auth_methods": {"user": "user"},
        "inbox_rules": {"user": "user"},
        "sign_ins": {"user": "user"},
        "audit_log": {},
        "risky_users": {},
        "managed_devices": {"user": "user"},
        "security_alerts": {},
        "create_user": {"name": "A", "upn": "upn", "location": "DE"},
        "set_account_enabled": {"user": "user", "enabled": False},
        "revoke_sessions": {"user": "user"},
        "reset_password": {"user": "user"},
        "temporary_access_pass": {"user": "user"},
        "remove_mfa_method": {"user": "user", "method_id": "method"},
        "assign_license": {"user": "user", "add": "SPB"},
        "change_group_member": {"group": "group", "user": "user"},
        "set_auto_reply": {"user": "user", "text": "a"},
        "device_action": {"device_id": "device", "action": "sync"},
    }
    silent = frozenset({"license_pool", "auth_methods", "inbox_rules", "sign_ins", "audit_log", "risky_users"})

    def plant(self, *, times: int = 1) -> Mapping[str, list[Any]]:
        """One person of Kessler's by id and by name, or everybody of everybody's."""
        theirs = self.tenant(self.kessler.name)["tenantId"]
        person, ours = self.account(KESSLER_PERSON)["id"], self.tenant(self.harbor.name)["tenantId"]
        body = {name: value for name, value in self.sandbox.cloud("groups")[0]["body"].items() if name != "id"}
        group = self.sandbox.plant_cloud("groups", theirs, {**body, "displayName": CANARY})["id"]
        held = {kind: self.sandbox.cloud(kind) for kind in ("users", "groups", "devices", "methods", "alerts")}
        other = {kind: [one for one in rows if one["tenant"] != ours] for kind, rows in held.items()}
        for kind, field in (("users", "displayName"), ("devices", "deviceName"), ("alerts", "title")):
            for one in other[kind]:
                if times > 1 or person in (one["body"].get("id"), one["body"].get("userId")) or kind == "alerts":
                    self.sandbox.change_cloud(kind, one["id"], **{field: CANARY})
        devices = sorted(other["devices"], key=lambda one: one["body"]["userId"] != person)
        methods = sorted(other["methods"], key=lambda one: one["body"]["user"] != person)
        people = [one["body"] for one in other["users"]]
        return {
            "user": [
                person,
                KESSLER_PERSON,
                *(one["id"] for one in people),
                *(one["userPrincipalName"] for one in people),
            ],
            "group": [group, CANARY, *(one["body"]["id"] for one in other["groups"])],
            "device": [one["body"]["id"] for one in devices],
            "method": [one["body"]["method"]["id"] for one in methods if "-" in one["body"]["method"]["id"]],
            "upn": ["a@kessler-mb.example", *(one["userPrincipalName"] for one in people)],
        }

    def own(self) -> Mapping[str, Any]:
        marcus = self.account(MARCUS)["id"]
        rows = {kind: [one["body"] for one in self.sandbox.cloud(kind)] for kind in ("groups", "devices", "methods")}
        return {
            "user": marcus,
            "group": next(one["id"] for one in rows["groups"] if one["displayName"] == "Reception"),
            "device": next(one["id"] for one in rows["devices"] if one["deviceName"] == "HBR-WS-LAB"),
            "method": next(one["method"]["id"] for one in rows["methods"] if one["user"] == marcus),
            "upn": "noor@harbordental.example",
        }

    def astray(self) -> Respond:
        """Who signs in for our company's tenant is given a token of the other one's."""
        ours, theirs = (self.tenant(one.name)["tenantId"].encode() for one in (self.harbor, self.kessler))
        onward = listening(self.sandbox.port, [])
        return lambda request, connection: onward(request.replace(ours, theirs), connection)

    def test_a_refusal_says_what_is_no_account_of_whom(self) -> None:
        number = self.account(KESSLER_PERSON)["id"]
        with pytest.raises(TargetRefused) as refused:
            self.call("microsoft365.get_user", user=number)
        assert str(refused.value) == f"{number} is not an account of {self.harbor.name} in Microsoft 365."

    def test_no_request_on_a_companys_behalf_bears_another_tenants_token(self) -> None:
        self.call("microsoft365.license_pool")
        self.call("microsoft365.license_pool", self.kessler)
        tenants = {self.tenant(one.name)["tenantId"] for one in (self.harbor, self.kessler)}
        assert {row["path"].split("/")[3] for row in self.asked("/token")} == tenants


class Microsoft365OutcomeTests(OutcomeConformance, CloudTestCase):
    wire_path = "*/v1.0/*"

    def setUp(self) -> None:
        super().setUp()
        self.sandbox.change_cloud("users", self.number("users", userPrincipalName=TOM), usageLocation="US")
        for at in ("lastPasswordChangeDateTime", "signInSessionsValidFromDateTime"):
            marcus = self.number("users", userPrincipalName=MARCUS)
            self.sandbox.change_cloud("users", marcus, **{at: "2026-01-01T00:00:00Z"})
        devices = [one["body"] for one in self.sandbox.cloud("devices")]
        lab = next(one["id"] for one in devices if one["deviceName"] == "HBR-WS-LAB")
        methods = [
            one["body"] for one in self.sandbox.cloud("methods") if one["body"]["user"] == self.account(DANA)["id"]
        ]
        key = next(one["method"]["id"] for one in methods if "fido2" in one["method"]["@odata.type"])
        self.calls: dict[str, dict[str, Any]] = {
            "create_user": {"name": "Noor Haddad", "upn": "noor@harbordental.example", "location": "US"},
            "set_account_enabled": {"user": MARCUS, "enabled": False},
            "revoke_sessions": {"user": MARCUS},
            "reset_password": {"user": MARCUS},
            "temporary_access_pass": {"user": MARCUS},
            "remove_mfa_method": {"user": DANA, "method_id": key},
            "assign_license": {"user": TOM, "add": "SPB"},
            "change_group_member": {"group": "management@harbordental.example", "user": MARCUS},
            "set_auto_reply": {"user": MARCUS, "text": "Away"},
            "device_action": {"device_id": lab, "action": "reboot"},
        }

    def orders(self) -> Mapping[str, Mapping[str, Any]]:
        return self.calls
