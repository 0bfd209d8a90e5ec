"""The tools of Microsoft 365, each against the sandbox: found, changed, found out, refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import (
    InvalidArguments,
    OutcomeUnknown,
    TargetRefused,
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
