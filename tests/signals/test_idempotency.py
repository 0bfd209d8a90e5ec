"""A POST that is sent again with its key is done once; and a token asks only so often."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connections
from django.test import Client, override_settings
from django.utils import timezone

from junto.audit.models import AuditEntry
from junto.team.models import IdempotentRequest
from junto.team.tasks import forget_answers
from signals.models import Signal
from tests.architecture.routes import routes
from tests.cases import JuntoTransactionTestCase
from tests.factories import ConnectionFactory
from tests.signals.test_sync_api import ITEM, ApiCase

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
THREADS, WAIT_SECONDS = 8, 60


def deliver(secret: str, *items: Any, key: str | None = KEY, query: str = "", connection: str = "connectwise") -> Any:
    return Client().post(
        f"/api/v1/northwind/signals/sync{query}",
        data=json.dumps({"connection": connection, "items": items}),
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}", **({"idempotency-key": key} if key is not None else {})},
    )


class KeyTests(ApiCase):
    def test_the_same_request_again_gets_the_stored_answer_and_does_nothing(self) -> None:
        first, again = deliver(self.secret, ITEM), deliver(self.secret, ITEM, key=f'"{KEY}"')
        assert first.json()["counts"] == {"created": 1}
        assert (again.content, again["idempotency-replayed"]) == (first.content, "true")
        assert "idempotency-replayed" not in first.headers
        assert AuditEntry.objects.for_organization(self.northwind).filter(verb="signals.synced").count() == 1

    def test_the_key_with_another_body_or_address_is_a_422_and_does_nothing(self) -> None:
        deliver(self.secret, ITEM)
        for answer in (
            deliver(self.secret, ITEM | {"external_id": "2"}),
            deliver(self.secret, ITEM, query="?dry_run=1"),
        ):
            assert (answer.status_code, answer["content-type"]) == (422, "application/problem+json")
        assert Signal.objects.for_organization(self.northwind).count() == 1

    def test_while_the_first_is_under_way_it_is_a_409_and_one_that_died_gives_the_key_up(self) -> None:
        deliver(self.secret, ITEM)
        rows = IdempotentRequest.objects.for_organization(self.northwind)
        rows.update(answer=None, status=None)
        answer = deliver(self.secret, ITEM)
        assert (answer.status_code, "under way" in answer.json()["detail"]) == (409, True)
        rows.update(running_until=timezone.now() - timedelta(seconds=1))
        assert deliver(self.secret, ITEM).json()["counts"] == {"unchanged": 1}

    def test_keys_belong_to_a_token(self) -> None:
        deliver(self.secret, ITEM)
        other = self.token(self.adam, "signals:write")
        assert deliver(other, ITEM).json()["counts"] == {"unchanged": 1}

    def test_a_request_refused_as_a_whole_frees_its_key(self) -> None:
        assert deliver(self.secret, ITEM, connection="sap").status_code == 400
        assert deliver(self.secret, ITEM).json()["counts"] == {"created": 1}

    def test_a_key_that_cannot_be_is_a_400(self) -> None:
        for key in ("", "x" * 256, "caf\u00e9"):
            assert deliver(self.secret, ITEM, key=key).status_code == 400

    def test_answers_are_forgotten_after_a_week(self) -> None:
        deliver(self.secret, ITEM)
        rows = IdempotentRequest.objects.for_organization(self.northwind)
        rows.update(created_at=timezone.now() - timedelta(days=6, hours=23))
        forget_answers.call()
        assert rows.count() == 1
        rows.update(created_at=timezone.now() - timedelta(days=7, minutes=1))
        forget_answers.call()
        assert rows.count() == 0

    def test_every_post_of_the_api_obeys_the_header(self) -> None:
        secret = self.token(self.adam, "signals:write", "companies:sync")
        found = [route for route in routes(settings.ROOT_URLCONF) if str(route).endswith("/sync")]
        assert len(found) == 4
        for route in found:
            answer = self.client.post(
                "/" + route.path(organization="northwind"),
                data="{}",
                content_type="application/json",
                headers={"authorization": f"Bearer {secret}", "idempotency-key": ""},
            )
            assert "Idempotency-Key" in answer.json()["detail"], str(route)


class AtOnceTests(JuntoTransactionTestCase):
    def test_of_many_at_once_with_one_key_one_is_done(self) -> None:
        ConnectionFactory(organization=self.northwind)
        secret = self.token(self.adam, "signals:write")

        def run(_: int) -> int:
            try:
                return int(deliver(secret, ITEM).status_code)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(run, range(THREADS), timeout=WAIT_SECONDS))
        assert set(answers) <= {200, 409}
        assert 200 in answers
        assert AuditEntry.objects.for_organization(self.northwind).filter(verb="signals.synced").count() == 1


class QuotaTests(ApiCase):
    def test_every_answer_says_what_is_left(self) -> None:
        answer = self.read("northwind/signals")
        assert answer["ratelimit-policy"] == '"read";q=6000;w=60'
        assert answer["ratelimit"].startswith('"read";r=5999;t=')
        assert self.sync(ITEM)["ratelimit"].startswith('"write";r=599;t=')

    @override_settings(API_PER_MINUTE={"read": 2, "write": 6000})
    def test_too_many_requests_are_a_429_that_says_when_there_are_more(self) -> None:
        # six, as the minute may end once meanwhile
        refused = [one for one in [self.read("northwind/signals") for _ in range(6)] if one.status_code == 429]
        assert refused
        assert refused[-1]["content-type"] == "application/problem+json"
        assert 1 <= int(refused[-1]["retry-after"]) <= 60
        detail = refused[-1].json()["detail"]
        assert re.fullmatch(
            r"This API token has made 2 read requests in this minute\. Ask again in \d+ seconds?\.", detail
        ), detail
        assert refused[-1]["ratelimit"].startswith('"read";r=0;')
        other = self.token(self.adam, "signals:read")
        assert self.read("northwind/signals", secret=other).status_code == 200
        assert self.sync(ITEM).status_code == 200

    @override_settings(
        CACHES=settings.CACHES
        | {"counters": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}},
        API_PER_MINUTE={"read": 2, "write": 2},
    )
    def test_while_redis_is_away_requests_are_answered_and_still_limited(self) -> None:
        codes = [self.read("northwind/signals").status_code for _ in range(6)]
        assert (codes[0], 429 in codes) == (200, True)
