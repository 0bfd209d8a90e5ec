"""Service levels: what an Admin sets, what is due on tickets, and the lists of those that need an eye."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from django.core.cache import cache
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from junto.audit.models import AuditEntry
from signals.models import ProcessorResult, ServiceClock, ServiceHours, ServiceTarget, Signal
from signals.service.clocks import keep_clocks
from signals.tasks import keep_service_clocks
from tests.cases import JuntoTestCase
from tests.factories import BoardFactory, CompanyFactory, ContactFactory, SignalFactory, SignalNoteFactory
from tests.signals.typing_cases import TypingCase

HOURS = {
    "time_zone": "Europe/Berlin",
    "holidays": "2026-12-25 Christmas Day",
    "waiting_statuses": "Waiting on client",
    "at_risk_percent": 50,
    "stale_days": 2,
    **{f"hours_{day}": "09:00-17:00" for day in range(5)},
}
#: A Friday, 16:00 in Berlin.
FRIDAY = datetime(2026, 11, 20, 15, tzinfo=UTC)


class ServiceCase(JuntoTestCase):
    def ticket(self, **more: Any) -> Signal:
        """A ticket of Harlow's that changed last when it was made, unless told otherwise."""
        made = more.setdefault("source_created_at", FRIDAY)
        signal: Signal = SignalFactory(company=self.harlow, **{"source_updated_at": made, **more})
        return signal

    def promise(self, **more: Any) -> ServiceTarget:
        row = {"response_minutes": 120, "resolution_minutes": 480, **more}
        return ServiceTarget.unscoped.create(organization=self.northwind, **row)

    def hours(self, **more: Any) -> ServiceHours:
        row = {"time_zone": "Europe/Berlin", "days": [[540, 1020]] * 5 + [None, None], **more}
        return ServiceHours.unscoped.create(organization=self.northwind, **row)

    def clock(self, signal: Signal) -> ServiceClock:
        keep_clocks(self.northwind)
        return ServiceClock.unscoped.get(signal=signal)

    def change(self, signal: Signal, **columns: Any) -> None:
        Signal.unscoped.filter(pk=signal.pk).update(changed_at=timezone.now(), **columns)


