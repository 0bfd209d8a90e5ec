"""No tool of Microsoft 365 crosses the border of a company, whatever ids and names a model gives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.errors import IntegrationError, TargetRefused, ToolUnavailable
from integrations.tools import Scope, registry
from tests.integrations.cloud import KESSLER_PERSON, CloudTestCase

CANARY = "CANARY-of-another-company"

ARGUMENTS: dict[str, dict[str, Any]] = {
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
"""Every tool; the words stand for foreign ids."""


class Microsoft365BorderTests(CloudTestCase):
    def setUp(self) -> None:
        super().setUp()
        tenant = self.tenant(self.kessler.name)["tenantId"]
        self.sandbox.change_cloud("users", self.number("users", userPrincipalName=KESSLER_PERSON), displayName=CANARY)
        user = self.account(KESSLER_PERSON)["id"]
        group = self.sandbox.plant_cloud("groups", tenant, {**self.a_group(), "displayName": CANARY})
        device = next(
            one for one in self.sandbox.cloud("devices") if one["tenant"] == tenant and one["body"]["userId"] == user
        )
        self.sandbox.change_cloud("devices", device["id"], deviceName=CANARY)
        method = next(one["body"] for one in self.sandbox.cloud("methods") if one["body"]["user"] == user)
        self.by_id: dict[str, Any] = {
            "user": user,
            "group": group["id"],
            "device": device["body"]["id"],
            "method": method["method"]["id"],
            "upn": "a@kessler-mb.example",
        }
        self.by_name = {**self.by_id, "user": KESSLER_PERSON, "group": CANARY}

    def a_group(self) -> dict[str, Any]:
        """A group without a name."""
        body = self.sandbox.cloud("groups")[0]["body"]
        return {name: value for name, value in body.items() if name != "id"}

    def test_every_tool_is_tried_here(self) -> None:
        tools = [tool for tool in registry if tool.vendor == "microsoft365"]

        assert {tool.name.partition(".")[2] for tool in tools} == set(ARGUMENTS)
        assert all(tool.scope is Scope.COMPANY for tool in tools)

    def test_no_tool_finds_or_changes_anything_of_another_company(self) -> None:
        for foreign in (self.by_id, self.by_name):
            for name in ARGUMENTS:
                assert CANARY not in self.attempt(name, foreign), name
        assert [row for row in self.sandbox.effects() if row["vendor"] == "microsoft365"] == []

    def test_no_preview_shows_anything_of_another_company(self) -> None:
        for foreign in (self.by_id, self.by_name):
            for name, arguments in ARGUMENTS.items():
                if registry.get(f"microsoft365.{name}").preview is not None:
                    with pytest.raises(TargetRefused) as refused:
                        self.preview(f"microsoft365.{name}", **filled(arguments, foreign))
                    assert CANARY not in str(refused.value) or CANARY in json.dumps(filled(arguments, foreign))

    def test_a_foreign_account_and_one_that_is_not_there_are_refused_alike(self) -> None:
        words = []
        for user in (self.by_id["user"], "00000000-0000-4000-8000-000000000000"):
            with pytest.raises(TargetRefused) as refused:
                self.call("microsoft365.get_user", user=user)
            words.append(str(refused.value).replace(user, "N"))

        assert words[0] == words[1] == f"N is not an account of {self.harbor.name} in Microsoft 365."

    def test_the_other_company_itself_reaches_its_account(self) -> None:
        found: Any = self.call("microsoft365.find_user", self.kessler, text="CANARY").content
        assert [one["id"] for one in found["users"]] == [self.by_id["user"]]

    def test_a_company_without_a_link_and_a_rivals_company_have_no_tools(self) -> None:
        asked = len(self.asked())
        for company in (self.linked("252"), self.quayside):
            with pytest.raises(ToolUnavailable):
                self.call("microsoft365.license_pool", company)
        assert len(self.asked()) == asked

    def test_no_request_on_a_companys_behalf_bears_another_tenants_token(self) -> None:
        self.call("microsoft365.license_pool")
        self.call("microsoft365.license_pool", self.kessler)
        tenants = {self.tenant(one.name)["tenantId"] for one in (self.harbor, self.kessler)}
        assert {row["path"].split("/")[3] for row in self.asked("/token")} == tenants

    def attempt(self, name: str, foreign: dict[str, Any]) -> str:
        """Everything that came back, a refusal's words included, but for what was asked."""
        arguments = filled(ARGUMENTS[name], foreign)
        try:
            result, _ = (
                self.set_it(f"microsoft365.{name}", **arguments)
                if self.writes(name)
                else (
                    self.call(f"microsoft365.{name}", **arguments),
                    "",
                )
            )
        except IntegrationError as error:
            told = str(error)
            for value in arguments.values():
                told = told.replace(str(value), "")
            return told
        return json.dumps([result.content, result.summary])

    def writes(self, name: str) -> bool:
        """Whether the tool changes something."""
        return registry.get(f"microsoft365.{name}").is_write


def filled(arguments: dict[str, Any], foreign: dict[str, Any]) -> dict[str, Any]:
    """The arguments with ids in place of the words for them."""
    return {name: foreign.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()}
