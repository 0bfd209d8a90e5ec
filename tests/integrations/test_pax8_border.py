"""No tool of Pax8 crosses the border of a company: not by ids that a model names, nor if the vendor's filters fell."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.errors import IntegrationError, TargetRefused, ToolUnavailable
from integrations.pax8.tools import TOOLS
from integrations.tools import Scope, registry
from tests.integrations.resold import NOWHERE, ResoldTestCase
from tests.integrations.rogue import rogue_server
from tests.wire import listening

CANARY = "CANARY-of-another-company"
MONTH = datetime.now(UTC).strftime("%Y-%m")

ARGUMENTS: dict[str, dict[str, Any]] = {
    "find_company": {},
    "list_subscriptions": {},
    "get_subscription": {"subscription_id": "subscription"},
    "subscription_history": {"subscription_id": "subscription"},
    "list_orders": {},
    "list_invoice_items": {"month": MONTH},
    "usage_summary": {"subscription_id": "subscription"},
    "change_quantity": {"subscription_id": "subscription", "quantity": 3},
    "cancel_subscription": {"subscription_id": "subscription"},
}
"""Every tool that reads or is given a record; "subscription" stands for a foreign id."""

NAMES_NO_RECORD = {"product_pricing", "check_order", "place_order", "add_contact"}
"""Asks about a product, or writes for the company that its link names."""

FREE = {"search_products"}
"""Looks into the vendor's own catalogue, which is the same for all."""