class ClockTests(ServiceCase):
    def test_due_times_are_reckoned_in_working_hours_from_when_the_ticket_was_made(self) -> None:
        self.hours()
        self.promise()
        clock = self.clock(self.ticket())
        assert clock.response_due_at == datetime(2026, 11, 23, 9, tzinfo=UTC)  # Monday, 10:00 in Berlin
        assert clock.resolution_due_at == datetime(2026, 11, 23, 15, tzinfo=UTC)
        assert (clock.pending, clock.due_at) == ("response", clock.response_due_at)

    def test_the_target_that_fits_best_counts(self) -> None:
        board = BoardFactory(organization=self.northwind)
        self.promise(response_minutes=60)
        self.promise(response_minutes=30, priority="Priority 1")
        self.promise(response_minutes=10, board=board, priority="Priority 1", around_the_clock=True)
        keep = {name: self.ticket(**more) for name, more in self.kinds(board).items()}
        keep_clocks(self.northwind)
        due = {name: ServiceClock.unscoped.get(signal=signal).response_due_at for name, signal in keep.items()}
        assert due["both"] == FRIDAY + timedelta(minutes=10)
        assert due["priority"] == FRIDAY + timedelta(minutes=30)
        assert due["board"] == FRIDAY + timedelta(minutes=60)

    @staticmethod
    def kinds(board: Any) -> dict[str, dict[str, Any]]:
        return {
            "both": {"board": board, "priority": "Priority 1"},
            "priority": {"priority": "Priority 1"},
            "board": {"board": board, "priority": "Priority 3"},
        }

    def test_a_note_that_the_client_sees_answers_and_one_of_the_contact_does_not(self) -> None:
        self.promise(around_the_clock=True)
        contact = ContactFactory(company=self.harlow, name="Dana Whitfield")
        signal = self.ticket(contact=contact)
        SignalNoteFactory(signal=signal, author="Dana Whitfield", internal=False, written_at=FRIDAY)
        assert self.clock(signal).responded_at is None
        at = FRIDAY + timedelta(hours=1)
        SignalNoteFactory(signal=signal, author="Theo Okafor", internal=False, written_at=at)
        self.change(signal)
        clock = self.clock(signal)
        assert (clock.responded_at, clock.pending) == (at, "resolution")

    def test_a_note_of_anybody_at_the_client_is_no_answer(self) -> None:
        self.promise(around_the_clock=True)
        ContactFactory(company=self.harlow, name="Wendy Sato", email="wendy@harlow.example")
        signal = self.ticket(contact=ContactFactory(company=self.harlow, name="Dana Whitfield"))
        theirs = ("Wendy Sato", "Sato, Wendy", "WENDY@harlow.example", "W. Sato <wendy@harlow.example>")
        for author in (*theirs, "new.person@harlow.example", "A new one <new@harlow.example>"):
            SignalNoteFactory(signal=signal, author=author, internal=False, written_at=FRIDAY)
        SignalNoteFactory(signal=signal, author="A new one", by_client=True, internal=False, written_at=FRIDAY)
        assert self.clock(signal).responded_at is None

    def test_where_nobody_wrote_in_a_contact_of_the_company_is_no_answer_and_one_of_another_company_is(self) -> None:
        ContactFactory(company=self.harlow, name="Dana Whitfield")
        ContactFactory(company=CompanyFactory(organization=self.northwind), name="Rosa Bell")
        mine = self.ticket()
        other = SignalFactory(organization=self.northwind, company=None, source_created_at=FRIDAY)
        for signal in (mine, other):
            SignalNoteFactory(signal=signal, author="Dana Whitfield", internal=False, written_at=FRIDAY)
        assert (self.clock(mine).responded_at, self.clock(other).responded_at) == (None, FRIDAY)
        SignalNoteFactory(signal=mine, author="Rosa Bell", internal=False, written_at=FRIDAY)
        self.change(mine)
        assert self.clock(mine).responded_at == FRIDAY

    def test_one_of_ours_answers_whatever_the_contacts_are_called(self) -> None:
        signal = self.ticket(contact=ContactFactory(company=self.harlow, name="Theo Okafor"))
        SignalNoteFactory(signal=signal, author="Theo Okafor", by_client=False, internal=False, written_at=FRIDAY)
        assert self.clock(signal).responded_at == FRIDAY

    def test_a_solution_is_not_due_while_the_ticket_waits_for_the_client_and_by_so_much_later_after(self) -> None:
        self.hours(waiting_statuses=["Waiting on client"])
        self.promise(response_minutes=None, around_the_clock=True)
        signal = self.ticket(source_status="waiting on CLIENT")
        assert (self.clock(signal).pending, self.clock(signal).due_at) == ("", None)
        self.change(signal, source_status="Working", source_updated_at=FRIDAY + timedelta(hours=5))
        clock = self.clock(signal)
        assert clock.due_at == FRIDAY + timedelta(hours=8 + 5)

    def waited(self, **target: Any) -> Signal:
        """One of priority 1 that waited from Friday 17:00 to Monday 9:00 in Berlin, a weekend that nobody works."""
        self.hours(waiting_statuses=["Waiting on client"])
        self.promise(response_minutes=None, **target)
        wait = {"source_status": "Waiting on client", "source_updated_at": FRIDAY + timedelta(hours=1)}
        signal = self.ticket(priority="Priority 1", **wait)
        self.clock(signal)
        self.change(signal, source_status="Working", source_updated_at=FRIDAY + timedelta(hours=65))
        return signal

    def test_what_it_waited_is_reckoned_by_the_hours_of_its_target_now_whichever_held_then(self) -> None:
        signal = self.waited(around_the_clock=True, priority="Priority 1")
        self.promise(response_minutes=None)
        assert self.clock(signal).due_at == FRIDAY + timedelta(hours=8 + 64)
        self.change(signal, priority="Priority 3")
        assert self.clock(signal).due_at == datetime(2026, 11, 23, 15, tzinfo=UTC)  # 8 working hours, none waited
        self.change(signal, priority="Priority 1")
        assert self.clock(signal).due_at == FRIDAY + timedelta(hours=8 + 64)

    def test_what_it_waited_is_reckoned_anew_when_the_hours_are_set_anew(self) -> None:
        signal = self.waited()
        assert self.clock(signal).due_at == datetime(2026, 11, 23, 15, tzinfo=UTC)
        self.log_in(self.adam)
        saturday = {"hours_5": "09:00-12:00", "waiting_statuses": "Waiting on client"}
        assert self.client.post(self.path("service/hours/"), {**HOURS, **saturday}).status_code == 302
        # of the 8 hours one passed on Friday; it waited the three of Saturday, and seven are left on Monday
        assert self.clock(signal).due_at == datetime(2026, 11, 23, 15, tzinfo=UTC)

    def test_two_waits_add_up_and_one_that_was_kept_in_seconds_stays_as_it_was(self) -> None:
        signal = self.waited(around_the_clock=True)
        ServiceClock.unscoped.filter(signal=signal).update(waited_seconds=3600)
        self.clock(signal)
        for status, hours in (("Waiting on client", 66), ("Working", 68)):
            self.change(signal, source_status=status, source_updated_at=FRIDAY + timedelta(hours=hours))
            clock = self.clock(signal)
        assert clock.due_at == FRIDAY + timedelta(hours=8 + 64 + 2 + 1)

    def test_a_ticket_that_was_deleted_merged_or_dismissed_is_not_solved_in_time(self) -> None:
        self.promise(resolution_minutes=6000)
        signal = self.ticket()
        self.clock(signal)
        for state, verdict in (("resolved", True), ("gone", False), ("merged", False), ("dismissed", False)):
            self.change(signal, state=state)
            assert bool(self.clock(signal).resolved_at) == verdict, state
            page = self.log_in(self.theo).get(self.path(f"signals/{signal.pk}/"))
            assert ("In time" in page.content.decode()) == verdict, state

    def test_a_target_that_is_set_counts_for_tickets_that_are_there(self) -> None:
        signal = self.ticket()
        assert self.clock(signal).due_at is None
        self.log_in(self.adam).post(self.path("service/targets/"), {"response_hours": "4", "clock": "always"})
        keep_service_clocks.call("")
        assert ServiceClock.unscoped.get(signal=signal).due_at == FRIDAY + timedelta(hours=4)

    def test_it_is_counted_how_often_a_ticket_is_opened_again_and_moved(self) -> None:
        signal = self.ticket()
        self.clock(signal)
        for state, assignee in (("resolved", ""), ("new", "Theo"), ("resolved", "Theo"), ("in_review", "Oskar")):
            self.change(signal, state=state, assignee=assignee)
            clock = self.clock(signal)
        assert (clock.reopened, clock.moved) == (2, 2)


