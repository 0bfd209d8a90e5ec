"""Pax8's tools against the sandbox: what they find, and what they do, by its request log and its records."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import InvalidArguments, TargetRefused, VendorRefused
from integrations.models import ExternalRef
from integrations.tools import Flag, registry
from tests.integrations.connected import HARBOR
from tests.integrations.resold import NOWHERE, PREMIUM, ResoldTestCase

MONTH = datetime.now(UTC).strftime("%Y-%m")


class ReadingTests(ResoldTestCase):
    def test_seats_and_devices_are_those_that_the_other_systems_show(self) -> None:
        people = [row for row in self.sandbox.stored("contacts") if row["company"] == int(HARBOR)]
        devices = [row for row in self.sandbox.held("sophos", "computers") if row["tenant"] == self.tenant()]
        content: Any = self.call("pax8.list_subscriptions").content
        seats = {one["product"].partition(" [")[0]: one["quantity"] for one in content["subscriptions"]}

        assert seats["Proofpoint Essentials - Business"] == len(people)
        assert seats["Sophos Central Intercept X Advanced"] == len(devices)
        assert seats[PREMIUM] == len(people) + 3

    def tenant(self) -> str:
        """Harbor's tenant at Sophos."""
        rows = self.sandbox.held("sophos", "tenants")
        return next(str(one["tenant"]) for one in rows if one["company"] == "HARBOR")

    def test_subscriptions_are_narrowed_by_status_and_product_and_cut_to_the_limit(self) -> None:
        by_name: Any = self.call("pax8.list_subscriptions", product="intercept").content
        none: Any = self.call("pax8.list_subscriptions", status="Cancelled").content
        some = self.call("pax8.list_subscriptions", limit=2)

        assert [one["product"] for one in by_name["subscriptions"]] == ["Sophos Central Intercept X Advanced"]
        assert none["subscriptions"] == []
        assert some.summary == "The first 2 subscriptions"

    def test_one_subscription_tells_price_term_and_what_its_commitment_allows(self) -> None:
        told: Any = self.call("pax8.get_subscription", subscription_id=self.bought(PREMIUM)["id"]).content

        assert (told["price"], told["billing_term"]) == ("22.00 USD", "Monthly")
        assert told["commitment"] == "1-Year"
        assert told["committed_until"] > datetime.now(UTC).date().isoformat()
        assert told["commitment_allows"] == (
            "allows more seats; does not allow fewer seats, an early end; renews itself"
        )
        assert len(json.dumps(told)) < 800

    def test_the_history_tells_each_number_of_seats_the_newest_first(self) -> None:
        now = self.bought(PREMIUM)
        told: Any = self.call("pax8.subscription_history", subscription_id=now["id"]).content

        assert [one["quantity"] for one in told["changes"]] == [now["quantity"], now["quantity"] - 2]

    def test_a_name_that_the_vendor_left_out_is_looked_up_in_the_catalogue(self) -> None:
        self.alter("subscriptions", self.bought(PREMIUM)["id"], productName=None)
        content: Any = self.call("pax8.list_subscriptions", product="Business Premium").content

        assert len(content["subscriptions"]) == 1

    def test_products_are_found_by_words_and_maker_and_a_search_passed_over_finds_nothing_else(self) -> None:
        found: Any = self.call("pax8.search_products", search="visio PLAN").content
        other: Any = self.call("pax8.search_products", search="visio", vendor="Sophos").content

        assert [one["vendor"] for one in found["products"]] == ["Microsoft"]
        assert other["products"] == []

    def test_prices_come_with_commitments_and_what_is_asked_when_ordered(self) -> None:
        told: Any = self.call("pax8.product_pricing", product_id=self.product("Visio")["shown"]["id"]).content

        assert {(one["billing_term"], one["commitment"]) for one in told["prices"]} == {
            ("Monthly", "1-Month"),
            ("Monthly", "1-Year"),
        }
        assert told["requires_commitment"] is True
        assert {one["term"] for one in told["commitments"]} == {"1-Month", "1-Year"}
        assert [one["key"] for one in told["asked_when_ordered"]] == ["msCustExists", "msDomain"]

    def test_of_the_invoice_over_all_clients_only_this_companys_lines_come_back(self) -> None:
        told: Any = self.call("pax8.list_invoice_items", month=MONTH).content
        total = self.rows("invoices")[0]["shown"]["total"]

        assert {one["product"].partition(" [")[0] for one in told["items"]} == {
            PREMIUM,
            "Sophos Central Intercept X Advanced",
            "Proofpoint Essentials - Business",
        }
        assert f"{total:,.2f}" not in json.dumps(told)
        assert self.call("pax8.list_invoice_items", month="2024-01").summary == "No invoice in 2024-01"

    def test_metered_use_is_told_by_group(self) -> None:
        azure = self.bought("Microsoft Azure Plan", self.kessler)["id"]
        told: Any = self.call("pax8.usage_summary", self.kessler, subscription_id=azure).content

        assert {one["group"]: one["price_to_client"] for one in told["usage"]} == {
            "rg-erp-test": "214.37 USD",
            "rg-backup": "88.02 USD",
        }

    def test_the_company_itself_is_told_with_whom_pax8_writes_to(self) -> None:
        told: Any = self.call("pax8.find_company").content

        assert (told["name"], told["external_id"], told["status"]) == ("Harbor Dental Group", "HARBOR", "Active")
        assert told["contacts"][0]["email"] == "dana.reyes@harbordental.example"

    def test_a_month_that_is_none_is_refused_in_words(self) -> None:
        with pytest.raises(InvalidArguments):
            self.call("pax8.list_invoice_items", month="November")


