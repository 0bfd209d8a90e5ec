"""The list of signals, as a technician uses it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals.models import Action, Origin
from integrations.models import SyncCursor
from junto.team.services import limit_to_companies
from signals.list_filters import PAGE_SIZE
from signals.models import Signal
from signals.querysets import FEW
from signals.sync.polling import STREAM
from tests.cases import JuntoTestCase
from tests.factories import ActionFactory, BoardFactory, ConnectionFactory, OriginFactory, SignalFactory

State = Signal.State


class ListCase(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log_in(self.theo)
        self.psa = ConnectionFactory(organization=self.northwind)

    def page(self, **query: str) -> Any:
        response = self.client.get(self.path("signals/"), query)
        assert response.status_code == 200
        return response

    def subjects(self, **query: str) -> list[str]:
        return [row.subject for row in self.page(**query).context["signals"]]


class SearchTests(ListCase):
    """Few finds are counted; of many the first are shown, and nobody counts them."""

    def plant(self, count: int) -> None:
        now = timezone.now()
        Signal.unscoped.bulk_create(
            Signal(
                organization=self.northwind,
                company=self.harlow,
                connection=self.psa,
                external_id=str(number),
                subject="The scanner is slow",
                state=State.NEW if number % 2 else State.RESOLVED,
                source_created_at=now,
                source_updated_at=now,
                revision=1,
            )
            for number in range(count)
        )
        SignalFactory(company=self.harlow, connection=self.psa, subject="Printer jams")

    def found(self, **query: str) -> tuple[str, dict[str, int]]:
        """How many there are, and the counts of the tabs."""
        context = self.page(**query).context
        return context["total"], {view.label: view.count for view in context["views"] if view.count}

    def test_few_finds_are_counted_and_of_many_the_first_are_shown(self) -> None:
        self.plant(FEW + 1)
        half = (FEW + 1) // 2
        assert self.found(q="scanner") == (f"{half:,}", {})
        assert self.found(q="scanner slow", state="all") == (f"more than {FEW:,}", {})
        many = self.page(q="scanner slow", state="all", page="999")
        assert many.context["page_obj"].number == FEW // PAGE_SIZE
        self.assertContains(many, f"here are the first {FEW:,}")
        last = Signal.unscoped.get(external_id="0")
        last.subject = "The scanner is quick"
        last.save()
        assert self.found(q="scanner slow") == (f"{half:,}", {"Open": half, "New": half, "All": FEW})
        assert self.found(q="zeppelin") == ("0", {})

    def test_many_more_tickets_take_no_more_queries(self) -> None:
        self.plant(3)
        self.page()
        asked = []
        for _ in range(2):
            with CaptureQueriesContext(database) as queries:
                self.page(q="scanner")
            asked.append(len(queries))
            Signal.unscoped.filter(subject__startswith="The scanner").delete()
            self.plant(60)
        assert asked[0] == asked[1]

    def test_a_search_finds_nothing_of_companies_that_one_may_not_see(self) -> None:
        self.plant(2)
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.theo, all_companies=False, companies=[self.pinewood]
        )
        assert self.found(q="scanner", state="all") == ("0", {})


class FilterTests(ListCase):
    def setUp(self) -> None:
        super().setUp()
        board = BoardFactory(organization=self.northwind, connection=self.psa, name="Alerts")
        SignalFactory(
            company=self.harlow, subject="VPN drops", board=board, priority="Priority 1 - Critical", assignee="Theo O"
        )
        SignalFactory(company=self.pinewood, subject="Printer jams", state=State.IN_REVIEW, external_id="777001")
        SignalFactory(company=self.harlow, subject="Done long ago", state=State.RESOLVED)
        SignalFactory(company=self.quayside, subject="A rival's ticket")
        self.board = board

    def test_open_signals_are_shown_first_and_all_on_demand(self) -> None:
        assert sorted(self.subjects()) == ["Printer jams", "VPN drops"]
        assert len(self.subjects(state="all")) == 3

    def test_each_filter_narrows_the_list(self) -> None:
        assert self.subjects(board=str(self.board.pk)) == ["VPN drops"]
        assert self.subjects(company=str(self.pinewood.pk)) == ["Printer jams"]
        assert self.subjects(priority="Priority 1 - Critical") == ["VPN drops"]
        assert self.subjects(assignee="Theo O") == ["VPN drops"]
        assert self.subjects(state="in_review") == ["Printer jams"]

    def test_a_source_that_cannot_be_read_is_said_before_one_that_was(self) -> None:
        now = timezone.now()
        SyncCursor.objects.create(organization=self.northwind, connection=self.psa, stream=STREAM, ran_at=now)
        assert self.page().context["read_line"].fine
        broken = ConnectionFactory(
            organization=self.northwind, vendor="ninjaone", label="NinjaOne", state="failing", state_detail="No keys."
        )
        earlier = now - timedelta(hours=1)
        SyncCursor.objects.create(organization=self.northwind, connection=broken, stream=STREAM, ran_at=earlier)
        self.assertContains(self.page(), "NinjaOne cannot be read: No keys.")

    def test_the_search_finds_number_subject_and_company(self) -> None:
        assert self.subjects(q="777001") == ["Printer jams"]
        assert self.subjects(q="jams print") == ["Printer jams"]
        assert self.subjects(q="harlow vpn") == ["VPN drops"]

    def test_a_filter_that_cannot_be_is_left_out(self) -> None:
        assert len(self.subjects(company="nobody", state="lost", page="9999")) == 2

    def test_the_tabs_count_under_the_other_filters(self) -> None:
        views = {view.label: view.count for view in self.page(company=str(self.harlow.pk)).context["views"]}
        assert views == {"Open": 1, "New": 1, "Needs review": 0, "Working": 0, "To review": 0, "All": 2}

    def test_no_filter_offers_a_rivals_company_or_words(self) -> None:
        choices = self.page().context["choices"]
        assert [label for _, label in choices["companies"]] == ["Harlow & Beck", "Pinewood Clinic"]

    def test_htmx_gets_only_the_rows(self) -> None:
        response = self.client.get(self.path("signals/"), headers={"hx-request": "true", "hx-target": "signal-rows"})
        assert b"<html" not in response.content
        assert b"VPN drops" in response.content

    def test_an_empty_search_says_that_nothing_fits(self) -> None:
        self.assertContains(self.page(q="nothing like it"), "No signal fits")


class RowTests(ListCase):
    def test_a_row_says_that_the_agent_waits_for_approval(self) -> None:
        signal = SignalFactory(company=self.harlow, state=State.TRIAGING)
        origin = OriginFactory(company=self.harlow, subject=signal.origin_subject)
        [row] = self.page().context["signals"]
        assert row.session_word == "Waiting for reply"
        Action.objects.create(
            organization=self.northwind,
            origin=origin,
            company=self.harlow,
            call_id="1",
            tool="connectwise.add_internal_note",
            title="Add a note",
            digest="0" * 64,
            state=Action.State.WAITING,
        )
        [row] = self.page().context["signals"]
        assert (row.session_word, row.session_tone) == ("Needs approval", "accent")

    def test_a_stopped_session_is_called_stopped(self) -> None:
        signal = SignalFactory(company=self.harlow, state=State.IN_REVIEW)
        OriginFactory(company=self.harlow, subject=signal.origin_subject, stopped_at=datetime.now(UTC))
        [row] = self.page().context["signals"]
        assert (row.session_word, row.state_word) == ("Stopped", "To review")
        assert Origin.unscoped.count() == 1

    def test_only_what_stands_of_an_ended_session_is_called_a_proposed_fix(self) -> None:
        signal = SignalFactory(company=self.harlow, state=State.IN_REVIEW)
        origin = OriginFactory(company=self.harlow, subject=signal.origin_subject, closed_at=datetime.now(UTC))
        action = ActionFactory(origin=origin, company=self.harlow, category="write", state=Action.State.DENIED)
        assert self.page().context["signals"][0].state_word == "To review"
        Action.unscoped.filter(pk=action.pk).update(state=Action.State.SUCCEEDED)
        assert self.page().context["signals"][0].state_word == "Proposed fix"

    def test_the_page_takes_the_same_number_of_queries_however_long(self) -> None:
        SignalFactory(company=self.harlow)
        self.page()
        with CaptureQueriesContext(database) as few:
            self.page()
        for _ in range(30):
            SignalFactory(company=self.harlow)
        with CaptureQueriesContext(database) as many:
            self.page()
        assert len(many) == len(few)

    def test_a_hostile_subject_is_shown_and_not_obeyed(self) -> None:
        SignalFactory(company=self.harlow, subject="<script>alert(1)</script>")
        response = self.page()
        self.assertNotContains(response, "<script>alert(1)")
        self.assertContains(response, "&lt;script&gt;alert(1)")


class WhoSeesTests(ListCase):
    def test_ines_sees_none_of_it(self) -> None:
        SignalFactory(company=self.harlow)
        self.log_in(self.ines)
        assert self.client.get(self.path("signals/")).status_code == 404
        response = self.client.get(self.path("signals/", organization=self.southgate))
        assert list(response.context["signals"]) == []

    def test_a_member_limited_to_one_company_sees_only_its_signals(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.theo, all_companies=False, companies=[self.harlow]
        )
        SignalFactory(company=self.harlow, subject="Mine")
        SignalFactory(company=self.pinewood, subject="Not mine")
        SignalFactory(organization=self.northwind, company=None, connection=self.psa, subject="Nobody's")
        assert self.subjects() == ["Mine"]


class NeighbourTests(ListCase):
    """Leafing through the open signals on their own pages, in the order of the list."""

    def test_a_walk_by_next_meets_every_open_signal_once_in_the_lists_order(self) -> None:
        same = datetime(2026, 11, 20, 9, tzinfo=UTC)
        for number in range(4):
            SignalFactory(company=self.harlow, subject=f"Together {number}", source_updated_at=same)
        SignalFactory(company=self.harlow, subject="Newest", source_updated_at=same.replace(hour=12))
        SignalFactory(company=self.harlow, subject="Over", state=State.RESOLVED)
        SignalFactory(company=self.quayside, subject="A rival's")
        listed = [row.path for row in self.page().context["signals"]]
        walked, place = [], listed[0]
        while place:
            walked.append(place)
            shown = self.client.get(place).context["neighbours"]
            assert (shown.position, shown.total) == (len(walked), 5)
            assert shown.previous_path == (walked[-2] if len(walked) > 1 else "")
            place = shown.next_path
        assert walked == listed
