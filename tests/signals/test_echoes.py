"""What Junto wrote itself comes back by poll, webhook or REST: it is stored, and starts nothing."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.utils import timezone

from approvals.models import Action
from integrations.marks import mark_of
from integrations.models import Connection, ExternalRef
from junto import engine
from signals.models import Signal, SignalNote
from tests.cases import JuntoTestCase, forget_calls
from tests.factories import ActionFactory, CompanyLinkFactory, ConnectionFactory, OriginFactory
from tests.signals.deliveries import START, deliver, note, stored, ticket


class EchoTestCase(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.psa: Connection = ConnectionFactory(organization=self.northwind)
        CompanyLinkFactory(company=self.harlow, connection=self.psa, external_id="250")
        deliver(self.psa, ticket(minute=1, notes=()))
        self.forget()

    def forget(self) -> None:
        self.commit()
        forget_calls()

    def rung(self) -> list[str]:
        """The tasks that the last delivery woke, but for the one that draws an open page again."""
        self.commit()
        found: list[str] = []
        for lane in ("news", "actions", "people", "polls", "default"):
            while (call := engine.take(lane)) is not None:
                found.append(call.task.module_path.rpartition(".")[2])
        return [name for name in found if name != "wake_ticket"]

    def wrote(self, tool: str, changes: list[tuple[str, str, str]] | None = None, **arguments: Any) -> Action:
        """An action of ours that runs, or has run, on the ticket."""
        origin = OriginFactory(company=self.harlow, subject=stored(self.psa).origin_subject)
        action: Action = ActionFactory(
            origin=origin,
            tool=tool,
            category="write",
            arguments=arguments,
            preview={"changes": changes or []},
            state=Action.State.CLAIMED,
            claimed_at=timezone.now(),
        )
        return action


class NoteTests(EchoTestCase):
    def test_a_note_that_comes_back_before_its_id_is_known_is_ours_by_its_text(self) -> None:
        action = self.wrote("connectwise.add_internal_note", text="Restarted the spooler.")
        said = f"Restarted the spooler.\n\n{mark_of(action.pk)}"
        deliver(self.psa, ticket(minute=2, notes=(note("77", said),)))
        assert self.rung() == []
        deliver(self.psa, ticket(minute=3, notes=(note("77", said), note("78", f"> {said}"))))
        assert "process_signal" in self.rung()

    def test_one_action_writes_one_note(self) -> None:
        self.wrote("connectwise.add_internal_note", text="Done.")
        deliver(self.psa, ticket(minute=2, notes=(note("77", "Done."), note("78", "Done."))))
        assert "process_signal" in self.rung()

    def test_the_text_of_our_time_entry_is_no_news(self) -> None:
        action = self.wrote("connectwise.add_time_entry", notes="Half an hour.")
        ExternalRef.objects.create(
            organization=self.northwind, connection=self.psa, kind="time_entry", external_id="9", action_id=action.pk
        )
        deliver(self.psa, ticket(minute=2, notes=(note("TimeEntryNote:9", "Half an hour."),)))
        assert self.rung() == []


class FieldTests(EchoTestCase):
    def test_the_status_that_we_set_comes_back_in_silence_and_is_stored(self) -> None:
        self.wrote("connectwise.set_ticket_status", [("Status", "New", "In Progress")], status_id=3)
        deliver(self.psa, ticket(updated_at=timezone.now(), status="In Progress", notes=()))
        assert (self.rung(), stored(self.psa).source_status) == ([], "In Progress")

    def test_what_a_person_sets_after_that_is_news(self) -> None:
        self.wrote("connectwise.set_ticket_status", [("Status", "New", "In Progress")], status_id=3)
        for minutes, status, is_news in ((1, "In Progress", False), (5, "New", True), (9, "In Progress", True)):
            deliver(self.psa, ticket(updated_at=timezone.now() + timedelta(minutes=minutes), status=status, notes=()))
            assert bool(self.rung()) is is_news, status

    def test_a_change_beside_ours_is_news(self) -> None:
        self.wrote("connectwise.set_ticket_status", [("Status", "New", "In Progress")], status_id=3)
        moved = ticket(updated_at=timezone.now(), status="In Progress", description="And now it burns.", notes=())
        deliver(self.psa, moved)
        assert "process_signal" in self.rung()

    def test_a_status_of_ours_that_closes_the_ticket_still_resolves_it(self) -> None:
        self.wrote("connectwise.set_ticket_status", [("Status", "New", "Closed")], status_id=9)
        deliver(self.psa, ticket(updated_at=timezone.now(), status="Closed", closed=True, notes=()))
        assert stored(self.psa).state == Signal.State.RESOLVED
        assert "end_stopped_sessions" in self.rung()


class ManyDeliveriesTests(EchoTestCase):
    """Revisions of many tickets, some delivered again, all shuffled: what is here is what the source has."""

    def run_deliveries(self, count: int, *, seed: int) -> None:
        dice = Random(seed)  # a test that can be told again
        tickets = max(count // 20, 1)
        newest: dict[str, int] = {}
        deliveries = []
        for _ in range(int(count * 0.7)):
            name = str(1000 + dice.randrange(tickets))
            newest[name] = newest.get(name, 0) + 1
            notes = tuple(note(f"{name}-{each}", f"Word {each}") for each in range(newest[name] % 4))
            deliveries.append(ticket(name, minute=newest[name], status=f"Step {newest[name]}", notes=notes))
        again = [dice.choice(deliveries) for _ in range(count - len(deliveries))]
        deliveries += again
        dice.shuffle(deliveries)
        while deliveries:
            size = dice.randrange(1, 60)
            deliver(self.psa, *deliveries[:size])
            del deliveries[:size]
            self.commit()
            forget_calls()
        rows = Signal.objects.for_organization(self.northwind).filter(connection=self.psa).exclude(external_id="48213")
        assert dict(rows.values_list("external_id", "source_status")) == {
            name: f"Step {last}" for name, last in newest.items()
        }
        for signal in rows:
            last = newest[signal.external_id]
            assert signal.source_updated_at == START + timedelta(minutes=last)
        held = SignalNote.objects.for_organization(self.northwind).filter(signal__in=rows)
        assert sorted(held.values_list("external_id", flat=True)) == sorted(
            f"{name}-{each}" for name, last in newest.items() for each in range(last % 4)
        )

    def test_shuffled_and_repeated_deliveries_end_as_the_source_has_it(self) -> None:
        self.run_deliveries(300, seed=1)

    @pytest.mark.deep
    def test_ten_thousand_deliveries_three_in_ten_of_them_twice(self) -> None:
        self.run_deliveries(10_000, seed=2)
