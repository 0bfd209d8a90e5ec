"""Signing in to Sophos Central, finding tenants and their servers, and reading to the end: as the vendor sees it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from integrations import guard
from integrations.connections import open_client, per_minute
from integrations.errors import (
    AddressRefused,
    ToolUnavailable,
    VendorForbidden,
    VendorGarbled,
    VendorThrottled,
)
from integrations.matching import unmapped
from integrations.models import ConnectionPace
from integrations.pace import Unpaced
from integrations.services import accept_suggestions, check_connection
from integrations.sophos import client as sophos
from integrations.sophos.client import FAMILY, HOME, PER_MINUTE, SophosClient, normal_base_url
from integrations.sophos.tenant import TenantClient
from integrations.traffic import BURST, SharedPace
from integrations.vendors import VENDORS
from integrations.warrants import Errand
from tests.integrations.connected import ConnectedTestCase
from tests.integrations.protected import ProtectedTestCase
from tests.integrations.rogue import Rogue, rogue_server
from tests.wire import Change, listening

LOCAL = "http://127.0.0.1:9/sophos"


@pytest.mark.parametrize(
    "typed",
    ["https://api.central.sophos.com/", "central.sophos.com", "https://api-eu01.central.sophos.com/x", "id.Sophos.com"],
)
def test_every_address_of_the_vendors_own_means_its_global_server(typed: str) -> None:
    assert normal_base_url(typed) == HOME


@pytest.mark.parametrize("typed", ["http://127.0.0.1:8791/sophos", "https://sophos.com.example.net"])
def test_another_address_stays_as_it_is(typed: str) -> None:
    assert normal_base_url(typed) == typed


@pytest.mark.parametrize("told", ["https://api-eu01.central.sophos.com", "http://api-eu01.central.sophos.com/"])
def test_the_server_of_a_region_is_believed_within_the_vendors_hosts_and_asked_over_tls(told: str) -> None:
    assert guard.sibling_base(told, home=HOME, family=FAMILY) == "https://api-eu01.central.sophos.com"


@pytest.mark.parametrize(
    "told",
    [
        "https://api-eu01.central.sophos.com.example.net",
        "https://api-eu01.central.sophos.com@example.net",
        "https://example.net/api-eu01.central.sophos.com",
        "https://id.sophos.com",
        "https://central.sophos.com",
        "http://127.0.0.1:9/sophos/eu01",
        "https://[::1",
        "",
    ],
)
def test_no_other_server_is_believed_whatever_the_answer_says(told: str) -> None:
    with pytest.raises(AddressRefused):
        guard.sibling_base(told, home=HOME, family=FAMILY)


class ServersTests(ProtectedTestCase):
    def test_a_local_address_leads_to_nothing_but_paths_below_it(self) -> None:
        self.settings.LOCAL_TARGETS |= {("127.0.0.1", 9), ("127.0.0.1", 10)}
        assert guard.sibling_base(f"{LOCAL}/eu01", home=LOCAL, family=FAMILY) == f"{LOCAL}/eu01"
        for told in (LOCAL, "http://127.0.0.1:9/other", "http://127.0.0.1:10/sophos/eu01", f"{HOME}/sophos/eu01"):
            with pytest.raises(AddressRefused):
                guard.sibling_base(told, home=LOCAL, family=FAMILY)

    def test_each_tenant_is_asked_on_the_server_of_its_own_region_under_its_own_id(self) -> None:
        for company in (self.harbor, self.kessler):
            self.call("sophos.list_endpoints", company)

        paths = [row["path"] for row in self.asked("/endpoint/v1/endpoints")]
        assert paths == ["/sophos/us03/endpoint/v1/endpoints", "/sophos/eu02/endpoint/v1/endpoints"]
        assert all("x-tenant-id" in row["headers_seen"] for row in self.asked("/endpoint/v1/endpoints"))

    def test_where_a_tenant_lives_is_asked_once_and_kept(self) -> None:
        for _ in range(3):
            self.call("sophos.list_endpoints")

        assert len(self.asked("/tenants/{tenantId}")) == 1
        assert len(self.asked("/token")) == len(self.asked("/whoami/v1")) == 1

    def test_a_server_outside_is_never_asked_though_the_answer_names_one(self) -> None:
        elsewhere = b'"apiHost":"https://api-eu01.central.sophos.com.example.net"'
        refused = pytest.raises(AddressRefused, match="none of its own")
        with self.misled(lambda answer: _swapped(answer, b'"apiHost"', elsewhere)), refused:
            self.call("sophos.list_endpoints")
        assert self.asked("/endpoint/v1/endpoints") == []

    def test_a_tenant_that_is_still_being_set_up_has_no_tools_yet(self) -> None:
        self.alter_tenant(status="provisioning")
        with pytest.raises(ToolUnavailable, match="still being set up"):
            self.call("sophos.list_endpoints")

    def test_a_client_that_allows_no_partner_assistance_is_told_in_words(self) -> None:
        number = next(one["id"] for one in self.sandbox.held("sophos", "tenants") if one["company"] == "HARBOR")
        self.sandbox.alter("sophos", "tenants", number, {"assistance": False})
        with pytest.raises(VendorForbidden, match=r"their reference .*Partner Assistance"):
            self.call("sophos.list_endpoints")

    def alter_tenant(self, **shown: str) -> None:
        """Harbor's tenant changes at Sophos."""
        number = next(one["id"] for one in self.sandbox.held("sophos", "tenants") if one["company"] == "HARBOR")
        self.sandbox.alter("sophos", "tenants", number, {f"shown/{name}": value for name, value in shown.items()})

    @contextmanager
    def misled(self, change: Change) -> Iterator[Rogue]:
        """Sophos' answers are changed on their way."""
        with rogue_server(listening(self.sandbox.port, [], change=change)) as wire:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
            url = f"http://127.0.0.1:{wire.port}/sophos"
            self.connect_protection(self.adam, "northwind-sophos", base_url=url, row=self.protection)
            yield wire


