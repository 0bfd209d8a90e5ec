"""The door in front of Django, where many vendors' callbacks come together."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any
from unittest.mock import patch

import httpx2
from django.db import DataError
from django.db import connection as database
from structlog.testing import capture_logs

from integrations import webhook_intake
from integrations.connectwise import hooks
from integrations.connectwise.hooks import signature_of
from integrations.contracts import Hint
from integrations.models import Connection, Webhook, WebhookHint
from integrations.sandbox.connectwise.callbacks import signing_key
from integrations.services import save_connection
from integrations.webhook_intake import LARGEST_BODY
from integrations.webhooks import Delivery, Lock, fetch_wanted_key, register_webhook, webhook_address
from junto.asgi import http
from signals.sync import webhook_door
from signals.sync.webhook_door import MOST_SENDING_OF_ONE, WebhookDoor
from signals.sync.webhooks import fits
from tests.cases import forget_calls
from tests.integrations.connected import ConnectedTransactionTestCase

Answers = list[httpx2.Response]


class WebhookDoorTests(ConnectedTransactionTestCase):
    def setUp(self) -> None:
        super().setUp()
        hook = register_webhook(actor=self.actor(self.adam), connection=self.connection)
        self.address = "/" + webhook_address(hook).split("/", 3)[3]
        self.hook = hook
        self.addCleanup(forget_calls)

    def told(self, number: int) -> bytes:
        key_url = f"{self.sandbox.connections['northwind'].api_url}/system/callbacks/keys/1"
        account = self.sandbox.connections["northwind"].company_id
        callback = {"CompanyId": account, "Type": "ticket", "ID": number, "Metadata": {"key_url": key_url}}
        return json.dumps(callback).encode()

    def knock(self, *bodies: bytes, most_waiting: int = 500) -> Answers:
        """Send them together, each rightly signed."""
        return asyncio.run(self.knock_together(bodies, most_waiting=most_waiting))

    async def knock_together(self, bodies: Sequence[bytes], *, most_waiting: int) -> Answers:
        door = WebhookDoor(http, most_waiting=most_waiting)
        transport = httpx2.ASGITransport(app=door)
        try:
            async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
                return await asyncio.gather(*(self.send(client, body) for body in bodies))
        finally:
            await asyncio.to_thread(door.close)

    async def send(self, client: httpx2.AsyncClient, body: bytes) -> httpx2.Response:
        signature = signature_of(body, signing_key("northwind"))
        return await client.post(self.address, content=body, headers={"x-content-signature": signature})

    def let_the_key_come(self) -> None:
        [answer] = self.knock(self.told(1))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        self.hook.refresh_from_db()
        fetch_wanted_key(self.hook)

    def hints(self) -> list[str]:
        rows = WebhookHint.objects.for_organization(self.northwind)
        return sorted(rows.values_list("external_id", flat=True))

    def test_what_comes_together_is_stored_once_each_and_answered_after_the_commit(self) -> None:
        self.let_the_key_come()
        numbers = [*range(101, 161), *range(101, 111)]
        answers = self.knock(*map(self.told, numbers))
        assert [answer.status_code for answer in answers] == [202] * len(numbers)
        assert self.hints() == [str(number) for number in range(101, 161)]
        assert Webhook.unscoped.get().repeated == 10

    def test_one_that_proves_nothing_spoils_none_of_its_neighbours(self) -> None:
        self.let_the_key_come()
        answers = self.knock(self.told(7), b"{", b"x" * (LARGEST_BODY + 1), self.told(8))
        assert [answer.status_code for answer in answers] == [202, 400, 413, 202]
        assert self.hints() == ["7", "8"]
        assert (Webhook.unscoped.get().unreadable, Webhook.unscoped.get().oversized) == (1, 1)

    def test_what_the_database_refuses_of_one_sender_keeps_no_others_out(self) -> None:
        self.let_the_key_come()
        stores = webhook_intake._store

        def refuses(at: Connection, believed: Sequence[Any]) -> Any:
            if any(each.hint.external_id == "13" for each in believed):
                raise DataError("invalid byte sequence")
            return stores(at, believed)

        with patch.object(webhook_intake, "_store", refuses):
            answers = self.knock(*(self.told(number) for number in (11, 12, 13, 14, 15)))
        assert [answer.status_code for answer in answers] == [202, 202, 503, 202, 202]
        assert self.hints() == ["11", "12", "14", "15"]

    def test_an_address_that_is_none_spoils_nothing_of_another_organization(self) -> None:
        self.let_the_key_come()
        no_address = json.loads(self.told(1)) | {"Metadata": {"key_url": "https://[x"}}
        rival = save_connection(
            actor=self.actor(self.ines),
            vendor="connectwise",
            label="ConnectWise PSA",
            base_url=self.sandbox.connections["southgate"].api_url,
            credentials=self.credentials("southgate"),
        )
        hers = register_webhook(actor=self.actor(self.ines), connection=rival)
        address = "/" + webhook_address(hers).split("/", 3)[3]

        async def ask() -> Answers:
            door = WebhookDoor(http)
            transport = httpx2.ASGITransport(app=door)
            async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
                signed = {"x-content-signature": "forged"}
                bad = client.post(address, content=json.dumps(no_address), headers=signed)
                answers = await asyncio.gather(bad, self.send(client, self.told(8)))
            await asyncio.to_thread(door.close)
            return answers

        with capture_logs() as told:
            answers = asyncio.run(ask())
        assert [answer.status_code for answer in answers] == [401, 202]
        assert [line["event"] for line in told if line["log_level"] == "error"] == []
        assert self.hints() == ["8"]

    def test_a_delivery_that_nobody_can_read_is_refused_alone(self) -> None:
        self.let_the_key_come()
        reads = hooks.read

        def stumbles(delivery: Delivery, lock: Lock) -> Hint | None:
            if delivery.body == b"odd":
                raise RecursionError
            return reads(delivery, lock)

        with patch.object(hooks, "read", stumbles):
            answers = self.knock(b"odd", self.told(9))
        assert [answer.status_code for answer in answers] == [400, 202]
        assert self.hints() == ["9"]

    def test_a_callback_whose_key_is_not_here_yet_is_no_error_of_the_server(self) -> None:
        with capture_logs() as told, self.assertNoLogs("django.request"):
            self.let_the_key_come()
        assert [line for line in told if line["log_level"] == "error"] == []

    def test_more_than_it_can_hold_are_sent_away_with_the_moment_to_come_again(self) -> None:
        self.let_the_key_come()
        answers = self.knock(*(self.told(number) for number in range(40)), most_waiting=5)
        away = [answer for answer in answers if answer.status_code == 503]
        assert away
        assert all(answer.headers["retry-after"] == "10" for answer in away)
        assert len(self.hints()) == sum(answer.status_code == 202 for answer in answers) > 0

    def test_a_connection_that_was_lost_is_opened_again(self) -> None:
        self.let_the_key_come()
        asyncio.run(self.lose_the_connection_between(self.told(1), self.told(2)))
        assert self.hints() == ["1", "2"]

    async def lose_the_connection_between(self, first: bytes, second: bytes) -> None:
        door = WebhookDoor(http)
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=door), base_url="http://testserver") as client:
            await self.send(client, first)
            lost = door._thread.submit(lose_connection)
            lost.result(5)
            answer = await self.send(client, second)
        await asyncio.to_thread(door.close)
        assert answer.status_code == 202

    def test_who_is_slow_to_send_keeps_nobody_else_out_however_much_is_announced(self) -> None:
        self.let_the_key_come()
        asked, after = asyncio.run(self.knock_beside_slow_senders(MOST_SENDING_OF_ONE))
        assert [(answer.status_code, answer.headers.get("retry-after")) for answer in asked] == [
            (202, None),
            (503, "10"),
            (503, "10"),
        ]
        assert after.status_code == 202
        assert self.hints() == ["1", "4"]

    async def knock_beside_slow_senders(self, count: int) -> tuple[Answers, httpx2.Response]:
        """From elsewhere, from a slow sender's address, from its IPv6 network; and at last when the slow are gone."""
        door, gone = WebhookDoor(http), asyncio.Event()

        async def nothing_comes() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def nobody_listens(message: dict[str, Any]) -> None:
            raise AssertionError(message)

        async def send(host: str, number: int) -> httpx2.Response:
            transport = httpx2.ASGITransport(app=door, client=(host, 1))
            async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
                return await self.send(client, self.told(number))

        slow = [
            asyncio.create_task(door(announced(host, self.address), nothing_comes, nobody_listens))
            for host in ["203.0.113.5", "2001:db8::1"]
            for _ in range(count)
        ]
        await asyncio.sleep(0)
        asked = [await send("198.51.100.7", 1), await send("203.0.113.5", 2), await send("2001:db8::2", 3)]
        gone.set()
        await asyncio.gather(*slow)
        after = await send("203.0.113.5", 4)
        await asyncio.to_thread(door.close)
        return asked, after

    def test_what_would_be_too_much_together_is_counted_as_it_comes_and_let_go_of(self) -> None:
        self.let_the_key_come()
        with patch.object(webhook_door, "MOST_BYTES", 10):
            [away] = self.knock(self.told(1))
        assert (away.status_code, away.headers["retry-after"]) == (503, "10")
        [taken] = self.knock(self.told(1))
        assert taken.status_code == 202

    def test_a_length_of_too_many_figures_is_too_large(self) -> None:
        lengths = ("", "12", str(LARGEST_BODY), str(LARGEST_BODY + 1), "0" * 20 + "9" * 40)
        assert [fits(length) for length in lengths] == [False, True, True, False, False]

    def test_a_door_that_can_write_no_more_sends_everybody_away_and_lets_nobody_wait(self) -> None:
        async def ask() -> Answers:
            door = WebhookDoor(http)
            await asyncio.to_thread(door.close)
            transport = httpx2.ASGITransport(app=door)
            async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
                first = await asyncio.wait_for(self.send(client, self.told(1)), 5)
                return [first, await asyncio.wait_for(self.send(client, self.told(2)), 5)]

        answers = asyncio.run(ask())
        assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "10")] * 2

    def test_a_body_of_unknown_length_is_not_read_and_all_else_goes_on_to_django(self) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield self.told(1)

        async def ask() -> list[int]:
            door = WebhookDoor(http)
            transport = httpx2.ASGITransport(app=door)
            async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
                chunked = await client.post(self.address, content=pieces())
                looked = await client.get(self.address)
                nobodys = await client.post("/hooks/nobody-gave-this-out/", content=b"{}")
            await asyncio.to_thread(door.close)
            return [chunked.status_code, looked.status_code, nobodys.status_code]

        assert asyncio.run(ask()) == [413, 405, 404]


def announced(host: str, path: str) -> dict[str, Any]:
    """A delivery from there of which nothing but its length is known."""
    headers = [(b"content-length", str(LARGEST_BODY).encode())]
    return {"type": "http", "method": "POST", "path": path, "headers": headers, "client": (host, 1)}


def lose_connection() -> None:
    """On the thread that has it, as when the server was started anew."""
    database.connection.close()
