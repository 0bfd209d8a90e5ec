"""The socket of a signal's page: events in order and exactly once, typed frames, and who may open it at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import transaction

from agent.events import Notice
from agent.journal import append_event
from agent.models import AgentSession, SessionEvent
from agent.services import open_session
from approvals.models import Action
from approvals.services import pass_on, propose_action
from junto import engine
from junto.asgi import application
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from signals.models import Signal
from tests.approvals.practice import practice_tools
from tests.cases import JuntoTransactionTestCase
from tests.factories import SignalFactory

WAIT_SECONDS = 5.0
ORIGIN = "http://testserver"


class Browser:
    """One page's socket, as the browser's code would use it."""

    def __init__(self, communicator: ApplicationCommunicator) -> None:
        self.communicator = communicator
        self.frames: list[dict[str, Any]] = []

    async def send(self, frame: dict[str, Any] | str) -> None:
        """Send one frame; a string goes as it is."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self.communicator.send_input({"type": "websocket.receive", "text": text})

    async def until(self, type_: str, **fields: Any) -> dict[str, Any]:
        """The next frame of that type with those fields; the others are kept in `frames`."""
        while True:
            message = await self.communicator.receive_output(WAIT_SECONDS)
            if message["type"] == "websocket.close":
                raise AssertionError(f"closed with {message.get('code')} while waiting for {type_}")
            frame: dict[str, Any] = json.loads(message["text"])
            self.frames.append(frame)
            if frame["type"] == type_ and all(frame.get(name) == value for name, value in fields.items()):
                return frame

    def numbers(self) -> list[int]:
        """The numbers of the events so far."""
        return [frame["number"] for frame in self.frames if frame["type"] == "event"]


class SocketTestCase(JuntoTransactionTestCase):
    signal: Signal

    def setUp(self) -> None:
        super().setUp()
        self.signal = SignalFactory(organization=self.northwind, company=self.harlow, subject="VPN is down")

    def session_with(self, events: int) -> AgentSession:
        """A session whose first event says that it opened, with notices behind it."""
        session = open_session(signal=self.signal, actor=self.actor(self.theo), mode="prepare")
        self.tell(session, events - 1)
        engine.forget()
        return AgentSession.unscoped.select_related("organization").get(pk=session.pk)

    def tell(self, session: AgentSession, count: int = 1) -> None:
        for _ in range(count):
            with transaction.atomic():
                append_event(session, Notice(tone="quiet", text="Something to know"))

    @asynccontextmanager
    async def browser(
        self, who: Membership | None, *, after: int = 0, origin: str | None = ORIGIN, slug: str = "northwind"
    ) -> AsyncIterator[Browser]:
        """A connected page; whatever happens, the socket is gone afterwards."""
        headers = [(b"host", b"testserver")]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        if who is not None:
            client = await sync_to_async(lambda: self.log_in(who, type(self.client)()))()
            headers.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
        scope = {
            "type": "websocket",
            "path": f"/ws/o/{slug}/sessions/{self.signal.pk}/",
            "query_string": f"after={after}".encode(),
            "headers": headers,
            "subprotocols": [],
            "client": ["127.0.0.1", 1],
        }
        communicator = ApplicationCommunicator(application, scope)
        await communicator.send_input({"type": "websocket.connect"})
        try:
            answer = await communicator.receive_output(WAIT_SECONDS)
            assert answer["type"] == "websocket.accept", f"refused with {answer.get('code')}"
            yield Browser(communicator)
        finally:
            await communicator.send_input({"type": "websocket.disconnect", "code": 1000})
            await communicator.wait(WAIT_SECONDS)

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[None]:
        """The embedded engine, as the server's lifespan runs it."""
        engine.start(asyncio.get_running_loop())
        try:
            yield
        finally:
            await asyncio.to_thread(engine.stop)


class CatchUpTest(SocketTestCase):
    async def test_a_new_page_gets_every_event_in_order_exactly_once(self) -> None:
        session = await sync_to_async(self.session_with)(5)
        async with self.browser(self.theo) as page:
            await page.until("event", number=5)
            assert page.numbers() == [1, 2, 3, 4, 5]
            assert page.frames[0]["session"] == str(session.pk)

    async def test_a_page_that_comes_back_gets_only_what_it_missed(self) -> None:
        await sync_to_async(self.session_with)(5)
        async with self.browser(self.theo, after=3) as page:
            await page.until("event", number=5)
            assert page.numbers() == [4, 5]

    async def test_an_event_written_while_the_page_is_open_arrives(self) -> None:
        session = await sync_to_async(self.session_with)(2)
        async with self.engine(), self.browser(self.theo) as page:
            await page.until("event", number=2)
            await sync_to_async(self.tell)(session)
            await page.until("event", number=3)

    async def test_a_page_that_is_ahead_of_the_session_is_reset(self) -> None:
        await sync_to_async(self.session_with)(2)
        async with self.browser(self.theo, after=99) as page:
            await page.until("reset")
            await page.until("event", number=2)
            assert page.numbers() == [1, 2]

    async def test_more_events_than_one_batch_all_arrive(self) -> None:
        await sync_to_async(self.session_with)(230)
        async with self.browser(self.theo) as page:
            await page.until("event", number=230)
            assert page.numbers() == list(range(1, 231))

    async def test_two_people_on_one_page_see_each_other(self) -> None:
        async with self.engine(), self.browser(self.theo) as page, self.browser(self.mara):
            while len((await page.until("presence"))["present"]) < 2:
                pass


