"""Vendors knock: what proves nothing is turned away, the rest is a hint to look, and no more."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from unittest.mock import ANY

import pytest
from django.http import HttpResponse
from django.test import Client

from integrations.connectwise.hooks import signature_of
from integrations.lifecycle import let_alerts_in
from integrations.models import Connection, Webhook, WebhookHint
from integrations.sandbox.connectwise.callbacks import signing_key
from integrations.services import pause_connection
from integrations.webhook_intake import LARGEST_BODY
from integrations.webhooks import register_webhook, webhook_address, webhook_facts
from junto import engine
from signals.models import Signal
from tests.cases import forget_calls
from tests.integrations.monitored import MonitoredTestCase
from tests.signals.deliveries import stored


class WebhookTestCase(MonitoredTestCase):
    """Both vendors' webhooks are set up; `knock` sends to ConnectWise's, `told` is a callback as it signs them."""

    def setUp(self) -> None:
        super().setUp()
        self.commit()
        forget_calls()
        self.door = self.address(self.connection)
        self.key_url = f"{self.sandbox.connections['northwind'].api_url}/system/callbacks/keys/1"

    def address(self, connection: Connection) -> str:
        hook = register_webhook(actor=self.actor(self.adam), connection=connection)
        return "/" + webhook_address(hook).split("/", 3)[3]

    def told(self, number: int, **changes: Any) -> bytes:
        callback = {
            "MessageId": "6f2c7b1e",
            "CompanyId": self.sandbox.connections["northwind"].company_id,
            "Action": "updated",
            "Type": "ticket",
            "ID": number,
            "Entity": '{"summary": "Not what the vendor says"}',
            "Metadata": {"key_url": self.key_url},
        }
        return json.dumps({**callback, **changes}).encode()

    def knock(self, body: bytes, signature: str | None = "", path: str = "", **headers: str) -> HttpResponse:
        """Send it; signed rightly unless another signature (None = none at all) is given."""
        if signature is not None:
            headers["x-content-signature"] = signature or signature_of(body, signing_key("northwind"))
        answer: HttpResponse = Client().post(path or self.door, body, "application/json", headers=headers)
        return answer

    def wake(self) -> None:
        """Strike what was rung and run what reads from the vendors; the rest of the house sleeps on."""
        self.commit()
        while (call := engine.take("polls")) is not None:
            call.run()
            self.commit()
        forget_calls()

    def let_the_key_come(self) -> None:
        assert self.knock(self.told(1)).status_code == 503
        self.wake()

    def hints(self, connection: Connection | None = None) -> list[str]:
        rows = WebhookHint.objects.for_organization(self.northwind).filter(connection=connection or self.connection)
        return list(rows.values_list("external_id", flat=True))

    def turned_away(self) -> dict[str, int]:
        facts = webhook_facts(self.connection)
        assert facts is not None
        return dict(facts.refused)


class ConnectWiseTests(WebhookTestCase):
    def test_a_signed_callback_is_taken_in_without_asking_the_vendor_and_the_ticket_is_read_back(self) -> None:
        self.let_the_key_come()
        number = self.sandbox.plant_ticket("Scanner sends nothing")
        asked = len(self.sandbox.log())
        assert self.knock(self.told(number)).status_code == 202
        assert len(self.sandbox.log()) == asked
        self.wake()
        assert stored(self.connection, str(number)).subject == "Scanner sends nothing"

    def test_a_replayed_and_a_late_callback_change_nothing(self) -> None:
        self.let_the_key_come()
        number = self.sandbox.plant_ticket("First words")
        early = self.told(number, MessageId="1")
        self.sandbox.change_ticket(number, summary="Last words")
        for body in (self.told(number, MessageId="2"), early, early):
            assert self.knock(body).status_code == 202
            self.wake()
        assert stored(self.connection, str(number)).subject == "Last words"
        assert Signal.objects.for_organization(self.northwind).filter(external_id=str(number)).count() == 1
        assert Webhook.unscoped.get(connection=self.connection).repeated == 1

    def test_a_ticket_that_the_source_no_longer_has_is_gone_here_too(self) -> None:
        self.let_the_key_come()
        number = self.sandbox.plant_ticket("Entered twice")
        self.knock(self.told(number, MessageId="1"))
        self.wake()
        self.sandbox.delete("tickets", number)
        self.knock(self.told(number, MessageId="2", Action="deleted"))
        self.wake()
        assert stored(self.connection, str(number)).state == Signal.State.GONE

    def test_what_proves_nothing_is_turned_away_counted_and_stores_nothing(self) -> None:
        self.let_the_key_come()
        body = self.told(48213)
        elsewhere = self.told(1, Metadata={"key_url": self.key_url.replace("127.0.0.1", "127.0.0.2")})
        above = self.told(1, Metadata={"key_url": self.key_url.replace("/system/callbacks/keys", "")})
        before = self.hints()
        for answer, status in (
            (self.knock(body, None), 401),
            (self.knock(body, signature_of(body + b" ", signing_key("northwind"))), 401),
            (self.knock(body, signature_of(body, signing_key("southgate"))), 401),
            (self.knock(elsewhere), 401),
            (self.knock(above), 401),
            (self.knock(self.told(1, CompanyId="southgate")), 401),
            (self.knock(b"{"), 400),
            (self.knock(b"x" * (LARGEST_BODY + 1)), 413),
            (self.knock(body, path="/hooks/nobody-gave-this-out/"), 404),
        ):
            assert (answer.status_code, answer.content) == (status, b"")
        assert self.hints() == before
        assert self.turned_away() == {
            "without a signature": 1,
            "with a wrong signature": 2,
            "from another account or address": 3,
            "too large": 1,
            "unreadable": 1,
        }

    def test_a_key_is_asked_for_at_the_configured_host_only_and_not_for_every_knock(self) -> None:
        for each in range(5):
            assert self.knock(self.told(each + 1), "forged").status_code == 503
        self.wake()
        assert [row["route"] for row in self.sandbox.log() if "keys" in (row["route"] or "")] == [ANY]

    def test_news_during_a_pause_wakes_nobody(self) -> None:
        self.let_the_key_come()
        pause_connection(actor=self.actor(self.adam), connection=self.connection, paused=True)
        assert self.knock(self.told(1)).status_code == 202
        assert self.hints() == []

    def test_removing_it_closes_the_address_and_tells_the_vendor(self) -> None:
        browser = self.log_in(self.adam)
        browser.post(self.path(f"connections/{self.connection.pk}/webhook/remove/"))
        assert self.sandbox.stored("callbacks") == []
        assert self.knock(self.told(1)).status_code == 404

    def test_a_connection_moved_to_another_host_opens_to_no_old_key(self) -> None:
        self.let_the_key_come()
        Connection.objects.for_organization(self.northwind).filter(pk=self.connection.pk).update(
            base_url="https://api-eu.myconnectwise.net/v4_6_release/apis/3.0"
        )
        assert self.knock(self.told(1)).status_code == 404


class NinjaOneTests(WebhookTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.door = self.address(self.monitoring)
        hook = self.sandbox.monitored("webhooks")[0]
        self.secret = hook["headers"][0]["value"]

    def activity(self, **changes: Any) -> bytes:
        told = {"id": 7, "activityType": "CONDITION", "statusCode": "TRIGGERED", "deviceId": 812}
        return json.dumps({**told, **changes}).encode()

    def test_the_secret_header_opens_and_nothing_else_does(self) -> None:
        body = self.activity()
        assert self.knock(body, None, self.door).status_code == 401
        assert self.knock(body, None, self.door, **{"X-Junto-Secret": "guessed"}).status_code == 401
        assert self.hints(self.monitoring) == []
        assert self.knock(body, None, self.door, **{"X-Junto-Secret": self.secret}).status_code == 202
        assert self.hints(self.monitoring) == ["812"]

    def test_a_condition_that_is_told_lets_the_alerts_be_read(self) -> None:
        let_alerts_in(actor=self.actor(self.adam), connection=self.monitoring, taken=True)
        self.wake()
        told = {"deviceId": self.number("HBR-WS-LAB"), "subject": "Low disk", "sourceType": "CONDITION_AGENT_CPU"}
        uid = str(self.sandbox.plant_monitored("alerts", told)["uid"])
        self.knock(self.activity(), None, self.door, **{"X-Junto-Secret": self.secret})
        self.wake()
        assert stored(self.monitoring, uid).company == self.harbor

    def test_other_activities_are_of_no_use(self) -> None:
        body = self.activity(activityType="SYSTEM")
        assert self.knock(body, None, self.door, **{"X-Junto-Secret": self.secret}).status_code == 202
        assert self.hints(self.monitoring) == []


@contextmanager
def letter_box() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]], threading.Event]]:
    """A server that keeps what is sent to it."""
    letters: list[tuple[dict[str, str], bytes]] = []
    came = threading.Event()

    class Box(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            letters.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(202)
            self.end_headers()
            came.set()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Box)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", letters, came
    finally:
        server.shutdown()
        server.server_close()


class SandboxTests(WebhookTestCase):
    """What the sandbox sends is what the door takes."""

    @pytest.mark.slow
    def test_its_callbacks_are_signed_as_the_vendors(self) -> None:
        with letter_box() as (url, letters, came):
            self.settings.PUBLIC_URL = url
            self.door = self.address(self.connection)
            self.let_the_key_come()
            number = self.sandbox.plant_ticket("Told by itself")
            assert came.wait(5)
            headers, body = letters[0]
            assert self.knock(body, headers["x-content-signature"]).status_code == 202
            assert self.hints() == [str(number)]
