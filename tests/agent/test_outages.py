"""A language model that is away for everybody: few questions in vain meanwhile, then all goes on by urgency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from freezegun import freeze_time
from pytest_django import Settings

from agent.backlog import AT_ONCE
from agent.models import AgentSession
from agent.services import open_session
from signals.models import Signal
from tests.agent.model_cases import ModelEndpoint
from tests.agent.test_backlog import BacklogTestCase
from tests.factories import SignalFactory
from tests.scripted_model import Fails, Says, SeenRequest, Step

State = AgentSession.State

URGENT, MEDIUM, LOW = "Priority 1 - Critical", "Priority 3 - Medium", "Priority 4 - Low"


class OutageTest(ModelEndpoint, BacklogTestCase):
    """The model of the operator refuses everything while `away`."""

    away: bool = True
    begin: datetime

    @pytest.fixture(autouse=True)
    def _borrow(self, settings: Settings) -> None:
        self.settings = settings
        settings.LOCAL_TARGETS = frozenset()

    def setUp(self) -> None:
        super().setUp()
        self.begin = timezone.now()

    def reply(self, request: SeenRequest) -> Step:
        """What it says to whatever it is asked."""
        return Fails(401) if self.away else Says("Here I am.")

    def at(self, minutes: float) -> None:
        """What the clock does so long after the outage began, until nothing is left to do."""
        with freeze_time(self.begin + timedelta(minutes=minutes)):
            self.sweep()
            self.drain()

    def answered(self) -> list[str]:
        """The tickets on which the model has said something, in the order it did."""
        rows = AgentSession.unscoped.filter(events__kind="model_replied").order_by("events__created_at")
        return list(rows.values_list("signal__subject", flat=True))

    def silent(self) -> Sequence[AgentSession]:
        """Sessions that say that the model did not answer."""
        return [session for session in self.sessions() if session.origin.asked_in_vain]

    def test_while_the_model_is_away_tickets_stay_new_but_for_one_question_a_minute(self) -> None:
        with self.answering(self.reply, always=True) as server:
            self.arrive(2 * AT_ONCE, priority=MEDIUM)
            self.at(0)
            assert len(server.requests) == len(self.silent()) == AT_ONCE
            self.at(0.9)
            assert len(server.requests) == AT_ONCE
            for minute in (1.1, 1.5, 2.2, 3.3):
                self.at(minute)
            assert len(server.requests) == AT_ONCE + 3
            # what was asked in vain before is asked again before anything else of its urgency is begun
            assert len(self.silent()) == AT_ONCE

    def test_once_it_answers_all_are_worked_off_by_urgency_and_none_starves(self) -> None:
        with self.answering(self.reply, always=True):
            self.arrive(AT_ONCE, priority=MEDIUM, subject="left behind")
            self.at(0)
            self.arrive(1, priority=LOW, subject="new and low")
            self.arrive(AT_ONCE, priority=MEDIUM, subject="new")
            self.arrive(1, priority=URGENT, subject="new and urgent")
            self.away = False
            self.at(2)
        left, new = ["left behind"] * AT_ONCE, ["new"] * AT_ONCE
        assert self.answered() == ["new and urgent", *left, *new, "new and low"]
        assert not self.silent()

    def test_theos_own_session_is_not_held_up_and_its_answer_ends_the_outage_for_all(self) -> None:
        with self.answering(self.reply, always=True):
            self.arrive(2 * AT_ONCE, priority=MEDIUM, subject="automatic")
            self.at(0)
            self.away = False
            with freeze_time(self.begin + timedelta(seconds=10)):
                mine: Signal = SignalFactory(organization=self.northwind, company=self.harlow, subject="mine")
                open_session(signal=mine, actor=self.actor(self.theo))
                self.commit()
                self.run_people()
            assert self.answered() == ["mine"]
            self.at(0.5)
        assert self.answered() == ["mine"] + ["automatic"] * AT_ONCE