class ListTests(ServiceCase):
    def subjects(self, kind: str) -> list[str]:
        page = self.log_in(self.theo).get(self.path(f"signals/?attention={kind}"))
        return sorted(row.subject for row in page.context["signals"])

    def fill(self) -> None:
        """One ticket of each kind, made so long ago that it is so now."""
        now = timezone.now()
        self.promise(response_minutes=100, resolution_minutes=None, around_the_clock=True)
        self.ticket(subject="Fresh", source_created_at=now)
        self.ticket(subject="Soon", source_created_at=now - timedelta(minutes=90))
        self.ticket(subject="Over", source_created_at=now - timedelta(minutes=110))
        old = self.ticket(subject="Old", source_created_at=now - timedelta(days=30))
        SignalNoteFactory(signal=old, internal=False)
        angry = self.ticket(subject="Angry", source_created_at=now)
        ProcessorResult.unscoped.create(
            organization=self.northwind,
            signal=angry,
            processor="sentiment",
            key="very_negative",
            producer="rule",
            revision=1,
        )
        keep_clocks(self.northwind)
        bounced = self.ticket(subject="Bounced", source_created_at=now)
        ServiceClock.unscoped.create(organization=self.northwind, signal=bounced, reopened=2)
        self.ticket(subject="Solved", source_created_at=now - timedelta(days=40), state="resolved")

    def test_each_list_holds_the_tickets_it_is_named_for_and_the_tabs_count_them(self) -> None:
        self.fill()
        assert self.subjects("at_risk") == ["Soon"]
        assert self.subjects("breached") == ["Over"]
        assert self.subjects("stale") == ["Old"]
        assert self.subjects("bouncing") == ["Bounced"]
        assert self.subjects("unhappy") == ["Angry"]
        page = self.log_in(self.theo).get(self.path("signals/"))
        assert {view.label: view.count for view in page.context["attention_views"]} == dict.fromkeys(
            ["At risk", "Breached", "Stale", "Bouncing", "Unhappy"], 1
        )

    def test_what_is_overdue_longest_comes_first_unless_another_order_is_asked_for(self) -> None:
        self.fill()
        now = timezone.now()
        self.ticket(
            subject="Long over", source_created_at=now - timedelta(days=1), source_updated_at=now - timedelta(hours=1)
        )
        keep_clocks(self.northwind)

        def listed(more: str) -> list[str]:
            page = self.log_in(self.theo).get(self.path(f"signals/?attention=breached{more}"))
            return [row.subject for row in page.context["signals"]]

        assert listed("") == ["Long over", "Over"]
        assert listed("&order=created") == ["Over", "Long over"]

    def test_list_and_page_say_what_is_due(self) -> None:
        self.fill()
        page = self.log_in(self.theo).get(self.path("signals/?attention=breached"))
        self.assertContains(page, "Response overdue")
        signal = Signal.unscoped.get(subject="Over")
        self.assertContains(self.client.get(self.path(f"signals/{signal.pk}/")), "Overdue since")

    def test_a_list_takes_the_same_number_of_queries_however_long(self) -> None:
        self.fill()
        self.subjects("breached")
        with CaptureQueriesContext(database) as few:
            self.subjects("breached")
        for _ in range(20):
            self.ticket(source_created_at=timezone.now() - timedelta(minutes=110))
        keep_clocks(self.northwind)
        with CaptureQueriesContext(database) as many:
            assert len(self.subjects("breached")) == 21
        assert len(many) == len(few)


