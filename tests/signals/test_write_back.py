"""What processors find goes to ConnectWise under an Admin's grant, once, and never over a person's word."""

from __future__ import annotations

from contextlib import closing
from typing import Any
from uuid import uuid4

from approvals.models import Action, ApprovalPolicy, Grant, Origin
from approvals.services import Verdict, decide_action, open_origin, propose_action
from integrations.services import open_ticket_source
from junto.tenants.models import Membership
from signals.models import ProcessorResult, ProcessorSetting, Signal
from signals.processing.corrections import correct_value
from signals.processors import processor_of
from signals.processors.base import Producer
from signals.processors.ticket_type import TicketType
from signals.sync.live_lists import lists_of_signal
from signals.tasks import process_signal, write_back
from tests.signals.typing_cases import TypingCase

TYPE = processor_of("ticket_type")
OPTIONS = {
    "confidence": "0.7",
    "reclassify": "0.85",
    "write_back": "on",
    "most_a_day": "100",
    "ask_model": "",
    "model_daily": "0",
}


class WriteBackCase(TypingCase):
    def setUp(self) -> None:
        super().setUp()
        self.arrive("The first ticket brings its board")
        self.rule("ticket_type", "Email > Outlook")

    def grant(self, **options: str) -> None:
        """Adam switches it on, and saves its options."""
        self.log_in(self.adam)
        self.client.post(self.path("processors/ticket_type/switch/"), {"enabled": "on"})
        answer = self.client.post(self.path("processors/ticket_type/options/"), OPTIONS | options)
        assert answer.status_code == 302, answer.content.decode()[:2000]

    def actions(self, signal: Signal) -> list[Action]:
        rows = Action.objects.for_organization(self.northwind).filter(origin__subject=signal.origin_subject)
        return list(rows.order_by("created_at"))

    def at_vendor(self, signal: Signal) -> list[str]:
        """Type and subtype as ConnectWise really has them."""
        with closing(open_ticket_source(self.connection)) as source:
            ticket = source.ticket(signal.external_id)
        return [ticket.type, ticket.subtype]

    def written(self) -> list[tuple[str, Any]]:
        return [(row["path"].rpartition("/tickets/")[2], row["body"]) for row in self.sandbox.effects()]

    def asked(self, **ticket: Any) -> Signal:
        """A ticket whose change was allowed and has not left yet."""
        number = self.sandbox.plant_ticket("Outlook is slow", **ticket)
        self.take_in(number)
        self.forget_bells()
        signal = Signal.objects.for_organization(self.northwind).get(external_id=str(number))
        process_signal.call(str(signal.pk))
        return signal

    def propose(self, signal: Signal) -> None:
        row = ProcessorResult.objects.for_organization(self.northwind).current().get(signal=signal, processor=TYPE.slug)
        write_back.call(str(row.pk))


