"""Tickets become signals: the newest revision wins, whatever comes how often and in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import ClassVar

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pydantic import JsonValue

from approvals.models import Origin
from integrations.models import Connection, ExternalRef
from junto import engine
from junto.tenants.permissions import PermissionDenied
from signals.intake.columns import MOST_NOTES, RAW_LIMIT, TEXT_LIMIT
from signals.intake.fitting import fitted
from signals.intake.outcomes import Outcome
from signals.models import Signal, SignalNote
from signals.services import map_company, upsert_signals
from tests.cases import JuntoTestCase
from tests.factories import CompanyLinkFactory, ConnectionFactory, ContactFactory, DeviceFactory, OriginFactory
from tests.signals.deliveries import START, deliver, note, stored, ticket

State = Signal.State


class UpsertCase(JuntoTestCase):
    """Northwind's PSA knows Harlow & Beck as company 250 and Pinewood as 251."""

    psa: ClassVar[Connection]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.psa = ConnectionFactory(organization=cls.northwind)
        CompanyLinkFactory(company=cls.harlow, connection=cls.psa, external_id="250")
        CompanyLinkFactory(company=cls.pinewood, connection=cls.psa, external_id="251")


class NewerRevisionTests(UpsertCase):
    def test_a_first_delivery_creates_a_new_signal_of_the_linked_company(self) -> None:
        [result] = deliver(self.psa, ticket(priority="Priority 2 - High"))
        signal = stored(self.psa)
        assert (result.outcome, result.signal_id) == ("created", signal.pk)
        assert (signal.company, signal.state, signal.board and signal.board.name) == (
            self.harlow,
            State.NEW,
            "Service Desk",
        )

    def test_a_newer_revision_overwrites_an_older_one_does_not_and_a_repeat_changes_nothing(self) -> None:
        deliver(self.psa, ticket(minute=5))
        [newer] = deliver(self.psa, ticket(minute=9, subject="Outlook is fine again"))
        [older] = deliver(self.psa, ticket(minute=7, subject="An old word"))
        [again] = deliver(self.psa, ticket(minute=9, subject="Outlook is fine again"))
        assert (newer.outcome, older.outcome, again.outcome) == ("updated", "stale", "unchanged")
        assert stored(self.psa).subject == "Outlook is fine again"

    def test_one_delivery_with_two_revisions_of_a_ticket_keeps_the_newer(self) -> None:
        results = deliver(self.psa, ticket(minute=9, subject="New"), ticket(minute=5, subject="Old"))
        assert [result.outcome for result in results] == ["created", "stale"]
        assert stored(self.psa).subject == "New"

    def test_a_revision_from_the_far_future_is_refused_as_it_would_shut_out_all_later_ones(self) -> None:
        [result] = deliver(self.psa, ticket(updated_at=timezone.now() + timedelta(days=300)))
        assert result.outcome == "refused"
        assert "in the future" in result.reason

    def test_another_organizations_sync_may_not_write_here(self) -> None:
        with pytest.raises(PermissionDenied):
            upsert_signals(connection=self.psa, tickets=[ticket()], actor=self.actor(self.ines))

    def test_a_thousand_tickets_take_few_queries(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            deliver(self.psa, *[ticket(str(number), notes=(note(f"{number}-1"),)) for number in range(1000)])
        assert len(queries) < 100

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="its planner keeps no statistics: the query decides")
    def test_new_tickets_are_brought_in_without_reading_the_others_of_the_organization(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            deliver(self.psa, *[ticket(str(number)) for number in range(500)])
        plans = []
        for query in queries:
            if query["sql"].startswith(("SELECT", "UPDATE")):
                with connection.cursor() as cursor:
                    cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                    plans += [row[3] for row in cursor.fetchall() if "signals_signal " in f"{row[3]} "]
        assert plans
        assert not [plan for plan in plans if "SCAN" in plan or "(organization_id=?)" in plan]

    def test_a_thousand_repeats_take_fewer_queries_than_the_first_time_and_write_nothing(self) -> None:
        tickets = [ticket(str(number), notes=(note(f"{number}-1"),)) for number in range(1000)]
        deliver(self.psa, *tickets)
        with CaptureQueriesContext(connection) as queries:
            results = deliver(self.psa, *tickets)
        assert {result.outcome for result in results} == {"unchanged"}
        assert len(queries) < 50
        assert not [query["sql"] for query in queries if query["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]


class SameSecondTests(UpsertCase):
    """The vendor stamps whole seconds, so two changes may bear one stamp."""

    def test_a_second_change_in_the_same_second_is_not_lost(self) -> None:
        deliver(self.psa, ticket(minute=5, status="New"))
        [second] = deliver(self.psa, ticket(minute=5, status="Closed", closed=True, notes=(note("1"),)))
        signal = stored(self.psa)
        assert (second.outcome, signal.source_status, signal.state) == ("updated", "Closed", State.RESOLVED)
        assert [one.external_id for one in signal.notes.all()] == ["1"]

    def test_a_note_alone_that_came_in_the_same_second_is_not_lost(self) -> None:
        deliver(self.psa, ticket(minute=5, notes=()))
        deliver(self.psa, ticket(minute=5, notes=(note("1"),)))
        assert [one.external_id for one in stored(self.psa).notes.all()] == ["1"]

    def test_a_move_in_the_same_second_stops_what_was_running(self) -> None:
        deliver(self.psa, ticket(minute=5))
        signal = stored(self.psa)
        origin = OriginFactory(company=self.harlow, subject=signal.origin_subject, revision=signal.revision)
        deliver(self.psa, ticket(minute=5, company_external_id="251"))
        assert stored(self.psa).company == self.pinewood
        assert Origin.unscoped.get(pk=origin.pk).stopped_at is not None

    def test_a_deletion_in_the_same_second_wins_whenever_it_comes(self) -> None:
        deliver(self.psa, ticket("1", minute=5))
        deliver(self.psa, ticket("1", minute=5, deleted=True))
        [late] = deliver(self.psa, ticket("1", minute=5, status="Closed"))
        assert (stored(self.psa, "1").state, late.outcome) == (State.GONE, "stale")
        results = deliver(self.psa, ticket("2", minute=5, deleted=True), ticket("2", minute=5))
        assert [result.outcome for result in results] == ["gone", "stale"]

    def test_of_two_in_one_delivery_the_last_wins(self) -> None:
        results = deliver(self.psa, ticket(minute=5, subject="First"), ticket(minute=5, subject="Second"))
        assert [result.outcome for result in results] == ["stale", "created"]
        assert stored(self.psa).subject == "Second"

    def test_a_company_that_a_person_chose_outlives_a_repeat(self) -> None:
        deliver(self.psa, ticket(minute=5))
        map_company(signal=stored(self.psa), company=self.pinewood, actor=self.actor(self.theo))
        [again] = deliver(self.psa, ticket(minute=5))
        assert (again.outcome, stored(self.psa).company) == ("unchanged", self.pinewood)


class BadTicketTests(UpsertCase):
    def test_a_bad_ticket_does_not_sink_the_rest(self) -> None:
        results = deliver(self.psa, ticket("1"), ticket("2", company_external_id="x" * 100), ticket("3"))
        assert [result.outcome for result in results] == ["created", "refused", "created"]
        assert "company has 100 characters" in results[1].reason

    def test_a_ticket_of_ten_megabytes_is_refused_with_its_size_and_the_limit(self) -> None:
        [result] = deliver(self.psa, ticket(description="x" * 10 * 1024 * 1024))
        assert result.outcome == "refused"
        assert "10.0 MiB of text, the limit is 1.0 MiB" in result.reason

    def test_one_too_large_that_the_poll_read_is_cut_keeps_its_newest_notes_and_waits_until_it_fits(self) -> None:
        late = replace(note("2", "Replaced the disk."), written_at=START + timedelta(minutes=3))
        notes = (note("1", "é" * TEXT_LIMIT), late)
        [result] = deliver(self.psa, fitted(ticket(minute=5, description="x" * TEXT_LIMIT, notes=notes)))
        signal = stored(self.psa)
        assert (result.outcome, signal.state) == ("created", State.NEEDS_REVIEW)
        assert "too large to be kept whole: it holds 3.0 MiB" in signal.state_reason
        assert "Cut off here" in signal.description
        assert len(signal.description) > TEXT_LIMIT // 3
        assert signal.notes.get(external_id="2").text == "Replaced the disk."
        deliver(self.psa, fitted(ticket(minute=6, description="Shorter now.", notes=(late,))))
        assert (stored(self.psa).state, stored(self.psa).left_out) == (State.NEW, "")

    def test_one_with_too_many_notes_or_too_large_a_record_is_taken_in_without_the_oldest_and_without_it(self) -> None:
        notes = tuple(replace(note(str(n)), written_at=START + timedelta(seconds=n)) for n in range(MOST_NOTES + 5))
        deliver(self.psa, fitted(ticket(notes=notes, raw={"log": "x" * RAW_LIMIT})))
        signal = stored(self.psa)
        assert (signal.notes.count(), signal.raw) == (MOST_NOTES, {})
        assert not signal.notes.filter(external_id="4").exists()
        assert "1,005 notes" in signal.left_out

    def test_control_and_zero_width_characters_stay_but_nul_and_half_surrogates_go(self) -> None:
        deliver(self.psa, ticket(description="a\x00b\x07\u200bc\ud800", raw={"summary": "a\x00\u200b\ud800"}))
        signal = stored(self.psa)
        assert signal.description == "ab\x07\u200bc\ufffd"
        assert signal.raw == {"summary": "a\u200b\ufffd"}

    def test_a_record_nested_too_deeply_or_with_an_endless_number_is_refused(self) -> None:
        deep: JsonValue = "\0"
        for _ in range(60):
            deep = [deep]
        results = deliver(self.psa, ticket("1", raw=deep), ticket("2", raw={"n": 10**5000}), ticket("3", raw={"n": 1}))
        assert [result.outcome for result in results] == ["refused", "refused", "created"]
        assert "deeper than 50 levels" in results[0].reason

    def test_more_notes_or_devices_than_a_ticket_can_have_are_refused(self) -> None:
        notes = tuple(note(str(number)) for number in range(1001))
        results = deliver(self.psa, ticket("1", notes=notes), ticket("2", device_external_ids=("7",) * 101))
        assert [result.reason for result in results] == [
            "The ticket has 1,001 notes, the limit is 1,000.",
            "The ticket has 101 devices, the limit is 100.",
        ]

    def test_a_long_subject_is_cut_and_stands_whole_in_the_description(self) -> None:
        whole = "Outlook " * 60
        deliver(self.psa, ticket(subject=whole, description="See above."))
        signal = stored(self.psa)
        assert len(signal.subject) == 300
        assert signal.description == f"{whole.strip()}\n\nSee above."


class StateTests(UpsertCase):
    def test_an_unknown_company_waits_for_review_with_the_reason(self) -> None:
        [result] = deliver(self.psa, ticket(company_external_id="999", company_name="Larkspur"))
        signal = stored(self.psa)
        assert (signal.state, signal.company) == (State.NEEDS_REVIEW, None)
        assert (
            result.reason
            == signal.state_reason
            == "Company Larkspur (999) of the source is not linked to a company here."
        )

    def test_closing_and_reopening_at_the_source_resolves_and_renews(self) -> None:
        deliver(self.psa, ticket(minute=1))
        deliver(self.psa, ticket(minute=2, closed=True))
        assert stored(self.psa).state == State.RESOLVED
        deliver(self.psa, ticket(minute=3))
        assert stored(self.psa).state == State.NEW

    def test_a_deletion_leaves_a_tombstone_with_what_was_known(self) -> None:
        deliver(self.psa, ticket(minute=1))
        [result] = deliver(self.psa, ticket(minute=2, subject="", company_external_id="", deleted=True))
        signal = stored(self.psa)
        assert (result.outcome, signal.state) == ("gone", State.GONE)
        assert (signal.subject, signal.company) == ("Outlook keeps asking for the password", self.harlow)

    def test_what_people_resolved_stays_resolved_while_the_source_goes_on(self) -> None:
        deliver(self.psa, ticket(minute=1))
        stored(self.psa).move(to=State.RESOLVED, frm=[State.NEW])
        deliver(self.psa, ticket(minute=2, status="In progress"))
        assert stored(self.psa).state == State.RESOLVED

    def test_a_company_that_a_person_chose_stays_until_the_source_names_another(self) -> None:
        deliver(self.psa, ticket(minute=1, company_external_id=""))
        map_company(signal=stored(self.psa), company=self.harlow, actor=self.actor(self.theo))
        deliver(self.psa, ticket(minute=2, company_external_id=""))
        assert (stored(self.psa).company, stored(self.psa).state) == (self.harlow, State.NEW)
        deliver(self.psa, ticket(minute=3, company_external_id="251"))
        assert stored(self.psa).company == self.pinewood


class MoveTests(UpsertCase):
    def setUp(self) -> None:
        super().setUp()
        deliver(self.psa, ticket(minute=1))
        self.signal = stored(self.psa)
        self.signal.move(to=State.TRIAGING, frm=[State.NEW])
        self.origin = OriginFactory(company=self.harlow, subject=self.signal.origin_subject)

    def test_a_move_to_another_company_stops_what_was_running_and_starts_over(self) -> None:
        deliver(self.psa, ticket(minute=2, company_external_id="251"))
        assert (stored(self.psa).company, stored(self.psa).state) == (self.pinewood, State.NEW)
        assert Origin.unscoped.get(pk=self.origin.pk).stopped_at is not None

    def test_a_newer_revision_of_the_same_company_is_told_to_the_session_and_stops_nothing(self) -> None:
        deliver(self.psa, ticket(minute=2))
        origin = Origin.unscoped.get(pk=self.origin.pk)
        assert (origin.revision, origin.stopped_at) == (stored(self.psa).revision, None)
        assert stored(self.psa).state == State.TRIAGING

    def test_a_deletion_stops_what_was_running(self) -> None:
        deliver(self.psa, ticket(minute=2, deleted=True))
        assert Origin.unscoped.get(pk=self.origin.pk).stop_reason == "The ticket was deleted at the source."

    def test_a_merge_stops_what_was_running_and_says_into_which_ticket_whatever_comes_after(self) -> None:
        deliver(self.psa, ticket(minute=2, merged_into="48300", closed=True))
        words = "Merged into ticket 48300 at the source."
        assert (stored(self.psa).state, stored(self.psa).state_reason) == (State.MERGED, words)
        assert Origin.unscoped.get(pk=self.origin.pk).stop_reason == words
        deliver(self.psa, ticket(minute=3))
        assert (stored(self.psa).state, stored(self.psa).state_reason) == (State.MERGED, words)

    def test_a_ticket_merged_into_itself_is_refused_and_nothing_stops(self) -> None:
        own = stored(self.psa).external_id
        result = deliver(self.psa, ticket(minute=2, merged_into=own, closed=True))[0]
        assert (result.outcome, result.reason) == (Outcome.REFUSED, "merged_into names the ticket itself.")
        assert Origin.unscoped.get(pk=self.origin.pk).stopped_at is None

    def test_of_two_tickets_merged_into_each_other_one_goes_on(self) -> None:
        deliver(self.psa, ticket(minute=2, merged_into="48300", closed=True))
        deliver(self.psa, ticket("48300", minute=3, merged_into="48213"))
        again = deliver(self.psa, ticket("48300", minute=3, merged_into="48213"))[0]
        assert again.outcome == Outcome.UNCHANGED
        assert (stored(self.psa).state, stored(self.psa).merged_into) == (State.MERGED, "48300")
        other = stored(self.psa, "48300")
        assert (other.state, other.merged_into, other.state_reason) == (State.NEW, "", "")

    def test_nor_do_three_merged_in_a_circle_by_one_delivery_all_end(self) -> None:
        circle = [("48301", "48302"), ("48302", "48303"), ("48303", "48301")]
        deliver(self.psa, *(ticket(one, minute=2, merged_into=into) for one, into in circle))
        states = {one: (stored(self.psa, one).state, stored(self.psa, one).merged_into) for one, _ in circle}
        assert states == {
            "48301": (State.NEW, ""),
            "48302": (State.MERGED, "48303"),
            "48303": (State.MERGED, "48301"),
        }

    def test_a_row_from_before_keeps_where_it_was_merged_to(self) -> None:
        rows = Signal.objects.for_organization(self.northwind)
        deliver(self.psa, ticket(minute=2, merged_into="48300"), ticket("5", merged_into="6"), ticket("7"))
        rows.update(merged_into="")
        rows.filter(external_id="5").update(state_reason="It repeats signal 6.")
        fill = import_module("signals.migrations.0029_fill_merged_into").fill
        fill(apps, SimpleNamespace(connection=connection))
        assert dict(rows.values_list("external_id", "merged_into")) == {"48213": "48300", "5": "", "7": ""}

    def test_a_ticket_that_loses_its_company_in_mid_session_stops_and_waits_for_a_person(self) -> None:
        deliver(self.psa, ticket(minute=2, company_external_id=""))
        assert (stored(self.psa).state, stored(self.psa).company) == (State.NEEDS_REVIEW, None)
        assert Origin.unscoped.get(pk=self.origin.pk).stopped_at is not None


class RelationTests(UpsertCase):
    def test_contact_and_device_count_only_for_the_tickets_own_company(self) -> None:
        ContactFactory(company=self.pinewood, connection=self.psa, external_id="7")
        device = DeviceFactory(company=self.harlow, connection=self.psa, external_id="9")
        deliver(self.psa, ticket(contact_external_id="7", device_external_ids=("9",)))
        signal = stored(self.psa)
        assert (signal.contact, signal.device) == (None, device)

    def test_notes_follow_the_source_and_stay_when_it_sends_none(self) -> None:
        deliver(self.psa, ticket(minute=1, notes=(note("1"), note("2"))))
        deliver(self.psa, ticket(minute=2, notes=(note("2", "Fixed."), note("3", internal=False))))
        deliver(self.psa, ticket(minute=3, notes=None))
        notes = SignalNote.objects.for_organization(self.northwind).order_by("external_id")
        assert [(one.external_id, one.text, one.internal) for one in notes] == [
            ("2", "Fixed.", True),
            ("3", "Called, still broken.", False),
        ]

    def test_a_renamed_board_is_renamed_here(self) -> None:
        deliver(self.psa, ticket("1"), ticket("2", board_name="Help Desk"))
        deliver(self.psa, ticket("3", board_name="Help Desk"))
        assert stored(self.psa, "1").board.name == "Help Desk"


class BellTests(UpsertCase):
    def rung(self) -> int:
        """How many calls the last delivery left for the workers."""
        callbacks, connection.run_on_commit = connection.run_on_commit, []
        for _sids, callback, _robust in callbacks:
            callback()
        return engine.forget()

    def test_our_own_note_coming_back_rings_nothing_and_another_does(self) -> None:
        deliver(self.psa, ticket(minute=1, notes=()))
        assert self.rung() > 0
        ExternalRef.objects.create(
            organization=self.northwind, connection=self.psa, kind="note", external_id="77", action_id=self.harlow.pk
        )
        deliver(self.psa, ticket(minute=2, notes=(note("77"),)))
        assert self.rung() == 0
        deliver(self.psa, ticket(minute=3, notes=(note("77"), note("78"))))
        assert self.rung() > 0
