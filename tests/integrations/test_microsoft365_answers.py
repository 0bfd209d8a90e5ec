"""Answers of Microsoft 365 that are not those which were asked for."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from approvals.revealing import draw_password
from integrations.dispatch import call_tool
from integrations.errors import TargetRefused, VendorError
from integrations.tools import registry
from tests.integrations.cloud import DANA, MARCUS, TOM, CloudTestCase
from tests.integrations.rogue import says
from tests.wire import listening

METHODS = ("POST", "PATCH", "DELETE")


class OtherAnswerTests(CloudTestCase):
    """The vendor answers more, or another, than was asked for."""

    def test_a_filter_that_the_vendor_passes_over_leaves_nothing_in_that_was_not_asked_for(self) -> None:
        onward = listening(self.sandbox.port, [])

        def unfiltered(request: bytes, connection: Any) -> None:
            line, _, rest = request.partition(b"\r\n")
            line = re.sub(rb"(?:%24|\$)filter=[^& ]*&?", b"", line).replace(b"? ", b" ")
            onward(line + b"\r\n" + rest, connection)

        marcus = self.account(MARCUS)["id"]
        with self.detour(unfiltered):
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

        with self.detour(swapped):
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
        with self.detour(echoing):
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
