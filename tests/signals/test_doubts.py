"""A ticket that a processor was not sure of waits for a person's word; the agent may prepare it all the same."""

from __future__ import annotations

from agent.models import AgentSession, StartRule
from signals.models import ReviewItem, Signal
from signals.processing.corrections import correct_value, dismiss_review
from signals.processing.settings import switch_processor
from tests.signals.deliveries import deliver, stored, ticket
from tests.signals.test_processors import KIND, ProcessorCase

State = Signal.State
SUBJECT = "Cannot print, the printer is offline"


class DoubtTests(ProcessorCase):
    def setUp(self) -> None:
        super().setUp()
        self.rule_of_start(StartRule.Mode.OFF)
        self.switch(options={"confidence": 0.99})

    def rule_of_start(self, mode: StartRule.Mode) -> None:
        StartRule.objects.for_organization(self.northwind).delete()
        StartRule(organization=self.northwind, mode=mode).save()

    def item(self) -> ReviewItem:
        found: ReviewItem = ReviewItem.objects.for_organization(self.northwind).select_related("signal", "result").get()
        return found

    def test_it_needs_review_and_says_of_what_until_a_person_answers(self) -> None:
        signal = self.arrive(SUBJECT)
        assert (signal.state, signal.state_reason) == (State.NEEDS_REVIEW, "Not sure: kind.")
        value = KIND.value_of_label("issue")
        correct_value(signal=signal, processor=KIND, value=value, actor=self.actor(self.theo))
        assert (stored(self.psa).state, stored(self.psa).state_reason) == (State.NEW, "")

    def test_a_processor_that_has_nothing_to_say_holds_no_ticket(self) -> None:
        assert self.arrive("Hello", description="See attached.").state == State.NEW

    def test_news_of_the_ticket_leave_it_in_review_until_a_processor_is_sure(self) -> None:
        self.arrive(SUBJECT)
        deliver(self.psa, ticket(subject=SUBJECT, minute=5, status="Assigned"))
        signal = stored(self.psa)
        assert (signal.state, signal.state_reason) == (State.NEEDS_REVIEW, "Not sure: kind.")
        self.rule("issue", slug="issue_or_request", value="paper")
        assert self.arrive("Cannot print, no paper", minute=9).state == State.NEW

    def test_left_open_by_a_person_it_is_new_again_and_nobody_is_asked_the_same_twice(self) -> None:
        signal = self.arrive(SUBJECT)
        self.log_in(self.theo)
        answer = self.client.post(
            self.path(f"signals/{signal.pk}/findings/{KIND.slug}/dismiss/"),
            {"result": str(self.item().result_id), "back": "review"},
        )
        assert answer.url == self.path("review/")  # type: ignore[attr-defined]
        assert self.arrive(SUBJECT, minute=5, status="Assigned").state == State.NEW
        assert self.item().state == ReviewItem.State.DISMISSED

    def test_switched_off_a_processor_holds_no_ticket_any_more(self) -> None:
        self.arrive(SUBJECT)
        switch_processor(actor=self.actor(self.adam), processor=KIND, enabled=True, company=self.harlow)
        switch_processor(actor=self.actor(self.adam), processor=KIND, enabled=False)
        assert stored(self.psa).state == State.NEEDS_REVIEW
        switch_processor(actor=self.actor(self.adam), processor=KIND, enabled=None, company=self.harlow)
        assert (stored(self.psa).state, self.item().state) == (State.NEW, ReviewItem.State.DROPPED)

    def test_ines_and_who_may_not_work_on_it_leave_nothing_open(self) -> None:
        signal = self.arrive(SUBJECT)
        self.log_in(self.ines)
        path = self.path(f"signals/{signal.pk}/findings/{KIND.slug}/dismiss/")
        assert self.client.post(path, {"result": str(self.item().result_id)}).status_code == 404
        assert self.item().state == ReviewItem.State.OPEN

    def test_the_agent_prepares_it_all_the_same(self) -> None:
        self.rule_of_start(StartRule.Mode.PREPARE)
        signal = self.arrive(SUBJECT)
        session = AgentSession.objects.for_organization(self.northwind).select_related("origin").get()
        assert (session.signal_id, session.origin.mode) == (signal.pk, "prepare")

    def test_one_too_large_to_be_kept_is_not_even_prepared(self) -> None:
        self.rule_of_start(StartRule.Mode.PREPARE)
        signal = self.arrive(SUBJECT, left_out="Its notes were too much.")
        assert signal.state == State.NEEDS_REVIEW
        assert not AgentSession.objects.for_organization(self.northwind).exists()

    def test_answered_while_the_agent_is_at_it_nothing_starts_over(self) -> None:
        signal = self.arrive(SUBJECT)
        signal.move(to=State.TRIAGING, frm=[State.NEEDS_REVIEW])
        dismiss_review(item=self.item(), actor=self.actor(self.theo))
        assert stored(self.psa).state == State.TRIAGING
