"""The tools of Microsoft 365, each against the sandbox: found, changed, found out, refused."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import (
    InvalidArguments,
    OutcomeUnknown,
    TargetRefused,
    ToolRefused,
    WarrantRefused,
)
from tests.integrations.cloud import DANA, KESSLER_PERSON, MARCUS, TOM, CloudTestCase

PRIYA = "priya.nair@harbordental.example"
"""Somebody in no group but the usual, with app and nothing else odd."""


class ReadingTests(CloudTestCase):
    def test_a_person_is_found_by_name_and_read_with_licences_and_groups(self) -> None:
        found: Any = self.call("microsoft365.find_user", text="marcus").content
        assert [one["sign_in_name"] for one in found["users"]] == [MARCUS]

        told: Any = self.call("microsoft365.get_user", user=MARCUS.upper()).content
        assert told["enabled"] is True
        assert told["licences"] == ["Microsoft 365 Business Premium"]
        assert told["groups"] == ["All Staff", "Everybody with a licence", "Newsletter", "Reception"]
        assert told["usage_location"] == "US"
        assert self.call("microsoft365.get_user", user=told["id"]).content == told

    def test_a_quote_in_a_name_is_text_and_no_filter(self) -> None:
        for text in ("O'Neil", "' or accountEnabled eq true or displayName eq '"):
            found: Any = self.call("microsoft365.find_user", text=text).content
            assert found["users"] == []

    def test_free_seats_are_counted(self) -> None:
        told: Any = self.call("microsoft365.license_pool").content
        premium = next(one for one in told["licences"] if one["part"] == "SPB")
        assert premium["name"] == "Microsoft 365 Business Premium"
        assert premium["free"] == premium["seats"] - premium["used"] > 0

    def test_a_sign_in_from_far_away_stands_out(self) -> None:
        told = self.call("microsoft365.sign_ins", user=MARCUS)
        content: Any = told.content
        assert {one["user"] for one in content["sign_ins"]} == {MARCUS}
        assert content["sign_ins"][0]["at"] >= content["sign_ins"][-1]["at"]
        assert "from NG, US" in told.summary
        since = datetime.now(UTC) - timedelta(hours=2)
        few: Any = self.call("microsoft365.sign_ins", since=since.isoformat(), limit=3).content
        assert 0 < len(few["sign_ins"]) <= 3

    def test_rules_that_send_mail_outside_or_hide_it_are_called_suspicious(self) -> None:
        told = self.call("microsoft365.inbox_rules", user=MARCUS if self.has_rule(MARCUS) else PRIYA)
        content: Any = told.content
        (rule,) = content["rules"]
        assert rule["sends_to"] == ["collector@mail-relay.example"]
        assert len(rule["suspicious"]) == 3
        assert "1 suspicious" in told.summary
        harmless: Any = self.call("microsoft365.inbox_rules", user=DANA).content
        assert [one["suspicious"] for one in harmless["rules"]] == [[]]

    def has_rule(self, upn: str) -> bool:
        return any(one["body"]["user"] == self.account(upn)["id"] for one in self.sandbox.cloud("rules"))

    def test_methods_are_read_without_whole_phone_numbers(self) -> None:
        told: Any = self.call("microsoft365.auth_methods", user=DANA).content
        kinds = {one["kind"]: one for one in told["methods"]}
        assert {"password", "microsoftAuthenticator", "phone", "fido2"} == set(kinds)
        assert re.fullmatch(r"phone ending in \d{3}", kinds["phone"]["what"])
        assert kinds["password"]["can_be_removed"] is False
        assert told["has_second_factor"] is True

    def test_devices_risks_alerts_and_the_log_are_read(self) -> None:
        devices: Any = self.call("microsoft365.managed_devices", user=TOM).content
        assert [one["name"] for one in devices["devices"]] == ["HBR-WS-LAB"]
        assert devices["devices"][0]["compliance"] == "noncompliant"
        assert len(self.listed("managed_devices", "devices")) > 4
        assert len(self.listed("risky_users", "users")) == 1
        assert [one["status"] for one in self.listed("security_alerts", "alerts", severity="high")] == ["new"]
        assert len(self.listed("audit_log", "log", limit=5)) == 5
        groups = self.listed("find_group", "groups", text="all")
        assert [(one["name"], one["kind"]) for one in groups] == [("All Staff", "Microsoft 365 group")]

    def listed(self, name: str, part: str, /, **arguments: Any) -> list[Any]:
        content: Any = self.call(f"microsoft365.{name}", **arguments).content
        return list(content[part])


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

    def test_the_vendors_no_to_a_password_does_not_repeat_it(self) -> None:
        self.sandbox.change_cloud("users", self.user_number(MARCUS), onPremisesSyncEnabled=None)
        self.sandbox.fault("status", status=400, method="PATCH", vendor="microsoft365")
        with pytest.raises(Exception) as refused:  # noqa: PT011  # whichever: only its words matter
            self.set_it("microsoft365.reset_password", user=MARCUS)
        assert not re.search(r"[A-Za-z0-9]{4}(-[A-Za-z0-9]{4}){3}", str(refused.value))

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


class AccessTests(CloudTestCase):
    def test_a_licence_is_given_by_the_name_people_use_and_taken_again(self) -> None:
        self.sandbox.change_cloud("users", self.number("users", userPrincipalName=TOM), usageLocation="US")
        wanted = {"user": TOM, "add": "Microsoft 365 Business Premium"}
        shown = self.preview("microsoft365.assign_license", **wanted)
        assert self.look_again("microsoft365.assign_license", shown.target_state, **wanted).verdict == "absent"
        self.call("microsoft365.assign_license", **wanted)
        assert len(self.account(TOM)["assignedLicenses"]) == 1
        assert self.look_again("microsoft365.assign_license", shown.target_state, **wanted).verdict == "found"

        warned = self.preview("microsoft365.assign_license", user=TOM, remove="SPB")
        assert any("deleted after 30 days" in one for one in warned.evidence)
        self.call("microsoft365.assign_license", user=TOM, remove="SPB")
        assert self.account(TOM)["assignedLicenses"] == []

    def test_a_licence_that_a_group_gives_is_not_taken_by_hand(self) -> None:
        states = [{**one, "assignedByGroup": "a-group"} for one in self.account(MARCUS)["licenseAssignmentStates"]]
        self.sandbox.change_cloud(
            "users", self.number("users", userPrincipalName=MARCUS), licenseAssignmentStates=states
        )
        with pytest.raises(TargetRefused, match="by way of a group"):
            self.preview("microsoft365.assign_license", user=MARCUS, remove="SPB")

    def test_what_cannot_be_licensed_is_told_before_anything_is_sent(self) -> None:
        full = self.number("skus", skuPartNumber="SPB")
        for arguments, words in (
            ({"user": TOM, "add": "SPB"}, "no country"),
            ({"user": TOM, "add": "SPE_E5"}, "has bought no licence"),
            ({"user": MARCUS, "add": "SPB"}, "already"),
            ({"user": TOM, "remove": "SPB"}, "has no licence"),
        ):
            with pytest.raises(TargetRefused, match=words):
                self.preview("microsoft365.assign_license", **arguments)
        self.sandbox.change_cloud("skus", full, consumedUnits=999)
        with pytest.raises(TargetRefused, match="No seat"):
            self.preview("microsoft365.assign_license", user=TOM, add="SPB")
        with pytest.raises(InvalidArguments):
            self.preview("microsoft365.assign_license", user=TOM)

    def test_a_member_is_added_and_removed_by_its_reference_so_that_the_account_stays(self) -> None:
        wanted = {"group": "management@harbordental.example", "user": MARCUS}
        shown = self.preview("microsoft365.change_group_member", **wanted)
        assert self.look_again("microsoft365.change_group_member", shown.target_state, **wanted).verdict == "absent"
        self.call("microsoft365.change_group_member", **wanted)
        assert self.look_again("microsoft365.change_group_member", shown.target_state, **wanted).verdict == "found"
        with pytest.raises(TargetRefused, match="already in"):
            self.preview("microsoft365.change_group_member", **wanted)

        self.call("microsoft365.change_group_member", action="remove", **wanted)
        sent = [row for row in self.asked() if row["method"] == "DELETE"]
        assert [row["path"].endswith("/$ref") for row in sent] == [True]
        assert self.account(MARCUS)["accountEnabled"] is True

    def test_groups_that_are_changed_elsewhere_are_refused_with_where(self) -> None:
        for group, words in (
            ("Everybody with a licence", "rule"),
            ("Newsletter", "Exchange admin centre"),
            ("No such group", "is not a group"),
        ):
            with pytest.raises(TargetRefused, match=words):
                self.preview("microsoft365.change_group_member", group=group, user=MARCUS)
        with pytest.raises(TargetRefused, match="domain controller"):
            self.preview("microsoft365.change_group_member", self.kessler, group="Reception", user=KESSLER_PERSON)
        self.sandbox.change_cloud("groups", self.number("groups", displayName="Management"), isAssignableToRole=True)
        with pytest.raises(TargetRefused, match="administrators"):
            self.preview("microsoft365.change_group_member", group="Management", user=MARCUS)

    def test_an_automatic_reply_is_set_as_text_and_switched_off(self) -> None:
        wanted = {"user": MARCUS, "text": "I have left.\nWrite to <b>Dana</b> & co."}
        shown = self.preview("microsoft365.set_auto_reply", **wanted)
        assert "everybody" in shown.seen_by
        assert self.look_again("microsoft365.set_auto_reply", shown.target_state, **wanted).verdict == "absent"
        self.call("microsoft365.set_auto_reply", **wanted)
        assert (
            self.reply(MARCUS)["externalReplyMessage"] == "I have left.<br>Write to &lt;b&gt;Dana&lt;/b&gt; &amp; co."
        )
        assert self.look_again("microsoft365.set_auto_reply", shown.target_state, **wanted).verdict == "found"

        later = self.preview("microsoft365.set_auto_reply", user=MARCUS)
        assert (later.changes[0].before, later.changes[0].after) == (wanted["text"], "off")
        self.call("microsoft365.set_auto_reply", user=MARCUS)
        assert self.reply(MARCUS)["status"] == "disabled"

    def test_a_planned_reply_arrives_with_its_dates_and_audience_and_the_card_shows_what_it_replaces(self) -> None:
        first = {
            "user": MARCUS,
            "text": "Away",
            "outside": "contactsOnly",
            "start": "2026-12-01T08:00:00+01:00",
            "end": "2026-12-09T00:00:00Z",
        }
        self.call("microsoft365.set_auto_reply", **first)
        kept = self.reply(MARCUS)
        assert (kept["status"], kept["externalAudience"]) == ("scheduled", "contactsOnly")
        assert kept["scheduledStartDateTime"] == {"dateTime": "2026-12-01T07:00:00", "timeZone": "UTC"}
        assert kept["scheduledEndDateTime"] == {"dateTime": "2026-12-09T00:00:00", "timeZone": "UTC"}

        shown = self.preview("microsoft365.set_auto_reply", user=MARCUS, text="Away", outside="none")
        told = {one.label: (one.before, one.after) for one in shown.changes}
        assert told == {
            "Automatic reply": ("Away", "Away"),
            "When": ("from 2026-12-01 07:00:00 UTC to 2026-12-09 00:00:00 UTC", "until it is switched off"),
            "Outside": ("only contacts of the mailbox", "nobody"),
        }

    def test_a_reply_that_differs_in_one_thing_only_is_not_taken_for_the_one_that_never_arrived(self) -> None:
        name, there = (
            "microsoft365.set_auto_reply",
            {
                "user": MARCUS,
                "text": "Away",
                "outside": "all",
                "start": "2026-12-01T08:00:00Z",
                "end": "2026-12-09T00:00:00Z",
            },
        )
        self.call(name, **there)
        for change in (
            {"text": "Back soon"},
            {"text": "Away" + " x" * 400},
            {"outside": "none"},
            {"start": "2026-12-02T08:00:00Z"},
            {"end": "2026-12-10T00:00:00Z"},
            {"start": None, "end": None},
        ):
            wanted = {key: value for key, value in {**there, **change}.items() if value is not None}
            before = self.preview(name, **wanted).target_state
            self.sandbox.fault("cut_before", method="PATCH", vendor="microsoft365")
            with pytest.raises(OutcomeUnknown):
                self.call(name, **wanted)
            self.sandbox.clear_faults()
            assert self.look_again(name, before, **wanted).verdict == "absent", change
        assert self.look_again(name, None, **there).verdict == "found"

    def test_a_reply_whose_date_or_audience_somebody_moved_has_drifted(self) -> None:
        name, there = "microsoft365.set_auto_reply", {"user": MARCUS, "text": "Away", "outside": "all"}
        self.call(name, **there)
        shown = self.preview(name, user=MARCUS, text="Back").target_digest
        self.call(name, **{**there, "outside": "none"})
        assert self.preview(name, user=MARCUS, text="Back").target_digest != shown

    def reply(self, upn: str) -> dict[str, Any]:
        """The automatic reply as the vendor holds it."""
        who = self.account(upn)["id"]
        rows = [one["body"] for one in self.sandbox.cloud("mailboxes")]
        found = next(one["settings"] for one in rows if one["user"] == who)
        return dict(found["automaticRepliesSetting"])

    def test_a_device_is_told_to_sync_or_restart_and_windows_is_not_locked(self) -> None:
        device = next(one["body"] for one in self.sandbox.cloud("devices") if one["body"]["deviceName"] == "HBR-WS-LAB")
        wanted = {"device_id": device["id"], "action": "reboot"}
        shown = self.preview("microsoft365.device_action", **wanted)
        assert shown.target == "HBR-WS-LAB"
        assert self.look_again("microsoft365.device_action", shown.target_state, **wanted).verdict == "absent"
        self.call("microsoft365.device_action", **wanted)
        assert self.look_again("microsoft365.device_action", shown.target_state, **wanted).verdict == "found"
        with pytest.raises(TargetRefused, match="cannot lock"):
            self.preview("microsoft365.device_action", device_id=device["id"], action="lock")

    def test_nothing_is_sent_without_a_warrant(self) -> None:
        with pytest.raises(WarrantRefused):
            self.without_warrant("microsoft365.revoke_sessions", user=MARCUS)
        assert self.sandbox.effects() == []