class PageTests(ServiceCase):
    def test_an_admin_sets_hours_holidays_and_targets_and_it_is_noted(self) -> None:
        board = BoardFactory(organization=self.northwind)
        self.log_in(self.adam)
        assert self.client.post(self.path("service/hours/"), HOURS).status_code == 302
        said = {"board": str(board.pk), "response_hours": "1.5", "resolution_hours": "", "clock": "working"}
        assert self.client.post(self.path("service/targets/"), said).status_code == 302
        page = self.client.get(self.path("service/"))
        self.assertContains(page, "2026-12-25 Christmas Day")
        self.assertContains(page, "1 h 30 min")
        hours = ServiceHours.unscoped.get(organization=self.northwind)
        assert (hours.time_zone, hours.days[0], hours.days[6]) == ("Europe/Berlin", [[540, 1020]], None)
        verbs = AuditEntry.unscoped.filter(organization=self.northwind).values_list("verb", flat=True)
        assert {"service.hours_set", "service.target_set"} <= set(verbs)

    def test_a_ticket_s_page_tells_its_promises_by_the_organization_s_clock(self) -> None:
        self.hours()
        self.promise()
        signal = self.ticket()
        self.clock(signal)
        page = self.log_in(self.theo).get(self.path(f"signals/{signal.pk}/")).content.decode()
        assert "23 Nov 10:00 Europe/Berlin</time>" in page
        assert "23 Nov 16:00 Europe/Berlin</time>" in page

    def test_what_cannot_be_is_said_beside_the_form(self) -> None:
        self.log_in(self.adam)
        for wrong, words in (
            ({"time_zone": "Berlin"}, "There is no such time zone"),
            ({"hours_0": "9 to 5"}, "“9 to 5” is not understood. Write 08:00-17:00"),
            ({"hours_0": "08:00-25:00"}, "names a time that no clock shows"),
            ({"hours_0": "08:00-12:00, 11:00-17:00"}, "These hours overlap"),
            ({"hours_0": "22:00-10:00"}, "run into those of Tuesday"),
            ({f"hours_{day}": "" for day in range(5)}, "At least one day must be worked."),
            ({"holidays": "Christmas"}, "does not begin with a date"),
        ):
            answer = self.client.post(self.path("service/hours/"), {**HOURS, **wrong})
            self.assertContains(answer, words, status_code=400)
        answer = self.client.post(self.path("service/targets/"), {"clock": "working"})
        self.assertContains(answer, "Say how soon", status_code=400)

    def test_nights_and_breaks_are_shown_as_they_were_typed_and_tickets_are_due_by_them(self) -> None:
        self.log_in(self.adam)
        night = {f"hours_{day}": "22:00–6:00; 13:00-14:00" for day in range(5)}
        self.client.post(self.path("service/hours/"), {**HOURS, **night})
        self.assertContains(self.client.get(self.path("service/")), 'value="13:00-14:00, 22:00-06:00"', count=5)
        self.promise(resolution_minutes=None)
        clock = self.clock(self.ticket())  # a Friday, 16:00
        assert clock.response_due_at == datetime(2026, 11, 20, 23, tzinfo=UTC)  # midnight in Berlin

    def test_a_manager_may_not(self) -> None:
        assert self.log_in(self.mara).get(self.path("service/")).status_code == 403
        assert self.client.post(self.path("service/hours/"), HOURS).status_code == 403