class SigningInTests(ProtectedTestCase):
    def test_a_token_that_ended_is_asked_for_anew_once(self) -> None:
        self.call("sophos.list_endpoints")
        self.sandbox.take_out("sophos", "tokens", 1)
        self.call("sophos.list_endpoints")

        assert len(self.asked("/token")) == 2
        assert [row["status"] for row in self.asked()].count(401) == 1

    def test_of_many_that_need_a_token_at_once_one_asks(self) -> None:
        """Threads of their own see nothing of a test's transaction: the clients here are paced by nobody."""
        failures: list[Exception] = []
        key = self.sandbox.sophos["northwind-sophos"]

        def look() -> None:
            try:
                client = sophos.open_client(
                    base_url=key.base_url,
                    credentials={"client_id": key.client_id, "client_secret": key.client_secret},
                    errand=Errand.reading(20),
                    lane=str(self.protection.pk),
                    pace=Unpaced(),
                )
                with closing(client):
                    client.probe()
            except Exception as error:
                failures.append(error)

        self.sandbox.fault("latency", vendor="sophos", path="*/token", latency_ms=150)
        several = [threading.Thread(target=look) for _ in range(6)]
        for one in several:
            one.start()
        for one in several:
            one.join(30)

        assert failures == []
        assert len(self.asked("/token")) == len(self.asked("/whoami/v1")) == 1

    def test_a_wrong_secret_is_told_with_the_vendors_word_and_never_shown(self) -> None:
        self.connect_protection(self.adam, "northwind-sophos", secret="not-the-secret", row=self.protection)
        health = check_connection(self.protection)

        assert not health.ok
        assert "does not accept the credentials" in health.summary
        assert "oauth.invalid_client_secret" in health.summary
        assert "not-the-secret" not in f"{health} {self.protection.state_detail}"

    def test_the_three_kinds_of_credentials_say_what_they_reach(self) -> None:
        told = {}
        for name in ("northwind-sophos", "northwind-sophos-organization", "northwind-sophos-harbor"):
            self.connect_protection(self.adam, name, row=self.protection)
            told[name] = check_connection(self.protection).summary.partition(" answers")[0]
            assert self.call("sophos.list_endpoints", hostname="HBR-WS-LAB").summary == "HBR-WS-LAB"

        assert [*told.values()] == [
            "Sophos Central (partner, 4 tenants)",
            "Sophos Central (organization, 4 tenants)",
            "Sophos Central (one tenant)",
        ]

    def test_the_credentials_of_one_tenant_open_no_other(self) -> None:
        self.connect_protection(self.adam, "northwind-sophos-harbor", row=self.protection)
        with pytest.raises(ToolUnavailable, match="belong to another tenant"):
            self.call("sophos.list_endpoints", self.kessler)

    def test_a_rivals_credentials_see_no_tenant_of_ours(self) -> None:
        self.connect_protection(self.adam, "southgate-sophos", row=self.protection)
        with pytest.raises(ToolUnavailable, match="shows no tenant"):
            self.call("sophos.list_endpoints")

    def test_too_many_requests_are_told_with_the_wait_and_a_short_one_is_waited_for(self) -> None:
        self.sandbox.fault("status", vendor="sophos", path="*/endpoints", status=429, retry_after="0")
        assert self.call("sophos.list_endpoints", hostname="HBR-WS-LAB").summary == "HBR-WS-LAB"
        self.sandbox.fault("status", vendor="sophos", path="*/alerts", status=429, retry_after="120", count=None)
        with pytest.raises(VendorThrottled, match="slow down for 120 s") as refused:
            self.call("sophos.list_alerts")

        assert refused.value.retry_after == 120
        assert len(self.asked("/common/v1/alerts")) == 1

    def test_no_minute_holds_more_requests_than_the_vendor_takes_whatever_processes_ask(self) -> None:
        assert PER_MINUTE * (1 + BURST / timedelta(minutes=1)) <= 100
        self.monkeypatch.setattr(sophos, "PER_MINUTE", PER_MINUTE)
        at_once = int(PER_MINUTE * (BURST / timedelta(minutes=1)))
        workers = [SharedPace(self.protection, per_minute=per_minute(VENDORS["sophos"])) for _ in range(2)]
        for number in range(at_once):
            workers[number % 2].wait_turn(label="Sophos Central", seconds=0.0)

        ConnectionPace.objects.for_organization(self.northwind).filter(connection=self.protection).update(
            next_at=F("next_at") + timedelta(seconds=5)
        )
        with pytest.raises(VendorThrottled, match="too many of our requests waiting"):
            workers[0].wait_turn(label="Sophos Central", seconds=0.5)

    def test_each_request_of_any_tenant_takes_a_turn_of_the_connection(self) -> None:
        self.monkeypatch.setattr(sophos, "PER_MINUTE", PER_MINUTE)
        paces = ConnectionPace.objects.for_organization(self.northwind).filter(connection=self.protection)
        moments = []
        for company in (self.harbor, self.kessler):
            self.call("sophos.list_cases", company)
            moments.append(paces.get().next_at)

        assert None not in moments
        assert moments[1] - moments[0] >= timedelta(minutes=1) / PER_MINUTE

    def test_tenants_are_suggested_by_their_names_and_linked(self) -> None:
        actor = self.actor(self.adam)
        found = unmapped(actor=actor, connection=self.protection)

        assert {one.company.name for one in found.suggestions} == {"Maison Laurent & Fils", "Brightwater Legal LLP"}
        assert accept_suggestions(actor=actor, connection=self.protection) == 2


