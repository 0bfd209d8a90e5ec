"""Signing in to NinjaOne, and reading to the end: as the vendor's side sees it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from integrations.connections import open_client
from integrations.errors import VendorGarbled, VendorThrottled
from integrations.ninjaone import client as ninjaone
from integrations.ninjaone.client import NinjaOneClient, normal_base_url
from integrations.ninjaone.schemas import Device
from integrations.pace import Unpaced
from integrations.services import check_connection
from integrations.warrants import Errand
from tests.integrations.monitored import MonitoredTestCase
from tests.integrations.rogue import Respond, Rogue, rogue_server


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("eu", "https://eu.ninjarmm.com"),
        ("US", "https://app.ninjarmm.com"),
        ("https://oc.ninjarmm.com/", "https://oc.ninjarmm.com"),
        ("https://msp.rmmservice.eu/v2", "https://msp.rmmservice.eu"),
    ],
)
def test_a_region_or_an_address_is_understood(typed: str, meant: str) -> None:
    assert normal_base_url(typed) == meant


class SigningInTests(MonitoredTestCase):
    def test_one_token_serves_all_calls_until_it_ends_and_then_one_more_is_asked_for(self) -> None:
        number = self.number("HBR-SRV-01")
        for _ in range(3):
            self.call("ninjaone.device_storage", device_id=number)
        assert len(self.asked("/token")) == 1

        self.sandbox.end_tokens()
        self.call("ninjaone.device_storage", device_id=number)

        assert len(self.asked("/token")) == 2
        assert [row["status"] for row in self.asked()].count(401) == 1

    def test_of_many_that_need_a_token_at_once_one_asks(self) -> None:
        """Threads of their own see nothing of a test's transaction: the clients here are paced by nobody."""
        failures: list[Exception] = []
        key = self.sandbox.ninjaone["northwind-rmm"]
        credentials = {"client_id": key.client_id, "client_secret": key.client_secret}

        def look() -> None:
            try:
                client = ninjaone.open_client(
                    base_url=key.base_url,
                    credentials=credentials,
                    errand=Errand.reading(20),
                    lane=str(self.monitoring.pk),
                    pace=Unpaced(),
                )
                with closing(client):
                    client.probe()
            except Exception as error:
                failures.append(error)

        self.sandbox.fault("latency", path="*/token", latency_ms=150)
        several = [threading.Thread(target=look) for _ in range(6)]
        for one in several:
            one.start()
        for one in several:
            one.join(30)

        assert failures == []
        assert len(self.asked("/token")) == 1

    def test_a_wrong_secret_is_told_precisely_and_never_shown(self) -> None:
        self.connect_monitoring(self.adam, "northwind-rmm", secret="not-the-secret", row=self.monitoring)
        health = check_connection(self.monitoring)

        assert not health.ok
        assert "does not accept the credentials" in health.summary
        assert "invalid_client" in health.summary
        assert "client id, client secret" in health.advice
        assert "not-the-secret" not in f"{health} {self.monitoring.state_detail}"
        assert len(self.asked("/token")) == 1

    def test_a_client_that_may_only_read_is_connected_and_says_so(self) -> None:
        self.connect_monitoring(self.adam, "northwind-rmm-reading", row=self.monitoring)
        health = check_connection(self.monitoring)

        assert health.ok
        assert "may only look, not act" in health.summary

    def test_other_credentials_do_not_go_on_with_the_token_of_the_former(self) -> None:
        assert check_connection(self.monitoring).ok
        self.connect_monitoring(self.adam, "southgate-rmm", row=self.monitoring)
        assert check_connection(self.monitoring).ok

        assert {row["owner"] for row in self.asked("/token")} == {"northwind", "southgate"}

    def test_a_token_ends_up_in_no_error(self) -> None:
        self.sandbox.fault("status", vendor="ninjaone", path="*/volumes", status=429, retry_after="120", count=None)
        with pytest.raises(VendorThrottled, match="slow down for 120 s") as refused:
            self.call("ninjaone.device_storage", device_id=self.number("HBR-SRV-01"))

        assert "Bearer" not in str(refused.value)


class PagingTests(MonitoredTestCase):
    def opened(self) -> NinjaOneClient:
        """A client to be closed."""
        client = open_client(self.monitoring, Errand.reading(30))
        assert isinstance(client, NinjaOneClient)
        return client

    def test_a_list_is_read_to_its_end(self) -> None:
        many = [{"organizationId": 31, "displayName": f"HBR-NEW-{at}"} for at in range(300)]
        self.sandbox.plant_many_monitored("devices", many)
        with closing(self.opened()) as client:
            found = [one.id for one in client.organization_devices(31)]

        assert found == [one["id"] for one in self.sandbox.monitored("devices") if one["organizationId"] == 31]
        assert ["after" in row["query"] for row in self.asked("/organization/{id}/devices")] == [False, True, True]

    def test_a_report_is_read_on_by_its_cursor_until_the_device_itself_comes_though_the_filter_were_ignored(
        self,
    ) -> None:
        pages = {
            False: b'{"cursor": {"name": "c-1"}, "results": [{"deviceId": 1, "name": "Another"}]}',
            True: b'{"cursor": {"name": "c-2"}, "results": [{"deviceId": 7, "name": "Windows 11"}]}',
        }
        with rogue_server(answering(lambda line: pages[b"cursor=c-1" in line])) as wire, self.misled(wire) as client:
            assert client.operating_system(Device(id=7, organization_id=31)).name == "Windows 11"
        assert len(wire.requests) == 3

    def test_a_list_that_never_ends_is_cut_off_with_words(self) -> None:
        again = answering(lambda _: b'[{"id": 7, "name": "Again"}]')
        sent_again = pytest.raises(VendorGarbled, match="same page again")
        with rogue_server(again) as wire, self.misled(wire) as client, sent_again:
            list(client.organizations())
        assert len(wire.requests) == 3

    @contextmanager
    def misled(self, wire: Rogue) -> Iterator[NinjaOneClient]:
        """A client of a server that plays NinjaOne badly."""
        self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
        url = f"http://127.0.0.1:{wire.port}"
        self.connect_monitoring(self.adam, "northwind-rmm", base_url=url, row=self.monitoring)
        with closing(self.opened()) as client:
            yield client


def answering(page: Callable[[bytes], bytes]) -> Respond:
    """A server that gives a token to anybody, and answers the rest by its first line."""

    def respond(request: bytes, connection: socket.socket) -> None:
        line = request.split(b"\r\n")[0]
        body = b'{"access_token":"t","expires_in":3600}' if b"/token" in line else page(line)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    return respond
