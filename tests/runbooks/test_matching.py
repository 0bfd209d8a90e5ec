"""Which published runbook fits a signal."""

from __future__ import annotations

from runbooks.matching import Match, match_signal
from runbooks.models import Runbook
from runbooks.services import archive_runbook, fork_runbook, publish_runbook, save_draft
from signals.models import Signal
from tests.factories import SignalFactory
from tests.runbooks.cases import RunbookCase

LIBRARY = {
    "Reset a forgotten password": "Verify the caller, reset the password, unlock the account.",
    "VPN does not connect": "Check the VPN client, its certificate and the gateway.",
    "Disk full on a server": "Find what fills the volume and make room.",
    "Report of a phishing mail": "Collect headers, block the sender, search other mailboxes.",
    "Printer prints nothing": "Look at the print queue, the driver and the toner.",
}


class MatchCase(RunbookCase):
    def setUp(self) -> None:
        super().setUp()
        self.library = {
            title: self.published(title=title, body=f"1. {text}\n", audience=Runbook.Audience.HYBRID)
            for title, text in LIBRARY.items()
        }
        self.signal: Signal = SignalFactory(
            company=self.harlow,
            subject="Forgot my password, account locked",
            description="Hi, I forgot my password over the holidays, now the account is locked. Please reset. Dana",
        )

    def best(self) -> Match:
        return match_signal(self.signal)[0]


class MatchTests(MatchCase):
    def test_the_fitting_runbook_comes_first_with_its_words_as_the_reason(self) -> None:
        match = self.best()
        assert (match.title, match.version, match.above_threshold) == ("Reset a forgotten password", 1, True)
        assert "“password”" in match.reason
        assert 0.5 <= match.score <= 1

    def test_a_ticket_about_something_else_gets_none(self) -> None:
        self.signal.subject = "Quote for twenty office chairs"
        self.signal.description = "We are moving into the second floor in March and need chairs. What would they cost?"
        assert not any(match.above_threshold for match in match_signal(self.signal))

    def test_drafts_and_archived_runbooks_are_not_matched(self) -> None:
        archive_runbook(actor=self.actor(self.mara), runbook=self.library["Reset a forgotten password"])
        self.draft(title="Another way to reset a forgotten password")
        assert "password" not in " ".join(match.title for match in match_signal(self.signal))

    def test_a_publish_counts_at_once(self) -> None:
        assert self.best().title == "Reset a forgotten password"
        self.published(
            title="Forgotten password and locked account", body="1. Forgot password, account locked: reset.\n",
            audience=Runbook.Audience.HUMAN,
        )  # fmt: skip
        assert (self.best().title, self.best().audience) == ("Forgotten password and locked account", "human")

    def test_what_is_in_force_is_matched_and_not_the_draft_beside_it(self) -> None:
        runbook = self.library["Reset a forgotten password"]
        runbook.title, runbook.body = "Water the plants", "1. Water."
        save_draft(actor=self.actor(self.mara), runbook=runbook)
        assert self.best().title == "Reset a forgotten password"

    def test_a_companys_variant_takes_the_place_of_its_parent_there_and_only_there(self) -> None:
        parent = self.library["Reset a forgotten password"]
        fork = fork_runbook(actor=self.actor(self.mara), runbook=parent, company=self.harlow)
        assert self.best().runbook == parent
        publish_runbook(actor=self.actor(self.mara), runbook=fork)
        assert [match.runbook for match in match_signal(self.signal) if "password" in match.title] == [fork]
        self.signal.company = self.pinewood
        assert self.best().runbook == parent

    def test_a_rivals_runbooks_are_never_matched(self) -> None:
        rival = SignalFactory(company=self.quayside, subject=self.signal.subject, description=self.signal.description)
        assert match_signal(rival) == []