class GrantTests(WriteBackCase):
    def test_under_the_admins_grant_the_type_is_written_once_and_its_echo_starts_nothing(self) -> None:
        self.grant()
        page = self.client.get(self.path("processors/ticket_type/")).content.decode()
        assert "Adam Reyes answers for this" in page
        assert "Ticket type may set type" in page
        signal = self.arrive()
        (action,) = self.actions(signal)
        assert (action.state, action.reason) == (Action.State.SUCCEEDED, "")
        assert action.grant is not None
        assert action.grant.issued_by == self.adam
        assert action.unattended
        assert self.at_vendor(signal) == ["Email", "Outlook"]
        assert [path for path, _ in self.written()] == [signal.external_id]
        rows = ProcessorResult.objects.for_organization(self.northwind).filter(signal=signal).count()
        self.forget_bells()
        self.take_in(signal.external_id)
        signal.refresh_from_db()
        assert (signal.type, signal.awaits_processors) == ("Email", False)
        self.drain()
        assert ProcessorResult.objects.for_organization(self.northwind).filter(signal=signal).count() == rows
        assert len(self.written()) == 1

    def test_without_a_grant_it_waits_for_a_person_and_nothing_leaves(self) -> None:
        self.switch("ticket_type")
        (action,) = self.actions(self.arrive())
        assert action.state == Action.State.WAITING
        assert self.written() == []

    def test_switching_it_off_ends_the_grant_and_what_has_not_left_does_not_leave(self) -> None:
        self.grant()
        signal = self.asked()
        self.propose(signal)
        (action,) = self.actions(signal)
        assert action.state == Action.State.APPROVED
        self.client.post(self.path("processors/ticket_type/switch/"), {"enabled": "off"})
        assert not Grant.objects.for_organization(self.northwind).filter(revoked_at=None).exists()
        self.drain()
        (action,) = self.actions(signal)
        assert action.state == Action.State.CANCELLED
        assert self.written() == []

    def test_write_back_switched_off_gives_no_grant_and_asks_for_nothing(self) -> None:
        self.grant(write_back="")
        signal = self.arrive()
        assert self.words(signal) == "email > outlook"
        assert self.actions(signal) == []
        assert not Grant.objects.for_organization(self.northwind).filter(revoked_at=None).exists()

    def test_a_day_has_its_cap(self) -> None:
        self.grant(most_a_day="1")
        states = [self.actions(self.arrive(f"Outlook {number}"))[0].state for number in range(2)]
        assert states == [Action.State.SUCCEEDED, Action.State.WAITING]
        assert len(self.written()) == 1

    def test_a_value_that_is_not_in_the_grant_waits_for_a_person(self) -> None:
        self.grant(excluded="Email")
        # behind the page's back, which would have asked for another grant
        ProcessorSetting.objects.for_organization(self.northwind).update(options={})
        assert self.actions(self.arrive())[0].state == Action.State.WAITING
        assert self.written() == []

    def test_policy_stands_above_the_grant(self) -> None:
        self.grant()
        policy = ApprovalPolicy(
            organization=self.northwind,
            tool="connectwise.classify_ticket",
            mode="once",
            never_unattended=True,
            set_by=self.adam,
        )
        policy.save()
        assert self.actions(self.arrive("Outlook one"))[0].state == Action.State.WAITING
        ApprovalPolicy.objects.for_organization(self.northwind).update(mode="disabled")
        assert self.actions(self.arrive("Outlook two"))[0].state == Action.State.REFUSED
        assert self.written() == []


class PeopleTests(WriteBackCase):
    def test_what_a_person_set_at_the_vendor_before_the_write_is_refused_and_then_stands(self) -> None:
        self.grant()
        signal = self.asked()
        self.sandbox.change_ticket(int(signal.external_id), type={"name": "Network"})
        self.propose(signal)
        (action,) = self.actions(signal)
        assert action.state == Action.State.REFUSED
        assert "somebody changed it first" in action.reason
        self.read(signal.external_id)
        row = self.standing(signal)
        assert row is not None
        assert (row.key, row.producer) == ("network", Producer.PERSON)
        assert self.at_vendor(signal) == ["Network", ""]
        assert self.written() == []

    def test_what_a_person_set_at_the_vendor_after_it_was_allowed_voids_it(self) -> None:
        self.grant()
        signal = self.asked()
        self.propose(signal)
        self.sandbox.change_ticket(int(signal.external_id), type={"name": "Network"})
        self.drain()
        (action,) = self.actions(signal)
        assert action.state == Action.State.DRIFTED
        assert self.at_vendor(signal) == ["Network", ""]

    def test_a_correction_here_stops_what_has_not_left(self) -> None:
        self.grant()
        signal = self.asked()
        self.propose(signal)
        value = TicketType(type="Network")
        correct_value(signal=signal, processor=TYPE, value=value, actor=self.actor(self.theo))
        self.drain()
        (action,) = self.actions(signal)
        assert action.state == Action.State.CANCELLED
        assert self.written() == []
        assert self.words(signal) == "network"

    def test_a_type_that_a_person_changed_after_us_is_never_set_again(self) -> None:
        self.grant()
        signal = self.arrive()
        self.sandbox.change_ticket(int(signal.external_id), type={"name": "Network"}, summary="Outlook after all")
        self.read(signal.external_id)
        assert self.words(signal) == "network"
        assert len(self.written()) == 1


