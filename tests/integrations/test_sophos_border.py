"""No tool of Sophos crosses the border of a company: not by ids that a model names, nor if the vendor's fence fell; and
what becomes of its orders without an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from integrations.errors import TargetRefused, ToolUnavailable
from tests.integrations.border import CANARY, BorderConformance
from tests.integrations.outcomes import OutcomeConformance
from tests.integrations.protected import ProtectedTestCase
from tests.integrations.rogue import Respond
from tests.wire import listening

SHA256 = "a" * 64


class SophosBorderTests(BorderConformance, ProtectedTestCase):
    arguments = {
        "list_endpoints": {"hostname": "CANARY"},
        "get_endpoint": {"endpoint_id": "computer"},
        "list_alerts": {"endpoint_id": "computer"},
        "get_alert": {"alert_id": "alert"},
        "list_events": {"endpoint_id": "computer"},
        "isolation_status": {"endpoint_id": "computer"},
        "tamper_status": {"endpoint_id": "computer"},
        "account_health": {},
        "list_cases": {},
        "scan_endpoint": {"endpoint_id": "computer"},
        "check_update": {"endpoint_id": "computer"},
        "isolate_endpoint": {"endpoint_id": "computer", "comment": "a"},
        "release_endpoint": {"endpoint_id": "computer", "comment": "a"},
        "act_on_alert": {"alert_id": "alert", "action": "acknowledge", "comment": "a"},
        "block_hash": {"sha256": SHA256, "comment": "a"},
    }
    makes = frozenset({"block_hash"})  # acts on the company's tenant as a whole, which comes from its link
    silent = frozenset({"account_health"})

    def plant(self, *, times: int = 1) -> Mapping[str, list[Any]]:
        """All that others have, of this MSP's companies, Kessler's file server first."""
        ours = self.tenant(self.harbor.name)
        fields = {"computers": "hostname", "alerts": "description", "cases": "name"}
        theirs = self.held("computers", "KSL-WS-LAGER")["tenant"]
        found: dict[str, list[Any]] = {}
        for collection, field in fields.items():
            rows = [one for one in self.sandbox.held("sophos", collection) if one["tenant"] != ours]
            for one in rows if times > 1 else [one for one in rows if one["tenant"] == theirs]:
                self.sandbox.alter("sophos", collection, one["id"], {f"shown/{field}": CANARY})
            rows.sort(key=lambda one: one["tenant"] != theirs)
            found[collection.removesuffix("s")] = [one["shown"]["id"] for one in rows]
        self.sandbox.put_in("sophos", "events", {"tenant": theirs, "name": CANARY})
        return found

    def own(self) -> Mapping[str, Any]:
        return {"computer": self.computer("HBR-WS-LAB"), "alert": self.alert("HBR-WS-LAB")}

    def astray(self) -> Respond:
        """The header of every regional request is swapped on its way for that of the other company."""
        ours, theirs = self.tenant(self.harbor.name).encode(), self.tenant(self.kessler.name).encode()
        onward = listening(self.sandbox.port, [])

        def swapped(request: bytes, connection: Any) -> None:
            if b"X-Tenant-ID" in request:
                request = request.replace(ours, theirs).replace(b"/us03/", b"/eu02/", 1)
            onward(request, connection)

        return swapped

    def test_a_refusal_says_what_is_no_computer_of_whom(self) -> None:
        number = self.computer("KSL-WS-LAGER")
        with pytest.raises(TargetRefused) as refused:
            self.call("sophos.get_endpoint", endpoint_id=number)
        assert str(refused.value) == f"{number} is not a computer of {self.harbor.name}."

    def test_a_link_that_is_no_tenant_has_no_tools(self) -> None:
        asked = len(self.asked())
        self.protection.links.filter(company=self.harbor).update(external_id="../partner")
        with pytest.raises(ToolUnavailable, match="not linked to a tenant"):
            self.call("sophos.list_endpoints")
        assert len(self.asked()) == asked


class SophosOutcomeTests(OutcomeConformance, ProtectedTestCase):
    """An order whose answer never came: found out by reading back, or left to a person."""

    wire_path = "*/v1/*"
    verdicts = {"check_update": ("unclear", "unclear"), "scan_endpoint": ("found", "unclear")}

    def setUp(self) -> None:
        super().setUp()
        lab = {"endpoint_id": self.computer("HBR-WS-LAB")}
        self.calls: dict[str, dict[str, Any]] = {
            "isolate_endpoint": lab | {"comment": "a"},
            "release_endpoint": lab | {"comment": "a"},
            "scan_endpoint": lab,
            "check_update": lab,
            "act_on_alert": {"alert_id": self.alert("HBR-WS-LAB"), "action": "acknowledge", "comment": "a"},
            "block_hash": {"sha256": SHA256, "comment": "a"},
        }

    def orders(self) -> Mapping[str, Mapping[str, Any]]:
        return self.calls

    def before(self, name: str, kind: str) -> None:
        if name == "release_endpoint" and kind == "cut_before":  # or there is nothing to release
            self.call("sophos.isolate_endpoint", **self.calls[name])
