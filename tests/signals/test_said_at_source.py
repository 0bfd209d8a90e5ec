"""What a person says of a type or priority goes to ConnectWise too, by an action of theirs; else the page says why."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from django.utils import timezone
from freezegun import freeze_time
from guardian.models import GroupObjectPermission

from approvals.models import Action
from approvals.services import Verdict, decide_action
from integrations.services import open_ticket_source
from junto.tenants.models import Membership
from junto.tenants.permissions import Permission
from signals.models import ProcessorResult, ProcessorSetting, ReviewItem, Signal
from signals.processing.results import TWICE
from tests.signals.typing_cases import TypingCase

HIGH, LOW = "Priority 2 - High", "Priority 4 - Low"
WRITTEN = "Noted, and being written to the PSA."


class SaidCase(TypingCase):
    """Junto set a ticket's priority to High, as a rule says; Theo knows better."""

    def setUp(self) -> None:
        super().setUp()
        self.arrive("The first ticket brings its board")
        self.rule("priority", HIGH)

    def write_back(self, *, on: bool = True) -> None:
        """Adam switches it on, and saves its options."""
        self.log_in(self.adam)
        self.client.post(self.path("processors/priority/switch/"), {"enabled": "on"})
        said = {"certainty": "0.7", "change_certainty": "0.8", "write_back": "on" if on else "", "most_a_day": "100"}
        answer = self.client.post(self.path("processors/priority/options/"), {**said, "model_daily": "0"})
        assert answer.status_code == 302, answer.content.decode()[:2000]

    def said_high(self) -> Signal:
        """A ticket that Junto wrote High on, and read back."""
        self.write_back()
        signal = self.arrive()
        assert self.there(signal) == HIGH
        return self.read(signal.external_id)

    def say(self, signal: Signal, by: Membership, slug: str = "priority", **value: str) -> str:
        """Correct it on the page of what was found; what the page says then."""
        path = self.path(f"signals/{signal.pk}/findings/{slug}/correct/")
        stands = self.standing(signal, slug)
        said = (value or {"priority": LOW}) | {"seen": str(stands.pk) if stands else ""}
        page: str = self.log_in(by).post(path, said, follow=True).content.decode()
        self.drain()
        return page

    def page(self, signal: Signal) -> str:
        page: str = self.client.get(self.path(f"signals/{signal.pk}/")).content.decode()
        return page

    def there(self, signal: Signal) -> str:
        """The priority as ConnectWise really has it."""
        return str(self.ticket(signal).priority)

    def ticket(self, signal: Signal) -> Any:
        with closing(open_ticket_source(self.connection)) as source:
            return source.ticket(signal.external_id)

    def action(self, signal: Signal) -> Action:
        rows = Action.objects.for_organization(self.northwind).filter(origin__subject=signal.origin_subject)
        found: Action = rows.latest("created_at")
        return found

    def writes(self) -> int:
        return len(self.sandbox.effects())

    def without_a_right_to_decide(self, person: Membership) -> None:
        held = GroupObjectPermission.objects.filter(group__in=person.user.groups.all())
        assert held.filter(permission__codename=Permission.DECIDE_LOW.value).delete()[0]

    def later(self) -> Any:
        """When the same word is no longer a button pressed twice."""
        return freeze_time(timezone.now() + 2 * TWICE, tick=True)


