"""A backlog of what the agent does by itself: capped, most urgent first, and never in front of a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from agent.backlog import AT_ONCE
from agent.models import AgentSession, SessionEvent
from agent.services import close_session, open_session, post_message
from agent.tasks import (
    advance_session,
    advance_unattended,
    end_stopped_sessions,
    record_action_event,
    show_action,
    sweep_sessions,
    wake_sockets,
)
from approvals.models import Origin
from approvals.tasks import look_again_at_target, run_action
from junto import engine
from junto.bells import ring
from junto.tenants.actors import Actor
from signals.models import Signal
from signals.tasks import poll_connection
from tests.cases import JuntoTestCase
from tests.factories import SignalFactory

State = AgentSession.State


class BacklogTestCase(JuntoTestCase):
    """Signals of Harlow's, on which nobody has worked."""

    def arrive(self, count: int, *, days_old: int = 0, **changes: object) -> list[Signal]:
        """New signals; their bells are struck and nothing has run yet."""
        written = timezone.now() - timedelta(days=days_old)
        made = [
            SignalFactory(organization=self.northwind, company=self.harlow, source_created_at=written, **changes)
            for _ in range(count)
        ]
        for signal in made:
            ring("signal.changed", str(signal.pk))
        self.commit()
        return made

    def sessions(self, *states: str) -> list[AgentSession]:
        rows = AgentSession.objects.for_organization(self.northwind).select_related("signal", "origin")
        return list(rows.filter(state__in=states or list(State)).order_by("created_at"))

    def sweep(self) -> None:
        sweep_sessions.call("")
        self.commit()

    def replies(self, session: AgentSession) -> int:
        """How often the model has answered in it."""
        return SessionEvent.unscoped.filter(session=session, kind="model_replied").count()

    def run_people(self) -> None:
        """Run all that waits in the people's lane, as its threads would."""
        while (call := engine.take("people")) is not None:
            call.run()
            self.commit()

    def open_only(self) -> None:
        """Run what waits in the last lane, but take no step of a session."""
        while (call := engine.take("default")) is not None:
            if call.task.name != "advance_unattended":
                call.run()
        self.commit()

    def subjects(self, sessions: Sequence[AgentSession]) -> list[str]:
        return [session.signal.subject for session in sessions]


class CapTests(BacklogTestCase):
    def test_an_import_opens_only_so_many_sessions_at_once(self) -> None:
        self.arrive(AT_ONCE + 5)
        while (call := engine.take("default")) is not None:
            call.run()
            self.commit()
            assert len(self.sessions(State.QUEUED, State.RUNNING)) <= AT_ONCE

    def test_every_signal_of_an_import_gets_its_session_in_the_end(self) -> None:
        signals = self.arrive(2 * AT_ONCE + 1)
        self.drain()
        assert {session.signal_id for session in self.sessions()} == {signal.pk for signal in signals}
        assert not self.sessions(State.QUEUED, State.RUNNING)

    def test_signals_whose_bells_were_lost_are_found_by_the_sweep(self) -> None:
        self.arrive(AT_ONCE + 2)
        engine.forget()
        self.sweep()
        self.drain()
        assert len(self.sessions()) == AT_ONCE + 2

    def test_the_most_urgent_are_opened_first_and_of_these_the_newest(self) -> None:
        self.arrive(AT_ONCE, days_old=9, subject="old", priority="Priority 3 - Medium")
        self.arrive(AT_ONCE - 1, subject="new", priority="Priority 3 - Medium")
        self.arrive(1, days_old=99, subject="urgent", priority="Priority 1 - Critical")
        engine.forget()
        self.sweep()
        self.open_only()
        assert self.subjects(self.sessions()) == ["urgent"] + ["new"] * (AT_ONCE - 1)

    def test_a_prepared_session_that_rests_makes_room(self) -> None:
        self.arrive(AT_ONCE)
        self.drain()
        self.arrive(1, subject="next")
        self.drain()
        assert "next" in self.subjects(self.sessions())

    def test_a_rivals_backlog_takes_no_room(self) -> None:
        self.arrive(AT_ONCE + 1)
        theirs = SignalFactory(organization=self.southgate, company=self.quayside)
        ring("signal.changed", str(theirs.pk))
        self.commit()
        self.open_only()
        assert AgentSession.objects.for_organization(self.southgate).filter(signal=theirs).exists()


