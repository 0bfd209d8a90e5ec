"""Writes to Microsoft 365 whose answer never came, and answers that are not those which were asked for."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from approvals.revealing import draw_password
from integrations.dispatch import call_tool
from integrations.errors import OutcomeUnknown, TargetRefused, VendorError
from integrations.tools import Outcome, registry
from tests.integrations.cloud import DANA, MARCUS, TOM, CloudTestCase
from tests.integrations.rogue import Respond, rogue_server, says
from tests.wire import listening

METHODS = ("POST", "PATCH", "DELETE")


class OutcomeTests(CloudTestCase):
    """Each write once, cut before the effect and after it."""

    def setUp(self) -> None:
        super().setUp()
        self.sandbox.change_cloud("users", self.number("users", userPrincipalName=TOM), usageLocation="US")
        for upn, at in ((MARCUS, "lastPasswordChangeDateTime"), (MARCUS, "signInSessionsValidFromDateTime")):
            self.sandbox.change_cloud(
                "users", self.number("users", userPrincipalName=upn), **{at: "2026-01-01T00:00:00Z"}
            )
        device = next(one["body"] for one in self.sandbox.cloud("devices") if one["body"]["deviceName"] == "HBR-WS-LAB")
        dana = self.account(DANA)["id"]
        key = next(
            one["body"]["method"]["id"]
            for one in self.sandbox.cloud("methods")
            if one["body"]["user"] == dana and "fido2" in one["body"]["method"]["@odata.type"]
        )
        self.writes: dict[str, dict[str, Any]] = {
            "create_user": {"name": "Noor Haddad", "upn": "noor@harbordental.example", "location": "US"},
            "set_account_enabled": {"user": MARCUS, "enabled": False},
            "revoke_sessions": {"user": MARCUS},
            "reset_password": {"user": MARCUS},
            "temporary_access_pass": {"user": MARCUS},
            "remove_mfa_method": {"user": DANA, "method_id": key},
            "assign_license": {"user": TOM, "add": "SPB"},
            "change_group_member": {"group": "management@harbordental.example", "user": MARCUS},
            "set_auto_reply": {"user": MARCUS, "text": "Away"},
            "device_action": {"device_id": device["id"], "action": "reboot"},
        }

    def test_every_write_is_tried_here(self) -> None:
        writes = {tool.name for tool in registry if tool.vendor == "microsoft365" and tool.is_write}
        assert {f"microsoft365.{name}" for name in self.writes} == writes

    def test_what_was_done_is_found(self) -> None:
        found = {name: self.lost("cut_after", name).verdict for name in self.writes}
        assert set(found.values()) == {"found"}, found

    def test_what_was_not_done_is_absent(self) -> None:
        absent = {name: self.lost("cut_before", name).verdict for name in self.writes}
        assert set(absent.values()) == {"absent"}, absent
        assert [row for row in self.sandbox.effects() if row["vendor"] == "microsoft365"] == []

    def lost(self, kind: str, name: str) -> Outcome:
        """Send it, lose the answer, and look when everything has settled."""
        tool, arguments = f"microsoft365.{name}", self.writes[name]
        before = self.preview(tool, **arguments).target_state
        self.sandbox.clear_faults()
        for method in METHODS:
            self.sandbox.fault(kind, vendor="microsoft365", method=method, path="*/v1.0/*")
        with pytest.raises(OutcomeUnknown):
            self.set_it(tool, **arguments)
        self.sandbox.clear_faults()
        return self.look_again(tool, before, **arguments)


class OtherAnswerTests(CloudTestCase):
    """The vendor answers more, or another, than was asked for."""

    def test_a_filter_that_the_vendor_passes_over_leaves_nothing_in_that_was_not_asked_for(self) -> None:
        onward = listening(self.sandbox.port, [])

        def unfiltered(request: bytes, connection: Any) -> None:
            line, _, rest = request.partition(b"\r\n")
            line = re.sub(rb"(?:%24|\$)filter=[^& ]*&?", b"", line).replace(b"? ", b" ")
            onward(line + b"\r\n" + rest, connection)

        marcus = self.account(MARCUS)["id"]
        with self.through(unfiltered):
            told: Any = self.call("microsoft365.managed_devices", user=MARCUS).content
            assert {one["user"] for one in told["devices"]} <= {MARCUS}
            signed: Any = self.call("microsoft365.sign_ins", user=MARCUS).content
            assert {one["user"] for one in signed["sign_ins"]} <= {MARCUS}
            alerts: Any = self.call("microsoft365.security_alerts", severity="high").content
            assert {one["severity"] for one in alerts["alerts"]} == {"high"}
            found: Any = self.call("microsoft365.get_user", user=MARCUS).content
            assert found["id"] == marcus
            with pytest.raises(TargetRefused):
                self.call("microsoft365.get_user", user="nobody@harbordental.example")
            with pytest.raises(TargetRefused):
                self.preview("microsoft365.change_group_member", group="No such group", user=MARCUS)
        assert self.sandbox.effects() == []

    def test_another_record_than_the_one_asked_for_by_its_id_is_refused(self) -> None:
        """The id is swapped in every request on its way for that of another record of the same tenant."""
        devices = [one["body"]["id"] for one in self.sandbox.cloud("devices")]
        groups = {one["body"]["displayName"]: one["body"]["id"] for one in self.sandbox.cloud("groups")}
        pairs = (
            (self.account(MARCUS)["id"], self.account(DANA)["id"]),
            (devices[0], devices[1]),
            (groups["Reception"], groups["Management"]),
        )
        onward = listening(self.sandbox.port, [])

        def swapped(request: bytes, connection: Any) -> None:
            for asked, given in pairs:
                request = request.replace(str(asked).encode(), str(given).encode())
            onward(request, connection)

        with self.through(swapped):
            for name, arguments in (
                ("get_user", {"user": pairs[0][0]}),
                ("set_account_enabled", {"user": pairs[0][0], "enabled": False}),
                ("reset_password", {"user": pairs[0][0]}),
                ("device_action", {"device_id": pairs[1][0], "action": "sync"}),
                ("change_group_member", {"group": pairs[2][0], "user": TOM}),
            ):
                with pytest.raises(TargetRefused):
                    self.set_it(f"microsoft365.{name}", **arguments)
        assert self.sandbox.effects() == []

    def test_a_vendor_that_repeats_what_it_was_sent_in_its_no_gives_no_password_away(self) -> None:
        onward = listening(self.sandbox.port, [])

        def echoing(request: bytes, connection: Any) -> None:
            if b'"password"' not in request:
                return onward(request, connection)
            told = {"error": {"code": "Request_BadRequest", "message": request.partition(b"\r\n\r\n")[2].decode()}}
            return says("400 Bad Request", json.dumps(told).encode())(request, connection)

        wanted: dict[str, dict[str, Any]] = {
            "reset_password": {"user": MARCUS},
            "create_user": {"name": "Noor", "upn": "noor@harbordental.example", "location": "US"},
        }
        with self.through(echoing):
            for name, arguments in wanted.items():
                drawn = draw_password()
                with pytest.raises(VendorError) as refused:
                    call_tool(
                        tool=registry.get(f"microsoft365.{name}"),
                        arguments=arguments,
                        organization=self.northwind,
                        company=self.harbor,
                        warrant=self.warrant(f"microsoft365.{name}", arguments),
                        drawn_secret=drawn,
                    )
                assert "forceChangePasswordNextSignIn" in str(refused.value), name
                assert drawn not in f"{refused.value} {refused.value!r}", name

    def through(self, respond: Respond) -> Any:
        """Send Northwind's connection through a server that answers so."""
        wire = rogue_server(respond)
        return _Detour(self, wire)


class _Detour:
    """A connection that leads through another server as long as it lasts."""

    def __init__(self, case: CloudTestCase, server: Any) -> None:
        self._case, self._server = case, server

    def __enter__(self) -> None:
        case, wire = self._case, self._server.__enter__()
        case.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
        url = f"http://127.0.0.1:{wire.port}/microsoft365/v1.0"
        case.connect_cloud(case.adam, "northwind-365", base_url=url, row=case.cloud)

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(*error)