class Pax8BorderTests(ResoldTestCase):
    def setUp(self) -> None:
        super().setUp()
        theirs = self.buyer(self.kessler.name)
        self.foreign = self.bought("Microsoft Azure Plan", self.kessler)["id"]
        for row in self.rows("subscriptions", companyId=theirs):
            self.alter("subscriptions", row["shown"]["id"], productName=CANARY)
        for row in self.rows("items", companyId=theirs):
            self.alter("items", row["shown"]["id"], productName=CANARY)
        for row in self.rows("orders", companyId=theirs):
            self.alter("orders", row["shown"]["id"], orderedByUserEmail=CANARY)
        for row in self.rows("usage", companyId=theirs):
            self.alter("usage", row["shown"]["id"], resourceGroup=CANARY)

    def test_every_tool_is_tried_here(self) -> None:
        assert {one.name.partition(".")[2] for one in TOOLS} == set(ARGUMENTS) | NAMES_NO_RECORD | FREE
        assert {one.name.partition(".")[2] for one in TOOLS if one.scope is Scope.FREE} == FREE

    def test_no_tool_finds_or_changes_anything_of_another_company(self) -> None:
        for name in ARGUMENTS:
            assert CANARY not in self.attempt(name), name
        assert self.acted() == []

    def test_the_other_company_itself_reaches_its_records(self) -> None:
        for name in ARGUMENTS:
            if not registry.get(f"pax8.{name}").is_write and name != "find_company":
                result = self.call(f"pax8.{name}", self.kessler, **self.filled(name, self.foreign))
                assert CANARY in json.dumps(result.content), name

    def test_nothing_comes_through_though_the_vendor_passes_over_every_filter(self) -> None:
        """The query that names the company is cut off every look-up on its way."""
        onward, ours = listening(self.sandbox.port, []), self.bought("Proofpoint")["id"]
        theirs = {"companyId": self.buyer(self.kessler.name), "resourceGroup": CANARY}
        self.sandbox.put_in("pax8", "usage", {"subscription": ours, **theirs})

        def unfiltered(request: bytes, connection: Any) -> None:
            line, _, rest = request.partition(b"\r\n")
            line = re.sub(rb"companyId=[0-9a-f-]+&?", b"", line).replace(b"? ", b" ")
            onward(line + b"\r\n" + rest, connection)

        with rogue_server(unfiltered) as wire:
            self.reach(wire.port)
            for name in ARGUMENTS:
                assert CANARY not in self.attempt(name), name
            content: Any = self.call("pax8.list_subscriptions", status="Cancelled").content
            used = self.call("pax8.usage_summary", subscription_id=ours).content
        assert content["subscriptions"] == []
        assert CANARY not in json.dumps(used)
        assert self.acted() == []

    def test_nothing_comes_through_though_the_vendor_answered_for_another_company(self) -> None:
        """The company's id is swapped in every request on its way for that of the other company."""
        ours, theirs = self.buyer(self.harbor.name).encode(), self.buyer(self.kessler.name).encode()
        onward = listening(self.sandbox.port, [])
        with rogue_server(lambda request, connection: onward(request.replace(ours, theirs), connection)) as wire:
            self.reach(wire.port)
            for name in ARGUMENTS:
                seen = self.attempt(name)
                assert CANARY not in seen, name
                assert "Kessler" not in seen, name
            product = self.product("Proofpoint")["shown"]["id"]
            order = {"product_id": product, "quantity": 1, "billing_term": "Monthly"}
            with pytest.raises(TargetRefused, match="for another company"):
                self.call("pax8.check_order", **order)
            for name, arguments in (("place_order", order), ("add_contact", CONTACT)):
                with pytest.raises(IntegrationError, match="another company"):
                    self.preview(f"pax8.{name}", **arguments)
        assert self.acted() == []

    def test_a_foreign_subscription_and_one_that_is_not_there_are_refused_alike(self) -> None:
        words = []
        for number in (self.foreign, NOWHERE):
            with pytest.raises(TargetRefused) as refused:
                self.call("pax8.get_subscription", subscription_id=number)
            words.append(str(refused.value).replace(number, "N"))

        assert words[0] == words[1] == f"N is not a subscription of {self.harbor.name}."

    def test_no_preview_shows_anything_of_another_company(self) -> None:
        for name in ARGUMENTS:
            if registry.get(f"pax8.{name}").preview is not None:
                with pytest.raises(TargetRefused) as refused:
                    self.preview(f"pax8.{name}", **self.filled(name, self.foreign))
                assert CANARY not in str(refused.value)

    def test_no_id_of_any_foreign_record_gets_through_any_tool(self) -> None:
        ours = self.buyer(self.harbor.name)
        foreign = [row["shown"]["id"] for row in self.rows("subscriptions") if row["shown"]["companyId"] != ours]
        foreign += [row["shown"]["id"] for row in self.rows("subscriptions", owner="southgate")]
        takes = sorted(name for name, given in ARGUMENTS.items() if "subscription" in given.values())

        @settings(max_examples=60, deadline=None)
        @given(name=st.sampled_from(takes), target=st.sampled_from(foreign))
        def attempt(name: str, target: str) -> None:
            with pytest.raises(TargetRefused):
                self.call(f"pax8.{name}", **self.filled(name, target))

        attempt()
        assert self.acted() == []

    def test_a_company_without_a_link_or_with_one_that_is_no_id_has_no_tools(self) -> None:
        asked = len(self.asked())
        for company in (self.linked("252"), self.quayside):
            with pytest.raises(ToolUnavailable):
                self.call("pax8.list_subscriptions", company)
        self.distributor.links.filter(company=self.harbor).update(external_id="../orders")
        for name in ("list_subscriptions", "find_company"):
            with pytest.raises(ToolUnavailable, match="not linked to a company"):
                self.call(f"pax8.{name}")
        assert len(self.asked()) == asked

    def test_the_company_stands_in_no_arguments(self) -> None:
        named = {name for one in TOOLS for name in one.arguments.model_fields}
        assert not [name for name in named if re.search("company|customer|partner", name)]

    def reach(self, port: int) -> None:
        """Northwind's connection leads through another server from here on."""
        self.settings.LOCAL_TARGETS |= {("127.0.0.1", port)}
        url = f"http://127.0.0.1:{port}/pax8"
        self.connect_distributor(self.adam, "northwind-pax8", base_url=url, row=self.distributor)

    def attempt(self, name: str) -> str:
        """Everything that came back, a refusal's words included."""
        try:
            result = self.call(f"pax8.{name}", **self.filled(name, self.foreign))
        except IntegrationError as error:
            return str(error)
        return json.dumps([result.content, result.summary])

    def filled(self, name: str, number: str) -> dict[str, Any]:
        """A tool's arguments with an id in place of the word for it."""
        return {key: number if value == "subscription" else value for key, value in ARGUMENTS[name].items()}


CONTACT = {
    "first_name": "Zoë",
    "last_name": "Ng",
    "email": "zoe@harbordental.example",
    "phone": "+1 207 555 0150",
    "types": ["Billing"],
}