class PeopleFirstTests(BacklogTestCase):
    """Theo works while a backlog waits."""

    def test_a_session_that_theo_starts_advances_before_the_backlog(self) -> None:
        self.arrive(AT_ONCE + 20)
        self.open_only()
        mine: Signal = SignalFactory(organization=self.northwind, company=self.harlow, subject="mine")
        session = open_session(signal=mine, actor=self.actor(self.theo))
        self.commit()
        self.run_people()
        session.refresh_from_db()
        assert session.state not in (State.QUEUED, State.RUNNING)
        assert self.sessions(State.QUEUED), "the backlog has not moved meanwhile"

    def test_theos_own_sessions_take_no_room_of_the_backlog(self) -> None:
        for _ in range(AT_ONCE):
            mine: Signal = SignalFactory(organization=self.northwind, company=self.harlow)
            open_session(signal=mine, actor=self.actor(self.theo))
        self.arrive(1, subject="automatic")
        self.open_only()
        assert "automatic" in self.subjects(self.sessions())

    def test_a_prepared_session_in_which_theo_writes_goes_before_the_backlog(self) -> None:
        self.arrive(1)
        self.drain()
        (session,) = self.sessions()
        self.arrive(AT_ONCE + 5)
        replies = self.replies(session)
        post_message(session=session, actor=self.actor(self.theo), text="What did you find?")
        self.commit()
        self.run_people()
        session.refresh_from_db()
        assert self.replies(session) > replies
        assert session.state not in (State.QUEUED, State.RUNNING)

    def test_a_session_theo_takes_over_goes_before_the_backlog(self) -> None:
        (signal,) = self.arrive(1)
        self.open_only()
        (session,) = self.sessions()
        self.arrive(AT_ONCE + 5)
        open_session(signal=signal, actor=self.actor(self.theo))
        self.commit()
        self.run_people()
        session.refresh_from_db()
        assert session.state not in (State.QUEUED, State.RUNNING)

    def test_theos_session_whose_bell_was_lost_is_swept_among_the_people(self) -> None:
        mine: Signal = SignalFactory(organization=self.northwind, company=self.harlow)
        session = open_session(signal=mine, actor=self.actor(self.theo))
        self.commit()
        engine.forget()
        self.sweep()
        self.run_people()
        session.refresh_from_db()
        assert session.state not in (State.QUEUED, State.RUNNING)


class DeadWorkerTests(BacklogTestCase):
    """Everything stopped while sessions were running."""

    def begun(self, count: int, *, lease_seconds: float) -> list[AgentSession]:
        """Prepared sessions that a worker was at when it died."""
        made = []
        for signal in [SignalFactory(organization=self.northwind, company=self.harlow) for _ in range(count)]:
            session = open_session(signal=signal, actor=Actor.system("agent", self.northwind), mode="prepare")
            session.move(to=State.RUNNING)
            until = timezone.now() + timedelta(seconds=lease_seconds)
            Origin.objects.for_organization(self.northwind).filter(pk=session.origin_id).update(lease_until=until)
            made.append(session)
        self.commit()
        engine.forget()
        return made

    def test_after_their_leases_ran_out_they_go_on_so_many_at_once(self) -> None:
        self.begun(3 * AT_ONCE, lease_seconds=-1)
        self.sweep()
        self.open_only()
        calls = iter(lambda: engine.take("default"), None)
        assert [call.task.name for call in calls].count("advance_unattended") == AT_ONCE

    def test_all_of_them_come_to_rest_without_another_sweep(self) -> None:
        self.begun(3 * AT_ONCE, lease_seconds=-1)
        self.sweep()
        self.drain()
        assert not self.sessions(State.QUEUED, State.RUNNING)

    def test_nothing_is_done_while_a_lease_still_holds(self) -> None:
        self.begun(AT_ONCE, lease_seconds=20)
        self.sweep()
        self.drain()
        assert len(self.sessions(State.RUNNING)) == AT_ONCE

    def test_a_closed_session_makes_room_at_the_next_sweep(self) -> None:
        first, *_ = self.begun(AT_ONCE, lease_seconds=20)
        self.arrive(1, subject="next")
        close_session(session=first, actor=self.actor(self.theo))
        self.commit()
        engine.forget()
        self.sweep()
        self.open_only()
        assert "next" in self.subjects(self.sessions())


def test_what_nobody_waits_for_is_the_last_lane() -> None:
    assert settings.LANES[0] == "news"
    assert settings.LANES[-1] == "default"


def test_what_may_not_wait_shares_no_lane_with_what_waits_for_a_model_or_a_vendor() -> None:
    news = (wake_sockets, show_action, record_action_event, end_stopped_sessions)
    slow = (advance_session, advance_unattended, run_action, look_again_at_target, poll_connection)
    assert {task.queue_name for task in news} == {"news"}
    assert "news" not in {task.queue_name for task in slow}
    assert run_action.queue_name not in {advance_session.queue_name, advance_unattended.queue_name}
