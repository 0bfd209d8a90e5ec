"""Sessions are isolated (PRODUCT 5): two technicians on two companies at once, and nothing of one reaches the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from threading import Barrier

import pytest
from pytest_django import Settings

from agent.journal import read_events
from agent.loop import advance
from agent.models import AgentSession, Instruction
from agent.services import open_session, post_message
from approvals.budgets import MAX_STEPS
from approvals.models import Action
from junto.tenants.models import Company, Membership
from tests.agent.model_cases import AnsweringModel
from tests.approvals.practice import practice_tools
from tests.approvals.test_races import at_once
from tests.cases import JuntoTransactionTestCase, forget_calls
from tests.factories import SignalFactory
from tests.scripted_model import Asks, Says, SeenRequest, Step

HARLOW, PINEWOOD = "heron", "otter"
"""What only one of the two companies' tickets, people and answers ever say."""
WAIT_SECONDS = 60.0


class MeetingModel(AnsweringModel):
    """Answers the first request of a conversation only when `both` have asked."""

    both = Barrier(2)

    def take(self, request: SeenRequest) -> Step:
        step = super().take(request)
        if all(message.get("role") != "assistant" for message in request.messages):
            self.both.wait(timeout=WAIT_SECONDS)
        return step


class IsolationTest(JuntoTransactionTestCase):
    """Theo works for Harlow & Beck while Oskar works for Pinewood Clinic; one model's server answers both."""

    @pytest.fixture(autouse=True)
    def _server(self, settings: Settings) -> Iterator[None]:
        with practice_tools(), MeetingModel(self.answer) as self.server:
            self.server.both = Barrier(2)
            settings.LLM_BASE_URL, settings.LLM_API_KEY = self.server.base_url, self.server.key
            settings.LLM_MODEL = self.server.model
            host, port = self.server.address.split(":")
            settings.LOCAL_TARGETS = frozenset({(host, int(port))})
            yield

    def setUp(self) -> None:
        super().setUp()
        self.theirs = self.begin(self.harlow, self.theo, HARLOW)
        self.others = self.begin(self.pinewood, self.oskar, PINEWOOD)
        forget_calls()

    def answer(self, request: SeenRequest) -> Says:
        """The first answer of a conversation: a look at the place that its own ticket names."""
        place = next(word for word in (HARLOW, PINEWOOD) if word in json.dumps(request.messages))
        return Says(f"I look at the {place}.", (Asks("junto.look", {"place": place}),))

    def begin(self, company: Company, by: Membership, word: str) -> AgentSession:
        """A session on a ticket of `company`, in which `by` spoke."""
        Instruction(organization=self.northwind, company=company, text=f"Always greet the {word}.").save()
        signal = SignalFactory(organization=self.northwind, company=company, subject=f"The {word} is ill")
        session = open_session(signal=signal, actor=self.actor(by))
        post_message(session=session, actor=self.actor(by), text=f"Look after the {word}, says {by.user.first_name}.")
        return session

    def at_once(self) -> None:
        """Both sessions take their step on threads of their own, each waiting for the other's; then both rest."""
        assert at_once(lambda: advance(self.theirs.pk), lambda: advance(self.others.pk)) == [None, None]
        self.drain()

    def now(self, session: AgentSession) -> AgentSession:
        return AgentSession.unscoped.select_related("origin", "organization").get(pk=session.pk)

    def test_neither_model_conversation_nor_transcript_holds_anything_of_the_other(self) -> None:
        self.at_once()
        asked = [json.dumps([request.messages, sorted(request.offered)]) for request in self.server.requests]
        own = {HARLOW: ("Harlow & Beck", "Theo"), PINEWOOD: ("Pinewood Clinic", "Oskar")}
        for session, word, stranger in ((self.theirs, HARLOW, PINEWOOD), (self.others, PINEWOOD, HARLOW)):
            told = [text for text in asked if word in text]
            assert len(told) == 2
            told += [event.model_dump_json() for _, event in read_events(self.now(session))]
            assert [text for text in told for each in (stranger, *own[stranger]) if each in text] == []
            actions = Action.unscoped.filter(origin=session.origin)
            assert [(row.company_id, row.arguments["place"]) for row in actions] == [(session.company_id, word)]

    def test_what_one_uses_up_stops_it_alone(self) -> None:
        AgentSession.unscoped.filter(pk=self.theirs.pk).update(steps_used=MAX_STEPS)
        self.server.both = Barrier(1)
        self.at_once()
        assert not [request for request in self.server.requests if HARLOW in json.dumps(request.messages)]
        theirs, others = self.now(self.theirs), self.now(self.others)
        assert (theirs.steps_used, theirs.origin.calls_used) == (MAX_STEPS, 0)
        assert (others.steps_used, others.origin.calls_used) == (2, 1)
        assert others.state == AgentSession.State.WAITING_FOR_TECHNICIAN
