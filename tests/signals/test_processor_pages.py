"""The pages of processors: an Admin sets them, a technician says what is right, and nobody else does."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from signals.models import ModelQuestion, ProcessorResult, ProcessorRule, ProcessorSetting, ReviewItem, Signal
from signals.processing.corrections import precisions
from signals.processing.pipeline import run_processors
from signals.processing.plans import plans
from signals.processors import PROCESSORS
from signals.processors.base import Phase
from tests.cases import JuntoTestCase
from tests.factories import BoardFactory, ConnectionFactory, ContactFactory, SignalFactory

KIND = "issue_or_request"


class PageCase(JuntoTestCase):
    def get(self, path: str, **query: str) -> Any:
        response = self.client.get(self.path(path), query)
        assert response.status_code == 200, response.status_code
        return response

    def post(self, path: str, **data: Any) -> Any:
        response = self.client.post(self.path(path), data)
        assert response.status_code == 302, response.content[:2000]
        return response

    def read(self, subject: str = "Cannot print, printer offline") -> Signal:
        signal: Signal = SignalFactory(company=self.harlow, subject=subject)
        run_processors(signal)
        return signal

    def standing(self, signal: Signal) -> ProcessorResult | None:
        rows = ProcessorResult.objects.for_organization(self.northwind).current()
        found: ProcessorResult | None = rows.filter(signal=signal, processor=KIND).first()
        return found


class AdminTests(PageCase):
    def setUp(self) -> None:
        super().setUp()
        self.log_in(self.adam)

    def test_what_could_be_learned_and_was_not_yet_is_told(self) -> None:
        def closed(kind: str, number: int) -> None:
            SignalFactory.create_batch(number, company=self.harlow, type=kind, closed_at_source=True)

        closed("Email", 20)
        closed("Network", 19)
        path = "processors/category/"
        assert "it takes two labels with 20 tickets each" in self.get(path).content.decode()
        closed("Network", 1)
        page = self.get(path).content.decode()
        assert "it takes two labels" not in page
        assert "there is enough to learn from" in page
        assert "Network</span>" in page
        assert "Learn now</button>" in page

    def test_ines_and_a_technician_find_no_door(self) -> None:
        self.log_in(self.ines)
        assert self.client.get(self.path("processors/")).status_code == 404
        self.log_in(self.mara)
        for path in ("processors/", f"processors/{KIND}/"):
            assert self.client.get(self.path(path)).status_code == 403
        for path in ("switch", "move", "options", "rules", "train"):
            assert self.client.post(self.path(f"processors/{KIND}/{path}/")).status_code == 403
        assert self.client.post(self.path("processors/read-again/")).status_code == 403

    def test_a_processor_is_switched_for_all_and_for_one_company(self) -> None:
        self.post(f"processors/{KIND}/switch/", enabled="off")
        self.post(f"processors/{KIND}/switch/", enabled="on", company=str(self.harlow.pk))

        def enabled(company: Any) -> bool:
            return next(plan.enabled for plan in plans(self.northwind, company) if plan.processor.slug == KIND)

        assert (enabled(None), enabled(self.harlow), enabled(self.pinewood)) == (False, True, False)
        self.post(f"processors/{KIND}/switch/", enabled="", company=str(self.harlow.pk))
        assert not enabled(self.harlow)
        assert "Issue / request classifier" in self.get("processors/").content.decode()

    def test_the_order_within_a_phase_is_changed(self) -> None:
        def order() -> list[str]:
            return [plan.processor.slug for plan in plans(self.northwind) if plan.processor.phase == Phase.ENRICHMENT]

        first, second, *_ = order()
        self.post(f"processors/{second}/move/", to="up")
        assert order()[:2] == [second, first]

    def test_options_and_boards_are_set_and_a_wrong_one_is_refused_beside_its_field(self) -> None:
        board = BoardFactory(organization=self.northwind)
        said = {"confidence": "0.75", "change_confidence": "0.8", "ask_model": "on", "model_daily": "200"}
        self.post(f"processors/{KIND}/options/", **said, boards=[str(board.pk)])
        row = ProcessorSetting.objects.for_organization(self.northwind).get()
        assert row.options == {"confidence": 0.75, "change_confidence": 0.8, "read_words": False}
        assert [each.pk for each in row.boards.all()] == [board.pk]
        wrong = self.client.post(self.path(f"processors/{KIND}/options/"), {"confidence": "7"})
        assert wrong.status_code == 400
        assert "less than or equal to 1" in wrong.content.decode()

    def test_a_rule_is_added_tried_moved_and_removed(self) -> None:
        words = {"field": "subject", "operator": "contains", "value": "toner"}
        self.post("processors/category/rules/", **words, any="all", label="Printing", tags="floor 2, toner")
        self.post("processors/category/rules/", **words | {"value": "paper"}, any="all", label="Supplies")
        tried = self.get("processors/category/", text="Toner and paper are gone").content.decode()
        assert "Printing" in tried
        assert "Rules that hold: 1, 2" in tried
        assert not ProcessorResult.objects.for_organization(self.northwind).exists()
        first, second = ProcessorRule.objects.for_organization(self.northwind)
        self.post(f"processors/rules/{second.pk}/", do="up")
        assert next(iter(ProcessorRule.objects.for_organization(self.northwind))).label == "Supplies"
        self.post(f"processors/rules/{first.pk}/", do="remove")
        assert ProcessorRule.objects.for_organization(self.northwind).count() == 1

    def test_a_ticket_is_tried_as_its_company_has_it_and_words_as_the_company_of_the_page(self) -> None:
        signal = self.read()
        surest = {"organization": self.northwind, "processor": KIND, "options": {"confidence": 1.0}}
        ProcessorSetting.objects.create(company=self.harlow, **surest)
        unsure, path = "not sure enough, it would wait for review", f"processors/{KIND}/"
        assert unsure in self.get(path, number=signal.external_id).content.decode()
        words = "Cannot print, printer offline"
        assert unsure not in self.get(path, text=words).content.decode()
        page = self.get(path, text=words, company=str(self.harlow.pk)).content.decode()
        assert unsure in page
        assert "Read as set for Harlow &amp; Beck." in page
        assert f'<input type="hidden" name="company" value="{self.harlow.pk}">' in page

    def test_words_are_tried_with_the_systems_that_are_connected_and_the_people_of_the_pages_company(self) -> None:
        ConnectionFactory(organization=self.northwind, vendor="ninjaone")
        words = {"text": "Please reboot SRV-01 for Wendy Sato"}
        page = self.get("processors/automation/", **words).content.decode()
        assert "NinjaOne is not connected" not in page
        assert "Read as of no company" in page
        ContactFactory(company=self.harlow, name="Wendy Sato")
        page = self.get("processors/entities/", **words, company=str(self.harlow.pk)).content.decode()
        assert "Wendy Sato" in page.partition('<div class="notice"')[2]

    def test_a_number_and_words_are_not_tried_at_once_and_one_that_is_switched_off_says_so(self) -> None:
        signal = self.read()
        path = f"processors/{KIND}/"
        page = self.get(path, number=signal.external_id, text="Toner is gone").content.decode()
        assert "Give a ticket’s number or words, not both." in page
        assert "Toner is gone</textarea>" in page
        self.post(f"{path}switch/", enabled="off")
        assert "It is switched off here" in self.get(path, number=signal.external_id).content.decode()

    def test_open_tickets_of_a_company_are_read_again_after_an_estimate(self) -> None:
        signal = self.read()
        self.post(f"processors/{KIND}/switch/", enabled="off")
        other = SignalFactory(company=self.harlow, subject="Please order a phone", awaits_processors=False)
        place = {"board": "", "of": str(self.harlow.pk)}
        assert "2 to read" in self.get("processors/read-again/", **place).content.decode()
        self.post(f"processors/{KIND}/switch/", enabled="on")
        self.post("processors/read-again/", **place, processor=[KIND], key=str(uuid4()))
        self.drain()
        assert self.standing(signal) is not None
        assert self.standing(other) is not None


class PeopleTests(PageCase):
    def setUp(self) -> None:
        super().setUp()
        self.log_in(self.theo)

    def test_the_tickets_page_shows_what_was_found_why_how_sure_and_by_whom(self) -> None:
        signal = self.read()
        page = self.get(f"signals/{signal.pk}/").content.decode()
        assert "Usual words for an issue" in page
        assert "Correct…" in page

    def test_a_processor_that_said_nothing_of_a_ticket_is_named_there_and_told_its_value(self) -> None:
        signal = self.read()
        path = self.path(f"signals/{signal.pk}/findings/category/")
        link = f'<a href="{path}">Category</a>'
        page = self.get(f"signals/{signal.pk}/").content.decode()
        assert link in page
        assert "findings/ticket_type/" not in page  # it is switched off
        self.log_in(self.theo)
        assert self.client.post(f"{path}correct/", {"category": "Printing"}).status_code == 302
        page = self.get(f"signals/{signal.pk}/").content.decode()
        assert "Printing" in page
        assert link not in page

    def test_where_nothing_was_said_the_form_holds_nothing_and_nothing_is_chosen(self) -> None:
        signal: Signal = SignalFactory(company=self.harlow)
        for processor in PROCESSORS:
            page = self.get(f"signals/{signal.pk}/findings/{processor.slug}/").content.decode()
            assert "Undefined" not in page, processor.slug
            assert 'name="csrfmiddlewaretoken"' in page
        path = self.path(f"signals/{signal.pk}/findings/{KIND}/")
        assert '<option value="" selected>Choose one</option>' in self.client.get(path).content.decode()
        self.assertContains(self.client.post(f"{path}correct/", {"kind": ""}), "is required", status_code=400)

    def test_what_a_language_model_was_asked_in_vain_is_reached_after_its_processor_was_switched_off(self) -> None:
        signal = self.read()
        ModelQuestion.unscoped.create(
            organization=self.northwind,
            signal=signal,
            processor="ticket_type",
            revision=signal.revision,
            prompt="Which type has “Cannot print”?",
            answer="None",
        )
        page = self.get(f"signals/{signal.pk}/").content.decode()
        path = f"signals/{signal.pk}/findings/ticket_type/"
        assert f'<a href="{self.path(path)}">' in page
        assert "Which type has “Cannot print”?" in self.get(path).content.decode()

    def test_of_a_ticket_that_was_not_read_yet_nothing_is_missing(self) -> None:
        signal = SignalFactory(company=self.harlow)
        assert "Nothing said of:" not in self.get(f"signals/{signal.pk}/").content.decode()

    def test_a_technician_corrects_confirms_and_reverts(self) -> None:
        signal = self.read()
        path = f"signals/{signal.pk}/findings/{KIND}/"
        assert "History" in self.get(path).content.decode()
        self.post(f"{path}correct/", kind="request")
        row = self.standing(signal)
        assert row is not None
        assert (row.value["kind"], row.person) == ("request", self.theo)
        assert precisions(self.northwind)[KIND].percent == 0
        self.post(f"{path}revert/", result=str(row.pk))
        machine = self.standing(signal)
        assert machine is not None
        self.post(f"{path}confirm/", result=str(machine.pk))
        assert precisions(self.northwind)[KIND].percent == 100

    def test_a_value_that_there_is_not_is_refused_beside_its_field(self) -> None:
        signal = self.read()
        response = self.client.post(self.path(f"signals/{signal.pk}/findings/{KIND}/correct/"), {"kind": "poem"})
        assert response.status_code == 400
        assert "Select a valid choice" in response.content.decode()

    def test_the_review_queue_holds_what_was_not_sure_until_it_is_answered(self) -> None:
        ProcessorSetting.objects.create(organization=self.northwind, processor=KIND, options={"confidence": 0.99})
        signal = self.read()
        page = self.get("review/").content.decode()
        assert "Cannot print, printer offline" in page
        assert "Nothing waits with this filter" in self.get("review/", company=str(self.pinewood.pk)).content.decode()
        item = ReviewItem.objects.for_organization(self.northwind).get()
        answer = self.post(f"signals/{signal.pk}/findings/{KIND}/confirm/", result=str(item.result_id), back="review")
        assert answer.headers["Location"].endswith("/review/")
        assert "Nothing to review" in self.get("review/").content.decode()
        assert self.standing(signal) is not None

    def test_a_rivals_ticket_is_not_there_to_be_corrected(self) -> None:
        signal = self.read()
        self.log_in(self.ines)
        foreign = self.path(f"signals/{signal.pk}/findings/{KIND}/correct/", organization=self.southgate)
        assert self.client.post(foreign, {"kind": "request"}).status_code == 404
        row = self.standing(signal)
        assert row is not None
        assert row.value["kind"] == "issue"
