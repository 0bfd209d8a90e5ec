"""A mood that falls is escalated, where an Admin wants that: once each time, with its reason on the ticket's page."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

from django.utils import timezone

from junto.inbox.models import Notification
from junto.team.services import limit_to_companies
from junto.tenants.models import Membership
from signals.intake.placing import place
from signals.models import EscalationFiring, EscalationRule, ProcessorResult, Signal
from signals.processing.pipeline import run_processors
from signals.service.escalation import escalate
from tests.cases import JuntoTestCase
from tests.factories import ContactFactory, SignalFactory
from tests.signals.test_sentiment import FURIOUS, PLEASED

PLAIN = "The printer on floor 2 prints pages with grey stripes."


class MoodCase(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        rosa = ContactFactory(company=self.harlow, name="Rosa Bell", email="rosa@harlow.example")
        self.signal: Signal = SignalFactory(company=self.harlow, contact=rosa, subject="Printer", description=PLAIN)
        self.written = 0

    def options(self, **options: str) -> None:
        """Adam saves the options of the sentiment processor."""
        said = {"confidence": "0.65", "auto_escalate": "on", "escalate_at": "very_negative", "model_daily": "0"}
        answer = self.log_in(self.adam).post(self.path("processors/sentiment/options/"), said | options)
        assert answer.status_code == 302, answer.content.decode()[:2000]

    def reads(self, text: str) -> None:
        """Rosa writes, and the mood is read."""
        self.written += 1
        at = timezone.now() + timedelta(minutes=self.written)
        self.signal.notes.create(
            organization=self.northwind,
            external_id=str(self.written),
            author="Rosa Bell",
            text=text,
            internal=False,
            written_at=at,
        )
        Signal.objects.for_organization(self.northwind).filter(pk=self.signal.pk).update(revision=self.written)
        self.signal.refresh_from_db()
        run_processors(self.signal, only={"sentiment"})

    def told(self) -> list[str]:
        rows = Notification.unscoped.filter(kind="signal.escalated").select_related("membership__user")
        return sorted(row.membership.user.first_name for row in rows)

    def firings(self) -> list[EscalationFiring]:
        return list(EscalationFiring.objects.for_organization(self.northwind).order_by("fired_at"))


class MoodTests(MoodCase):
    def test_off_as_it_is_at_first_nobody_is_told(self) -> None:
        self.reads(FURIOUS)
        assert (self.firings(), self.told()) == ([], [])

    def test_the_reading_that_brings_it_there_is_told_once_and_the_next_only_after_it_was_better(self) -> None:
        self.options()
        self.reads(PLAIN)
        assert self.firings() == []
        self.reads(FURIOUS)
        (firing,) = self.firings()
        assert firing.words == "The client’s mood fell to very negative"
        assert "“furious”" in firing.reason
        assert "% sure" in firing.reason
        self.reads(f"{FURIOUS} Nobody calls back.")
        assert len(self.firings()) == 1
        self.reads(PLEASED)
        self.reads(FURIOUS)
        assert len(self.firings()) == 2

    def test_those_who_may_see_escalations_and_this_company_are_told_and_nobody_else(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.pinewood]
        )
        self.options()
        self.reads(FURIOUS)
        assert "Adam" in self.told()
        assert not {"Mara", "Theo", "Ines"} & set(self.told())

    def test_the_tickets_page_says_why(self) -> None:
        self.options()
        self.reads(FURIOUS)
        page = self.log_in(self.mara).get(self.path(f"signals/{self.signal.pk}/")).content.decode()
        assert "The client’s mood is very negative." in page
        assert "“furious”" in page
        listed = self.client.get(self.path("escalations/")).content.decode()
        assert "The client’s mood is very negative" in listed

    def test_what_is_not_sure_enough_escalates_nothing(self) -> None:
        self.options(confidence="1")
        self.reads(FURIOUS)
        assert self.firings() == []

    def test_a_milder_bar_escalates_a_negative_mood_too(self) -> None:
        self.options(escalate_at="negative")
        self.reads("I cannot work, this costs us a whole day and the invoices are late.")
        assert [firing.words for firing in self.firings()] in (
            ["The client’s mood is negative"],
            ["The client’s mood is very negative"],
        )

    def test_a_closed_ticket_escalates_nothing(self) -> None:
        self.options()
        Signal.objects.for_organization(self.northwind).update(state=Signal.State.RESOLVED)
        self.signal.refresh_from_db()
        self.reads(FURIOUS)
        assert self.firings() == []


class MovedTicketTests(MoodCase):
    """The ticket leaves Harlow & Beck for Pinewood, which Mara and Theo reach alone."""

    def setUp(self) -> None:
        super().setUp()
        for member in (self.mara, self.theo):
            limit_to_companies(
                actor=self.actor(self.olivia), membership=member, all_companies=False, companies=[self.pinewood]
            )

    def moves(self) -> None:
        place(self.signal, self.pinewood.pk)
        rosa = ContactFactory(company=self.pinewood, name="Rosa Bell", email="rosa@pinewood.example")
        Signal.objects.for_organization(self.northwind).filter(pk=self.signal.pk).update(contact=rosa)
        self.signal.refresh_from_db()

    def page(self, path: str, by: Membership) -> str:
        return unescape(self.log_in(by).get(self.path(path)).content.decode())

    def test_what_was_escalated_before_is_told_to_members_of_all_companies_only(self) -> None:
        self.options()
        self.reads(FURIOUS)
        self.moves()
        for path in (f"signals/{self.signal.pk}/", "escalations/"):
            told, kept = self.page(path, self.adam), self.page(path, self.mara)
            assert "The client’s mood is very negative" in told, path
            assert self.signal.subject in told, path
            assert "very negative" not in kept, path
            assert "furious" not in kept.replace(FURIOUS, ""), path
        self.reads(PLAIN)
        self.reads(FURIOUS)
        for path in (f"signals/{self.signal.pk}/", "escalations/"):
            assert "The client’s mood fell to very negative" in self.page(path, self.mara), path

    def test_a_mood_of_before_makes_no_list_and_fires_no_rule_until_it_is_read_for_the_new_company(self) -> None:
        EscalationRule.unscoped.create(
            organization=self.northwind, name="Unhappy", condition="unhappy", notify_role=self.theo.role
        )
        self.reads(FURIOUS)
        self.moves()
        assert self.signal.subject not in self.page("signals/?attention=unhappy", self.theo)
        assert escalate(self.northwind) == 0
        run_processors(self.signal, only={"sentiment"})
        assert self.signal.subject in self.page("signals/?attention=unhappy", self.theo)
        assert escalate(self.northwind) == 1
        assert self.told() == ["Theo"]

    def test_readings_of_before_are_not_among_those_of_the_new_company(self) -> None:
        self.reads(FURIOUS)
        self.moves()
        self.reads(PLEASED)
        result = ProcessorResult.objects.for_organization(self.northwind).current().get(processor="sentiment")
        assert len(result.value["readings"]) == 1

    def test_a_value_found_again_just_as_it_stands_is_found_for_the_new_company_once(self) -> None:
        run_processors(self.signal, only={"summary"})
        self.moves()
        assert len(run_processors(self.signal, only={"summary"})) == 1
        assert run_processors(self.signal, only={"summary"}) == []
        rows = ProcessorResult.objects.visible_to(self.actor(self.theo)).current()
        assert rows.filter(signal=self.signal, processor="summary").exists()
