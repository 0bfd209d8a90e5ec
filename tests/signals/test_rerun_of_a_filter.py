"""Reading again all that the list's filter finds: the server finds it once, and the form then names each ticket."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.utils import timezone

from signals.models import Rerun, Signal
from signals.processing.rerun import MOST_RERUN
from tests.cases import JuntoTestCase
from tests.factories import BoardFactory, SignalFactory

KIND = "issue_or_request"
PATH = "processors/read-again/"


class FilterCase(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log_in(self.adam)

    def ticket(self, subject: str = "Cannot print", *, age: int = 0, **fields: Any) -> Signal:
        at = timezone.now() - timedelta(hours=age)
        signal: Signal = SignalFactory(
            **{"company": self.harlow, "awaits_processors": False, "source_updated_at": at} | fields, subject=subject
        )
        return signal

    def many(self, count: int, **fields: Any) -> None:
        first = self.ticket("Many of them", **fields)
        rows = []
        for number in range(1, count):
            row = Signal.unscoped.get(pk=first.pk)
            row.pk, row.external_id = uuid4(), f"{first.external_id}-{number}"
            rows.append(row)
        Signal.unscoped.bulk_create(rows)

    def page(self, **filters: str) -> str:
        response = self.client.get(self.path(PATH), {"fitting": urlencode(filters)})
        assert response.status_code == 200, response.status_code
        return str(response.content.decode())

    def fields(self, page: str, *, form: int = -1) -> dict[str, list[str]]:
        """What a form of the page sends: the last one begins the reading, that before it estimates anew."""
        found: dict[str, list[str]] = {}
        forms = re.findall(rf'<form [^>]*action="{self.path(PATH)}".*?</form>', page, re.DOTALL)
        for tag in re.findall(r"<input[^>]*>", forms[form]) if forms else ():
            if 'type="hidden"' in tag or " checked" in tag:
                named = dict(re.findall(r'(name|value)="([^"]*)"', tag))
                found.setdefault(named["name"], []).append(named["value"])
        return found

    def named(self, page: str) -> list[str]:
        return self.fields(page).get("signal", [])

    def runs(self) -> list[Rerun]:
        return list(Rerun.objects.for_organization(self.northwind))


class FittingTests(FilterCase):
    def test_all_that_the_list_finds_is_taken_in_its_order_and_nothing_else(self) -> None:
        board = BoardFactory(organization=self.northwind)
        old, new = self.ticket(board=board, age=3), self.ticket(board=board, age=1)
        other_board, other_words = self.ticket(age=2), self.ticket("Please order a phone", board=board, age=2)
        other_company = self.ticket(board=board, age=2, company=self.pinewood)
        by_age = [new, other_board, other_words, other_company, old]
        for filters, wanted in (
            ({"q": "print", "board": str(board.pk), "company": str(self.harlow.pk)}, [new, old]),
            ({"board": str(board.pk), "state": "new"}, [new, other_words, other_company, old]),
            ({"state": "in_review"}, []),
            ({}, by_age),
        ):
            found = self.named(self.page(**filters))
            assert sorted(found) == sorted(str(each.pk) for each in wanted), filters
            listed = re.findall(r'id="sig-([^"]+)"', self.client.get(self.path("signals/"), filters).content.decode())
            assert found == listed, filters
        page = self.page(q="print", board=str(board.pk), company=str(self.harlow.pk))
        assert f"Tickets of the list: Open, {board.name}, {self.harlow.name}, “print”" in unescape(page)

    def test_what_comes_in_after_the_form_was_opened_is_not_read(self) -> None:
        first, second = self.ticket(age=2), self.ticket(age=1)
        page = self.page(q="print")
        late = self.ticket()
        again = self.client.post(self.path(PATH), {**self.fields(page, form=-2), "processor": [KIND]}).content.decode()
        assert self.runs() == []
        assert "Tickets of the list: Open, “print”" in again
        assert "2</b> tickets, about" in again
        answer = self.client.post(self.path(PATH), self.fields(again))
        assert answer.status_code == 302
        [run] = self.runs()
        assert (run.tickets, run.processors) == ([str(second.pk), str(first.pk)], [KIND])
        assert str(late.pk) not in run.tickets

    def test_of_more_than_can_be_read_at_once_the_first_are_and_the_page_says_how_many_are_not(self) -> None:
        self.many(MOST_RERUN + 7, age=1)
        newest, closed = self.ticket("One of them"), self.ticket("That one", state=Signal.State.RESOLVED)
        page = self.page(state="all")
        assert "At most 500 are read at once: the first 500 are; 8 more are not." in page
        assert "Of them 1 is closed: only open tickets are read." in page
        found = self.named(page)
        assert (len(found), found[0]) == (MOST_RERUN, str(newest.pk))
        assert str(closed.pk) not in found
        again = self.client.post(self.path(PATH), self.fields(page, form=-2)).content.decode()
        assert "the first 500 are; 8 more are not." in again
        assert self.client.post(self.path(PATH), self.fields(again)).status_code == 302
        assert self.runs()[0].tickets == found

    def test_what_the_list_found_and_is_not_open_is_told_by_what_became_of_it(self) -> None:
        head = self.ticket()
        self.ticket(state=Signal.State.MERGED, folded_into=head)
        for state in (Signal.State.RESOLVED, Signal.State.DISMISSED):
            self.ticket(state=state)
        page = self.page(state="all", q="print")
        assert "Of them 2 are closed, 1 repeats another signal: only open tickets are read." in page
        assert self.named(page) == [str(head.pk)]

    def test_of_a_search_with_too_many_finds_to_count_the_first_are_read_and_many_more_are_not(self) -> None:
        self.many(1001)
        page = self.page(q="many")
        assert "the first 500 are; many more are not." in page
        assert len(self.named(page)) == MOST_RERUN

    def test_where_nothing_that_fits_is_open_the_page_says_so_and_has_no_button(self) -> None:
        self.ticket(state=Signal.State.RESOLVED)
        page = self.page(state="resolved")
        assert "only open tickets are read again" in page
        assert self.named(page) == []

    def test_the_list_offers_it_where_it_has_more_than_one_page_and_only_to_who_may_run_processors(self) -> None:
        self.many(51)
        asked = {"q": "many", "page": "2"}
        link = f'href="{self.path(PATH)}?fitting=q%3Dmany"'
        self.assertContains(self.client.get(self.path("signals/"), asked), link)
        self.assertContains(self.client.get(self.path("signals/"), asked), "All 51 that fit")
        self.assertNotContains(self.client.get(self.path("signals/"), {"q": "nothing"}), "?fitting=")
        self.log_in(self.mara)
        self.assertNotContains(self.client.get(self.path("signals/"), asked), "?fitting=")
        assert self.client.get(self.path(PATH), {"fitting": "q=many"}).status_code == 403

    def test_nobody_finds_a_ticket_of_another_organization(self) -> None:
        mine, foreign = self.ticket(), self.ticket(company=self.quayside)
        assert self.named(self.page(state="all")) == [str(mine.pk)]
        self.log_in(self.ines)
        path = self.path(PATH, organization=self.southgate)
        response = self.client.get(path, {"fitting": "state=all"})
        self.assertContains(response, f'value="{foreign.pk}"')
        self.assertNotContains(response, str(mine.pk))

    def test_a_filter_that_nobodys_list_has_is_refused_in_words(self) -> None:
        response = self.client.get(self.path(PATH), {"fitting": "&".join(f"q{n}=1" for n in range(1100))})
        self.assertContains(response, "Choose again", status_code=404)
        assert self.client.get(self.path(PATH), {"fitting": "board=1&state=x&order=%FF&attention=y"}).status_code == 200
