"""Sophos' tools against the sandbox: what they find, and what they do, by its request log and its records."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import (
    InvalidArguments,
    TargetRefused,
    VendorForbidden,
    VendorRefused,
)
from tests.integrations.protected import ProtectedTestCase
from tests.integrations.rogue import rogue_server
from tests.wire import changed_records, listening

SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


class ReadingTests(ProtectedTestCase):
    def test_the_device_of_a_ticket_is_found_by_the_name_it_has_in_the_psa(self) -> None:
        here: Any = self.call("connectwise.list_configurations", name="HBR-WS-LAB").content
        found: Any = self.call("sophos.list_endpoints", hostname=here["configurations"][0]["name"]).content

        (one,) = found["endpoints"]
        assert one["id"] == self.computer("HBR-WS-LAB")
        assert (one["health"], one["online"], one["isolation"]) == ("suspicious", True, "not isolated")
        assert one["user"] == "HARBOR\\tom.kowalski"

    def test_computers_are_told_apart_by_health_and_cut_to_the_limit(self) -> None:
        unwell: Any = self.call("sophos.list_endpoints", health="bad").content
        some = self.call("sophos.list_endpoints", limit=3)
        content: Any = some.content

        assert [one["hostname"] for one in unwell["endpoints"]] == ["HBR-LT-BILLING"]
        assert (len(content["endpoints"]), content["more"]) == (3, True)
        assert some.summary == "The first 3 computers"

    def test_a_filter_that_the_vendor_passes_over_leaves_nothing_in_that_was_not_asked_for(self) -> None:
        def unfiltered(request: bytes, connection: Any) -> None:
            line, _, rest = request.partition(b"\r\n")
            method, target, version = line.split(b" ")
            onward(b"%b %b %b\r\n%b" % (method, target.partition(b"?")[0], version, rest), connection)

        onward = listening(self.sandbox.port, [])
        with rogue_server(unfiltered) as wire:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
            url = f"http://127.0.0.1:{wire.port}/sophos"
            self.connect_protection(self.adam, "northwind-sophos", base_url=url, row=self.protection)
            found: Any = self.call("sophos.list_endpoints", hostname="WS-LAB").content
            alerts: Any = self.call("sophos.list_alerts", severity="high").content
            cases: Any = self.call("sophos.list_cases", status="new").content

        assert [one["hostname"] for one in found["endpoints"]] == ["HBR-WS-LAB"]
        assert [one["severity"] for one in alerts["alerts"]] == ["high"]
        assert [one["status"] for one in cases["cases"]] == ["new"]

    def test_alerts_come_newest_first_with_what_each_allows(self) -> None:
        content: Any = self.call("sophos.list_alerts").content
        lab: Any = self.call("sophos.list_alerts", endpoint_id=self.computer("HBR-WS-LAB")).content
        since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        fresh: Any = self.call("sophos.list_alerts", since=since).content
        one: Any = self.call("sophos.get_alert", alert_id=self.alert("HBR-WS-LAB")).content

        assert [each["computer"] for each in content["alerts"]] == ["HBR-LT-BILLING", "HBR-WS-LAB"]
        assert [each["id"] for each in lab["alerts"]] == [self.alert("HBR-WS-LAB")]
        assert [each["computer"] for each in fresh["alerts"]] == ["HBR-LT-BILLING"]
        assert one["allowed_actions"] == ["acknowledge", "cleanPua", "authPua"]
        assert "PC Tune-Up Deluxe" in one["text"]

    def test_events_of_the_last_day_come_newest_first_and_older_ones_are_not_asked_for(self) -> None:
        billing: Any = self.call("sophos.list_events", endpoint_id=self.computer("HBR-LT-BILLING")).content

        assert [one["type"].rpartition("::")[2] for one in billing["events"]] == ["CleanupFailed", "Detected"]
        with pytest.raises(TargetRefused, match="last 24 hours only"):
            self.call("sophos.list_events", since=(datetime.now(UTC) - timedelta(days=2)).isoformat())

    def test_cases_and_the_accounts_health_are_short(self) -> None:
        cases: Any = self.call("sophos.list_cases").content
        health = self.call("sophos.account_health")
        checks: Any = health.content

        assert {one["name"] for one in cases["cases"]} == {"Failed clean-up on a billing laptop", "Quarterly hunt"}
        computers = next(one for one in checks["checks"] if one["check"] == "protection computer")
        assert computers == {"check": "protection computer", "score": 75, "total": 8, "snoozed": False} | {
            "notFullyProtected": 2
        }
        assert health.summary == "Lowest score 75 of 100"

    def test_a_whole_computer_is_told_in_a_few_lines(self) -> None:
        told: Any = self.call("sophos.get_endpoint", endpoint_id=self.computer("HBR-SRV-01")).content

        assert told["operating_system"] == "Windows Server 2022 Standard"
        assert told["products"] == ["coreAgent 2025.2.1.14", "interceptX 2025.1.3.7"]
        assert told["tamper_protected"] is True
        assert len(json.dumps(told)) < 700

    def test_tamper_protection_is_told_and_its_passwords_end_on_arrival(self) -> None:
        held = self.held("computers", "HBR-WS-LAB")["tamper"]
        secrets = [held["password"], held["previousPasswords"][0]["password"]]
        result = self.call("sophos.tamper_status", endpoint_id=self.computer("HBR-WS-LAB"))

        assert result.summary == "HBR-WS-LAB: tamper protection is on"
        assert all(secret.startswith(("tamper-", "former-")) for secret in secrets)
        assert not any(secret in f"{result!r}" for secret in secrets)

    def test_a_tamper_answer_that_cannot_be_read_shows_no_password_either(self) -> None:
        held = self.held("computers", "HBR-WS-LAB")["tamper"]

        def broken(record: dict[str, Any]) -> dict[str, Any]:
            return {"enabled": {"is": record["password"]}} if "previousPasswords" in record else {}

        with rogue_server(listening(self.sandbox.port, [], change=changed_records(broken))) as wire:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
            url = f"http://127.0.0.1:{wire.port}/sophos"
            self.connect_protection(self.adam, "northwind-sophos", base_url=url, row=self.protection)
            with pytest.raises(Exception, match=r"could not be read \(enabled\)") as refused:
                self.call("sophos.tamper_status", endpoint_id=self.computer("HBR-WS-LAB"))

        assert held["password"] not in f"{refused.value} {refused.value.__cause__}"


class ActingTests(ProtectedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.lab = self.computer("HBR-WS-LAB")

    def test_a_computer_is_isolated_and_released_and_each_is_the_others_undo(self) -> None:
        isolate = {"endpoint_id": self.lab, "comment": "Running malware"}
        preview = self.preview("sophos.isolate_endpoint", **isolate)
        done = self.call("sophos.isolate_endpoint", **isolate)

        assert preview.title == "Isolate HBR-WS-LAB"
        assert (preview.changes[0].before, preview.changes[0].after) == ("not isolated", "isolated by an admin")
        assert "online, its health is suspicious, used by HARBOR\\tom.kowalski" in preview.evidence[0]
        assert "sophos.release_endpoint" in preview.undo
        assert done.content == {
            "endpoint_id": self.lab,
            "hostname": "HBR-WS-LAB",
            "ordered": "isolated",
            "taken": True,
            "online": True,
        }
        status: Any = self.call("sophos.isolation_status", endpoint_id=self.lab).content
        assert (status["isolated_now"], status["comment"]) == ("isolated by an admin", "Running malware")

        release = {"endpoint_id": self.lab, "comment": "Scan is clean"}
        assert "sophos.isolate_endpoint" in self.preview("sophos.release_endpoint", **release).undo
        self.call("sophos.release_endpoint", **release)
        assert self.held("computers", "HBR-WS-LAB")["shown"]["isolation"]["status"] == "notIsolated"
        assert [row["body"]["enabled"] for row in self.acted()] == [True, False]

    def test_what_is_so_already_is_not_ordered_and_a_computer_that_cut_itself_off_is_explained(self) -> None:
        with pytest.raises(TargetRefused, match="out of isolation already"):
            self.preview("sophos.release_endpoint", endpoint_id=self.lab, comment="a")
        self.alter_computer("HBR-WS-LAB", shown__isolation={"status": "isolated", "selfIsolated": True})
        with pytest.raises(TargetRefused, match="isolated itself because of its health"):
            self.preview("sophos.release_endpoint", endpoint_id=self.lab, comment="a")

    def test_an_offline_computer_follows_later_and_a_second_change_meanwhile_is_refused_by_the_vendor(self) -> None:
        self.alter_computer("HBR-WS-LAB", shown__online=False)
        done = self.call("sophos.isolate_endpoint", endpoint_id=self.lab, comment="a")

        assert "offline and follows when it comes back" in done.summary
        assert self.held("computers", "HBR-WS-LAB")["shown"]["isolation"]["status"] == "notIsolated"
        with pytest.raises(VendorRefused, match="in progress"):
            self.call("sophos.release_endpoint", endpoint_id=self.lab, comment="b")

    def test_somebody_elses_isolation_meanwhile_is_a_changed_target_and_a_new_finding_is_not(self) -> None:
        arguments = {"endpoint_id": self.lab, "comment": "a"}
        before = self.preview("sophos.isolate_endpoint", **arguments)
        self.alter_computer("HBR-WS-LAB", shown__health__overall="bad")

        assert self.preview("sophos.isolate_endpoint", **arguments).target_digest == before.target_digest
        self.call("sophos.isolate_endpoint", **arguments)
        with pytest.raises(TargetRefused, match="to be isolated already"):
            self.preview("sophos.isolate_endpoint", **arguments)

    def test_a_scan_and_a_look_for_updates_are_ordered_with_the_empty_body_that_the_vendor_wants(self) -> None:
        self.preview("sophos.scan_endpoint", endpoint_id=self.lab)
        self.call("sophos.scan_endpoint", endpoint_id=self.lab)
        preview = self.preview("sophos.check_update", endpoint_id=self.lab)
        self.call("sophos.check_update", endpoint_id=self.lab)

        assert preview.changes[0].before == "coreAgent 2025.2.1.14, interceptX 2025.1.3.7"
        assert [(row["route"].rpartition("/")[2], row["body"]) for row in self.acted()] == [
            ("scans", {}),
            ("update-checks", {}),
        ]

    def test_only_what_an_alert_allows_is_done_and_it_is_closed_by_that(self) -> None:
        alert = self.alert("HBR-WS-LAB")
        arguments = {"alert_id": alert, "action": "cleanPua", "comment": "Unwanted"}
        with pytest.raises(TargetRefused, match="does not allow cleanVirus: it allows acknowledge, cleanPua, authPua"):
            self.preview("sophos.act_on_alert", **{**arguments, "action": "cleanVirus"})
        preview = self.preview("sophos.act_on_alert", **arguments)
        self.call("sophos.act_on_alert", **arguments)

        assert preview.target == "HBR-WS-LAB"
        assert preview.title.startswith("Remove the unwanted application of the alert “PUA detected")
        assert preview.changes[0].after == "the unwanted application is removed"
        with pytest.raises(TargetRefused):
            self.call("sophos.get_alert", alert_id=alert)
        assert self.held("computers", "HBR-WS-LAB")["shown"]["health"]["overall"] == "good"

    def test_what_weakens_protection_or_writes_to_people_is_not_among_the_actions(self) -> None:
        for action in ("authPua", "sendMsgPua", "sendMsgThreat"):
            with pytest.raises(InvalidArguments):
                self.call("sophos.act_on_alert", alert_id=self.alert("HBR-WS-LAB"), action=action, comment="a")
        assert self.acted() == []

    def test_a_file_is_blocked_once_for_the_whole_company(self) -> None:
        arguments = {"sha256": SHA256.upper(), "comment": "Dropper"}
        preview = self.preview("sophos.block_hash", **arguments)
        done = self.call("sophos.block_hash", **arguments)

        assert preview.target == f"All computers of {self.harbor.name}"
        assert done.written is not None
        (blocked,) = self.sandbox.held("sophos", "blocked")
        assert blocked["shown"]["properties"] == {"sha256": SHA256}
        assert blocked["tenant"] == self.tenant(self.harbor.name)
        with pytest.raises(TargetRefused, match="blocked already"):
            self.preview("sophos.block_hash", **arguments)

    def test_a_role_that_may_only_read_is_told_what_it_lacks_and_nothing_is_done(self) -> None:
        self.connect_protection(self.adam, "northwind-sophos-reading", row=self.protection)
        with pytest.raises(VendorForbidden, match=r"may only read.*role of the credential"):
            self.call("sophos.isolate_endpoint", endpoint_id=self.lab, comment="a")
        assert self.acted() == []

    def test_ids_that_are_none_and_comments_over_several_lines_are_refused(self) -> None:
        for endpoint_id in ("1", "../alerts", "a" * 36, f"{self.lab}/isolation"):
            with pytest.raises(InvalidArguments):
                self.call("sophos.isolate_endpoint", endpoint_id=endpoint_id, comment="a")
        with pytest.raises(InvalidArguments):
            self.call("sophos.isolate_endpoint", endpoint_id=self.lab, comment="a\nb")