class SentTests(SaidCase):
    def test_a_corrected_value_replaces_the_one_that_junto_wrote_with_one_write_of_the_persons(self) -> None:
        signal = self.said_high()
        before = self.writes()
        assert WRITTEN in self.say(signal, self.theo)
        action = self.action(signal)
        assert (action.state, action.unattended, action.proposed_by) == (
            Action.State.SUCCEEDED,
            False,
            self.theo.user.display_name,
        )
        assert action.decisions.get().membership == self.theo
        assert (self.there(signal), self.writes()) == (LOW, before + 1)
        signal = self.read(signal.external_id)
        assert (signal.priority, self.words(signal, "priority")) == (LOW, LOW.casefold())
        row = self.standing(signal, "priority")
        assert row is not None
        assert (row.person, row.set_at_source) == (self.theo, False)
        assert "Written to the PSA after approval by Theo Okafor." in self.page(signal)

    def test_said_before_our_own_write_was_read_back_it_goes_all_the_same(self) -> None:
        self.write_back()
        signal = self.arrive()
        assert signal.priority != HIGH
        assert WRITTEN in self.say(signal, self.theo)
        assert self.there(signal) == LOW

    def test_said_twice_it_is_written_once_and_said_later_nothing_is_left_to_write(self) -> None:
        signal = self.said_high()
        before = self.writes()
        self.say(signal, self.theo)
        self.say(signal, self.theo)
        with self.later():
            told = self.say(signal, self.theo)
        assert "Noted" not in told
        assert "The PSA still has" not in told
        assert self.writes() == before + 1

    def test_reverted_it_is_what_junto_wrote_again(self) -> None:
        signal = self.said_high()
        self.say(signal, self.theo)
        row = self.standing(signal, "priority")
        assert row is not None
        self.client.post(self.path(f"signals/{signal.pk}/findings/priority/revert/"), {"result": str(row.pk)})
        self.drain()
        assert (self.there(signal), self.words(signal, "priority")) == (HIGH, HIGH.casefold())

    def test_who_may_not_decide_it_asks_for_it_and_somebody_else_lets_it_go(self) -> None:
        signal = self.said_high()
        before = self.writes()
        self.without_a_right_to_decide(self.theo)
        assert "waits for somebody who may decide it, under Approvals" in self.say(signal, self.theo)
        first = self.action(signal)
        assert (first.state, self.there(signal), self.writes()) == (Action.State.WAITING, HIGH, before)
        self.say(signal, self.theo, priority="Priority 1 - Critical")  # another word takes its place
        first.refresh_from_db()
        assert first.state == Action.State.CANCELLED
        action = self.action(signal)
        decide_action(action_id=action.pk, actor=self.actor(self.mara), verdict=Verdict.APPROVE, digest=action.digest)
        self.drain()
        assert (self.there(signal), self.writes()) == ("Priority 1 - Critical", before + 1)

    def test_what_waited_for_review_goes_when_it_is_confirmed(self) -> None:
        self.write_back()
        signal = self.arrive("Nothing that a rule knows")
        row = ProcessorResult.objects.create(
            organization=self.northwind,
            signal=signal,
            processor="priority",
            value={"priority": LOW},
            key=LOW.casefold(),
            confidence=0.5,
            producer="learned",
            version=1,
            revision=signal.revision,
            state=ProcessorResult.State.ABSTAINED,
        )
        ReviewItem.objects.create(organization=self.northwind, signal=signal, processor="priority", result=row)
        path = self.path(f"signals/{signal.pk}/findings/priority/confirm/")
        said = {"result": str(row.pk), "back": "review"}
        assert WRITTEN in self.log_in(self.theo).post(path, said, follow=True).content.decode()
        self.drain()
        assert (self.there(signal), self.writes()) == (LOW, 1)


class TypeTests(SaidCase):
    def test_a_shorter_path_takes_out_what_is_below_it(self) -> None:
        ProcessorSetting.objects.create(organization=self.northwind, processor="ticket_type", enabled=True)
        number = int(self.arrive("Typed").external_id)
        self.sandbox.change_ticket(number, type={"name": "Email"}, subType={"name": "Outlook"})
        signal = self.read(number)
        assert WRITTEN in self.say(signal, self.theo, "ticket_type", type="Email", subtype="", item="")
        assert (self.ticket(signal).type, self.ticket(signal).subtype) == ("Email", "")
        self.say(signal, self.mara, "ticket_type", type="Network", subtype="", item="")
        assert self.ticket(signal).type == "Network"


class LeftTests(SaidCase):
    def test_what_somebody_set_there_meanwhile_is_left_and_told(self) -> None:
        signal = self.said_high()
        before = self.writes()
        self.sandbox.change_ticket(int(signal.external_id), priority={"name": "Priority 1 - Critical"})
        told = self.say(signal, self.theo)
        assert "somebody changed it there first, and it now has Priority 1 - Critical." in told
        assert (self.there(signal), self.writes()) == ("Priority 1 - Critical", before)
        self.read(signal.external_id)
        assert self.words(signal, "priority") == "priority 1 - critical"

    def test_where_write_back_is_off_nothing_is_asked_and_the_page_says_what_the_psa_keeps(self) -> None:
        signal = self.said_high()
        self.write_back(on=False)
        before = len(self.sandbox.log())
        told = self.say(signal, self.theo)
        kept = f"The PSA still has {HIGH}. Writing it there is off: change it there."
        assert f"Noted here. {kept}" in told
        assert [row["method"] for row in self.sandbox.log()[before:] if row["method"] != "GET"] == []
        assert self.there(signal) == HIGH
        page = self.page(signal)
        assert kept in page
        assert "Write it there" not in page

    def test_what_failed_is_shown_and_goes_with_another_press(self) -> None:
        signal = self.said_high()
        self.sandbox.fault("status", vendor="connectwise", method="PATCH", path="*/tickets/*", status=400)
        self.say(signal, self.theo)
        assert self.action(signal).state == Action.State.FAILED
        page = self.page(signal)
        assert f"The PSA still has {HIGH}." in page
        assert "Write it there" in page
        row = self.standing(signal, "priority")
        assert row is not None
        with self.later():
            self.client.post(self.path(f"signals/{signal.pk}/findings/priority/confirm/"), {"result": str(row.pk)})
            self.drain()
        assert self.there(signal) == LOW

    def test_of_a_closed_ticket_the_word_is_learned_from_and_the_psa_keeps_its_own(self) -> None:
        signal = self.said_high()
        self.sandbox.change_ticket(int(signal.external_id), status={"name": "Closed"})
        signal = self.read(signal.external_id)
        before = self.writes()
        assert f"The PSA still has {HIGH}. The ticket is closed there." in self.say(signal, self.theo)
        assert self.writes() == before
