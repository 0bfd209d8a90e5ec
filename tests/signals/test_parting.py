"""What a person parted is a problem of its own: its repeats, told by REST, go under it and not under the other one."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from integrations.models import Connection
from signals import tasks
from signals.intake.folding import occurrences
from signals.models import Signal
from signals.services import adopt_ticket, map_company, resolve_signal
from tests.cases import JuntoTestCase
from tests.factories import CompanyLinkFactory, ConnectionFactory, DeviceFactory
from tests.signals.deliveries import stored

State = Signal.State
TITLE = "Low disk on hb-srv-01"
OF_C, OF_K = "C: is below 5%", "K: is below 5%"


class ToldByRestTestCase(JuntoTestCase):
    """A sync job tells of NinjaOne's alerts about one server, all of one condition, and of ConnectWise's tickets."""

    def setUp(self) -> None:
        super().setUp()
        self.psa: Connection = ConnectionFactory(organization=self.northwind)
        self.rmm: Connection = ConnectionFactory(organization=self.northwind, vendor="ninjaone", label="NinjaOne")
        for connection in (self.psa, self.rmm):
            CompanyLinkFactory(company=self.harlow, connection=connection, external_id="31")
            CompanyLinkFactory(company=self.pinewood, connection=connection, external_id="32")
        DeviceFactory(company=self.harlow, connection=self.rmm, external_id="5", name="hb-srv-01")
        self.now = timezone.now().replace(microsecond=0)
        self.secret = self.token(self.adam, "signals:write")

    def tell(self, vendor: str, uid: str, *, minute: int, **fields: Any) -> None:
        moment = (self.now + timedelta(minutes=minute)).isoformat()
        item = {"external_id": uid, "company": "31", "created_at": moment, "updated_at": moment, **fields}
        answer = self.client.post(
            "/api/v1/northwind/signals/sync",
            data=json.dumps({"connection": vendor, "items": [item]}),
            content_type="application/json",
            headers={"authorization": f"Bearer {self.secret}"},
        )
        assert answer.json()["counts"].keys() <= {"created", "updated", "gone"}, answer.content

    def alert(self, uid: str, message: str = OF_C, *, minute: int = 0, **fields: Any) -> Signal:
        told = {"subject": TITLE, "devices": ["5"], "alert_type": "CONDITION_DISK: Low disk"}
        text = f"{message}\n\nSeverity: MAJOR. Event {uid}."
        self.tell("ninjaone", uid, minute=minute, **(told | {"description": text} | fields))
        return stored(self.rmm, uid)

    def ticket(self, number: str, *, minute: int, **fields: Any) -> Signal:
        self.tell("connectwise", number, minute=minute, subject=f"Disk of the server, {number}", **fields)
        return stored(self.psa, number)

    def head_of(self, signal: Signal) -> str:
        signal.refresh_from_db()
        return signal.folded_into.external_id if signal.folded_into else signal.state

    def open_ones(self) -> list[str]:
        rows = Signal.objects.for_organization(self.northwind).filter(state__in=Signal.OPEN)
        return sorted(rows.values_list("external_id", flat=True))


class PartedHeadTests(ToldByRestTestCase):
    def part(self, signal: Signal) -> None:
        """Theo presses the button of the page."""
        page = self.log_in(self.theo).get(self.path(f"signals/{signal.pk}/")).content.decode()
        assert "It is no repeat" in page
        self.client.post(self.path(f"signals/{signal.pk}/part/"))
        assert self.head_of(signal) == State.NEW

    def parted(self) -> Signal:
        """C: came first, and K: was folded into it until Theo parted them."""
        self.alert("c")
        k = self.alert("k", OF_K, minute=1)
        assert self.head_of(k) == "c"
        self.part(k)
        return k

    def test_each_repeat_goes_to_the_one_that_is_told_in_its_words(self) -> None:
        k = self.parted()
        assert self.head_of(self.alert("k2", "K: is below 4%", minute=2)) == "k"
        assert self.head_of(self.alert("c2", "C: is below 4%", minute=3)) == "c"
        assert self.open_ones() == ["c", "k"]
        page = self.client.get(self.path(f"signals/{k.pk}/")).content.decode()
        assert f"signals/{stored(self.rmm, 'k2').pk}/" in page
        assert occurrences(k, most=5)[0] == 2

    def test_what_is_told_in_neither_s_words_goes_to_the_one_that_nobody_parted(self) -> None:
        self.parted()
        assert self.head_of(self.alert("d", "D: is below 5%", minute=2)) == "c"

    def test_where_both_are_told_alike_nothing_tells_which_and_the_one_that_nobody_parted_gets_it(self) -> None:
        self.alert("c")
        self.part(self.alert("also c", minute=1))
        assert self.head_of(self.alert("c2", minute=2)) == "c"

    def test_under_a_title_of_its_own_it_takes_what_bears_that(self) -> None:
        self.alert("c", "", subject="Disk C: of hb-srv-01")
        self.part(self.alert("k", "Since Monday.", minute=1, subject="Disk K: of hb-srv-01"))
        assert self.head_of(self.alert("k2", "Again.", minute=2, subject="Disk K: of hb-srv-01")) == "k"

    def test_once_the_other_is_solved_a_repeat_in_other_words_is_a_new_problem(self) -> None:
        self.parted()
        resolve_signal(signal=stored(self.rmm, "c"), actor=self.actor(self.theo))
        assert self.head_of(self.alert("d", "D: is below 5%", minute=2)) == State.NEW
        assert self.head_of(self.alert("k2", OF_K, minute=3)) == "k"
        assert self.head_of(self.alert("d2", "D: is below 5%", minute=4)) == "d"

    def test_neither_folds_into_the_other_when_its_source_tells_of_it_anew(self) -> None:
        self.parted()
        self.alert("c", OF_K, minute=5)
        self.alert("k", OF_C, minute=6)
        assert self.open_ones() == ["c", "k"]

    def test_of_two_that_were_parted_each_has_its_own(self) -> None:
        self.parted()
        self.part(self.alert("d", "D: is below 5%", minute=2))
        assert self.head_of(self.alert("k2", OF_K, minute=3)) == "k"
        assert self.head_of(self.alert("d2", "D: is below 5%", minute=4)) == "d"

    def test_what_became_a_ticket_of_other_words_is_known_by_those_of_its_alert(self) -> None:
        k = self.parted()
        adopt_ticket(signal=k, connection=self.psa, external_id="20")
        self.ticket("20", minute=4)
        assert self.head_of(self.alert("k2", OF_K, minute=5)) == "20"
        adopt_ticket(signal=stored(self.rmm, "c"), connection=self.psa, external_id="21")
        self.ticket("21", minute=6)
        assert self.head_of(self.alert("c2", OF_C, minute=7)) == "21"
        assert self.head_of(self.alert("k3", OF_K, minute=8)) == "20"

    def test_a_repeat_of_it_can_be_parted_in_turn_and_the_newest_told_alike_goes_on(self) -> None:
        self.parted()
        self.part(self.alert("k2", OF_K, minute=2))
        assert self.head_of(self.alert("k3", OF_K, minute=3)) == "k2"
        assert self.open_ones() == ["c", "k", "k2"]


class EndedTicketTests(ToldByRestTestCase):
    """Junto opened ticket 20 for an alert: the alert's signal took that number, and the alert was left under it."""

    def setUp(self) -> None:
        super().setUp()
        self.first = self.alert("a")
        adopt_ticket(signal=self.first, connection=self.psa, external_id="20")
        self.ticket("20", minute=1)
        self.again = self.alert("b", minute=2)
        assert (self.open_ones(), self.head_of(self.again)) == (["20"], "20")

    @property
    def left(self) -> Signal:
        return stored(self.rmm, "a")

    def stands_again(self) -> None:
        left = self.left
        assert (left.state, left.ticket, left.company) == (State.NEW, None, self.harlow)
        assert left.state_reason == "Its ticket moved to another company, or is gone at its source."
        assert self.open_ones() == ["a"] or self.open_ones() == ["20", "a"]

    def test_the_alert_stands_for_itself_once_its_ticket_is_of_another_company_and_its_repeats_go_with_it(self) -> None:
        self.ticket("20", minute=5, company="32")
        self.stands_again()
        assert (self.head_of(self.again), stored(self.psa, "20").company) == ("a", self.pinewood)
        page = self.log_in(self.theo).get(self.path(f"signals/{self.left.pk}/")).content.decode()
        assert "Its ticket moved to another company" in page
        self.drain()
        assert self.left.state == State.TRIAGING, "the agent began on it by the start rule"

    def test_so_it_does_once_its_ticket_is_of_no_known_company(self) -> None:
        self.ticket("20", minute=5, company="unknown")
        self.stands_again()

    def test_so_it_does_once_its_ticket_is_deleted_at_the_source(self) -> None:
        self.tell("connectwise", "20", minute=5, deleted=True)
        self.stands_again()

    def test_so_it_does_once_its_ticket_is_merged_at_the_source(self) -> None:
        self.ticket("20", minute=5, merged_into="99")
        self.stands_again()

    def test_so_it_does_once_a_person_gives_the_ticket_another_company(self) -> None:
        map_company(signal=stored(self.psa, "20"), company=self.pinewood, actor=self.actor(self.mara))
        self.stands_again()
        assert stored(self.psa, "20").company == self.pinewood

    def test_one_that_had_cleared_is_resolved(self) -> None:
        self.alert("a", minute=3, closed=True)
        self.alert("b", minute=3, closed=True)
        self.tell("connectwise", "20", minute=5, deleted=True)
        assert (self.left.state, self.open_ones()) == (State.RESOLVED, [])

    def test_a_closed_ticket_keeps_its_alert(self) -> None:
        self.ticket("20", minute=5, closed=True)
        self.alert("a", "C: is below 3%", minute=6)
        assert (self.left.state, self.open_ones()) == (State.MERGED, [])

    def test_what_has_stood_under_one_that_moved_since_before_is_found_by_the_sweep(self) -> None:
        rows = Signal.objects.for_organization(self.northwind)
        rows.filter(external_id="20").update(company=self.pinewood)
        tasks.sweep_strays.call("")
        self.stands_again()
        assert self.head_of(self.again) == "a"
        tasks.sweep_strays.call("")
        self.stands_again()

    def test_an_alert_whose_device_moves_leaves_its_ticket(self) -> None:
        self.alert("a", minute=6, company="32")
        assert (self.left.state, self.left.company, self.left.ticket) == (State.NEW, self.pinewood, None)
        assert stored(self.psa, "20").state == State.NEW