class ConnectingTests(ConnectedTestCase):
    def test_the_page_says_what_to_make_there_and_tries_it_at_once(self) -> None:
        browser, key = self.log_in(self.adam), self.sandbox.sophos["northwind-sophos"]
        form = browser.get(self.path("connections/add/sophos/")).content.decode()
        assert "Service Principal Management" in form
        assert "whatever your region" in form
        typed = {
            "label": "Sophos",
            "base_url": key.base_url,
            "client_id": key.client_id,
            "client_secret": key.client_secret,
        }
        html = browser.post(self.path("connections/add/sophos/"), typed, follow=True).content.decode()

        assert "Sophos Central (partner, 4 tenants) answers, and the credentials are accepted." in html
        assert key.client_secret not in html


class PagingTests(ProtectedTestCase):
    def test_computers_are_read_key_by_key_to_the_last_page(self) -> None:
        tenant = self.tenant(self.harbor.name)
        many = [{"tenant": tenant, "hostname": f"HBR-NEW-{at}"} for at in range(1010)]
        self.sandbox.put_in_many("sophos", "computers", many)
        with self.tenant_client() as client:
            found = {one.id for one in client.computers([])}

        there = {one["shown"]["id"] for one in self.sandbox.held("sophos", "computers") if one["tenant"] == tenant}
        assert found == there
        asked = self.asked("/endpoint/v1/endpoints")
        assert ["pageFromKey" in row["query"] for row in asked] == [False, True, True]

    def test_tenants_are_read_page_by_page_as_far_as_their_total(self) -> None:
        self.sandbox.put_in_many("sophos", "tenants", [{"name": f"Client {at}"} for at in range(230)])
        with self.opened() as client:
            assert sum(1 for _ in client.tenants()) == 234
        assert [row["query"]["page"] for row in self.asked("/partner/v1/tenants")] == ["1", "2", "3"]

    def test_events_are_read_on_by_their_cursor(self) -> None:
        computer = self.held("computers", "HBR-WS-LAB")["shown"]["id"]
        tenant = self.tenant(self.harbor.name)
        many = [{"tenant": tenant, "endpoint_id": computer, "name": f"Line {at}"} for at in range(1200)]
        self.sandbox.put_in_many("sophos", "events", many)
        with self.tenant_client() as client:
            assert sum(one.name.startswith("Line") for one in client.events()) == 1200
        assert ["cursor" in row["query"] for row in self.asked("/siem/v1/events")] == [False, True]

    def test_pages_that_come_again_and_something_else_than_a_page_are_told(self) -> None:
        again = b'{"items":[{"id":"a","hostname":"b","type":"computer"}],"pages":{"nextKey":"same"}}'
        for body, words in ((again, "same page again"), (b"[]", "something else than a page"), (b"<html>", "web page")):
            with self.playing(body) as client, pytest.raises(VendorGarbled, match=words):
                list(client.computers([]))

    def test_pages_without_end_are_cut_off_with_words(self) -> None:
        self.pages = 0

        def endless() -> bytes:
            self.pages += 1
            return b'{"items":[],"pages":{"nextKey":"%d"}}' % self.pages

        with self.playing(endless) as client, pytest.raises(VendorGarbled, match="more than 100 pages"):
            list(client.computers([]))
        assert self.pages == 100

    @contextmanager
    def opened(self) -> Iterator[SophosClient]:
        """A client, closed afterwards."""
        client = open_client(self.protection, Errand.reading(60))
        assert isinstance(client, SophosClient)
        with closing(client):
            yield client

    @contextmanager
    def tenant_client(self) -> Iterator[TenantClient]:
        """A client of Harbor's tenant."""
        with self.opened() as client:
            yield TenantClient(client, self.tenant(self.harbor.name))

    @contextmanager
    def playing(self, body: Any) -> Iterator[TenantClient]:
        """A client of Harbor's tenant whose list of computers is answered with this."""
        onward = listening(self.sandbox.port, [])

        def respond(request: bytes, connection: socket.socket) -> None:
            if b"/endpoint/v1/endpoints?" not in request.split(b"\r\n")[0]:
                onward(request, connection)
                return
            told = body() if callable(body) else body
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(told), told))

        with rogue_server(respond) as wire:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
            url = f"http://127.0.0.1:{wire.port}/sophos"
            self.connect_protection(self.adam, "northwind-sophos", base_url=url, row=self.protection)
            with self.tenant_client() as client:
                yield client


def _swapped(answer: bytes, name: bytes, told: bytes) -> bytes:
    """An answer in which one text field says something else."""
    head, _, body = answer.partition(b"\r\n\r\n")
    start = body.find(name)
    if start < 0:
        return answer
    end = body.index(b'"', start + len(name) + 2) + 1
    body = body[:start] + told + body[end:]
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body
