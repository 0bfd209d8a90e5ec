"""A technician takes another runbook than the one that matched, and Junto remembers."""

from __future__ import annotations

from agent.models import AgentSession, StartRule
from agent.starting import run_on_signal
from runbooks.matching import match_signal
from runbooks.models import Runbook, RunbookChoice
from tests.agent.cases import SUMMARY, TEXT
from tests.agent.test_runbook_runs import RunTestCase

TOKEN = "1. Read the ticket about the token. @connectwise.get_ticket(ticket_id=ticket.id)\n"


class ChoosingTest(RunTestCase):
    session: AgentSession
    other: Runbook

    def setUp(self) -> None:
        """Theo works with the agent on a ticket that matched the VPN runbook; there is one for tokens too."""
        super().setUp()
        StartRule.objects.for_organization(self.northwind).update(mode=StartRule.Mode.OFF)
        self.other = self.publish(TOKEN, title="Replace a lost token", audience="hybrid")
        self.session = self.start()
        assert self.session.runbook == self.runbook

    def choose(self, runbook: Runbook | None, *, session: AgentSession | None = None) -> None:
        """Theo presses the button beside it."""
        path = self.path(f"signals/{(session or self.session).signal_id}/choose-runbook/")
        answer = self.log_in(self.theo).post(path, {"runbook": str(runbook.pk) if runbook else ""})
        assert answer.status_code == 302

    def test_the_choice_is_pinned_and_stored_with_what_had_matched(self) -> None:
        self.choose(self.other)
        self.session.refresh_from_db()
        assert self.session.runbook == self.other
        choice = RunbookChoice.objects.for_organization(self.northwind).get()
        assert (choice.signal, choice.offered, choice.chosen, choice.by) == (
            self.session.signal, self.runbook, self.other, self.theo,
        )  # fmt: skip

    def test_that_none_fits_is_stored_too(self) -> None:
        self.choose(None)
        choice = RunbookChoice.objects.for_organization(self.northwind).get()
        assert (choice.offered, choice.chosen) == (self.runbook, None)

    def test_what_was_chosen_again_and_again_matches_the_next_ticket_of_its_kind(self) -> None:
        self.choose(self.other)
        for _ in range(2):
            self.choose(self.other, session=self.start(signal=self.ticket(SUMMARY, TEXT)))
        best = match_signal(self.ticket(SUMMARY, TEXT))[0]
        assert best.runbook == self.other
        assert "Chosen for 3 signals like this one." in best.reason

    def test_a_runbook_that_is_run_by_hand_on_a_ticket_is_a_choice_too(self) -> None:
        signal = self.ticket(SUMMARY, TEXT)
        run_on_signal(runbook=self.other, signal=signal, actor=self.actor(self.theo), given={})
        choice = RunbookChoice.objects.for_organization(self.northwind).get()
        assert (choice.signal, choice.offered, choice.chosen) == (signal, self.runbook, self.other)

    def test_ines_cannot_choose_for_northwind(self) -> None:
        path = self.path(f"signals/{self.session.signal_id}/choose-runbook/")
        assert self.log_in(self.ines).post(path, {"runbook": str(self.other.pk)}).status_code == 404
        assert not RunbookChoice.unscoped.exists()
