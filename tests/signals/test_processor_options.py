"""What an Admin sets of a processor is held against itself and against the PSA's own lists."""

from __future__ import annotations

from time import monotonic
from typing import Any
from unittest.mock import patch

from django.core.cache import cache

from integrations.models import ConnectionPace
from signals.models import Board, ProcessorSetting, Signal
from signals.processing.model_forms import form_for, read_form
from signals.processors import processor_of
from signals.processors.base import Abstained
from signals.processors.router import RouterOptions
from signals.processors.ticket_type import TicketTypeOptions
from tests.signals.test_ticket_type import bench, facts
from tests.signals.typing_cases import TypingCase

TYPE, PRIORITY = processor_of("ticket_type"), processor_of("priority")
SAID = {"write_back": "", "most_a_day": "100", "ask_model": "", "model_daily": "0"}
#: Seconds that a slow source takes for each answer.
SLOW = 5
BARS = {"ticket_type": ("confidence", "reclassify"), "priority": ("certainty", "change_certainty")}


class TestBars:
    def test_an_older_setting_that_asks_less_to_change_still_asks_as_much_as_to_set(self) -> None:
        options = TicketTypeOptions(confidence=0.9, reclassify=0.1)
        found = TYPE.run(facts(type="Network"), options, bench(type=("Email", 0.5)))
        assert isinstance(found, Abstained)
        assert found.reason == "Not sure enough to change Network (below 0.90)."
        priority = PRIORITY.options_type(certainty=0.9, change_certainty=0.1)
        held = facts(priority="Priority 3 - Normal")
        found = PRIORITY.run(held, priority, bench(priority=("Priority 1 - Critical", 0.5)))
        assert isinstance(found, Abstained)
        assert "(below 0.90)" in found.reason


class TestNames:
    def test_a_company_with_a_comma_is_written_in_quotation_marks_and_shown_so_again(self) -> None:
        held = RouterOptions()
        form = form_for(RouterOptions, held, {"confidence": "0.9", "companies": 'Acme, "Smith, Jones & Co", 19" Racks'})
        form.fields = {name: form.fields[name] for name in ("confidence", "companies")}
        said = read_form(form, RouterOptions, held)
        assert said is not None
        assert said.companies == ("Acme", "Smith, Jones & Co", '19" Racks')
        assert form_for(RouterOptions, said).fields["companies"].initial == 'Acme, "Smith, Jones & Co", 19" Racks'