class StatusTests(TypingCase):
    def setUp(self) -> None:
        super().setUp()
        self.arrive()
        self.log_in(self.adam)

    def save(self, *ticked: str, others: str = "", status: int = 302) -> Any:
        said = {**HOURS, "waiting_statuses": ticked, "other_statuses": others}
        answer = self.client.post(self.path("service/hours/"), said)
        assert answer.status_code == status, answer.content.decode()[:3000]
        return answer

    def waiting(self) -> list[str]:
        row: ServiceHours = ServiceHours.objects.for_organization(self.northwind).get()
        return list(row.waiting_statuses)

    def boxes(self, answer: Any = None) -> dict[str, bool]:
        """What the page offers, by its label, and whether it is ticked."""
        page = unescape((answer or self.client.get(self.path("service/"))).content.decode())
        found = re.findall(r'<input([^>]*name="waiting_statuses"[^>]*)><span[^>]*>([^<]*)</span>', page)
        return {label: " checked" in box for box, label in found}

    def psa_is_silent(self) -> None:
        cache.clear()
        self.sandbox.fault("status", status=500, count=None)

    def test_the_statuses_of_the_psas_boards_are_offered_and_what_is_ticked_is_kept(self) -> None:
        assert self.boxes()["Waiting on client"] is False
        self.save("Waiting on client")
        assert self.waiting() == ["Waiting on client"]
        assert [label for label, ticked in self.boxes().items() if ticked] == ["Waiting on client"]

    def test_they_stand_by_name_and_what_the_psa_calls_closed_is_left_out_unless_it_is_ticked(self) -> None:
        SignalFactory(company=self.harlow, source_status="On the shelf", closed_at_source=True)
        SignalFactory(company=self.harlow, source_status="asleep")
        SignalFactory(company=self.harlow, source_status="Closed")  # it came before the PSA called that closed
        labels = list(self.boxes())
        assert labels == sorted(labels, key=str.casefold)
        assert {"asleep", "Resolved"} < set(labels)  # where it is solved and may come back, the PSA has it open
        assert not {"Closed", "On the shelf"} & set(labels)
        self.save("Waiting on client", others="closed")
        labels = list(self.boxes())
        assert labels == sorted(labels, key=str.casefold)
        assert self.boxes()["closed (closes a ticket)"] is True
        self.save("Waiting on client")
        assert not [label for label in self.boxes() if label.casefold().startswith("closed")]

    def test_what_a_refusal_names_instead_is_by_name_and_nothing_that_closes(self) -> None:
        page = self.save(others="Wating on vendor", status=400).content.decode()
        named = page.split("It has: ")[1].split(".")[0].split(", ")
        assert named == sorted(named, key=str.casefold)
        assert "Closed" not in named

    def test_a_status_typed_in_another_case_is_the_one_that_is_ticked(self) -> None:
        self.save("Waiting on client", others="waiting on CLIENT")
        assert self.waiting() == ["Waiting on client"]
        ServiceHours.unscoped.update(waiting_statuses=["waiting on CLIENT"])
        assert self.boxes()["Waiting on client"] is True

    def test_a_status_that_the_psa_has_not_is_refused_with_the_ticks_kept_unless_nobody_can_be_asked(self) -> None:
        wrong = "Wating on vendor"
        answer = self.save("Waiting on client", others=wrong, status=400)
        self.assertContains(answer, f"The PSA has no status “{wrong}”", status_code=400)
        self.assertContains(answer, "It has: ", status_code=400)
        self.assertContains(answer, f'value="{wrong}"', status_code=400)
        assert self.boxes(answer)["Waiting on client"] is True
        self.psa_is_silent()
        self.save("Waiting on client", others=wrong)
        assert self.waiting() == ["Waiting on client", wrong]

    def test_one_that_the_psa_lost_is_marked_and_stays_until_it_is_taken_off(self) -> None:
        self.save("Waiting on client")
        ServiceHours.unscoped.update(waiting_statuses=["Waiting on client", "Parked, for now"])
        assert self.boxes()["Parked, for now (no status of the PSA)"] is True
        self.save("Waiting on client", "Parked, for now")
        assert self.waiting() == ["Waiting on client", "Parked, for now"]
        self.save("Waiting on client")
        assert self.waiting() == ["Waiting on client"]

    def test_while_the_psa_does_not_answer_those_of_tickets_and_those_chosen_are_offered_and_nothing_is_lost(
        self,
    ) -> None:
        self.save("Waiting on client")
        SignalFactory(company=self.harlow, source_status="On the shelf")
        self.psa_is_silent()
        self.assertContains(self.client.get(self.path("service/")), "The PSA was not asked just now")
        boxes = self.boxes()
        assert boxes["Waiting on client"] is True
        assert boxes["On the shelf"] is False
        self.save("Waiting on client", "On the shelf")
        assert self.waiting() == ["Waiting on client", "On the shelf"]