class PutBackTests(WriteBackCase):
    def press(self, signal: Signal) -> None:
        """Theo reverts what stands, with one press on the ticket's page."""
        self.log_in(self.theo)
        row = self.standing(signal)
        assert row is not None
        path = self.path(f"signals/{signal.pk}/findings/ticket_type/revert/")
        assert self.client.post(path, {"result": str(row.pk)}).status_code == 302
        self.drain()

    def test_the_ticket_says_what_was_written_under_whose_grant_and_one_press_puts_it_back(self) -> None:
        self.grant()
        signal = self.arrive()
        page = self.log_in(self.theo).get(self.path(f"signals/{signal.pk}/")).content.decode()
        assert "Written to the PSA under the standing approval that Adam Reyes gave" in page
        self.press(signal)
        assert self.at_vendor(signal) == ["", ""]
        back = self.actions(signal)[-1]
        assert (back.state, back.unattended, back.origin.kind) == (Action.State.SUCCEEDED, False, "by_hand")
        self.read(signal.external_id)
        assert self.at_vendor(signal) == ["", ""]
        said = ProcessorResult.objects.for_organization(self.northwind).filter(signal=signal, processor="ticket_type")
        assert {row.producer for row in said} == {Producer.RULE}

    def test_what_somebody_set_since_is_not_put_back(self) -> None:
        self.grant()
        signal = self.arrive()
        self.sandbox.change_ticket(int(signal.external_id), type={"name": "Network"})
        self.press(signal)
        assert self.actions(signal)[-1].state == Action.State.REFUSED
        assert self.at_vendor(signal)[0] == "Network"

    def again(self, signal: Signal) -> str:
        """Theo tries it anew, on the page of what was found."""
        page = self.client.get(self.path(f"signals/{signal.pk}/findings/ticket_type/")).content.decode()
        assert "The PSA still has it." in page
        row = ProcessorResult.objects.for_organization(self.northwind).get(signal=signal, state="reverted")
        answer = self.client.post(
            self.path(f"signals/{signal.pk}/findings/ticket_type/put-back/"), {"result": str(row.pk)}, follow=True
        )
        self.drain()
        return answer.content.decode()

    def test_one_that_was_refused_can_be_tried_anew_once_the_ticket_is_as_we_left_it(self) -> None:
        self.grant()
        signal = self.arrive()
        self.sandbox.change_ticket(int(signal.external_id), type={"name": "Network"})
        self.press(signal)
        assert "the PSA stays as it is" in self.again(signal)
        assert [each.state for each in self.actions(signal)[1:]] == [Action.State.REFUSED] * 2
        self.sandbox.change_ticket(int(signal.external_id), type={"name": "Email"}, subType={"name": "Outlook"})
        assert "being set back in the PSA" in self.again(signal)
        assert self.at_vendor(signal) == ["", ""]
        row = ProcessorResult.objects.for_organization(self.northwind).get(signal=signal, state="reverted")
        path = self.path(f"signals/{signal.pk}/findings/ticket_type/put-back/")
        done = len(self.written())
        assert "nothing to try again" in self.client.post(path, {"result": str(row.pk)}, follow=True).content.decode()
        assert len(self.written()) == done

    def test_one_that_failed_as_the_psa_was_away_can_be_tried_anew(self) -> None:
        self.grant()
        signal = self.arrive()
        self.sandbox.fault("status", vendor="connectwise", method="PATCH", path="*/tickets/*", status=400)
        self.press(signal)
        assert self.actions(signal)[-1].state == Action.State.FAILED
        assert self.at_vendor(signal) == ["Email", "Outlook"]
        self.again(signal)
        assert self.at_vendor(signal) == ["", ""]


