"""The websocket's door: whose page it is, who sits behind it, and until when."""

import time

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, override_settings

from junto.team.services import deactivate_member
from junto.tenants.access import MAX_FRAME_BYTES, MAX_FRAMES_PER_SECOND, is_own_origin
from junto.tenants.models import Membership
from signals.models import Signal
from tests.cases import JuntoTransactionTestCase
from tests.factories import SignalFactory
from tests.sockets import Refused, open_socket


class DoorTests(JuntoTransactionTestCase):
    """On the page of one of Northwind's signals."""

    signal: Signal

    def setUp(self) -> None:
        super().setUp()
        self.signal = SignalFactory(company=self.harlow)

    def page(self, slug: str = "northwind") -> str:
        return f"/ws/o/{slug}/sessions/{self.signal.pk}/"

    async def browser(self, who: Membership) -> Client:
        client: Client = await sync_to_async(self.log_in)(who, Client())
        return client

    async def test_a_member_comes_in(self) -> None:
        async with open_socket(self.page(), await self.browser(self.theo)) as socket:
            assert (await socket.until("hello"))["you"]["name"] == "Theo Okafor"

    async def test_somebody_without_a_login_is_told_so(self) -> None:
        async with open_socket(self.page()) as socket:
            assert await socket.closed_with() == 4401

    async def test_a_stranger_and_a_made_up_organization_are_refused_alike(self) -> None:
        for slug in ("northwind", "nowhere"):
            async with open_socket(self.page(slug), await self.browser(self.ines)) as socket:
                assert await socket.closed_with() == 4403

    async def test_a_foreign_origin_is_refused_before_anything_is_read(self) -> None:
        origins = [
            None,
            "",
            "null",
            "http://evil.example",
            "http://testserver.evil.example",
            "http://testserver:8080",
            "http://evil.example/http://testserver",
            "file://testserver",
            "http://testserver@evil.example",
            "http://[bad",
        ]
        browser = await self.browser(self.theo)
        for origin in origins:
            with pytest.raises(Refused):
                async with open_socket(self.page(), browser, origin=origin):
                    pass

    async def test_a_host_that_is_not_ours_is_refused_whatever_the_origin_says(self) -> None:
        with pytest.raises(Refused):
            async with open_socket(
                self.page(), await self.browser(self.theo), origin="http://evil.example", host="evil.example"
            ):
                pass

    async def test_a_frame_after_the_membership_ended_is_not_obeyed(self) -> None:
        async with open_socket(self.page(), await self.browser(self.theo)) as socket:
            await socket.until("hello")
            await sync_to_async(deactivate_member)(actor=await self.olivia_now(), membership=self.theo)
            await socket.send({"type": "say", "id": "1", "text": "still here?"})
            assert await socket.closed_with() == 4403

    async def test_a_frame_after_the_logout_is_not_obeyed(self) -> None:
        browser = await self.browser(self.theo)
        async with open_socket(self.page(), browser) as socket:
            await socket.until("hello")
            await sync_to_async(SessionStore(browser.cookies["sessionid"].value).delete)()
            await socket.send({"type": "ping", "id": "1"})
            assert await socket.closed_with() == 4401

    async def test_a_changed_password_ends_the_socket(self) -> None:
        async with open_socket(self.page(), await self.browser(self.theo)) as socket:
            await socket.until("hello")
            self.theo.user.set_password("another long and quiet sentence")
            await self.theo.user.asave()
            await socket.send({"type": "ping", "id": "1"})
            assert await socket.closed_with() == 4401

    async def test_a_silent_socket_is_closed_soon_after_the_membership_ended(self) -> None:
        async with open_socket(self.page(), await self.browser(self.theo)) as socket:
            await socket.until("hello")
            await sync_to_async(deactivate_member)(actor=await self.olivia_now(), membership=self.theo)
            began = time.monotonic()
            assert await socket.closed_with(seconds=10) == 4403
            assert time.monotonic() - began <= 5.5

    async def test_a_frame_beyond_64_kib_ends_the_socket(self) -> None:
        async with open_socket(self.page(), await self.browser(self.theo)) as socket:
            await socket.until("hello")
            await socket.send('{"type": "say", "text": "' + "é" * (MAX_FRAME_BYTES // 2) + '"}')
            assert await socket.closed_with() == 1009

    async def test_a_binary_frame_ends_the_socket(self) -> None:
        async with open_socket(self.page(), await self.browser(self.theo)) as socket:
            await socket.until("hello")
            await socket.send_bytes(b'{"type": "ping"}')
            assert await socket.closed_with() == 1009

    async def test_too_many_frames_in_a_second_end_the_socket(self) -> None:
        async with open_socket(self.page(), await self.browser(self.theo)) as socket:
            await socket.until("hello")
            for number in range(MAX_FRAMES_PER_SECOND * 2):
                await socket.send({"type": "ping", "id": str(number)})
            assert await socket.closed_with() == 4429

    async def olivia_now(self):  # type: ignore[no-untyped-def]
        return await sync_to_async(self.actor)(self.olivia)


class OriginTests(JuntoTransactionTestCase):
    """What counts as our own address."""

    @override_settings(PUBLIC_URL="https://junto.example.com", ALLOWED_HOSTS=["junto.example.com", "127.0.0.1"])
    def test_the_public_address_is_ours_behind_any_proxy(self) -> None:
        assert is_own_origin("https://junto.example.com", "10.0.0.5:8000")
        assert not is_own_origin("http://junto.example.com", "10.0.0.5:8000")

    @override_settings(PUBLIC_URL="https://junto.example.com", ALLOWED_HOSTS=["junto.example.com", "127.0.0.1"])
    def test_an_allowed_host_is_ours_with_its_own_port_only(self) -> None:
        assert is_own_origin("http://127.0.0.1:8000", "127.0.0.1:8000")
        assert not is_own_origin("http://127.0.0.1:9000", "127.0.0.1:8000")
        assert not is_own_origin("http://localhost:8000", "localhost:8000")
