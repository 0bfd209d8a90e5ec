"""Junto tells back: what changed, nothing left out or told twice, and how each connection stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.models import Connection, SyncCursor
from signals.models import Signal
from signals.services import dismiss_signal
from signals.sync.polling import STREAM
from tests.factories import ContactFactory, SignalFactory
from tests.signals.test_sync_api import ITEM, ApiCase

LONG_AGO = "2026-01-01T00:00:00Z"


class FeedCase(ApiCase):
    def age(self) -> None:
        """All that is here changed a while ago: on PostgreSQL the feed stays a second behind the clock."""
        for signal in Signal.objects.for_organization(self.northwind):
            moment = signal.changed_at - timedelta(minutes=1)
            Signal.objects.for_organization(self.northwind).filter(pk=signal.pk).update(changed_at=moment)

    def feed(self, since: str = LONG_AGO, **query: str) -> Any:
        return self.read("northwind/signals", changed_since=since, **query).json()


class FeedTests(FeedCase):
    def test_pages_follow_each_other_without_a_gap_or_a_repeat_even_at_one_moment(self) -> None:
        for _ in range(7):
            SignalFactory(company=self.harlow)
        SignalFactory(company=self.quayside)
        Signal.objects.for_organization(self.northwind).update(changed_at=timezone.now() - timedelta(minutes=1))
        told, page = [], self.feed(page_size="3")
        while page["next"]:
            told += page["results"]
            page = self.feed(page["cursor"], page_size="3")
        told += page["results"]
        ours = Signal.objects.for_organization(self.northwind)
        assert [one["id"] for one in told] == [str(pk) for pk in sorted(ours.values_list("pk", flat=True))]
        again = self.feed(page["cursor"])
        assert (again["results"], again["cursor"], again["next"]) == ([], page["cursor"], None)

    def test_what_junto_changed_by_itself_is_told_and_only_that(self) -> None:
        kept, dismissed = SignalFactory(company=self.harlow), SignalFactory(company=self.harlow)
        self.age()
        cursor = self.feed()["cursor"]
        dismiss_signal(signal=dismissed, actor=self.actor(self.theo))
        Signal.objects.for_organization(self.northwind).filter(pk=dismissed.pk).update(
            changed_at=timezone.now() - timedelta(seconds=5)
        )
        told = [(one["id"], one["state"]) for one in self.feed(cursor)["results"]]
        assert told == [(str(dismissed.pk), "dismissed")]
        assert self.feed(cursor, state="new")["results"] == []
        assert kept.state == "new"

    def test_a_delivery_and_a_deletion_at_the_source_are_told(self) -> None:
        self.sync(ITEM)
        self.sync({"external_id": "48213", "updated_at": "2026-11-20T10:00:00Z", "deleted": True})
        self.age()
        assert [one["state"] for one in self.feed()["results"]] == ["gone"]

    def test_a_cursor_that_cannot_be_or_an_order_beside_it_is_a_400(self) -> None:
        for query in (
            {"changed_since": "yesterday"},
            {"changed_since": ""},
            {"changed_since": f"{LONG_AGO}~nobody"},
            {"changed_since": "0001-01-01T00:00:00+14:00"},
            {"changed_since": LONG_AGO, "ordering": "priority"},
            {"changed_since": LONG_AGO, "page": "2"},
        ):
            assert self.read("northwind/signals", **query).status_code == 400, query

    def test_the_token_of_a_rival_is_a_404(self) -> None:
        rival = self.token(self.ines, "signals:read")
        for path in ("signals", "sync-state"):
            assert self.read(f"northwind/{path}", secret=rival).status_code == 404


class StateTests(FeedCase):
    def state(self) -> Any:
        [found] = self.read("northwind/sync-state").json()["connections"]
        return found

    def test_it_says_what_is_here_what_waits_and_how_far_deliveries_came(self) -> None:
        ContactFactory(company=self.harlow, connection=self.psa)
        self.sync(ITEM, ITEM | {"external_id": "2", "company": "999", "updated_at": "2026-11-20T11:00:00Z"})
        found = self.state()
        assert (found["connection"], found["state"], found["lag_seconds"]) == ("connectwise", "ok", None)
        assert found["counts"] == {"signals": 2, "open_signals": 2, "companies": 1, "contacts": 1, "devices": 0}
        assert found["backlog"] == {"refused_tickets": 0, "signals_without_company": 1, "waiting_records": 0}
        [delivered] = found["deliveries"]
        assert (delivered["what"], delivered["newest"]) == ("signals", "2026-11-20T11:00:00Z")
        self.sync(ITEM)
        assert self.state()["deliveries"][0]["newest"] == "2026-11-20T11:00:00Z"

    def test_it_says_how_far_behind_the_reading_is(self) -> None:
        now = timezone.now()
        SyncCursor(organization=self.northwind, connection=self.psa, stream=STREAM, high_water=now, ran_at=now).save()
        Connection.objects.for_organization(self.northwind).update(succeeded_at=now - timedelta(minutes=5))
        found = self.state()
        assert 300 <= found["lag_seconds"] < 310
        assert found["reading"] is False

    def test_it_takes_the_same_number_of_queries_however_much_there_is(self) -> None:
        self.state()
        with CaptureQueriesContext(database) as few:
            self.state()
        self.sync(*[ITEM | {"external_id": str(number)} for number in range(20)])
        with CaptureQueriesContext(database) as many:
            self.state()
        assert len(many) == len(few)
