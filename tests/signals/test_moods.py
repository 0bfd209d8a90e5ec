"""A mood that falls is escalated, where an Admin wants that: once each time, with its reason on the ticket's page."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from junto.inbox.models import Notification
from junto.team.services import limit_to_companies
from signals.models import EscalationFiring, Signal
from signals.processing.pipeline import run_processors
from tests.cases import JuntoTestCase
from tests.factories import ContactFactory, SignalFactory
from tests.signals.test_sentiment import FURIOUS, PLEASED

PLAIN = "The printer on floor 2 prints pages with grey stripes."


class MoodTests(JuntoTestCase):
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
