"""Accounts of Microsoft 365: made, blocked, given a password or a pass, and what is found of a lost write."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import (
    OutcomeUnknown,
    TargetRefused,
    ToolRefused,
)
from tests.integrations.cloud import DANA, KESSLER_PERSON, MARCUS, TOM, CloudTestCase

PRIYA = "priya.nair@harbordental.example"
"""Somebody in no group but the usual, with app and nothing else odd."""


class AccountTests(CloudTestCase):
    def test_an_account_is_made_with_a_password_that_stands_in_no_result(self) -> None:
        wanted = {"name": "Noor Haddad", "upn": "noor.haddad@harbordental.example", "location": "us"}
        shown = self.preview("microsoft365.create_user", **wanted)
        assert shown.target == wanted["upn"]
        result, drawn = self.set_it("microsoft365.create_user", **wanted)

        made = self.account(wanted["upn"])
        assert (made["usageLocation"], made["accountEnabled"]) == ("US", True)
        assert self.password(made["id"]) == drawn == result.secret
        assert drawn not in json.dumps([result.content, result.summary, repr(result), repr(shown)])
        assert self.look_again("microsoft365.create_user", {}, **wanted).verdict == "found"

    def test_a_name_that_is_taken_or_of_another_domain_is_refused(self) -> None:
        for upn in (DANA, "noor@kessler-mb.example"):
            with pytest.raises(TargetRefused):
                self.preview("microsoft365.create_user", name="Noor", upn=upn, location="US")

    def test_a_new_password_is_set_and_found_out_when_the_answer_is_lost(self) -> None:
        before: Any = self.preview("microsoft365.reset_password", user=MARCUS).target_state
        assert self.look_again("microsoft365.reset_password", before, user=MARCUS).verdict == "absent"
        self.sandbox.fault("cut_after", method="PATCH", vendor="microsoft365")
        with pytest.raises(OutcomeUnknown):
            self.set_it("microsoft365.reset_password", user=MARCUS)

        assert self.look_again("microsoft365.reset_password", before, user=MARCUS).verdict == "found"
        result, drawn = self.set_it("microsoft365.reset_password", user=MARCUS)
        assert self.password(self.account(MARCUS)["id"]) == drawn == result.secret
        assert drawn not in json.dumps([result.content, result.summary])

    def test_no_password_is_set_that_nobody_drew(self) -> None:
        with pytest.raises(ToolRefused, match="No secret was drawn"):
            self.call("microsoft365.reset_password", user=MARCUS)
        assert self.sandbox.effects() == []

    def test_how_an_administrator_signs_in_is_not_changed_here(self) -> None:
        tenant = self.tenant(self.harbor.name)["tenantId"]
        self.sandbox.plant_cloud("roles", tenant, {"user": self.account(DANA)["id"], "name": "Global Administrator"})
        method = self.method(DANA, "fido2")
        told: Any = self.call("microsoft365.get_user", user=DANA).content
        assert told["administrator_roles"] == ["Global Administrator"]
        for name, more in (
            ("reset_password", {}),
            ("temporary_access_pass", {}),
            ("remove_mfa_method", {"method_id": method}),
        ):
            with pytest.raises(TargetRefused, match="Global Administrator"):
                self.preview(f"microsoft365.{name}", user=DANA, **more)
            with pytest.raises(TargetRefused):
                self.set_it(f"microsoft365.{name}", user=DANA, **more)
        assert self.sandbox.effects() == []

    def test_an_administrator_by_way_of_a_group_is_one_also_through_a_group_in_it(self) -> None:
        tenant, group = self.tenant(self.harbor.name)["tenantId"], self.number("groups", displayName="Reception")
        inner = next(one["body"] for one in self.sandbox.cloud("groups") if one["id"] == group)
        who = {"user": TOM} if self.account(TOM)["id"] in inner["members"] else {"user": MARCUS}
        outer = {**inner, "displayName": "Helpdesk", "isAssignableToRole": True, "members": [inner["id"]]}
        self.preview("microsoft365.reset_password", **who)
        planted = self.sandbox.plant_cloud("groups", tenant, {key: outer[key] for key in outer if key != "id"})
        number = self.number("groups", id=planted["id"])
        for members in ([inner["id"]], [self.account(who["user"])["id"]]):
            self.sandbox.change_cloud("groups", number, members=members)
            for name, more in (
                ("reset_password", {}),
                ("temporary_access_pass", {}),
                ("remove_mfa_method", {"method_id": "any"}),
                ("set_account_enabled", {"enabled": False}),
            ):
                with pytest.raises(TargetRefused, match="by way of the group Helpdesk"):
                    self.preview(f"microsoft365.{name}", **who, **more)
                with pytest.raises(TargetRefused):
                    self.set_it(f"microsoft365.{name}", **who, **more)
        told: Any = self.call("microsoft365.get_user", **who).content
        assert told["administrator_roles"] == ["by way of the group Helpdesk"]
        assert self.sandbox.effects() == []

    def test_what_somebody_else_did_meanwhile_is_not_taken_for_a_write_that_was_lost(self) -> None:
        """A password of their own, an account of that name made by others: nobody hands out what was drawn."""
        before: Any = self.preview("microsoft365.reset_password", user=MARCUS).target_state
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        fields = {"lastPasswordChangeDateTime": now, "signInSessionsValidFromDateTime": now}
        self.sandbox.change_cloud("users", self.user_number(MARCUS), **fields)
        assert self.look_again("microsoft365.reset_password", before, user=MARCUS).verdict == "unclear"
        line = {
            "activityDateTime": now,
            "activityDisplayName": "Reset user password",
            "initiatedBy": {"user": {"id": self.account(DANA)["id"]}, "app": {"servicePrincipalId": "another-app"}},
            "targetResources": [{"id": self.account(MARCUS)["id"], "type": "User"}],
        }
        self.sandbox.plant_cloud("audits", self.tenant(self.harbor.name)["tenantId"], line)
        assert self.look_again("microsoft365.reset_password", before, user=MARCUS).verdict == "unclear"
        assert self.look_again(
            "microsoft365.revoke_sessions", before | {"sessions_from": now[:4]}, user=MARCUS
        ).verdict == ("unclear")
        wanted = {"name": "Noor Haddad", "upn": "noor@harbordental.example", "location": "US"}
        made = {
            "displayName": "Noor",
            "userPrincipalName": wanted["upn"],
            "createdDateTime": now,
            "accountEnabled": True,
        }
        self.sandbox.plant_cloud("users", self.tenant(self.harbor.name)["tenantId"], made)
        told = self.look_again("microsoft365.create_user", {}, **wanted)
        assert (told.verdict, told.written) == ("unclear", None)

    def test_an_earlier_password_of_ours_does_not_stand_for_the_one_that_was_lost(self) -> None:
        self.set_it("microsoft365.reset_password", user=MARCUS)
        before: Any = self.preview("microsoft365.reset_password", user=MARCUS).target_state
        later = (datetime.now(UTC) + timedelta(seconds=90)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.sandbox.change_cloud("users", self.user_number(MARCUS), lastPasswordChangeDateTime=later)
        assert self.look_again("microsoft365.reset_password", before, user=MARCUS).verdict == "unclear"

    def test_without_the_log_an_outcome_stays_unclear(self) -> None:
        before: Any = self.preview("microsoft365.reset_password", user=MARCUS).target_state
        self.set_it("microsoft365.reset_password", user=MARCUS)
        number = self.number("tenants", displayName=self.harbor.name)
        self.sandbox.change_cloud("tenants", number, withheld=["AuditLog.Read.All"])
        self.sandbox.end_cloud_tokens()
        told = self.look_again("microsoft365.reset_password", before | {"password_changed": "2026"}, user=MARCUS)
        assert (told.verdict, "AuditLog.Read.All" in told.evidence) == ("unclear", True)

    def test_the_card_says_that_a_default_method_stays_while_there_are_others(self) -> None:
        shown = self.preview("microsoft365.remove_mfa_method", user=DANA, method_id=self.method(DANA, "phone"))
        assert any("default method" in one for one in shown.evidence)
        shown = self.preview("microsoft365.remove_mfa_method", user=DANA, method_id=self.method(DANA, "fido2"))
        assert not any("default method" in one for one in shown.evidence)

    def test_an_account_of_a_local_directory_is_refused_with_where_to_go(self) -> None:
        for name, more in (("reset_password", {}), ("set_account_enabled", {"enabled": False})):
            with pytest.raises(TargetRefused, match="domain controller"):
                self.preview(f"microsoft365.{name}", self.kessler, user=KESSLER_PERSON, **more)
        self.call("microsoft365.revoke_sessions", self.kessler, user=KESSLER_PERSON)

    def test_an_account_is_blocked_and_let_in_again(self) -> None:
        before = self.preview("microsoft365.set_account_enabled", user=MARCUS, enabled=False)
        assert [(one.before, one.after) for one in before.changes] == [("can sign in", "blocked")]
        self.call("microsoft365.set_account_enabled", user=MARCUS, enabled=False)
        assert self.account(MARCUS)["accountEnabled"] is False
        for enabled, verdict in ((False, "found"), (True, "unclear")):
            told = self.look_again(
                "microsoft365.set_account_enabled", before.target_state, user=MARCUS, enabled=enabled
            )
            assert told.verdict == verdict
        self.call("microsoft365.set_account_enabled", user=MARCUS, enabled=True)
        assert self.account(MARCUS)["accountEnabled"] is True

    def test_sessions_end_and_the_directory_is_given_its_time(self) -> None:
        before: Any = self.preview("microsoft365.revoke_sessions", user=MARCUS).target_state
        early = self.look_again("microsoft365.revoke_sessions", before, settled=False, user=MARCUS)
        assert early.verdict == "unclear"
        self.call("microsoft365.revoke_sessions", user=MARCUS)
        assert self.account(MARCUS)["signInSessionsValidFromDateTime"] != before["sessions_from"]
        assert self.look_again("microsoft365.revoke_sessions", before, user=MARCUS).verdict == "found"

    def test_a_pass_is_issued_and_its_code_is_told_to_nobody_but_the_person(self) -> None:
        before: Any = self.preview("microsoft365.temporary_access_pass", user=MARCUS).target_state
        result, _ = self.set_it("microsoft365.temporary_access_pass", user=MARCUS, minutes=30)
        (kept,) = [one for one in self.methods(MARCUS) if "temporaryAccessPass" in one]

        assert (kept["lifetimeInMinutes"], kept["isUsableOnce"]) == (30, True)
        assert result.secret == kept["temporaryAccessPass"]
        assert result.secret not in json.dumps([result.content, result.summary])
        assert result.secret not in json.dumps(self.call("microsoft365.auth_methods", user=MARCUS).content)
        told = self.look_again("microsoft365.temporary_access_pass", before, user=MARCUS)
        assert (told.verdict, "lost with the answer" in told.evidence) == ("found", True)

    def test_a_lost_phone_is_removed_and_no_other_method(self) -> None:
        method = self.method(DANA, "microsoftAuthenticator")
        wanted = {"user": DANA, "method_id": method}
        shown = self.preview("microsoft365.remove_mfa_method", **wanted)
        assert "phone ending in" in shown.changes[1].after
        assert self.look_again("microsoft365.remove_mfa_method", shown.target_state, **wanted).verdict == "absent"
        self.call("microsoft365.remove_mfa_method", **wanted)

        assert method not in {one["id"] for one in self.methods(DANA)}
        assert len(self.methods(DANA)) == 3
        assert self.look_again("microsoft365.remove_mfa_method", shown.target_state, **wanted).verdict == "found"
        with pytest.raises(TargetRefused, match="password cannot be removed"):
            self.preview("microsoft365.remove_mfa_method", user=DANA, method_id=self.method(DANA, "password"))

    def methods(self, upn: str) -> list[dict[str, Any]]:
        """What is registered, as the vendor holds it."""
        who = self.account(upn)["id"]
        return [one["body"]["method"] for one in self.sandbox.cloud("methods") if one["body"]["user"] == who]

    def method(self, upn: str, kind: str) -> str:
        """The id of the method of this kind."""
        return str(next(one["id"] for one in self.methods(upn) if f".{kind}Auth" in one["@odata.type"]))

    def password(self, user_id: str) -> str:
        """The password that was really set."""
        rows = [one["body"] for one in self.sandbox.cloud("passwords")]
        return str(next(one["text"] for one in rows if one["user"] == user_id))

    def user_number(self, upn: str) -> int:
        """The sandbox's own number of an account."""
        return self.number("users", userPrincipalName=upn)
