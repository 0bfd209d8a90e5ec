"""What people say or press while the model is writing: it had not read that, so it is asked again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection, connections
from pytest_django import Settings

from agent.events import ModelReplied
from agent.journal import read_events
from agent.models import AgentSession
from agent.services import open_session, post_message, stop_session
from agent.tasks import sweep_sessions, sweep_usage
from approvals.models import Action
from approvals.services import decide_action, release_lease, take_lease
from integrations.models import ModelUsage
from junto import engine
from junto.tenants.actors import Actor
from signals.models import Signal
from tests.approvals.practice import practice_tools
from tests.cases import JuntoTransactionTestCase, forget_calls
from tests.factories import SignalFactory
from tests.scripted_model import Asks, Fails, Meanwhile, Says, ScriptedModel, SeenRequest, Step

State = AgentSession.State


class WordsMeanwhileTest(JuntoTransactionTestCase):
    """Northwind's own model endpoint; the agent works on this thread, people act on others."""

    signal: Signal
    settings: Settings

    @pytest.fixture(autouse=True)
    def _borrow(self, settings: Settings) -> None:
        self.settings = settings

    def setUp(self) -> None:
        super().setUp()
        self.signal = SignalFactory(organization=self.northwind, company=self.harlow, subject="VPN is down")

    def play(self, *script: Step, mode: str = "triage") -> tuple[AgentSession, list[SeenRequest]]:
        """A session that Theo started (nobody, when it only prepares), once it rests; and what the model was asked."""
        with self.model(*script) as server:
            starter = self.actor(self.theo) if mode == "triage" else Actor.system("agent", self.northwind)
            session = open_session(signal=self.signal, actor=starter, mode="triage" if mode == "triage" else "prepare")
            self.drain()
            assert not server.unlisted
        return self.now(session), server.requests

    @contextmanager
    def model(self, *script: Step) -> Iterator[ScriptedModel]:
        """The endpoint that Northwind has, answering by `script`."""
        with ScriptedModel(*script) as server:
            host, port = server.address.split(":")
            self.settings.LLM_BASE_URL, self.settings.LLM_API_KEY = server.base_url, server.key
            self.settings.LLM_MODEL = server.model
            self.settings.LOCAL_TARGETS = frozenset({(host, int(port))})
            yield server

    def now(self, session: AgentSession) -> AgentSession:
        return AgentSession.unscoped.select_related("origin", "organization", "signal").get(pk=session.pk)

    def says(self, text: str) -> Callable[[], None]:
        """Theo writes `text`; his bell rings in his own process, where nobody can take the session up."""

        def deed() -> None:
            try:
                session = AgentSession.unscoped.select_related("organization", "company", "signal").get()
                post_message(session=session, actor=self.actor(self.theo), text=text)
            finally:
                connections.close_all()

        return deed

    def test_a_message_sent_while_the_model_writes_is_answered_after_that_reply(self) -> None:
        writes = self.says("Wait: is it the firewall?")
        session, requests = self.play(Meanwhile(writes, Says("It is the switch.")), Says("No, the firewall is fine."))
        assert [message["role"] for message in requests[1].messages[-2:]] == ["assistant", "user"]
        assert "is it the firewall?" in json.dumps(requests[1].messages[-1])
        assert len(requests) == 2
        assert session.state == State.WAITING_FOR_TECHNICIAN

    def test_start_pressed_while_the_agent_prepares_makes_it_go_on(self) -> None:
        def starts() -> None:
            try:
                open_session(signal=self.signal, actor=self.actor(self.theo))
            finally:
                connections.close_all()

        session, requests = self.play(Meanwhile(starts, Says("Findings.")), Says("I propose."), mode="prepare")
        assert len(requests) == 2
        assert "propose actions" in json.dumps(requests[1].messages[-1])
        assert session.origin.mode == "triage"

    def test_a_message_sent_while_the_model_fails_is_its_next_try(self) -> None:
        failing = [Fails(400, "no")]
        session, requests = self.play(Meanwhile(self.says("And now?"), failing[0]), Says("Here I am."))
        assert len(requests) == 2
        assert session.state == State.WAITING_FOR_TECHNICIAN

    def test_a_question_asked_while_a_request_waits_is_answered_and_the_decision_still_goes_on(self) -> None:
        put = Asks("junto.put_medium", {"place": "left", "thing": "a blue box"})
        script = (Says("I put it.", (put,)), Says("She has two."), Says("As you say, I leave it."))
        with practice_tools(), self.model(*script) as server:
            session = open_session(signal=self.signal, actor=self.actor(self.theo), mode="triage")
            self.drain()
            post_message(session=self.now(session), actor=self.actor(self.theo), text="Which devices does she have?")
            self.drain()
            assert self.now(session).state == State.WAITING_FOR_APPROVAL
            told = json.dumps(server.requests[1].messages[-2:])
            assert "waiting" in told
            assert "Which devices" in told
            action = Action.unscoped.get(state=Action.State.WAITING)
            oskar = self.actor(self.oskar)
            decide_action(action_id=action.pk, actor=oskar, verdict="deny", digest=action.digest, reason="Not yet")
            self.drain()
        assert len(server.requests) == 3
        assert "Not yet" in json.dumps(server.requests[2].messages)
        assert self.now(session).state == State.WAITING_FOR_TECHNICIAN

    def test_what_was_written_when_somebody_pressed_stop_is_kept_marked_as_cut_off_and_paid(self) -> None:
        def stops() -> None:
            try:
                session = AgentSession.unscoped.select_related("organization", "company", "signal", "origin").get()
                stop_session(session=session, actor=self.actor(self.theo))
            finally:
                connections.close_all()

        session, _ = self.play(Meanwhile(stops, Says("The gateway is " + "down " * 1_500, piece_seconds=0.02)))
        (reply,) = [event for _, event in read_events(session) if isinstance(event, ModelReplied)]
        assert session.state == State.STOPPED
        assert reply.aborted
        assert reply.text
        assert ("The gateway is " + "down " * 1_500).startswith(reply.text)
        usage = ModelUsage.unscoped.get(subject=f"session:{session.pk}")
        assert not usage.reserved
        assert usage.tokens_out > 0

    def test_what_a_step_set_aside_is_booked_when_the_database_went_away_before_it_was_settled(self) -> None:
        def away(execute: Callable[..., object], sql: str, *rest: object) -> object:
            if sql.startswith('UPDATE "integrations_modelusage"'):
                raise OperationalError("the database is away")
            return execute(sql, *rest)

        with connection.execute_wrapper(away):
            session, _ = self.play(Says("The switch is down."))
        usage = ModelUsage.unscoped.get(subject=f"session:{session.pk}")
        assert usage.reserved
        take_lease(session.origin, seconds=20)
        sweep_usage.call("")
        assert ModelUsage.unscoped.get(pk=usage.pk).reserved
        release_lease(session.origin, fence=session.origin.fence)
        sweep_usage.call("")
        booked = ModelUsage.unscoped.get(pk=usage.pk)
        assert (booked.reserved, booked.tokens_in, booked.tokens_out) == (False, usage.tokens_in, usage.tokens_out)
        assert booked.tokens_out > 0

    def test_a_message_whose_bell_and_worker_were_lost_is_found_by_the_sweep(self) -> None:
        self.play(Says("Done."))
        self.says("Anything else?")()
        forget_calls()
        with ScriptedModel(Says("No.")) as server:
            host, port = server.address.split(":")
            self.settings.LLM_BASE_URL, self.settings.LOCAL_TARGETS = server.base_url, frozenset({(host, int(port))})
            sweep_sessions.call("")
            engine.drain()
        assert len(server.requests) == 1

    def test_the_sweep_leaves_a_session_alone_in_which_nothing_is_new(self) -> None:
        session, _ = self.play(Says("Done."))
        forget_calls()
        sweep_sessions.call("")
        assert engine.drain() == 0
        assert self.now(session).seen_number == self.now(session).last_number
