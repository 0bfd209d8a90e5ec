"""Of a value that changed at the ticket's source it is known whether we set it, or somebody else did."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F

from approvals.models import Action
from signals.models import ProcessorResult, Signal
from signals.processors.base import Producer
from tests.signals.test_write_back import WriteBackCase

LOW, HIGH, CRITICAL = "Priority 4 - Low", "Priority 2 - High", "Priority 1 - Critical"


class WhoseValueTests(WriteBackCase):
    """The priority and the type of a ticket about Outlook are written under an Admin's grant."""

    def setUp(self) -> None:
        super().setUp()
        self.rule("priority", CRITICAL)
        self.grant()
        self.grant_priority()

    def grant_priority(self) -> None:
        self.client.post(self.path("processors/priority/switch/"), {"enabled": "on"})
        said = {"certainty": "0.7", "change_certainty": "0.8", "write_back": "on", "most_a_day": "100"}
        answer = self.client.post(self.path("processors/priority/options/"), {**said, "model_daily": "0"})
        assert answer.status_code == 302, answer.content.decode()[:2000]

    def written_unread(self) -> Signal:
        """Both values are written, and no reading has told of them yet."""
        number = self.sandbox.plant_ticket("Outlook is slow", priority=LOW)
        self.take_in(number)
        self.drain()
        signal = Signal.objects.for_organization(self.northwind).get(external_id=str(number))
        assert len(self.written()) == 2, [action.reason for action in self.actions(signal)]
        return signal

    def stands(self, signal: Signal, slug: str) -> tuple[str, str]:
        row = self.standing(signal, slug)
        return (row.key, row.producer) if row else ("", "")

    def set_there(self, signal: Signal, name: str) -> None:
        """A dispatcher sets the priority, and the source tells of it."""
        self.sandbox.change_ticket(int(signal.external_id), priority={"name": name})
        self.read(signal.external_id)

    def test_two_values_of_ours_that_come_back_together_are_nobody_else_s(self) -> None:
        signal = self.read(self.written_unread().external_id)
        assert (signal.type, signal.priority) == ("Email", CRITICAL)
        assert self.stands(signal, "priority") == (CRITICAL.casefold(), Producer.RULE)
        assert self.stands(signal, "ticket_type") == ("email > outlook", Producer.RULE)
        assert not ProcessorResult.unscoped.filter(producer=Producer.PERSON).exists()

    def test_where_the_source_s_clock_is_ahead_ours_is_ours_all_the_same(self) -> None:
        signal = self.written_unread()
        Signal.unscoped.filter(pk=signal.pk).update(source_updated_at=F("source_updated_at") + timedelta(hours=2))
        self.read(signal.external_id)
        assert self.stands(signal, "priority") == (CRITICAL.casefold(), Producer.RULE)

    def test_what_a_person_changed_beside_ours_is_theirs_and_ours_is_ours(self) -> None:
        signal = self.written_unread()
        self.sandbox.change_ticket(int(signal.external_id), type={"name": "Network"}, subType=None)
        self.read(signal.external_id)
        assert self.stands(signal, "priority") == (CRITICAL.casefold(), Producer.RULE)
        assert self.stands(signal, "ticket_type") == ("network", Producer.PERSON)

    def test_a_person_who_sets_again_what_we_had_set_is_taken_at_their_word(self) -> None:
        signal = self.read(self.written_unread().external_id)
        for name in (LOW, CRITICAL):
            self.set_there(signal, name)
            assert self.stands(signal, "priority") == (name.casefold(), Producer.PERSON)

    def test_what_a_person_set_back_before_our_write_was_read_is_theirs(self) -> None:
        signal = self.written_unread()
        Action.unscoped.update(finished_at=F("finished_at") - timedelta(minutes=1))
        self.set_there(signal, LOW)
        assert self.stands(signal, "priority") == (LOW.casefold(), Producer.PERSON)
        assert self.stands(signal, "ticket_type") == ("email > outlook", Producer.RULE)
        self.set_there(signal, LOW)
        assert ProcessorResult.unscoped.filter(producer=Producer.PERSON).count() == 1

    def test_what_may_have_been_read_before_our_write_is_nobody_s_word(self) -> None:
        signal = self.written_unread()
        self.set_there(signal, LOW)  # so soon after it that clocks may differ by more
        assert self.stands(signal, "priority") == (CRITICAL.casefold(), Producer.RULE)

    def test_what_an_older_write_of_ours_had_set_is_a_person_s_once_a_newer_one_set_another(self) -> None:
        signal = self.read(self.written_unread().external_id)
        for step, value in (("revert", {"result": str(self.row(signal).pk)}), ("correct", {"priority": CRITICAL})):
            self.log_in(self.theo).post(self.path(f"signals/{signal.pk}/findings/priority/{step}/"), value)
            self.drain()
            self.read(signal.external_id)
        assert [action.preview["sets"]["priority"]["name"] for action in self.of_priority()] == [
            CRITICAL,
            LOW,
            CRITICAL,
        ]
        self.set_there(signal, LOW)
        assert self.stands(signal, "priority") == (LOW.casefold(), Producer.PERSON)
        assert self.row(signal).set_at_source

    def of_priority(self) -> list[Action]:
        rows = Action.unscoped.filter(state=Action.State.SUCCEEDED).order_by("claimed_at")
        return [action for action in rows if "priority" in action.preview.get("sets", {})]

    def row(self, signal: Signal) -> ProcessorResult:
        row = self.standing(signal, "priority")
        assert row is not None
        return row