class SetAtSourceTests(WriteBackCase):
    """A person set another value after ours: the PSA has it, and no press here makes the machine's stand again."""

    def page(self, signal: Signal) -> str:
        page: str = self.log_in(self.theo).get(self.path(f"signals/{signal.pk}/")).content.decode()
        return page

    def revert(self, signal: Signal, row: ProcessorResult) -> str:
        """Theo's press, on a page that may be old; what he is told."""
        path = self.path(f"signals/{signal.pk}/findings/ticket_type/revert/")
        told: str = self.log_in(self.theo).post(path, {"result": str(row.pk)}, follow=True).content.decode()
        self.drain()
        return told

    def by_hand(self, signal: Signal, person: Membership, *, type_id: int) -> None:
        """Set the type with Junto's own tool, and let the source tell of it."""
        assert signal.company is not None
        origin = open_origin(
            organization=self.northwind,
            kind=Origin.Kind.BY_HAND,
            key=f"hand:{uuid4()}",
            subject=signal.origin_subject,
            mode=Origin.Mode.BY_HAND,
            company=signal.company,
            revision=signal.revision,
        )
        action = propose_action(
            actor=self.actor(person),
            origin=origin,
            fence=origin.fence,
            tool_name="connectwise.classify_ticket",
            arguments={"ticket_id": int(signal.external_id), "type_id": type_id},
            call_id="by-hand",
        )
        if action.state == Action.State.WAITING:
            decide_action(action_id=action.pk, actor=self.actor(person), verdict=Verdict.APPROVE, digest=action.digest)
        self.drain()
        action.refresh_from_db()
        assert action.state == Action.State.SUCCEEDED, action.reason
        self.read(signal.external_id)

    def network(self, signal: Signal) -> int:
        """The id of the type Network on the ticket's board."""
        lists = lists_of_signal(signal, TYPE.lists)
        assert lists is not None
        return next(int(choice.id) for choice in lists.types if choice.name == "Network")

    def test_a_revert_says_who_keeps_it_and_the_machines_value_does_not_stand_again(self) -> None:
        self.grant()
        signal = self.arrive()
        machines = self.standing(signal)
        assert machines is not None
        self.sandbox.change_ticket(int(signal.external_id), type={"name": "Network"})
        self.read(signal.external_id)
        row = self.standing(signal)
        assert row is not None
        kept = "The PSA keeps Network: Somebody set it at the ticket’s source. Seen "
        page = self.page(signal)
        assert kept in page
        assert "Revert Ticket type" not in page
        for pressed in (row, machines):  # the second is of a page from before
            told = self.revert(signal, pressed)
            assert kept in told
            assert self.words(signal) == "network"
        assert self.at_vendor(signal)[0] == "Network"
        machines.refresh_from_db()
        assert machines.state == ProcessorResult.State.SUPERSEDED

    def test_whoever_set_it_with_a_tool_of_ours_is_named(self) -> None:
        self.grant()
        signal = self.arrive()
        self.by_hand(signal, self.mara, type_id=self.network(signal))
        row = self.standing(signal)
        assert row is not None
        assert (row.key, row.person, row.set_at_source) == ("network", self.mara, True)
        assert row.reason == "Mara Lindholm set it at the ticket’s source, through Junto."
        assert "The PSA keeps Network: Mara Lindholm set it at the ticket’s source, through Junto." in self.page(signal)

    def test_what_somebody_else_set_to_the_same_later_is_not_put_on_them(self) -> None:
        self.grant()
        signal = self.arrive()
        self.by_hand(signal, self.mara, type_id=self.network(signal))
        lists = lists_of_signal(signal, TYPE.lists)
        assert lists is not None
        other = next(choice.name for choice in lists.types if choice.name not in ("Email", "Network"))
        for name in (other, "Network"):
            self.sandbox.change_ticket(int(signal.external_id), type={"name": name})
            self.read(signal.external_id)
        row = self.standing(signal)
        assert row is not None
        assert (row.key, row.person, row.set_at_source) == ("network", None, True)
        assert row.reason == "Somebody set it at the ticket’s source."

    def test_a_word_said_here_is_still_taken_back(self) -> None:
        self.grant()
        signal = self.arrive()
        row = correct_value(
            signal=signal, processor=TYPE, value=TicketType(type="Network"), actor=self.actor(self.theo)
        )
        self.revert(signal, row)
        assert self.words(signal) == "email > outlook"