class OrderingTests(ResoldTestCase):
    def setUp(self) -> None:
        super().setUp()
        visio = self.product("Visio Plan 2")
        self.term = next(one["id"] for one in visio["commitments"] if one["term"] == "1-Year")
        self.order: dict[str, Any] = {
            "product_id": visio["shown"]["id"],
            "quantity": 2,
            "billing_term": "Monthly",
            "commitment_term_id": self.term,
        }

    def test_a_check_buys_nothing_and_tells_what_it_would_cost(self) -> None:
        told: Any = self.call("pax8.check_order", **self.order).content

        assert told["valid"] is True
        assert told["suggested_to_client_together"] == "30.00"
        assert self.acted() == []

    def test_what_it_costs_the_msp_is_told_only_where_the_right_to_billing_is_asked_for(self) -> None:
        azure = self.bought("Microsoft Azure Plan", self.kessler)["id"]
        seats = self.bought(PREMIUM)["id"]
        open_to_all: dict[str, dict[str, Any]] = {
            "product_pricing": {"product_id": self.order["product_id"]},
            "check_order": self.order,
            "get_subscription": {"subscription_id": seats},
            "subscription_history": {"subscription_id": seats},
            "list_subscriptions": {},
        }
        for name, arguments in open_to_all.items():
            assert "cost" not in json.dumps(self.call(f"pax8.{name}", **arguments).content), name
        billed: dict[str, Any] = {"list_invoice_items": {"month": MONTH}, "usage_summary": {"subscription_id": azure}}
        for name, arguments in billed.items():
            assert "cost_to_us" in json.dumps(self.call(f"pax8.{name}", self.kessler, **arguments).content), name
            assert Flag.BILLING_EFFECT in registry.get(f"pax8.{name}").flags

    def test_a_check_tells_the_vendors_objection_and_is_no_failure(self) -> None:
        without = {name: value for name, value in self.order.items() if name != "commitment_term_id"}
        told: Any = self.call("pax8.check_order", **without).content

        assert told["valid"] is False
        assert "commitmentTermId is required for this product" in told["objection"]

    def test_the_card_shows_price_term_and_start_and_the_vendor_went_through_the_same_order(self) -> None:
        preview = self.preview("pax8.place_order", **self.order)
        changes = {one.label: one.after for one in preview.changes}

        assert preview.title == "Order 2 × Visio Plan 2 [New Commerce Experience]"
        assert changes["Price"] == (
            "suggested to the client 15.00 each, 30.00 together; cost to us 12.60 each, 25.20 together (Monthly)"
        )
        assert changes["Commitment"].startswith("1-Year: allows more seats")
        assert changes["Start"] == "at once, when it is set up"
        assert "would take it" in preview.evidence[0]
        assert [row["query"] for row in self.asked("/orders") if row["method"] == "POST"] == [{"isMock": "true"}]
        assert self.acted() == []

        self.call("pax8.place_order", **self.order)
        sent = [row["body"] for row in self.asked("/orders") if row["method"] == "POST"]
        assert sent[0] == sent[1]

    def test_the_price_is_that_of_the_tier_which_the_number_of_seats_falls_into_its_edges_included(self) -> None:
        few = {"startQuantityRange": 1, "endQuantityRange": 10, "suggestedRetailPrice": 15.0, "partnerBuyRate": 12.0}
        many = {"startQuantityRange": 11, "suggestedRetailPrice": 14.0, "partnerBuyRate": 11.0}
        row = self.product("Visio Plan 2")
        self.price(row, [{**one, "type": "Volume", "rates": [few, many]} for one in row["pricing"]])
        for seats, together in ((1, "15.00"), (10, "150.00"), (11, "154.00")):
            told: Any = self.call("pax8.check_order", **{**self.order, "quantity": seats}).content
            assert told["suggested_to_client_together"] == together, seats

    def price(self, row: dict[str, Any], pricing: list[dict[str, Any]]) -> None:
        """The vendor sets other prices for a product."""
        self.sandbox.take_out("pax8", "products", row["id"])
        kept = {name: row[name] for name in ("commitments", "details")}
        self.sandbox.put_in("pax8", "products", {**row["shown"], "pricing": pricing, **kept})

    def test_an_order_that_would_not_be_taken_is_put_before_nobody(self) -> None:
        with pytest.raises(TargetRefused, match=r"would not be taken\. .*is not offered with this commitment"):
            self.preview("pax8.place_order", **{**self.order, "billing_term": "Annual"})
        with pytest.raises(TargetRefused, match="is not a commitment of"):
            self.preview("pax8.place_order", **{**self.order, "commitment_term_id": NOWHERE})
        with pytest.raises(TargetRefused, match="is not a product of Pax8"):
            self.preview("pax8.place_order", **{**self.order, "product_id": NOWHERE})

    def test_an_order_is_placed_once_for_the_company_of_the_link(self) -> None:
        done: Any = self.call("pax8.place_order", **self.order).content
        made = self.rows("orders", id=done["order_id"])[0]["shown"]

        assert made["companyId"] == self.buyer(self.harbor.name)
        (number,) = done["subscription_ids"]
        assert self.rows("subscriptions", id=number)[0]["shown"]["status"] == "PendingAutomated"
        assert len(self.acted()) == 1
        assert ExternalRef.objects.for_organization(self.northwind).filter(external_id=done["order_id"]).exists()

    def test_a_price_that_changed_since_is_drift(self) -> None:
        before = self.preview("pax8.place_order", **self.order)
        row = self.product("Visio Plan 2")
        self.price(
            row,
            [{**one, "rates": [{**rate, "partnerBuyRate": 99.0} for rate in one["rates"]]} for one in row["pricing"]],
        )

        assert self.preview("pax8.place_order", **self.order).target_digest != before.target_digest


