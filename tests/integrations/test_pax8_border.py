"""No tool of Pax8 crosses the border of a company: not by ids that a model names, nor if the vendor's filters fell; and
what becomes of its writes without an answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import IntegrationError, TargetRefused, ToolUnavailable
from tests.integrations.border import CANARY, BorderConformance
from tests.integrations.outcomes import OutcomeConformance
from tests.integrations.resold import PREMIUM, ResoldTestCase
from tests.integrations.rogue import Respond
from tests.wire import listening

MONTH = datetime.now(UTC).strftime("%Y-%m")
ORDER = {"product_id": "product", "quantity": 1, "billing_term": "Monthly"}
CONTACT = {
    "first_name": "Zoë",
    "last_name": "Ng",
    "email": "zoe@harbordental.example",
    "phone": "+1 207 555 0150",
    "types": ["Billing"],
}


def unfiltered(port: int) -> Respond:
    """The query that names the company is cut off every look-up on its way."""
    onward = listening(port, [])

    def respond(request: bytes, connection: Any) -> None:
        line, _, rest = request.partition(b"\r\n")
        line = re.sub(rb"companyId=[0-9a-f-]+&?", b"", line).replace(b"? ", b" ")
        onward(line + b"\r\n" + rest, connection)

    return respond


class Pax8BorderTests(BorderConformance, ResoldTestCase):
    arguments = {
        "find_company": {},
        "list_subscriptions": {},
        "get_subscription": {"subscription_id": "subscription"},
        "subscription_history": {"subscription_id": "subscription"},
        "list_orders": {},
        "list_invoice_items": {"month": MONTH},
        "usage_summary": {"subscription_id": "subscription"},
        "product_pricing": {"product_id": "product"},
        "check_order": ORDER,
        "change_quantity": {"subscription_id": "subscription", "quantity": 3},
        "cancel_subscription": {"subscription_id": "subscription"},
        "place_order": ORDER,
        "add_contact": CONTACT,
    }
    common = frozenset({"product_id", "commitment_term_id"})
    makes = frozenset({"place_order", "add_contact"})
    silent = frozenset({"find_company", "product_pricing", "check_order"})

    def plant(self, *, times: int = 1) -> Mapping[str, list[Any]]:
        theirs = self.buyer(self.kessler.name)
        first = self.bought("Microsoft Azure Plan", self.kessler)["id"]
        fields = {"subscriptions": "productName", "items": "productName"}
        for collection, field in (fields | {"orders": "orderedByUserEmail", "usage": "resourceGroup"}).items():
            for row in self.rows(collection, companyId=theirs):
                self.alter(collection, row["shown"]["id"], **{field: CANARY})
        if times > 1:
            self.sandbox.put_in_many(
                "pax8", "subscriptions", [{"companyId": theirs, "productName": CANARY} for _ in range(times)]
            )
        ours = self.buyer(self.harbor.name)
        rows = [*self.rows("subscriptions"), *self.rows("subscriptions", owner="southgate")]
        others = [row["shown"]["id"] for row in rows if row["shown"]["companyId"] != ours]
        return {"subscription": [first, *others]}

    def own(self) -> Mapping[str, Any]:
        return {"subscription": self.bought("Proofpoint")["id"], "product": self.product("Proofpoint")["shown"]["id"]}

    def astray(self) -> Respond:
        """The company's id is swapped for that of the other company in every request, and in every answer."""
        ours, theirs = self.buyer(self.harbor.name).encode(), self.buyer(self.kessler.name).encode()
        onward = listening(self.sandbox.port, [], change=lambda answer: answer.replace(ours, theirs))
        return lambda request, connection: onward(request.replace(ours, theirs), connection)

    def test_nothing_comes_through_though_the_vendor_passes_over_every_filter(self) -> None:
        foreign, own = self.plant(), self.own()
        theirs = {"companyId": self.buyer(self.kessler.name), "resourceGroup": CANARY}
        self.sandbox.put_in("pax8", "usage", {"subscription": own["subscription"], **theirs})

        with self.detour(unfiltered(self.sandbox.port)):
            for name in self.attempted():
                ids = own if not self.tool(name).is_write else own | {"subscription": foreign["subscription"][0]}
                assert CANARY not in self.attempt(name, self.filled(name, ids))[0], name
            content: Any = self.call("pax8.list_subscriptions", status="Cancelled").content
        assert content["subscriptions"] == []
        assert self.acted() == []

    def test_an_order_that_the_vendor_counts_for_another_company_is_not_shown_on_a_card(self) -> None:
        own = self.own()
        with self.detour(self.astray()):
            with pytest.raises(TargetRefused, match="for another company"):
                self.call("pax8.check_order", **self.filled("check_order", own))
            for name in ("place_order", "add_contact"):
                with pytest.raises(IntegrationError, match="another company"):
                    self.preview(f"pax8.{name}", **self.filled(name, own))

    def test_a_refusal_says_what_is_no_subscription_of_whom(self) -> None:
        number = self.bought("Microsoft Azure Plan", self.kessler)["id"]
        with pytest.raises(TargetRefused) as refused:
            self.call("pax8.get_subscription", subscription_id=number)
        assert str(refused.value) == f"{number} is not a subscription of {self.harbor.name}."

    def test_a_link_that_is_no_id_has_no_tools(self) -> None:
        asked = len(self.asked())
        self.distributor.links.filter(company=self.harbor).update(external_id="../orders")
        for name in ("list_subscriptions", "find_company"):
            with pytest.raises(ToolUnavailable, match="not linked to a company"):
                self.call(f"pax8.{name}")
        assert len(self.asked()) == asked


class Pax8OutcomeTests(OutcomeConformance, ResoldTestCase):
    """Writes that left and got no answer: found where they came about, and absent where they did not."""

    wire_path = "*/v1/[!t]*"  # not the token's

    def setUp(self) -> None:
        super().setUp()
        visio, seats = self.product("Visio Plan 2"), self.bought(PREMIUM)
        self.calls: dict[str, dict[str, Any]] = {
            "change_quantity": {"subscription_id": seats["id"], "quantity": seats["quantity"] + 1},
            "cancel_subscription": {"subscription_id": self.bought("Proofpoint")["id"]},
            "place_order": ORDER
            | {"product_id": visio["shown"]["id"], "commitment_term_id": visio["commitments"][0]["id"]},
            "add_contact": CONTACT,
        }

    def orders(self) -> Mapping[str, Mapping[str, Any]]:
        return self.calls

    def test_two_orders_of_the_same_that_were_not_there_before_are_for_a_person_to_tell_apart(self) -> None:
        arguments = self.calls["place_order"]
        before = self.preview("pax8.place_order", **arguments).target_state
        for _ in range(2):
            self.call("pax8.place_order", **arguments)

        assert self.outcome_of("pax8.place_order", arguments, before, ago=timedelta(hours=1)).verdict == "unclear"

    def test_what_another_company_ordered_is_not_taken_for_ours_though_the_filter_were_ignored(self) -> None:
        arguments = self.calls["place_order"]
        before = self.preview("pax8.place_order", **arguments).target_state
        self.call("pax8.place_order", self.kessler, **arguments)
        with self.detour(unfiltered(self.sandbox.port)):
            found = self.outcome_of("pax8.place_order", arguments, before, ago=timedelta(hours=1))

        assert found.verdict == "absent", found
