"""REST for sync jobs: tickets in, signals out (`/api/v1/<organization>/signals`)."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import JsonValue
from rest_framework import generics
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.models import Connection
from junto.team.scopes import HasScope
from junto.tenants.access import IsMember
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from signals.cleaning import storable
from signals.filters import SignalFilter
from signals.models import Signal
from signals.parsing import BodyTooLarge, BoundedJSONParser
from signals.querysets import SignalQuerySet
from signals.serializers import (
    MAX_ITEMS,
    SignalDetailOutput,
    SignalOutput,
    SyncInput,
    SyncOutput,
)
from signals.syncing import take_delivery
from signals.upsert import UpsertResult


class SignalView(APIView):
    """Base of the endpoints: the token's organization must be the path's, and it must have the method's scope."""

    permission_classes = (IsMember, HasScope)
    scopes: ClassVar[dict[str, str]] = {"GET": "signals:read"}
    #: Parameters that the address may have. A misspelt one would else be passed over, and a dry run be none.
    parameters: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Before every method: who asks, and whether the address holds nothing unknown. Raises ParseError."""
        super().initial(request, *args, **kwargs)
        unknown = sorted(set(request.query_params) - self.parameters)
        if unknown:
            known = ", ".join(sorted(self.parameters)) or "none"
            raise ParseError(f"There is no parameter {_quoted(unknown[0])} here. Known are: {known}.")

    @property
    def actor(self) -> Actor:
        """Who asks."""
        actor: Actor = self.request.auth  # type: ignore[assignment]
        return actor


class SignalSyncView(SignalView):
    """Deliver tickets."""

    parser_classes = (BoundedJSONParser,)
    scopes: ClassVar[dict[str, str]] = {"POST": "signals:write"}
    parameters: ClassVar[frozenset[str]] = frozenset({"dry_run"})

    @extend_schema(
        operation_id="signals_sync",
        summary="Deliver tickets",
        description=(
            "Creates and updates signals from 1 to 1,000 tickets of one connection. Safe to repeat and to send out of "
            "order: the newer `updated_at` wins. Each item gets its own result; one that is refused does not stop the "
            "rest. Needs the scope `signals:write`."
        ),
        parameters=[
            OpenApiParameter("dry_run", bool, description="1: say what would happen, and write nothing."),
        ],
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
        dry_run = self._switch("dry_run")
        results = take_delivery(connection=connection, items=items, actor=self.actor, dry_run=dry_run)
        counts = Counter(result.outcome.value for result in results)
        rows = [{"index": index, **_row(result)} for index, result in enumerate(results)]
        return Response({"dry_run": dry_run, "results": rows, "counts": counts})

    def _read_body(self, body: object) -> tuple[Connection, list[object]]:
        """The connection and the items, still unchecked.

        Raises:
            ParseError: the body as a whole cannot be used.
            PermissionDenied: the token may not write signals.
        """
        require(self.actor, Permission.WRITE_SIGNALS)
        if not isinstance(body, dict):
            raise ParseError('The body must be an object: {"connection": "connectwise", "items": [...]}.')
        unknown = next((name for name in body if name not in SyncInput().fields), None)
        if unknown is not None:
            raise ParseError(f"The body has no field {_quoted(unknown)}, only `connection` and `items`.")
        items = body.get("items")
        if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
            sent = f"{len(items)} items" if isinstance(items, list) else "no list"
            raise ParseError(f"`items` must be a list of 1 to {MAX_ITEMS} tickets; {sent} came.")
        return self._connection(body.get("connection")), items

    def _switch(self, name: str) -> bool:
        """A parameter that is 1 or 0. Raises ParseError."""
        value = self.request.query_params.get(name, "0").lower()
        if value not in _SWITCH:
            raise ParseError(f"`{name}` is 1 or 0.")
        return _SWITCH[value]

    def _connection(self, vendor: object) -> Connection:
        rows = Connection.objects.for_organization(self.actor.organization).select_related("organization")
        found = {connection.vendor: connection for connection in rows}
        if not isinstance(vendor, str) or vendor not in found:
            known = ", ".join(sorted(found)) or "none yet"
            raise ParseError(f"`connection` must name a connected system of this organization. Connected: {known}.")
        return found[vendor]


_SWITCH = {"1": True, "true": True, "0": False, "false": False}


def _quoted(name: object) -> str:
    """A name that somebody sent, short enough and clean to be told back."""
    return f"`{storable(str(name))[:80]}`"


def _body_of(request: Request) -> object:
    """The parsed body; Django's own refusal of a large one as ours. Raises BodyTooLarge or ParseError."""
    try:
        return request.data
    except RequestDataTooBig:
        raise BodyTooLarge from None


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

    def get_page_size(self, request: Request) -> int:
        """As asked for, the most at the most.

        Raises:
            ValidationError: it is no number from 1 on.
        """
        asked = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not asked.isascii() or not asked.isdigit() or int(asked[:9]) < 1:
            raise ValidationError({self.page_size_query_param: ["A whole number from 1 on is needed."]})
        return min(int(asked[:9]), self.max_page_size)


class SignalListView(SignalView, generics.ListAPIView[Signal]):
    """Find signals."""

    serializer_class = SignalOutput
    pagination_class = SignalPages
    filterset_class = SignalFilter
    parameters: ClassVar[frozenset[str]] = frozenset({*SignalFilter.base_filters, "page", "page_size"})
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