class ShownOtherwiseTest(SocketTestCase):
    """What changes about a request without a new state reaches everybody who looks at it."""

    @pytest.fixture(autouse=True)
    def _shelf(self) -> Iterator[None]:
        with practice_tools():
            yield

    def asked(self, tool: str) -> Action:
        """A request of the agent in the signal's session, told to the pages before anybody passed it on."""
        session = open_session(signal=self.signal, actor=self.actor(self.theo), mode="triage")
        session.origin.refresh_from_db()
        action = propose_action(
            actor=Actor.system("agent", self.northwind),
            origin=session.origin,
            fence=session.origin.fence,
            tool_name=tool,
            arguments={"place": "left", "thing": "a blue box"},
            call_id="1.1",
        )
        engine.forget()
        return action

    async def test_a_request_that_is_passed_on_says_so_on_every_open_page(self) -> None:
        action = await sync_to_async(self.asked)("junto.put_medium")
        async with self.engine(), self.browser(self.oskar) as page:
            await page.until("state")
            await sync_to_async(pass_on)(action_id=action.pk, actor=await sync_to_async(self.actor)(self.theo))
            card = await page.until("card", action=str(action.pk))
            assert "passed on to Operators and above" in card["html"]
            assert 'data-decide="approve' in card["html"]

    async def test_the_first_of_two_approvals_is_seen_by_the_second_who_may_still_approve(self) -> None:
        action = await sync_to_async(self.asked)("junto.put_for_ever")
        async with self.engine(), self.browser(self.mara) as hers, self.browser(self.oskar) as his:
            await hers.until("state")
            await his.until("state")
            frame = {"type": "decide", "id": "1", "action": str(action.pk), "digest": action.digest}
            await his.send({**frame, "verdict": "approve"})
            card = await hers.until("card", action=str(action.pk))
            assert "Oskar Nowak approved this" in card["html"]
            assert 'data-decide="approve"' in card["html"]
            card = await his.until("card", action=str(action.pk))
            assert 'data-decide="approve"' not in card["html"]
            assert 'data-decide="take_back"' in card["html"]

    async def test_a_page_that_was_away_gets_waiting_requests_as_they_are_now(self) -> None:
        action = await sync_to_async(self.asked)("junto.put_medium")
        await sync_to_async(pass_on)(action_id=action.pk, actor=await sync_to_async(self.actor)(self.theo))
        async with self.browser(self.oskar, after=1) as page:
            card = await page.until("card", action=str(action.pk))
            assert "passed on to Operators and above" in card["html"]

    async def test_a_decision_is_answered_with_the_card_as_it_is_then_whatever_the_bells_do(self) -> None:
        action = await sync_to_async(self.asked)("junto.put_medium")
        async with self.browser(self.oskar) as page:
            await page.until("state")
            frame = {"type": "decide", "id": "1", "action": str(action.pk), "digest": action.digest}
            await page.send({**frame, "verdict": "approve"})
            card = (await page.until("ack", id="1"))["html"]
            assert "Oskar Nowak" in card
            assert 'data-decide="approve' not in card


