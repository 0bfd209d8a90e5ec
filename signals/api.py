"""REST for sync jobs: tickets in, signals out (`/api/v1/<organization>/signals`)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import IO, Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import JsonValue
from rest_framework import generics, status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.contracts import TicketRecord
from integrations.models import Connection
from junto.audit.services import record
from junto.team.scopes import HasScope
from junto.tenants.access import IsMember
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from signals.filters import SignalFilter
from signals.models import Signal
from signals.querysets import SignalQuerySet
from signals.serializers import (
    MAX_ITEMS,
    SignalDetailOutput,
    SignalOutput,
    SyncInput,
    SyncOutput,
    TicketInput,
    first_problem,
    ticket_record,
)
from signals.services import Outcome, UpsertResult, upsert_signals


class BodyTooLarge(APIException):
    """The request is larger than `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self) -> None:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024 // 1024
        super().__init__(f"The request is larger than {limit} MiB: send fewer items at once.")


class BoundedJSONParser(JSONParser):
    """DRF's parser reads a body of any size; this one stops at Django's own limit and survives deep nesting."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> Any:
        """The body as JSON.

        Raises:
            BodyTooLarge: it is larger than Django's limit for bodies.
            ParseError: it is no JSON in UTF-8; says where.
        """
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge
        try:
            parsed: JsonValue = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise ParseError(f"The body is not UTF-8 (byte {error.start}).") from None
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"The body is no JSON: {error}.") from None
        return parsed


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not allowed")


class SignalView(APIView):
    """Base of the endpoints: the token's organization must be the path's, and it must have the method's scope."""

    permission_classes = (IsMember, HasScope)
    scopes: ClassVar[dict[str, str]] = {"GET": "signals:read"}

    @property
    def actor(self) -> Actor:
        """Who asks."""
        actor: Actor = self.request.auth  # type: ignore[assignment]
        return actor


class SignalSyncView(SignalView):
    """Deliver tickets."""

    parser_classes = (BoundedJSONParser,)
    scopes: ClassVar[dict[str, str]] = {"POST": "signals:write"}

    @extend_schema(
        operation_id="signals_sync",
        summary="Deliver tickets",
        description=(
            "Creates and updates signals from 1 to 1,000 tickets of one connection. Safe to repeat and to send out of "
            "order: the newer `updated_at` wins. Each item gets its own result; one that is refused does not stop the "
            "rest. Needs the scope `signals:write`."
        ),
        request=SyncInput,
        responses={
            200: SyncOutput,
            400: OpenApiResponse(description="The body as a whole cannot be used; `detail` says why."),
            401: OpenApiResponse(description="No token, or a wrong, expired or revoked one."),
            403: OpenApiResponse(description="The token lacks the scope."),
            404: OpenApiResponse(description="The token belongs to another organization."),
            413: OpenApiResponse(description="The body is too large."),
        },
    )
    def post(self, request: Request, organization: str) -> Response:
        """Deliver tickets."""
        connection, items = self._read_body(_body_of(request))
        shape = TicketInput()
        records: dict[int, TicketRecord] = {}
        results: dict[int, UpsertResult] = {}
        for index, item in enumerate(items):
            try:
                records[index] = ticket_record(shape.run_validation(item))
            except ValidationError as error:
                results[index] = UpsertResult(
                    external_id=_external_id(item), outcome=Outcome.REFUSED, reason=first_problem(error.detail)
                )
        stored = upsert_signals(connection=connection, tickets=list(records.values()), actor=self.actor)
        results.update(zip(records, stored, strict=True))
        counts = Counter(result.outcome.value for result in results.values())
        with transaction.atomic():
            record(self.actor, "signals.synced", connection, dict(counts))
        rows = [{"index": index, **_row(results[index])} for index in range(len(items))]
        return Response({"results": rows, "counts": counts})

    def _read_body(self, body: object) -> tuple[Connection, list[JsonValue]]:
        """The connection and the items, still unchecked.

        Raises:
            ParseError: the body as a whole cannot be used.
            PermissionDenied: the token may not write signals.
        """
        require(self.actor, Permission.WRITE_SIGNALS)
        if not isinstance(body, dict):
            raise ParseError('The body must be an object: {"connection": "connectwise", "items": [...]}.')
        items = body.get("items")
        if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
            sent = f"{len(items)} items" if isinstance(items, list) else "no list"
            raise ParseError(f"`items` must be a list of 1 to {MAX_ITEMS} tickets; {sent} came.")
        return self._connection(body.get("connection")), items

    def _connection(self, vendor: object) -> Connection:
        rows = Connection.objects.for_organization(self.actor.organization).select_related("organization")
        found = {connection.vendor: connection for connection in rows}
        if not isinstance(vendor, str) or vendor not in found:
            known = ", ".join(sorted(found)) or "none yet"
            raise ParseError(f"`connection` must name a connected system of this organization. Connected: {known}.")
        return found[vendor]


def _body_of(request: Request) -> object:
    """The parsed body; Django's own refusal of a large one as ours. Raises BodyTooLarge or ParseError."""
    try:
        return request.data
    except RequestDataTooBig:
        raise BodyTooLarge from None


def _external_id(item: object) -> str:
    """What the sender can recognise a refused item by."""
    sent = item.get("external_id") if isinstance(item, dict) else None
    return str(sent)[:80] if isinstance(sent, str | int) else ""


def _row(result: UpsertResult) -> dict[str, JsonValue]:
    return {
        "external_id": result.external_id,
        "outcome": result.outcome.value,
        "signal": str(result.signal_id) if result.signal_id else None,
        "reason": result.reason,
    }


class SignalPages(PageNumberPagination):
    """50 a page unless `page_size` asks for up to 200."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class SignalListView(SignalView, generics.ListAPIView[Signal]):
    """Find signals."""

    serializer_class = SignalOutput
    pagination_class = SignalPages
    filterset_class = SignalFilter
    queryset = Signal.unscoped.none()

    @extend_schema(operation_id="signals_list", summary="Find signals", description="Needs the scope `signals:read`.")
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Find signals."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> SignalQuerySet:
        """The signals the token may see, newest change first."""
        if getattr(self, "swagger_fake_view", False):
            return SignalQuerySet(Signal).none()
        return Signal.objects.visible_to(self.actor).with_relations().order_by("-source_updated_at", "id")


class SignalDetailView(SignalView):
    """Read one signal."""

    @extend_schema(
        operation_id="signals_retrieve",
        summary="Read one signal",
        description="With its text and notes. Needs the scope `signals:read`.",
        responses={200: SignalDetailOutput, 404: OpenApiResponse(description="There is no such signal here.")},
    )
    def get(self, request: Request, organization: str, signal: UUID) -> Response:
        """Read one signal."""
        found = (
            Signal.objects.visible_to(self.actor)
            .select_related("company", "contact", "board", "connection")
            .prefetch_related("notes")
            .filter(pk=signal)
            .first()
        )
        if found is None:
            raise Http404("There is no such signal here.")
        return Response(SignalDetailOutput(found).data)
