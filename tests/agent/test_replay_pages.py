"""The pages of a replay and of a runbook's figures, as managers, technicians and rivals get them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agent.models import AgentSession, Replay, ReplayedSignal
from integrations.models import Connection
from junto.tenants.permissions import Role
from runbooks.models import Runbook
from signals.models import Signal
from tests.agent.cases import TEXT
from tests.agent.replay_cases import ReplayTestCase
from tests.factories import MembershipFactory, SessionFactory
from tests.scripted_model import Asks, Says


class ReplayPageCase(ReplayTestCase):
    """Mara is logged in."""

    def setUp(self) -> None:
        super().setUp()
        self.log_in(self.mara)

    def page(self, path: str, status: int = 200) -> str:
        """The text of one of the admin's pages."""
        answer = self.client.get(self.path(f"admin/{path}"))
        assert answer.status_code == status, f"{path}: {answer.status_code}"
        return answer.content.decode()

    def result(self, replay: Replay, query: str = "") -> str:
        """The page of a replay."""
        return self.page(f"agent/replay/{replay.pk}/change/{query}")

    def start_by_page(self, *signals: UUID | str) -> Replay:
        """Mara chooses tickets and presses the button."""
        path = self.path(f"admin/agent/replay/of/{self.runbook.pk}/")
        answer = self.client.post(path, {"signal": [str(each) for each in signals]}, follow=True)
        assert answer.status_code == 200
        return self.worked(Replay.unscoped.get())


class ReplayPagesTest(ReplayPageCase):
    def test_from_the_runbook_to_the_differences(self) -> None:
        past = self.ran()
        self.draft()
        answer = self.client.get(self.path(f"admin/runbooks/runbook/{self.runbook.pk}/replay/"))
        assert answer.headers["Location"].endswith(f"admin/agent/replay/of/{self.runbook.pk}/")
        assert past.signal.subject in self.page(f"agent/replay/of/{self.runbook.pk}/")
        page = self.result(self.start_by_page(past.signal_id))
        assert "New in the draft" in page
        assert "Assign" in page
        assert "Runs by itself" in page
        assert "Rehearsal model" in page

    @pytest.mark.slow
    def test_only_differences_leaves_out_what_is_the_same_and_says_so_when_nothing_is_left(self) -> None:
        past = self.ran()
        replay = self.start_by_page(past.signal_id)
        assert past.signal.external_id in self.result(replay)
        page = self.result(replay, "?show=differences")
        assert f"t-{past.signal_id}" not in page
        assert "would do the same" in page

    @pytest.mark.slow
    def test_a_long_replay_has_pages(self) -> None:
        self.draft()
        replay = self.worked(self.start_replay(*self.tickets(11)))
        assert "Page 1 of 2" in self.result(replay)
        assert self.result(replay, "?p=2").count("<article") == 1

    @pytest.mark.slow
    def test_a_draft_saved_since_is_told(self) -> None:
        self.draft()
        replay = self.start_by_page(self.signal.pk)
        assert "saved again since this replay" not in self.result(replay)
        self.draft("1. Read it. @connectwise.get_ticket(ticket_id=ticket.id)\n")
        assert "saved again since this replay" in self.result(replay)

    @pytest.mark.slow
    def test_stop_and_go_on_are_buttons(self) -> None:
        self.draft()
        replay = self.start_replay(self.signal)
        assert "Stop</button>" in self.result(replay)
        self.client.post(self.path(f"admin/agent/replay/{replay.pk}/stop/"))
        assert Replay.unscoped.get().state == Replay.State.STOPPED
        assert "Go on with the other tickets" in self.result(replay)
        self.client.post(self.path(f"admin/agent/replay/{replay.pk}/go-on/"))
        assert self.worked(replay).state == Replay.State.DONE

    def test_nothing_chosen_is_said_and_starts_nothing(self) -> None:
        answer = self.client.post(self.path(f"admin/agent/replay/of/{self.runbook.pk}/"), {"signal": ["nonsense"]})
        assert "Choose at least one ticket." in answer.content.decode()
        assert not Replay.unscoped.exists()

    def test_filters_that_make_no_sense_are_passed_over(self) -> None:
        self.page(f"agent/replay/of/{self.runbook.pk}/?which=x&company=1&board=nonsense&most=9999999")

    @pytest.mark.slow
    def test_what_a_stranger_wrote_is_inert(self) -> None:
        past = self.ran(f"{TEXT}")
        Signal.unscoped.filter(pk=past.signal_id).update(subject="<script>alert(1)</script>\u202e")
        self.draft()
        with self.answering(lambda seen: Says("<img src=x>\u202e", [Asks("<b>x</b>", {"a": "<i>\u202e"})])):
            replay = self.start_by_page(past.signal_id)
        page = self.result(replay)
        assert "<script>alert" not in page
        assert "<img src=x>" not in page
        assert "<b>x</b>" not in page
        assert "\u202e" not in page

    def test_technicians_and_rivals_are_turned_away(self) -> None:
        self.draft()
        replay = self.start_replay(self.signal)
        paths = [
            f"agent/replay/of/{self.runbook.pk}/",
            f"agent/replay/{replay.pk}/change/",
            f"agent/replay/figures/{self.runbook.pk}/",
        ]
        self.log_in(self.theo)
        for path in paths:
            self.page(path, 403)
        self.log_in(self.ines)
        for path in paths:
            answer = self.client.get(self.path(f"admin/{path}", organization=self.southgate))
            assert answer.status_code == 404, path

    def test_a_manager_of_one_company_opens_no_replay_of_a_global_runbook(self) -> None:
        self.draft()
        replay = self.start_replay(self.signal)
        limited = MembershipFactory(
            organization=self.northwind, role=Role.MANAGER, all_companies=False, companies=[self.harbor]
        )
        self.log_in(limited)
        self.page(f"agent/replay/{replay.pk}/change/", 404)
        self.page(f"agent/replay/of/{self.runbook.pk}/", 403)
        assert not ReplayedSignal.objects.visible_to(self.actor(limited)).exclude(company=self.harbor).exists()