class ChangingTests(ResoldTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.seats = self.bought(PREMIUM)
        self.more = {"subscription_id": self.seats["id"], "quantity": self.seats["quantity"] + 2}

    def test_more_seats_show_before_and_after_with_the_price_and_go_back_where_no_term_forbids_it(self) -> None:
        mail = self.bought("Proofpoint")
        before, after = mail["quantity"], mail["quantity"] + 1
        preview = self.preview("pax8.change_quantity", subscription_id=mail["id"], quantity=after)
        price = next(one for one in preview.changes if one.label.startswith("Price"))

        assert (preview.changes[0].before, preview.changes[0].after) == (str(before), str(after))
        assert (price.before, price.after) == (f"{before * 3.1:.2f} USD", f"{after * 3.1:.2f} USD")
        assert preview.sets == {"quantity": after}
        for seats in (after, before):
            self.call("pax8.change_quantity", subscription_id=mail["id"], quantity=seats)
        assert self.bought("Proofpoint")["quantity"] == before
        assert [row["body"] for row in self.acted()] == [{"quantity": after}, {"quantity": before}]

    def test_fewer_seats_within_a_commitment_are_warned_of_and_refused_by_the_vendor_in_its_words(self) -> None:
        fewer = {**self.more, "quantity": 1}
        preview = self.preview("pax8.change_quantity", **fewer)

        assert any("outside its rules" in one for one in preview.evidence)
        assert any("committed for 1-Year until" in one for one in preview.evidence)
        with pytest.raises(VendorRefused, match="first 7 days of the commitment term"):
            self.call("pax8.change_quantity", **fewer)

    def test_what_is_so_already_or_has_ended_is_not_changed(self) -> None:
        with pytest.raises(TargetRefused, match="seats already"):
            self.preview("pax8.change_quantity", **{**self.more, "quantity": self.seats["quantity"]})
        self.alter("subscriptions", self.seats["id"], status="PendingCancel")
        for name in ("change_quantity", "cancel_subscription"):
            arguments = self.more if name == "change_quantity" else {"subscription_id": self.seats["id"]}
            with pytest.raises(TargetRefused, match="is PendingCancel"):
                self.preview(f"pax8.{name}", **arguments)

    def test_a_subscription_ends_at_once_or_on_a_day_and_under_a_commitment_when_that_ends(self) -> None:
        mail, later = self.bought("Proofpoint"), (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
        preview = self.preview("pax8.cancel_subscription", subscription_id=mail["id"])
        assert preview.changes[0].after == "cancelled, ends at once"
        assert any("Everybody at Harbor" in one for one in (preview.seen_by,))

        self.call("pax8.cancel_subscription", subscription_id=mail["id"])
        self.call("pax8.cancel_subscription", subscription_id=self.seats["id"], cancel_date=later)
        ended, committed = self.bought("Proofpoint"), self.bought(PREMIUM)
        assert ended["status"] == "Cancelled"
        assert (committed["status"], committed["endDate"]) == ("PendingCancel", committed["commitmentTerm"]["endDate"])

    def test_a_day_that_is_over_is_refused(self) -> None:
        with pytest.raises(TargetRefused, match="is over"):
            self.preview("pax8.cancel_subscription", subscription_id=self.seats["id"], cancel_date="2020-01-01")

    def test_a_contact_is_added_once_and_not_beside_one_of_the_same_address(self) -> None:
        person: dict[str, Any] = {
            "first_name": "Zoë",
            "last_name": "Ng",
            "email": "zoe@harbordental.example",
            "phone": "+1 207 555 0150",
            "types": ["Billing"],
        }
        assert "writes to zoe@harbordental.example" in self.preview("pax8.add_contact", **person).seen_by
        self.call("pax8.add_contact", **person)

        assert self.rows("contacts", email="zoe@harbordental.example")[0]["company"] == self.buyer(self.harbor.name)
        with pytest.raises(TargetRefused, match="already"):
            self.preview("pax8.add_contact", **person)
