"""`Idempotency-Key` on POST (draft-ietf-httpapi-idempotency-key-header): done once, answered as often as asked.

The effect and its answer are written in one transaction: after a crash there are both or neither. A request that was
refused as a whole did nothing, so its key is free again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import APIException, NotAuthenticated, ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from junto.team.models import IdempotentRequest
from junto.tenants.actors import Actor
from junto.tenants.scoping import TenantQuerySet

HEADER = "Idempotency-Key"
#: Says that an answer is a stored one.
REPLAYED = "Idempotency-Replayed"
LONGEST_KEY = 255
#: How long an answer is kept (TRUST (d)).
KEPT = timedelta(days=7)
#: How long a request is taken to be under way; one whose process died may be sent again after that.
LEASE = timedelta(minutes=5)


class UnderWay(APIException):
    """The first request with this key has not been answered yet."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "A request with this Idempotency-Key is still under way: send it again in a while."
    default_code = "under_way"


class KeyReused(APIException):
    """The key belongs to another request."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = "This Idempotency-Key came with another address or body before: use a new key for a new request."
    default_code = "key_reused"


def idempotent(post: Callable[..., Response]) -> Callable[..., Response]:
    """A view's `post` that obeys the header; without the header nothing is kept.

    Raises:
        ParseError: the key is empty, too long or not printable ASCII.
        UnderWay: the first request with this key is not done (409).
        KeyReused: the key came with another request (422).
    """

    @functools.wraps(post)
    def answered_once(view: object, request: Request, /, *args: object, **kwargs: object) -> Response:
        key = _key_of(request)
        if key is None:
            return post(view, request, *args, **kwargs)
        try:
            fingerprint = _fingerprint(request)
        except RequestDataTooBig:
            return post(view, request, *args, **kwargs)  # refuses it in its own words
        if not isinstance(request.auth, Actor):
            raise NotAuthenticated
        claim = _Claim.take(request.auth, key, fingerprint)
        return claim if isinstance(claim, Response) else claim.answer(lambda: post(view, request, *args, **kwargs))

    return answered_once


@dataclass
class _Claim:
    """This request is the one that is done; `until` is both deadline and proof."""

    row: IdempotentRequest
    until: datetime

    @classmethod
    def take(cls, actor: Actor, key: str, fingerprint: str) -> _Claim | Response:
        """The claim, or the answer that the request got before. Raises UnderWay or KeyReused."""
        now = timezone.now()
        until = now + LEASE
        row, new = IdempotentRequest.objects.for_organization(actor.organization).get_or_create(
            token_id=actor.token_id,
            key=key,
            defaults={"organization": actor.organization, "fingerprint": fingerprint, "running_until": until},
        )
        claim = cls(row, until)
        if new:
            return claim
        if row.fingerprint != fingerprint:
            raise KeyReused
        if row.answer is not None:
            body = json.loads(zlib.decompress(bytes(row.answer)))
            return Response(body, status=row.status, headers={REPLAYED: "true"})
        dead = claim._rows().filter(running_until=row.running_until, answer=None)
        if row.running_until > now or not dead.update(running_until=until):
            raise UnderWay
        return claim

    def answer(self, do: Callable[[], Response]) -> Response:
        """What `do` answers, kept with its effect; free again where it refuses or fails."""
        try:
            with transaction.atomic():
                response = do()
                body = zlib.compress(JSONRenderer().render(response.data))
                mine = self._rows().filter(running_until=self.until, answer=None)
                if not mine.update(status=response.status_code, answer=body):
                    raise UnderWay  # it took longer than the lease, and another request took over
        except Exception:
            self._rows().filter(running_until=self.until, answer=None).delete()
            raise
        return response

    def _rows(self) -> TenantQuerySet[IdempotentRequest]:
        rows: TenantQuerySet[IdempotentRequest] = IdempotentRequest.objects.for_organization(self.row.organization)
        return rows.filter(pk=self.row.pk)


def _key_of(request: Request) -> str | None:
    """The key, without the quotes that the draft wants around it; None where none came. Raises ParseError."""
    sent = request.headers.get(HEADER)
    if sent is None:
        return None
    key = sent.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise ParseError(f"{HEADER} must have 1 to {LONGEST_KEY} printable ASCII characters: a UUID is best.")
    return key


def _fingerprint(request: Request) -> str:
    """What makes two requests the same. Raises RequestDataTooBig."""
    parts = (str(request.method).encode(), request.get_full_path().encode(), request.body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
