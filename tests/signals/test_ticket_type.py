"""Ticket type and priority: chosen step by step from ConnectWise's own lists, and never anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from integrations.contracts import Choice
from signals.models import ProcessorResult, ProcessorRule, ReviewItem, Signal
from signals.processing.corrections import CorrectionRefused, correct_value
from signals.processing.learning import train_processor
from signals.processors import processor_of
from signals.processors.base import (
    Abstained,
    Guess,
    Guesser,
    LiveLists,
    Outcome,
    Producer,
    Step,
    TicketFacts,
    Workbench,
)
from signals.processors.priority import Priority, PriorityOptions
from signals.processors.ticket_type import TicketType, TicketTypeOptions
from tests.factories import SignalFactory
from tests.signals.typing_cases import TypingCase

TYPE, PRIORITY = processor_of("ticket_type"), processor_of("priority")
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
LISTS = LiveLists(
    types=[Choice("1", "Email"), Choice("2", "Network")],
    subtypes=[Choice("11", "Outlook", frozenset({("1",)})), Choice("12", "VPN", frozenset({("2",)}))],
    items=[Choice("21", "One person", frozenset({("1", "11")}))],
    priorities=[Choice("1", "Priority 1 - Critical"), Choice("3", "Priority 3 - Normal")],
)


@dataclass(frozen=True)
class Sure:
    """Says of each step what it was told to say, as surely as it was told."""

    labels: dict[str, tuple[str, float]]
    name: str

    def guess(self, facts: TicketFacts) -> Guess | None:
        label, confidence = self.labels.get(self.name, ("", 0.0))
        return Guess(label, confidence, "It was told so.", Producer.LEARNED) if label else None


def bench(**labels: tuple[str, float]) -> Workbench:
    def of_step(step: Step) -> Sequence[Guesser]:
        return [Sure(labels, step.name)]

    return Workbench(of_step=of_step, lists=LISTS)


def facts(**fields: str) -> TicketFacts:
    return TicketFacts(
        subject="Outlook",
        description="",
        revision=1,
        created_at=NOW,
        updated_at=NOW,
        **fields,  # type: ignore[arg-type]
    )


def typed(facts: TicketFacts, options: TicketTypeOptions | None = None, **labels: tuple[str, float]) -> str:
    found = TYPE.run(facts, options or TicketTypeOptions(), bench(**labels))
    return found.value.words() if isinstance(found, Outcome) else ""


class TestSteps:
    def test_each_step_goes_with_the_one_above_and_the_whole_path_must_be_sure(self) -> None:
        sure = {"type": ("Email", 0.95), "subtype": ("Outlook", 0.9), "item": ("One person", 0.9)}
        assert typed(facts(), **sure) == "Email > Outlook > One person"
        assert typed(facts(), **sure | {"subtype": ("VPN", 0.99)}) == "Email"
        assert typed(facts(), **sure | {"item": ("One person", 0.7)}) == "Email > Outlook"

    def test_below_the_threshold_it_abstains_and_names_the_nearest(self) -> None:
        found = TYPE.run(facts(), TicketTypeOptions(), bench(type=("Email", 0.69)))
        assert isinstance(found, Abstained)
        assert found.nearest is not None
        assert found.nearest.value.words() == "Email"

    def test_changing_a_type_takes_more_than_setting_one(self) -> None:
        assert typed(facts(), type=("Email", 0.72)) == "Email"
        assert typed(facts(type="Network"), type=("Email", 0.84)) == ""
        assert typed(facts(type="Network"), type=("Email", 0.86)) == "Email"
        assert typed(facts(type="Email"), type=("Email", 0.72)) == "Email"

    def test_an_excluded_type_is_not_given_and_a_locked_one_stays(self) -> None:
        assert typed(facts(), TicketTypeOptions(excluded=("email",)), type=("Email", 1.0)) == ""
        assert typed(facts(type="Network"), TicketTypeOptions(locked=("Network",)), type=("Email", 1.0)) == ""

    def test_a_priority_is_one_of_the_lists_and_a_locked_one_stays(self) -> None:
        critical = bench(priority=("Priority 1 - Critical", 0.9))
        normal = facts(priority="Priority 3 - Normal")
        found = PRIORITY.run(normal, PriorityOptions(), critical)
        assert isinstance(found, Outcome)
        assert found.value == Priority(priority="Priority 1 - Critical")
        locked = PriorityOptions(locked=("Priority 3 - Normal",))
        assert isinstance(PRIORITY.run(normal, locked, critical), Abstained)
        assert isinstance(PRIORITY.run(normal, PriorityOptions(), bench(priority=("Urgent", 1.0))), Abstained)


class LiveListTests(TypingCase):
    def test_they_are_off_until_an_admin_switches_them_on(self) -> None:
        self.rule("ticket_type", "Email")
        assert self.standing(self.arrive()) is None

    def test_a_rule_gives_type_subtype_and_item_as_the_boards_lists_spell_them(self) -> None:
        self.switch("ticket_type")
        self.rule("ticket_type", "email > OUTLOOK > one person")
        row = self.standing(self.arrive())
        assert row is not None
        assert row.value == {"type": "Email", "subtype": "Outlook", "item": "One person"}
        assert row.producer == Producer.RULE

    def test_what_is_not_in_the_live_list_is_never_kept(self) -> None:
        self.switch("ticket_type")
        self.switch("priority")
        self.rule("ticket_type", "Gardening", "hedge")
        self.rule("ticket_type", "Email > VPN > Whole site")
        self.rule("priority", "Priority 9")
        assert self.words(self.arrive("The hedge is too high")) == ""
        signal = self.arrive()
        assert self.words(signal) == "email"
        assert self.standing(signal, "priority") is None
        for wrong in (TicketType(type="Gardening"), TicketType(type="Email", subtype="VPN")):
            with pytest.raises(CorrectionRefused, match="The ticket’s board has no"):
                correct_value(signal=signal, processor=TYPE, value=wrong, actor=self.actor(self.theo))
        correct_value(
            signal=signal, processor=TYPE, value=TicketType(type="Network", subtype="VPN"), actor=self.actor(self.theo)
        )
        assert self.words(signal) == "network > vpn"

    def test_a_rule_that_gives_what_no_board_has_is_refused(self) -> None:
        self.arrive()  # with its board
        self.log_in(self.adam)
        said = {"field": "subject", "operator": "contains", "value": "hedge\0row", "any": "all"}
        for wrong in ("Gardening", "> > >", "Email > VPN"):
            answer = self.client.post(self.path("processors/ticket_type/rules/"), {**said, "label": wrong})
            self.assertContains(answer, "in its lists: the rule would never give anything.", status_code=400)
        assert not ProcessorRule.unscoped.exists()
        answer = self.client.post(self.path("processors/ticket_type/rules/"), {**said, "label": "Email > Outlook"})
        assert answer.status_code == 302
        assert ProcessorRule.unscoped.get().conditions[0]["value"] == "hedgerow"

    def test_it_learns_each_step_from_closed_tickets(self) -> None:
        self.switch("ticket_type")
        for number in range(24):
            for path, words in (
                (("Email", "Outlook"), "Outlook mailbox calendar does not open, mail stays unsent"),
                (("Network", "VPN"), "VPN tunnel drops at home, no connection to the firewall"),
            ):
                SignalFactory(
                    company=self.harbor,
                    subject=f"{words} {number}",
                    type=path[0],
                    subtype=path[1],
                    closed_at_source=True,
                    state=Signal.State.RESOLVED,
                )
        assert train_processor(self.northwind, TYPE).problem == ""
        signal = self.arrive("Outlook mailbox stays unsent, calendar does not open")
        row = self.standing(signal)
        assert row is not None, list(ProcessorResult.objects.for_organization(self.northwind).values())
        assert (row.key, row.producer) == ("email > outlook", Producer.LEARNED)

    def test_a_source_that_does_not_answer_leaves_a_word_about_it_and_no_value(self) -> None:
        self.switch("ticket_type")
        self.rule("ticket_type", "Email")
        self.sandbox.fault("status", status=503, path="*/boards/*/types", count=None)
        signal = self.arrive()
        assert self.standing(signal) is None
        failed = ProcessorResult.objects.for_organization(self.northwind).get(signal=signal, processor="ticket_type")
        assert "ConnectWise" in failed.reason

    def test_an_unsure_type_waits_in_the_review_queue_with_the_boards_own_choices(self) -> None:
        self.switch("ticket_type")
        self.rule("ticket_type", "Email")
        signal = self.arrive()
        page = self.log_in(self.theo).get(self.path(f"signals/{signal.pk}/findings/ticket_type/")).content.decode()
        assert '<option value="Network">Network</option>' in page
        assert '<option value="Gardening">' not in page
        assert not ReviewItem.objects.for_organization(self.northwind).filter(processor="ticket_type").exists()
