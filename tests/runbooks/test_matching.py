"""Which published runbook fits a signal."""

from __future__ import annotations

from runbooks.choices import record_choice
from runbooks.matching import Match, match_signal
from runbooks.models import Runbook, RunbookChoice, Trigger
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

    def test_without_runbooks_or_words_there_is_no_match(self) -> None:
        assert match_signal(SignalFactory(company=self.quayside, subject="", description="")) == []
        self.signal.subject = self.signal.description = ""
        assert match_signal(self.signal) == []


class ConditionTests(MatchCase):
    def condition(self, runbook: Runbook, **fields: str) -> None:
        """Mara's condition of a runbook."""
        Trigger(organization=self.northwind, runbook=runbook, **fields).save()

    def test_an_alert_of_its_type_decides_and_is_the_reason(self) -> None:
        self.condition(self.library["Disk full on a server"], kind=Trigger.Kind.ALERT, alert_type="STORAGE-7")
        self.signal.alert_type = "storage-7"
        self.signal.subject, self.signal.description = "STORAGE-7 on HB-SRV-01", "Threshold crossed."
        match = self.best()
        assert (match.title, match.above_threshold, match.may_start) == ("Disk full on a server", True, True)
        assert "Its condition is met" in match.reason

    def test_a_classification_speaks_for_a_runbook_and_does_not_decide_alone(self) -> None:
        self.condition(self.library["Printer prints nothing"], kind=Trigger.Kind.CLASSIFICATION, type="Hardware")
        self.signal.type = "Hardware"
        assert self.best().title == "Reset a forgotten password"
        nothing = match_signal(SignalFactory(company=self.harlow, type="Hardware", subject="Chairs", description=""))
        assert [(match.title, match.above_threshold) for match in nothing] == [("Printer prints nothing", False)]

    def test_a_condition_of_another_companys_runbook_says_nothing(self) -> None:
        fork = fork_runbook(
            actor=self.actor(self.mara), runbook=self.library["Disk full on a server"], company=self.pinewood
        )
        publish_runbook(actor=self.actor(self.mara), runbook=fork)
        self.condition(fork, kind=Trigger.Kind.ALERT, alert_type="STORAGE-7")
        self.signal.alert_type = "STORAGE-7"
        assert all("condition" not in match.reason for match in match_signal(self.signal))


class ChoiceTests(MatchCase):
    def choose(self, title: str | None, *, subject: str | None = None, times: int = 1) -> None:
        """Theo chooses another runbook than the best match for earlier signals."""
        for _ in range(times):
            earlier = SignalFactory(company=self.harlow, subject=subject or self.signal.subject, description="")
            record_choice(
                signal=earlier,
                offered=self.library["Reset a forgotten password"],
                chosen=self.library[title] if title else None,
                actor=self.actor(self.theo),
            )

    def test_what_people_chose_for_signals_like_this_one_comes_first_and_says_so(self) -> None:
        self.choose("VPN does not connect", times=3)
        match = self.best()
        assert (match.title, match.above_threshold) == ("VPN does not connect", True)
        assert "Chosen for 3 signals like this one." in match.reason
        passed_over = next(match for match in match_signal(self.signal) if match.title == "Reset a forgotten password")
        assert "Passed over for 3 signals like this one." in passed_over.reason

    def test_what_people_took_twice_may_begin_by_itself_where_its_words_would_not_do(self) -> None:
        self.signal.subject, self.signal.description = "The printer on the ground floor", "Please have a look."
        assert not self.best().may_start
        self.choose("Printer prints nothing", times=2)
        assert (self.best().title, self.best().may_start) == ("Printer prints nothing", True)

    def test_one_choice_alone_does_not_turn_a_good_match_round(self) -> None:
        self.choose("Printer prints nothing")
        assert self.best().title == "Reset a forgotten password"

    def test_that_people_wanted_none_speaks_against_it(self) -> None:
        before = self.best().score
        self.choose(None, times=3)
        assert self.best().score < before

    def test_a_choice_for_another_matter_says_nothing(self) -> None:
        before = match_signal(self.signal)
        self.choose("VPN does not connect", subject="The tunnel to the warehouse is slow", times=3)
        assert match_signal(self.signal) == before

    def test_the_last_choice_for_a_signal_counts(self) -> None:
        earlier = SignalFactory(company=self.harlow, subject=self.signal.subject, description="")
        for title in ("VPN does not connect", "Printer prints nothing"):
            record_choice(signal=earlier, offered=None, chosen=self.library[title], actor=self.actor(self.theo))
        told = {match.title for match in match_signal(self.signal) if "Chosen" in match.reason}
        assert told == {"Printer prints nothing"}

    def test_a_companys_variant_inherits_what_was_chosen_for_its_parent(self) -> None:
        self.choose("VPN does not connect", times=3)
        parent = self.library["VPN does not connect"]
        fork = fork_runbook(actor=self.actor(self.mara), runbook=parent, company=self.harlow)
        publish_runbook(actor=self.actor(self.mara), runbook=fork)
        assert self.best().runbook == fork

    def test_ines_choices_are_not_northwinds(self) -> None:
        rival = SignalFactory(company=self.quayside, subject=self.signal.subject, description="")
        record_choice(signal=rival, offered=None, chosen=None, actor=self.actor(self.ines))
        assert RunbookChoice.objects.visible_to(self.actor(self.theo)).count() == 0
        assert "Passed over" not in " ".join(match.reason for match in match_signal(self.signal))
