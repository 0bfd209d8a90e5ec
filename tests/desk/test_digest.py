"""The daily digest: once a working day, in the organization's morning, of what the member may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from junto.desk.digest import send_digests
from junto.inbox.models import Notification
from junto.tenants.models import Membership
from signals.models import ServiceClock, ServiceHours, Signal
from tests.cases import JuntoTestCase
from tests.factories import ActionFactory, OriginFactory, SignalFactory

#: Monday to Friday from 9 to 17 in Berlin, one hour ahead of UTC in November.
WEEK = [[540, 1020]] * 5 + [None, None]
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


class DigestTests(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        ServiceHours.unscoped.create(organization=self.northwind, time_zone="Europe/Berlin", days=WEEK)
        signal: Signal = SignalFactory(company=self.harlow, source_updated_at=MONDAY)
        due = MONDAY - timedelta(hours=1)
        ServiceClock.unscoped.create(
            organization=self.northwind, signal=signal, pending="response", due_at=due, risk_at=due
        )
        origin = OriginFactory(company=self.harlow, subject=signal.origin_subject)
        ActionFactory(origin=origin, company=self.harlow, category="write", risk="low", state="waiting")
        done = {"category": "write", "state": "succeeded", "finished_at": MONDAY}
        ActionFactory(origin=origin, company=self.harlow, call_id="done", unattended=True, **done)

    def notices(self, member: Membership) -> list[Notification]:
        return list(Notification.unscoped.filter(membership=member, kind="digest").order_by("created_at"))

    def at(self, hour: int, *, days: int = 0) -> int:
        return send_digests(self.northwind, now=MONDAY + timedelta(days=days, hours=hour))

    def test_it_comes_once_when_the_working_day_begins_and_says_what_waits_and_what_was_done(self) -> None:
        assert self.at(7) == 0
        assert self.at(9) == 5
        assert self.at(10) == 0
        [notice] = self.notices(self.theo)
        assert notice.title == "Your day: 1 request waits for your decision, 1 ticket breached"
        assert "made 1 change, 1 of them unattended" in notice.body
        self.assertContains(self.log_in(self.theo).get(self.path("inbox/")), "Your day: 1 request")

    def test_none_comes_on_a_day_that_is_not_worked_and_the_next_one_takes_the_place_of_the_last(self) -> None:
        self.at(9)
        self.at(9, days=1)
        assert self.at(9, days=5) == 0
        assert [notice.read_at is None for notice in self.notices(self.theo)] == [False, True]

    def change(self, at: datetime, *, kind: str = "session", **more: object) -> None:
        """Something was changed then, with nobody in front."""
        origin = OriginFactory(company=self.harlow, kind=kind)
        done = {"category": "write", "state": "succeeded", "finished_at": at, "unattended": True}
        ActionFactory(origin=origin, company=self.harlow, call_id=str(at), **done | more)

    def test_after_a_weekend_and_a_holiday_it_tells_of_all_that_was_done_since_the_last_one(self) -> None:
        ServiceHours.unscoped.update(holidays={"2026-11-30": "Foundation Day"})
        self.at(9)
        self.at(9, days=4)  # Friday
        for days in (4, 5, 6, 7):
            self.change(MONDAY + timedelta(days=days, hours=10))
        self.at(9, days=7)  # the holiday
        self.at(9, days=8)
        body = self.notices(self.theo)[-1].body
        assert "Since Friday the agent ended no session and made 4 changes, 4 of them unattended" in body
        self.change(MONDAY + timedelta(days=8, hours=10))
        self.at(9, days=9)
        assert "Since yesterday the agent ended no session and made 1 change," in self.notices(self.theo)[-1].body

    def test_the_first_one_tells_of_the_last_working_day_on_and_a_late_one_of_two_weeks(self) -> None:
        for days in (-2, -3, -4):
            self.change(MONDAY + timedelta(days=days, hours=10))
        self.at(9)
        assert "Since Friday the agent ended no session and made 3 changes" in self.notices(self.theo)[-1].body
        self.at(9, days=28)
        assert "the agent" not in self.notices(self.theo)[-1].body
        self.change(MONDAY + timedelta(days=36))
        self.at(9, days=49)
        assert "Since 28 December the agent" in self.notices(self.theo)[-1].body

    def test_what_processors_changed_with_nobody_in_front_is_told_and_what_a_person_did_by_hand_is_not(self) -> None:
        self.change(MONDAY, kind="processor")
        self.change(MONDAY + timedelta(hours=1), kind="processor")
        self.change(MONDAY + timedelta(hours=2), kind="by_hand", unattended=False)
        self.at(9)
        told = "Since Friday processors, escalation rules and alerts that cleared made 2 changes."
        assert told in self.notices(self.theo)[0].body

    def test_who_does_not_want_it_gets_none(self) -> None:
        self.log_in(self.theo).post(self.path("inbox/digest/"), {"wanted": "no"})
        assert self.at(9) == 4
        assert self.notices(self.theo) == []
        self.client.post(self.path("inbox/digest/"), {"wanted": "yes"})
        assert self.at(10) == 1

    def test_it_counts_only_what_the_member_may_see_and_nothing_to_tell_is_not_told(self) -> None:
        Membership.unscoped.filter(pk=self.theo.pk).update(all_companies=False)
        self.theo.companies.set([self.pinewood])
        assert self.at(9) == 4
        assert self.notices(self.theo) == []
        assert send_digests(self.southgate, now=MONDAY + timedelta(hours=9)) == 0
