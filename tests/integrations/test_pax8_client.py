"""Signing in to Pax8, reading lists to their end, and what becomes of its refusals: as the vendor sees it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from integrations.connections import open_client
from integrations.errors import VendorGarbled, VendorRefused, VendorThrottled, VendorUnauthorized, WarrantRefused
from integrations.pace import Unpaced
from integrations.pax8 import client as pax8
from integrations.pax8.client import HOME, Pax8Client, normal_base_url
from integrations.services import accept_suggestions, check_connection
from integrations.warrants import Errand
from tests.integrations.resold import ResoldTestCase
from tests.integrations.rogue import Respond, rogue_server, says


@pytest.mark.parametrize("typed", ["https://api.pax8.com/v1/", "api.pax8.com", "https://app.Pax8.com", "pax8.com"])
def test_every_address_of_the_vendors_own_means_its_one_host(typed: str) -> None:
    assert normal_base_url(typed) == HOME


@pytest.mark.parametrize("typed", ["http://127.0.0.1:8791/pax8", "https://pax8.com.example.net"])
def test_another_address_stays_as_it_is(typed: str) -> None:
    assert normal_base_url(typed) == typed
    assert normal_base_url(f"{typed}/v1") == typed


class SigningInTests(ResoldTestCase):
    def test_one_token_serves_many_errands_and_one_that_ended_is_asked_for_anew_once(self) -> None:
        for _ in range(3):
            self.call("pax8.list_orders")
        assert len(self.asked("/token")) == 1

        self.sandbox.take_out("pax8", "tokens", 1)
        self.call("pax8.list_orders")
        assert len(self.asked("/token")) == 2
        assert [row["status"] for row in self.asked()].count(401) == 1

    def test_of_many_that_need_a_token_at_once_one_asks(self) -> None:
        """Threads of their own see nothing of a test's transaction: the clients here are paced by nobody."""
        failures: list[Exception] = []
        key = self.sandbox.pax8["northwind-pax8"]

        def look() -> None:
            try:
                client = pax8.open_client(
                    base_url=key.base_url,
                    credentials={"client_id": key.client_id, "client_secret": key.client_secret},
                    errand=Errand.reading(20),
                    lane=str(self.distributor.pk),
                    pace=Unpaced(),
                )
                with closing(client):
                    assert list(client.company_records())
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=look) for _ in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(20)
        assert failures == []
        assert len(self.asked("/token")) == 1

    def test_a_secret_that_is_not_taken_is_told_in_the_vendors_words_and_never_shown(self) -> None:
        self.connect_distributor(self.adam, "northwind-pax8", secret="someWrongSecret", row=self.distributor)
        with pytest.raises(VendorUnauthorized, match=r"access_denied: Unauthorized") as refused:
            self.call("pax8.list_orders")
        assert "someWrongSecret" not in str(refused.value)
        assert not check_connection(self.distributor).ok

    def test_the_connection_says_that_it_works_and_companies_are_linked_by_their_names(self) -> None:
        self.distributor.links.all().delete()

        assert check_connection(self.distributor).ok
        assert accept_suggestions(actor=self.actor(self.adam), connection=self.distributor) == 4


class ReadingTests(ResoldTestCase):
    def opened(self) -> Any:
        """A client of Northwind's connection."""
        return open_client(self.distributor, Errand.reading(20))

    def test_a_long_list_is_read_to_its_end(self) -> None:
        ours = self.buyer(self.harbor.name)
        before = len(self.rows("subscriptions", companyId=ours))
        self.sandbox.put_in_many("pax8", "subscriptions", [{"companyId": ours, "quantity": n} for n in range(1, 431)])
        with closing(self.opened()) as client:
            found = list(client.subscriptions(ours))

        assert len(found) == len({one.id for one in found}) == before + 430
        pages = [row["path"] for row in self.asked("/subscriptions")]
        assert len(pages) == 3

    def test_a_page_that_comes_again_is_no_endless_list(self) -> None:
        rows = [{"id": str(number), "name": "A"} for number in range(200)]
        page = {"content": rows, "page": {"number": 0, "totalPages": 9}}
        answer = says("200 OK", json.dumps(page).encode())
        with self.serving(answer) as client, pytest.raises(VendorGarbled, match="same page again"):
            list(client.company_records())

    def test_a_429_is_told_with_the_time_that_the_vendor_named(self) -> None:
        self.sandbox.fault("status", vendor="pax8", status=429, retry_after="120", path="*/orders", count=None)
        with pytest.raises(VendorThrottled) as refused:
            self.call("pax8.list_orders")
        assert refused.value.retry_after == 120

    def test_a_refusal_carries_every_reason_in_the_vendors_own_words(self) -> None:
        body = {"type": "UNPROCESSABLE_ENTITY", "message": "Validation failed", "details": [{"message": "Too few"}]}
        answer = says("422 Unprocessable", json.dumps(body).encode())
        refused = pytest.raises(VendorRefused, match="Validation failed: Too few")
        with self.serving(answer) as client, refused:
            client.company("1f2e3d4c-0000-4000-8000-000000000001")

    def test_a_dry_run_of_an_order_leaves_without_a_warrant_and_the_order_itself_never_does(self) -> None:
        order = {
            "companyId": self.buyer(self.harbor.name),
            "lineItems": [
                {
                    "lineItemNumber": 1,
                    "productId": self.product("Proofpoint")["shown"]["id"],
                    "billingTerm": "Monthly",
                    "quantity": 1,
                }
            ],
        }
        with closing(self.opened()) as client:
            assert client.check_order(order).id == ""
            with pytest.raises(WarrantRefused, match="no claimed action"):
                client.act(pax8.endpoints.PLACE_ORDER, order)
            with pytest.raises(WarrantRefused, match="no claimed action"):
                client.act(pax8.endpoints.PLACE_ORDER, order, query=[("isMock", "false")])
        assert self.acted() == []
        assert [row["status"] for row in self.asked("/orders")] == [200]

    @contextmanager
    def serving(self, answer: Respond) -> Iterator[Pax8Client]:
        """A client of a server that signs anybody in and then always answers so."""
        token = says("200 OK", b'{"access_token": "token-of-theirs", "expires_in": 86400, "token_type": "Bearer"}')
        with rogue_server(lambda request, wire: (token if b"/v1/token" in request else answer)(request, wire)) as wire:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
            client = pax8.open_client(
                base_url=f"http://127.0.0.1:{wire.port}",
                credentials={"client_id": "a", "client_secret": "secret-of-ours"},
                errand=Errand.reading(10),
                lane=f"made-up-{wire.port}",
                pace=Unpaced(),
            )
            with closing(client):
                yield client
