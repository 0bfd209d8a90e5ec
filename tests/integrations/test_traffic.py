"""The pace of a connection: what one process learns of a vendor holds for all, and the connections page tells it."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.connections import open_client
from integrations.connectwise.client import ConnectWiseClient
from integrations.errors import (
    VendorDown,
    VendorError,
    VendorForbidden,
    VendorNotFound,
    VendorRefused,
    VendorThrottled,
    VendorUnauthorized,
)
from integrations.models import ConnectionPace
from integrations.pace import Headroom, headroom_of
from integrations.services import try_connection
from integrations.traffic import BURST, SharedPace, traffic_of
from integrations.warrants import Errand
from junto.tenants.scoping import TenantQuerySet
from tests.integrations.connected import ConnectedTestCase


class PaceTests(ConnectedTestCase):
    """Each client here is opened anew, as another process would: only the database is between them."""

    def test_a_vendor_that_asks_for_patience_gets_it_from_every_process(self) -> None:
        self.sandbox.fault("status", status=429, retry_after="40", method="GET")
        with pytest.raises(VendorThrottled):
            self.ask()
        asked = len(self.sandbox.log())

        with pytest.raises(VendorThrottled, match=r"asks again in (39|40) s"):
            self.ask()

        assert len(self.sandbox.log()) == asked

    def test_a_vendor_that_keeps_failing_is_left_alone_until_one_request_shows_that_it_is_back(self) -> None:
        self.fail(times=5)
        asked = len(self.sandbox.log())

        with pytest.raises(VendorDown, match="failed 5 times in a row and is left alone"):
            self.ask()
        assert len(self.sandbox.log()) == asked

        self.sandbox.clear_faults()
        self.pace().update(rests_until=timezone.now())
        self.ask()
        assert self.pace().get().failures == 0
        self.ask()

    def test_only_one_request_tries_whether_a_vendor_is_back(self) -> None:
        self.pace().update(failures=5, rests_until=timezone.now())
        SharedPace(self.connection).wait_turn(label="ConnectWise PSA", seconds=1.0)

        with pytest.raises(VendorDown):
            SharedPace(self.connection).wait_turn(label="ConnectWise PSA", seconds=1.0)

    def test_a_person_who_tries_the_connection_asks_a_resting_vendor_and_ends_its_rest(self) -> None:
        self.pace().update(failures=7, rests_until=timezone.now() + timedelta(minutes=5))

        assert try_connection(actor=self.actor(self.adam), connection=self.connection).ok

        assert traffic_of(self.connection).rests_until is None

    def test_requests_of_all_processes_together_wait_for_their_turn(self) -> None:
        self.pace().update(next_at=timezone.now() + BURST + timedelta(seconds=0.4))
        begun = time.monotonic()

        self.ask()

        assert time.monotonic() - begun > 0.3
        self.pace().update(next_at=timezone.now() + timedelta(hours=1))
        with pytest.raises(VendorThrottled, match="too many of our requests"):
            self.ask()

    def test_what_was_asked_and_what_failed_is_counted_by_the_hour(self) -> None:
        before = traffic_of(self.connection)
        self.ask()
        self.fail(times=1)

        after = traffic_of(self.connection)

        assert after.asked - before.asked >= 2
        assert after.failed > before.failed == 0
        assert 0 < after.error_percent < 100

    def test_who_is_turned_away_failed_and_the_vendor_is_asked_on(self) -> None:
        for status, error in ((401, VendorUnauthorized), (403, VendorForbidden)):
            before = traffic_of(self.connection)
            self.refuse(status, error)
            after = traffic_of(self.connection)
            assert (after.asked - before.asked, after.failed - before.failed) == (1, 1)

        self.refuse(401, VendorUnauthorized, times=6)
        assert self.pace().get().failures == 0
        assert traffic_of(self.connection).rests_until is None

    def test_a_record_that_is_not_there_and_a_wish_the_vendor_finds_wrong_are_answers(self) -> None:
        for status, error in ((404, VendorNotFound), (409, VendorRefused), (422, VendorRefused)):
            self.refuse(status, error)

        fared = traffic_of(self.connection)
        assert (fared.asked >= 3, fared.failed, fared.error_percent) == (True, 0, 0.0)

    def refuse(self, status: int, error: type[VendorError], *, times: int = 1) -> None:
        """So many requests that are answered so."""
        for _ in range(times):
            self.sandbox.fault("status", status=status, method="GET")
            with pytest.raises(error):
                self.ask()

    def ask(self) -> None:
        """One request of a process that knows nothing of the others."""
        with closing(open_client(self.connection, Errand.reading(20))) as client:
            assert isinstance(client, ConnectWiseClient)
            client.board(1)

    def fail(self, *, times: int) -> None:
        """So many requests in a row that come to nothing."""
        for _ in range(times):
            self.sandbox.fault("cut_before", method="GET", count=None)
            with pytest.raises(VendorDown):
                self.ask()

    def pace(self) -> TenantQuerySet[ConnectionPace]:
        """The connection's row."""
        rows: TenantQuerySet[ConnectionPace] = ConnectionPace.objects.for_organization(self.northwind)
        return rows.filter(connection=self.connection)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (
            {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "12", "X-RateLimit-Reset": "30"},
            Headroom(1000, 12, 30.0),
        ),
        ({"RateLimit": "limit=100, remaining=0, reset=5"}, Headroom(100, 0, 5.0)),
        ({"ratelimit-remaining": "7", "x-ratelimit-reset": "1790000000"}, Headroom(None, 7, None)),
        ({"X-RateLimit-Remaining": "many"}, None),
        ({}, None),
    ],
)
def test_what_a_vendor_says_of_its_limit_is_read_in_any_usual_spelling(
    headers: dict[str, str], told: Headroom | None
) -> None:
    assert headroom_of(headers) == told
