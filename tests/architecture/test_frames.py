"""Ines sends every kind of frame there is, with every id that Northwind has."""

from __future__ import annotations

import uuid
from typing import Any, Literal, get_args, get_origin

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.urls.resolvers import RoutePattern
from pydantic import BaseModel

from agent.frames import Frame
from agent.models import AgentSession
from agent.routing import websocket_urlpatterns
from approvals.models import Action
from junto.tenants.access import MembershipConsumer
from runbooks.models import Runbook
from signals.models import Signal
from tests.cases import JuntoTransactionTestCase
from tests.factories import ActionFactory, RunbookFactory, SessionFactory, SignalFactory
from tests.sockets import open_socket

FRAMES: tuple[type[BaseModel], ...] = get_args(get_args(Frame)[0])


def example(frame: type[BaseModel], id_: uuid.UUID) -> dict[str, Any]:
    """A frame that its own model accepts, with `id_` wherever an id goes."""
    return {name: _value(field.annotation, field, id_) for name, field in frame.model_fields.items()}


def _value(annotation: Any, field: Any, id_: uuid.UUID) -> Any:
    if get_origin(annotation) is Literal:
        return get_args(annotation)[0]
    kinds = get_args(annotation) or (annotation,)
    if uuid.UUID in kinds:
        return str(id_)
    if bool in kinds:
        return True
    if dict in kinds or get_origin(annotation) is dict or any(get_origin(kind) is dict for kind in kinds):
        return {}
    assert str in kinds, f"Say what a frame holds in a {annotation}: add it to tests/architecture/test_frames.py."
    return "some words" if field.is_required() or "reason" in str(field.metadata) else "1"


def names_ids(frame: type[BaseModel]) -> bool:
    """Whether a frame of this kind names a row."""
    return any(
        uuid.UUID in (get_args(field.annotation) or (field.annotation,)) for field in frame.model_fields.values()
    )


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.__name__)
def test_every_kind_of_frame_has_an_example(frame: type[BaseModel]) -> None:
    frame.model_validate(example(frame, uuid.uuid4()))


def test_every_websocket_asks_for_a_membership() -> None:
    for pattern in websocket_urlpatterns:
        assert issubclass(pattern.callback.consumer_class, MembershipConsumer), pattern
        assert isinstance(pattern.pattern, RoutePattern)
        assert "<slug:organization>" in str(pattern.pattern), pattern


class RivalFrameTests(JuntoTransactionTestCase):
    """A frame reaches nothing that is not hers."""

    theirs: Signal
    hers: Signal
    ids: dict[str, uuid.UUID]

    def setUp(self) -> None:
        super().setUp()
        self.theirs = SignalFactory(company=self.harlow)
        session = SessionFactory(signal=self.theirs)
        self.ids = {
            "action": ActionFactory(origin=session.origin).pk,
            "runbook": RunbookFactory(organization=self.northwind, status=Runbook.Status.PUBLISHED).pk,
            "signal": self.theirs.pk,
            "session": session.pk,
        }
        self.hers = SignalFactory(company=self.quayside)
        SessionFactory(signal=self.hers, state=AgentSession.State.WAITING_FOR_TECHNICIAN)

    async def ines_browser(self) -> Client:
        client: Client = await sync_to_async(self.log_in)(self.ines, Client())
        return client

    async def test_on_northwinds_page_no_frame_is_obeyed(self) -> None:
        before = await sync_to_async(self.northwind_now)()
        for frame in FRAMES:
            async with open_socket(f"/ws/o/northwind/sessions/{self.theirs.pk}/", await self.ines_browser()) as socket:
                await socket.send(example(frame, self.ids["action"]))
                assert await socket.closed_with() == 4403
        assert await sync_to_async(self.northwind_now)() == before

    async def test_northwinds_signal_below_her_own_slug_is_not_there(self) -> None:
        for signal_id in (self.theirs.pk, uuid.uuid4()):
            async with open_socket(f"/ws/o/southgate/sessions/{signal_id}/", await self.ines_browser()) as socket:
                assert await socket.closed_with() == 4404

    async def test_a_foreign_id_is_answered_like_one_that_never_was(self) -> None:
        before = await sync_to_async(self.northwind_now)()
        for frame in filter(names_ids, FRAMES):
            never = await self.answer(frame, uuid.uuid4())
            assert never["type"] == "error", f"{frame.__name__}: {never}"
            for name, id_ in self.ids.items():
                answer = await self.answer(frame, id_)
                told = f"{frame.__name__} with a foreign {name}"
                assert (answer["type"], answer["code"]) == (never["type"], never["code"]), told
                assert str(id_) not in answer["message"], told
        assert await sync_to_async(self.northwind_now)() == before

    async def answer(self, frame: type[BaseModel], id_: uuid.UUID) -> dict[str, Any]:
        async with open_socket(f"/ws/o/southgate/sessions/{self.hers.pk}/", await self.ines_browser()) as socket:
            await socket.send({**example(frame, id_), "id": "mine"})
            return await socket.until("ack", "error", "preview")

    def northwind_now(self) -> list[object]:
        return [
            list(model.unscoped.filter(organization=self.northwind).order_by("pk").values_list())
            for model in (Action, AgentSession, Runbook, Signal)
        ]