class FiguresTest(ReplayPageCase):
    def figures(self) -> str:
        """The page on how it does, its blanks made one."""
        return " ".join(self.page(f"agent/replay/figures/{self.runbook.pk}/").split())

    def test_a_runbook_nobody_used_says_so(self) -> None:
        assert "Not used yet" in self.figures()

    @pytest.mark.slow
    def test_uses_success_and_what_people_corrected_are_counted(self) -> None:
        self.ran()
        ticket = int(self.ticket("Another VPN ticket", TEXT).external_id)
        signal = Signal.unscoped.get(external_id=str(ticket))
        with self.answering(
            lambda seen: Says("", [Asks("connectwise.assign_ticket", {"ticket_id": ticket, "member": "theo"})])
        ):
            session = self.start(mode="runbook", signal=signal)
            (waiting,) = self.waiting(session)
            self.decide(waiting, "deny", reason="Not Theo")
        page = self.figures()
        runs = AgentSession.unscoped.filter(runbook=self.runbook).count()
        assert f"<dt>Uses</dt><dd>{runs}</dd>" in page
        assert "1 denied and 0 changed of 1 decided" in page
        assert "@connectwise.assign_ticket" in page
        assert "<svg" in page
        assert "As a table" in page

    def test_a_system_that_is_gone_and_a_runbook_long_unused_are_stale(self) -> None:
        Connection.unscoped.filter(pk=self.connection.pk).update(vendor="gone")
        long_ago = timezone.now() - timedelta(days=90)
        Runbook.unscoped.filter(pk=self.runbook.pk).update(published_at=long_ago)
        page = self.figures()
        assert "not connected any more" in page
        assert "Never used in the 90 days" in page

    def test_figures_cost_the_same_few_queries_for_many_uses(self) -> None:
        SessionFactory(signal=self.signal, runbook=self.runbook, runbook_number=1, state="completed")
        self.figures()
        few = self.queries()
        for state in ("completed", "stopped", "failed"):
            SessionFactory(signal=self.signal, runbook=self.runbook, runbook_number=2, state=state)
        assert self.queries() == few

    def queries(self) -> int:
        """How many the page costs."""
        with CaptureQueriesContext(connection) as captured:
            self.figures()
        return len(captured)
