"""What vendors tell of themselves: believed as far as "look at record N", stored as that, and nothing else (TRUST).

A delivery is taken in without asking anybody: what proves it must be here already. A vendor that signs with a key that
we do not hold is asked for it afterwards, at the configured address only; meanwhile the poll misses nothing.
Many are taken in as one is: whoever stands at the door may let those that came together in together.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from integrations.connections import account_of
from integrations.contracts import Hint
from integrations.errors import IntegrationError
from integrations.models import Connection, Webhook, WebhookHint
from integrations.sealing import Unsealable
from integrations.webhooks import (
    Delivery,
    DeliveryRefused,
    KeyMissing,
    Lock,
    NoSuchWebhook,
    Reception,
    Refusal,
    digest_of,
    hooks_of,
    open_secrets,
    rows_of,
)
from junto.bells import ring

LARGEST_BODY = 1024 * 1024
"""In bytes."""
KEY_EVERY = timedelta(seconds=30)

log = structlog.get_logger(__name__)

Outcome = Reception | DeliveryRefused | KeyMissing | NoSuchWebhook


@dataclass(frozen=True, slots=True)
class Knock:
    """One request at an address. Names of headers are lower case; `body` None = too large to be read."""

    token: str
    body: bytes | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Believed:
    """A hint that is to be stored, for the knock of this place."""

    place: int
    hint: Hint
    digest: str


def take_in(knocks: Sequence[Knock]) -> list[Outcome]:
    """Check deliveries and store what they hint at, each once; whoever reads it back is woken. All in one transaction.

    Of each, in order: what became of it; that there is no such address; why it proves nothing, which is counted; or
    that it cannot be checked yet, as the key is only being asked for.
    """
    with transaction.atomic():
        webhooks = _find({knock.token for knock in knocks})
        outcomes: list[Outcome] = [NoSuchWebhook()] * len(knocks)
        places: dict[str, list[int]] = {}
        for place, knock in enumerate(knocks):
            places.setdefault(knock.token, []).append(place)
        for token, webhook in webhooks.items():
            for place, outcome in _take_in(webhook, {place: knocks[place] for place in places[token]}).items():
                outcomes[place] = outcome
    return outcomes


def _find(tokens: set[str]) -> dict[str, Webhook]:
    digests = {digest_of(token): token for token in tokens}
    rows = Webhook.unscoped.select_related("connection", "connection__organization")
    return {digests[row.token_digest]: row for row in rows.filter(token_digest__in=digests).order_by("pk")}


def _take_in(webhook: Webhook, knocks: Mapping[int, Knock]) -> dict[int, Outcome]:
    """What becomes of the knocks at one address."""
    try:
        lock = _lock(webhook)
    except (Unsealable, IntegrationError):
        return dict.fromkeys(knocks, NoSuchWebhook())
    outcomes: dict[int, Outcome] = {}
    believed: list[_Believed] = []
    for place, knock in knocks.items():
        try:
            hint = _read(webhook.connection, knock, lock)
        except (DeliveryRefused, KeyMissing) as problem:
            outcomes[place] = problem
            continue
        except Exception:  # whatever one sender thought of, the others' deliveries are in the same transaction
            log.exception("delivery not read", connection=str(webhook.connection.pk))
            outcomes[place] = DeliveryRefused(Refusal.UNREADABLE)
            continue
        outcomes[place] = Reception.NOT_NEEDED  # what happens during a pause is found by the first poll after it
        if hint is not None and webhook.connection.state != Connection.State.PAUSED:
            believed.append(_Believed(place, hint, hashlib.sha256(knock.body or b"").hexdigest()))
    outcomes |= _store(webhook.connection, believed)
    _tell(webhook, list(outcomes.values()))
    return outcomes


def _lock(webhook: Webhook) -> Lock:
    known, connection = open_secrets(webhook), webhook.connection
    return Lock(base_url=connection.base_url, account=account_of(connection), secret=known.secret, keys=known.keys)


def _read(connection: Connection, knock: Knock, lock: Lock) -> Hint | None:
    """What it hints at; None for news of something that we do not follow. Raises DeliveryRefused, KeyMissing."""
    if knock.body is None or len(knock.body) > LARGEST_BODY:
        raise DeliveryRefused(Refusal.OVERSIZED)
    return cast("Hint | None", hooks_of(connection).read(Delivery(body=knock.body, headers=knock.headers), lock))


def _store(connection: Connection, believed: Sequence[_Believed]) -> dict[int, Outcome]:
    """Which are new. Two at once, in different processes, meet at the unique constraint."""
    if not believed:
        return {}
    rows = WebhookHint.objects.for_organization(connection.organization).filter(connection=connection)
    digests = {each.digest for each in believed}
    known = set(rows.filter(digest__in=digests).values_list("digest", flat=True))
    new = {each.digest: each for each in reversed(believed) if each.digest not in known}
    WebhookHint.objects.bulk_create(
        [
            WebhookHint(
                organization_id=connection.organization_id,
                connection=connection,
                kind=each.hint.kind,
                external_id=each.hint.external_id,
                digest=each.digest,
            )
            for each in reversed(new.values())
        ],
        ignore_conflicts=True,
    )
    if new:
        ring("webhook.hint", str(connection.pk))
    taken = {each.place for each in new.values()}
    return {each.place: Reception.TAKEN if each.place in taken else Reception.REPEATED for each in believed}


def _tell(webhook: Webhook, outcomes: Sequence[Outcome]) -> None:
    """Count what was refused or repeated, and let a key that is missing be asked for."""
    counts = Counter(outcome.refusal.value for outcome in outcomes if isinstance(outcome, DeliveryRefused))
    refused = {"refused_at": timezone.now()} if counts else {}
    counts["repeated"] = outcomes.count(Reception.REPEATED)
    grown = {column: F(column) + count for column, count in counts.items() if count}
    if grown:
        rows_of(webhook).update(**grown, **refused)
    missing = next((outcome.key_id for outcome in outcomes if isinstance(outcome, KeyMissing)), "")
    if missing:
        _want_key(webhook, missing)


def _want_key(webhook: Webhook, key_id: str) -> None:
    """Let the key be asked for, at most every KEY_EVERY: else whoever knows the address could make us ask for ever."""
    now = timezone.now()
    due = Q(key_asked_at=None) | Q(key_asked_at__lt=now - KEY_EVERY)
    if rows_of(webhook).filter(due).update(wanted_key=key_id, key_asked_at=now):
        ring("webhook.key", str(webhook.pk))