class FrameTest(SocketTestCase):
    async def refusal(self, frame: dict[str, Any] | str) -> dict[str, Any]:
        await sync_to_async(self.session_with)(1)
        async with self.browser(self.theo) as page:
            await page.send(frame)
            return await page.until("error")

    async def test_a_frame_that_is_no_json_is_answered_in_words(self) -> None:
        assert (await self.refusal("{no json"))["code"] == "not_json"

    async def test_a_frame_of_unknown_type_is_answered_with_its_id(self) -> None:
        error = await self.refusal({"type": "launch", "id": "7"})
        assert (error["code"], error["id"]) == ("bad_frame", "7")
        assert "does not know (launch). Load the page again" in error["message"]

    async def test_a_decision_on_an_action_that_is_not_there_is_not_found(self) -> None:
        action = "00000000-0000-0000-0000-000000000001"
        frame = {"type": "decide", "id": "1", "action": action, "verdict": "approve", "digest": "x"}
        assert (await self.refusal(frame))["code"] == "not_found"

    async def test_a_message_longer_than_fits_is_refused_and_nothing_written(self) -> None:
        error = await self.refusal({"type": "say", "id": "1", "text": "x" * 9_000})
        assert error["code"] == "bad_frame"
        assert error["fields"]["text"] == (
            "Your message has 9,000 characters and at most 8,000 fit: nothing was sent. Shorten it, or put it on the "
            "ticket as a note."
        )
        assert await AgentSession.unscoped.values_list("last_number", flat=True).aget() == 1

    async def test_a_frame_too_large_closes_the_socket(self) -> None:
        async with self.browser(self.theo) as page:
            await page.send({"type": "say", "id": "1", "text": "x" * 70_000})
            with pytest.raises(AssertionError, match="closed with 1009"):
                await page.until("never")

    async def test_a_message_sent_again_with_its_id_is_acknowledged_and_written_once(self) -> None:
        await sync_to_async(self.session_with)(1)
        said = {"type": "say", "id": "theo-1", "text": "Which devices does he have?"}
        async with self.browser(self.theo) as page, self.browser(self.theo) as another_tab:
            for line in (page, page, another_tab):
                await line.send(said)
                await line.until("ack", id="theo-1")
        async with self.browser(self.mara) as page:
            await page.send({**said, "text": "Has he called before?"})
            await page.until("ack", id="theo-1")
        words = (
            SessionEvent.unscoped.filter(kind="user_said").order_by("number").values_list("payload__text", flat=True)
        )
        assert [text async for text in words] == ["Which devices does he have?", "Has he called before?"]

    async def test_a_message_of_hidden_characters_is_refused_in_words_and_not_written(self) -> None:
        await sync_to_async(self.session_with)(1)
        async with self.browser(self.theo) as page:
            for hidden in ("\x00", "\u200b", " \u2060\n\u202e"):
                await page.send({"type": "say", "id": "1", "text": hidden})
                error = await page.until("error")
                assert error["message"] == "The message holds nothing that can be read: nothing was sent."
        assert not await SessionEvent.unscoped.filter(kind="user_said").aexists()

    async def test_the_page_on_which_stop_is_pressed_shows_the_end_at_once_whatever_the_bells_do(self) -> None:
        await sync_to_async(self.session_with)(1)
        async with self.browser(self.theo) as page:
            await page.send({"type": "stop", "id": "1"})
            await page.until("ack", id="1")
            await page.until("state", state="stopped")

    async def test_a_ping_is_answered(self) -> None:
        async with self.browser(self.theo) as page:
            await page.send({"type": "ping"})
            await page.until("pong")

    async def test_what_a_person_says_is_acknowledged_and_comes_back_as_an_event(self) -> None:
        await sync_to_async(self.session_with)(1)
        async with self.browser(self.theo) as page:
            await page.send({"type": "say", "id": "1", "text": "Is it the <b>switch</b>?"})
            await page.until("ack", id="1")
        async with self.browser(self.mara) as page:
            event = await page.until("event", kind="user_said")
            assert "&lt;b&gt;switch" in event["html"]


class DoorTest(SocketTestCase):
    async def test_a_path_that_does_not_exist_is_closed_with_a_code(self) -> None:
        for path in ("/ws/", "/ws/o/northwind/sessions/7/", "/"):
            headers = [(b"host", b"testserver"), (b"origin", ORIGIN.encode())]
            scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "subprotocols": []}
            communicator = ApplicationCommunicator(application, scope)
            await communicator.send_input({"type": "websocket.connect"})
            assert (await communicator.receive_output(WAIT_SECONDS))["type"] == "websocket.accept"
            assert await communicator.receive_output(WAIT_SECONDS) == {"type": "websocket.close", "code": 4404}
            await communicator.wait(WAIT_SECONDS)

    async def close_code(self, who: Membership | None, **where: Any) -> str:
        try:
            async with self.browser(who, **where) as page:
                await page.until("hello")
        except AssertionError as refused:
            return str(refused)
        return "open"

    async def test_ines_is_sent_away_from_northwinds_page(self) -> None:
        assert "4403" in await self.close_code(self.ines)

    async def test_ines_does_not_find_northwinds_signal_under_her_own_organization(self) -> None:
        assert "4404" in await self.close_code(self.ines, slug="southgate")

    async def test_the_anonymous_is_sent_to_log_in(self) -> None:
        assert "4401" in await self.close_code(None)

    async def test_a_foreign_origin_is_refused(self) -> None:
        assert "refused" in await self.close_code(self.theo, origin="http://evil.example")

    async def test_a_missing_origin_is_refused(self) -> None:
        assert "refused" in await self.close_code(self.theo, origin=None)
