"""Processors read a ticket when it arrives or changes; what people say stands."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from junto.learned.training import FEWEST_ROWS
from junto.team.services import limit_to_companies
from junto.tenants.permissions import PermissionDenied
from signals.models import ProcessorResult, ProcessorRule, ProcessorSetting, ReviewItem, Signal, TrainedModel
from signals.processing import learning
from signals.processing.corrections import Precision, confirm_result, correct_value, precisions, revert
from signals.processing.learning import due_for_training
from signals.processing.pipeline import run_processors
from signals.processors import processor_of
from signals.processors.base import Producer
from signals.processors.category import Category
from signals.processors.issue_or_request import IssueOrRequest
from signals.tasks import sweep_processors, train_due
from tests.cases import JuntoTestCase
from tests.factories import (
    BoardFactory,
    CompanyLinkFactory,
    ConnectionFactory,
    ContactFactory,
    DeviceFactory,
    SignalFactory,
)
from tests.signals.deliveries import deliver, stored, ticket

KIND = processor_of("issue_or_request")
CATEGORY = processor_of("category")


class ProcessorCase(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.psa = ConnectionFactory(organization=self.northwind)
        CompanyLinkFactory(company=self.harlow, connection=self.psa, external_id="250")

    def arrive(self, subject: str, *, minute: int = 0, **fields: object) -> Signal:
        deliver(self.psa, ticket(subject=subject, minute=minute, **fields))
        self.drain()
        return stored(self.psa)

    def standing(self, signal: Signal, slug: str = "issue_or_request") -> ProcessorResult | None:
        rows = ProcessorResult.objects.for_organization(self.northwind).current()
        found: ProcessorResult | None = rows.filter(signal=signal, processor=slug).first()
        return found

    def rule(self, label: str, *, field: str = "subject", value: str = "printer", slug: str = "category") -> None:
        condition = {"field": field, "operator": "contains", "value": value}
        ProcessorRule.objects.create(
            organization=self.northwind, processor=slug, conditions=[condition], label=label, tags=["floor 2"]
        )

    def switch(self, slug: str = "issue_or_request", **fields: object) -> ProcessorSetting:
        row: ProcessorSetting = ProcessorSetting.objects.create(organization=self.northwind, processor=slug, **fields)
        return row


class ArrivalTests(ProcessorCase):
    def test_a_ticket_that_arrives_is_read(self) -> None:
        signal = self.arrive("Cannot print, the printer is offline")
        result = self.standing(signal)
        assert result is not None
        assert result.value == {"kind": "issue"}
        assert result.producer == Producer.RULE
        assert result.revision == signal.revision
        assert 0.6 <= result.confidence <= 0.85
        assert not signal.awaits_processors

    def test_a_ticket_that_changed_is_read_again_and_the_former_value_stays_in_its_history(self) -> None:
        signal = self.arrive("Cannot print, the printer is offline")
        self.arrive("Please order a new laptop for Rosa", minute=5)
        result = self.standing(signal)
        assert result is not None
        assert result.value == {"kind": "request"}
        states = ProcessorResult.objects.for_organization(self.northwind).filter(processor=KIND.slug)
        assert sorted(states.values_list("state", flat=True)) == ["current", "superseded"]

    def test_changing_a_value_takes_more_than_setting_one_and_nobody_has_to_look(self) -> None:
        self.switch(options={"change_confidence": 0.99})
        signal = self.arrive("Cannot print, the printer is offline")
        self.arrive("Please order a new laptop for Rosa", minute=5)
        result = self.standing(signal)
        assert result is not None
        assert result.value == {"kind": "issue"}
        assert not ReviewItem.objects.for_organization(self.northwind).exists()

    def test_the_same_answer_again_writes_no_second_row(self) -> None:
        self.arrive("Cannot print, the printer is offline")
        self.arrive("Cannot print, the printer is offline", minute=5, status="Assigned")
        assert ProcessorResult.objects.for_organization(self.northwind).filter(processor=KIND.slug).count() == 1

    def test_a_lost_bell_is_found_by_the_sweep(self) -> None:
        signal = SignalFactory(company=self.harlow, subject="Printer offline, error")
        Signal.objects.for_organization(self.northwind).update(changed_at=timezone.now() - timedelta(minutes=1))
        sweep_processors.call("")
        assert self.standing(signal) is not None

    def test_a_closed_ticket_is_not_read(self) -> None:
        signal = self.arrive("Cannot print, printer offline", closed=True)
        assert self.standing(signal) is None

    def test_a_processor_that_fails_says_so_and_hurts_no_other(self) -> None:
        self.rule("Printing")
        TrainedModel.objects.create(
            organization=self.northwind, processor=KIND.slug, kept=b"no model", digest="0" * 64, taught=50
        )
        signal = self.arrive("Printer offline")
        failed = ProcessorResult.objects.for_organization(self.northwind).get(state="failed")
        assert failed.processor == KIND.slug
        assert "failed" in failed.reason
        assert self.standing(signal, "category") is not None


class SettingTests(ProcessorCase):
    def test_a_processor_that_is_switched_off_reads_nothing(self) -> None:
        self.switch(enabled=False)
        assert self.standing(self.arrive("Cannot print, printer offline")) is None

    def test_a_company_may_have_it_otherwise_than_its_organization(self) -> None:
        self.switch(enabled=False)
        self.switch(enabled=True, company=self.harlow)
        assert self.standing(self.arrive("Cannot print, printer offline")) is not None

    def test_of_some_boards_it_reads_those_only(self) -> None:
        self.switch().boards.add(BoardFactory(organization=self.northwind, connection=self.psa, external_id="9"))
        assert self.standing(self.arrive("Cannot print, printer offline")) is None
        assert self.standing(self.arrive("Cannot print", minute=5, board_external_id="9")) is not None

    def test_an_option_that_fits_no_more_gives_way_to_its_default(self) -> None:
        self.switch(options={"confidence": "much"})
        assert self.standing(self.arrive("Cannot print, printer offline")) is not None


class RuleTests(ProcessorCase):
    def test_the_first_rule_that_holds_decides_with_its_tags(self) -> None:
        self.rule("Printing")
        self.rule("Hardware")
        DeviceFactory(company=self.harlow, name="HB-PRN-02")
        result = self.standing(self.arrive("Printer HB-PRN-02 is jammed"), "category")
        assert result is not None
        assert result.value["category"] == "Printing"
        assert result.value["tags"] == ["floor 2"]
        assert result.value["systems"] == ["HB-PRN-02"]
        assert result.reason == "Rule 1: Title contains “printer”."
        assert result.confidence == 1.0

    def test_without_rules_and_before_anything_was_learned_nobody_has_to_look(self) -> None:
        signal = self.arrive("Printer is jammed")
        assert self.standing(signal, "category") is None
        assert not ReviewItem.objects.for_organization(self.northwind).filter(processor="category").exists()


class PeopleTests(ProcessorCase):
    def correct(self, signal: Signal, kind: str) -> ProcessorResult:
        value = IssueOrRequest.model_validate({"kind": kind})
        return correct_value(signal=signal, processor=KIND, value=value, actor=self.actor(self.theo))

    def test_a_persons_value_stands_whatever_comes_later(self) -> None:
        signal = self.arrive("Cannot print, printer offline")
        self.correct(signal, "request")
        self.arrive("Printer crashed with an error", minute=5)
        result = self.standing(signal)
        assert result is not None
        assert (result.value, result.producer) == ({"kind": "request"}, Producer.PERSON)
        run_processors(stored(self.psa))
        assert self.standing(signal) == result

    def test_corrections_and_confirmations_move_the_precision_figure(self) -> None:
        signal = self.arrive("Cannot print, printer offline")
        self.correct(signal, "request")
        assert precisions(self.northwind)[KIND.slug].percent == 0
        self.correct(signal, "issue")
        assert precisions(self.northwind)[KIND.slug].percent == 100
        other = SignalFactory(company=self.harlow, subject="Please order a new phone")
        run_processors(other)
        confirm_result(result=self.standing(other), actor=self.actor(self.theo))  # type: ignore[arg-type]
        assert (precisions(self.northwind)[KIND.slug].right, precisions(self.northwind)[KIND.slug].judged) == (2, 2)

    def test_what_was_reverted_is_not_said_a_second_time(self) -> None:
        signal = self.arrive("Cannot print, printer offline")
        result = self.standing(signal)
        assert result is not None
        assert revert(result=result, actor=self.actor(self.theo)) is None
        run_processors(stored(self.psa))
        assert self.standing(signal) is None

    def test_a_word_said_twice_is_said_once(self) -> None:
        signal = self.arrive("Cannot print, printer offline")
        assert self.correct(signal, "request") == self.correct(signal, "request")

    def test_what_was_taken_back_counts_as_wrong_until_the_person_says_what_is_right(self) -> None:
        signal = self.arrive("Cannot print, printer offline")
        result = self.standing(signal)
        assert result is not None
        revert(result=result, actor=self.actor(self.theo))
        assert precisions(self.northwind)[KIND.slug] == Precision(right=0, judged=1)
        self.correct(signal, "request")
        assert precisions(self.northwind)[KIND.slug] == Precision(right=0, judged=1)
        self.correct(signal, "issue")
        assert precisions(self.northwind)[KIND.slug] == Precision(right=1, judged=1)

    def test_reverting_a_correction_brings_the_former_value_back(self) -> None:
        signal = self.arrive("Cannot print, printer offline")
        row = self.correct(signal, "request")
        before = revert(result=row, actor=self.actor(self.theo))
        assert before is not None
        assert self.standing(signal) == before
        assert before.value == {"kind": "issue"}

    def test_unsure_of_it_a_ticket_waits_for_review_until_a_person_answers(self) -> None:
        self.switch(options={"confidence": 0.99})
        signal = self.arrive("Cannot print, printer offline")
        waiting = ReviewItem.objects.for_organization(self.northwind)
        assert waiting.get().result.value == {"kind": "issue"}
        self.arrive("Cannot print, printer offline", minute=5, status="Assigned")
        assert waiting.count() == 1
        self.correct(signal, "issue")
        assert waiting.get().state == ReviewItem.State.ANSWERED
        assert precisions(self.northwind)[KIND.slug].percent == 100

    def test_a_technician_of_other_companies_and_a_rival_may_not_correct(self) -> None:
        signal = self.arrive("Cannot print, printer offline")
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.theo, all_companies=False, companies=[self.pinewood]
        )
        for member in (self.ines, self.theo):
            with pytest.raises(PermissionDenied):
                correct_value(
                    signal=signal,
                    processor=KIND,
                    value=IssueOrRequest.model_validate({"kind": "issue"}),
                    actor=self.actor(member),
                )

    def test_what_a_result_says_is_never_changed(self) -> None:
        signal = self.arrive("Cannot print, printer offline")
        with pytest.raises(DatabaseError), transaction.atomic():
            ProcessorResult.objects.for_organization(self.northwind).filter(signal=signal).update(value={})


class LearningTests(ProcessorCase):
    def test_it_learns_from_closed_tickets_and_says_what_it_learned_from(self) -> None:
        self.enterContext(pytest.MonkeyPatch.context()).setattr(learning, "MOST_TICKETS", 2 * FEWEST_ROWS)
        for number in range(FEWEST_ROWS):
            for name, words in (("Printing", "printer toner paper jam"), ("E-mail", "outlook mailbox mail calendar")):
                SignalFactory(
                    company=self.harlow,
                    external_id=f"closed-{name}-{number}",
                    subject=f"{words} {number}",
                    description=f"The {words} again",
                    type=name,
                    closed_at_source=True,
                    state=Signal.State.RESOLVED,
                )
            SignalFactory(company=self.harlow, type="", closed_at_source=True, state=Signal.State.RESOLVED)
        assert [each.slug for each in due_for_training(self.northwind)] == ["category"]
        train_due.call("")
        self.drain()
        result = self.standing(self.arrive("Toner of the printer", description="paper jam"), "category")
        assert result is not None
        assert result.value["category"] == "Printing"
        assert result.producer == Producer.LEARNED
        assert result.reason == f"Learned from {2 * FEWEST_ROWS} tickets of yours."
        assert result.model.startswith("learned ")
        assert due_for_training(self.northwind) == []
        assert due_for_training(self.southgate) == []

    def test_a_rule_is_asked_before_what_was_learned(self) -> None:
        self.rule("Facilities", value="toner")
        result = self.standing(self.arrive("Toner again"), "category")
        assert result is not None
        assert result.producer == Producer.RULE
        assert CATEGORY.label_of(Category.model_validate(result.value)) == "Facilities"


class WithoutAModelTests(ProcessorCase):
    def test_a_ticket_is_summed_up_and_its_names_mood_and_automation_potential_are_told(self) -> None:
        ContactFactory(company=self.harlow, connection=self.psa, name="Dana Whitfield", email="dana@harlow.example")
        signal = self.arrive(
            "Outlook keeps asking for the password",
            description="Dana Whitfield cannot sign in to Outlook. This is very frustrating, please fix it urgently!",
        )
        summary, entities = self.standing(signal, "summary"), self.standing(signal, "entities")
        mood, potential = self.standing(signal, "sentiment"), self.standing(signal, "automation")
        assert summary is not None
        assert "Outlook" in summary.value["text"]
        assert entities is not None
        assert entities.value["people"] == ["Dana Whitfield"]
        assert [link["name"] for link in entities.value["links"]] == ["Dana Whitfield"]
        assert mood is not None
        assert mood.value["band"] in {"negative", "very_negative"}
        assert potential is not None
        assert potential.value["band"] in {"none", "low", "medium", "high"}

    def test_moods_are_kept_one_a_revision_newest_first(self) -> None:
        for minute, words in enumerate(
            ("This is very frustrating and unacceptable, nothing works!", "Thank you so much, great, it works!")
        ):
            signal = self.arrive("Mail", minute=minute, description=words)
            run_processors(stored(self.psa))
        mood = self.standing(signal, "sentiment")
        assert mood is not None
        assert len(mood.value["readings"]) == 2
        assert mood.value["readings"][0] > mood.value["readings"][1]

    def test_a_ticket_of_two_kilobytes_is_read_in_no_time(self) -> None:
        signal = self.arrive("Printer offline", description="The printer on floor 2 is offline again. " * 50)
        took = []
        for number in range(5):
            signal.description += f" Again, {number}."
            started = time.process_time()
            run_processors(signal)
            took.append(time.process_time() - started)
        assert sorted(took)[2] < 0.2, took