class OptionTests(TypingCase):
    def setUp(self) -> None:
        super().setUp()
        self.arrive("The first ticket brings its board")
        self.log_in(self.adam)

    def save(self, slug: str, low: float, high: float, **fields: Any) -> Any:
        bars = dict(zip(BARS[slug], (str(low), str(high)), strict=True))
        return self.client.post(self.path(f"processors/{slug}/options/"), SAID | bars | fields)

    def stored(self, slug: str) -> dict[str, Any]:
        rows = ProcessorSetting.objects.for_organization(self.northwind).filter(processor=slug)
        return next((row.options for row in rows), {})

    def test_to_change_a_value_takes_more_than_to_set_one(self) -> None:
        for high in (0.1, 0.9):
            answer = self.save("priority", 0.9, high)
            self.assertContains(
                answer, "To change a value takes more than to set one: set it above 0.90.", status_code=400
            )
        assert not self.stored("priority")
        assert self.save("priority", 0.9, 0.95).status_code == 302
        assert self.save("priority", 1.0, 1.0).status_code == 302

    def test_locked_and_excluded_names_are_ticked_from_the_psas_lists_and_no_others_are_taken(self) -> None:
        page = self.client.get(self.path("processors/priority/")).content.decode()
        assert 'name="locked" value="Priority 1 - Critical"' in page
        for slug, field, wrong in (
            ("priority", "locked", "Priority 1 – Critical"),
            ("ticket_type", "locked", "Nope"),
            ("ticket_type", "excluded", "Nope"),
        ):
            answer = self.save(slug, 0.7, 0.85, **{field: [wrong]})
            self.assertContains(answer, "is not one of the available choices", status_code=400)
            assert not self.stored(slug)
        assert self.save("ticket_type", 0.7, 0.85, locked=["Email", "Network"]).status_code == 302
        assert self.stored("ticket_type")["locked"] == ["Email", "Network"]

    def test_a_rule_that_gives_an_excluded_type_is_refused_and_one_that_was_there_before_says_so(self) -> None:
        rule = {"field": "subject", "operator": "contains", "value": "mail", "any": "all", "label": "Email"}
        path = self.path("processors/ticket_type/")
        assert self.client.post(f"{path}rules/", rule).status_code == 302
        assert "Gives nothing now." not in self.client.get(path).content.decode()
        self.switch("ticket_type", excluded=["Email"])
        words = "“Email” is among the excluded types, which are never given."
        self.assertContains(self.client.get(path), f"Gives nothing now. {words}")
        answer = self.client.post(f"{path}rules/", rule)
        self.assertContains(answer, f"{words} Take it off that list first", status_code=400)
        assert self.client.post(f"{path}rules/", rule | {"label": "Network"}).status_code == 302

    def test_a_name_that_the_psa_lost_stays_ticked_and_is_told_until_it_is_taken_off(self) -> None:
        self.switch("priority", locked=["Priority 1 - Critical", "Drop everything, now"])
        page = self.client.get(self.path("processors/priority/")).content.decode()
        assert 'value="Drop everything, now" class="check" id="id_locked_' in page
        answer = self.save("priority", 0.7, 0.85, locked=["Drop everything, now"])
        self.assertContains(answer, "The PSA has no “Drop everything, now” (any more)", status_code=400)
        assert self.save("priority", 0.7, 0.85, locked=["Priority 1 - Critical"]).status_code == 302

    def test_a_psa_that_is_slow_to_answer_holds_no_page_up_and_the_page_says_what_was_not_read(self) -> None:
        self.save("priority", 0.6, 0.8, locked="Priority 1 - Critical")
        cache.clear()
        self.sandbox.fault("latency", latency_ms=SLOW * 1000, path="*/service/*", count=None)
        with patch("signals.sync.live_lists.PAGE_SECONDS", 0.5):
            for slug in ("priority", "ticket_type", "router"):
                started = monotonic()
                page = self.client.get(self.path(f"processors/{slug}/"))
                assert monotonic() - started < SLOW, slug
                assert ("was not read just now" in page.content.decode()) == (slug != "router"), slug
                assert ("Priority 1 - Critical" in page.content.decode()) == (slug == "priority"), slug
            [signal] = Signal.objects.for_organization(self.northwind)
            for path in (f"signals/{signal.pk}/findings/ticket_type/", "maintenance/", "service/"):
                cache.clear()
                started = monotonic()
                assert self.client.get(self.path(path)).status_code == 200, path
                assert monotonic() - started < SLOW, path
        assert ConnectionPace.objects.for_organization(self.northwind).get(connection=self.connection).failures == 0
        self.sandbox.clear_faults()
        page = self.client.get(self.path("processors/priority/")).content.decode()
        assert "was not read just now" not in page
        assert "Priority 4 - Low" in page

    def test_without_a_psa_no_page_says_that_its_list_was_not_read(self) -> None:
        Board.objects.for_organization(self.northwind).delete()
        self.assertNotContains(self.client.get(self.path("processors/priority/")), "was not read just now")

    def test_while_the_psa_does_not_answer_nothing_new_is_locked_and_nothing_is_lost(self) -> None:
        self.switch("priority", locked=["Priority 1 - Critical"])
        self.sandbox.fault("status", status=503, path="*/service/priorities", count=None)
        assert self.save("priority", 0.7, 0.85, locked=["Priority 2 - High"]).status_code == 400
        assert self.save("priority", 0.8, 0.9, locked=["Priority 1 - Critical"]).status_code == 302
        assert self.stored("priority")["locked"] == ["Priority 1 - Critical"]
