"""REST for sync jobs: tickets in, signals out (`/api/v1/<organization>/signals`)."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar
from uuid import UUID

from django.db.models import Prefetch
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import JsonValue
from rest_framework import generics
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from junto.team.idempotency import idempotent
from junto.tenants.permissions import Permission
from signals.intake.outcomes import UpsertResult
from signals.models import Signal, SignalNote, SignalTime
from signals.querysets import SignalQuerySet
from signals.rest.endpoints import DRY_RUN, KEY, REFUSALS, DeliveryView, SignalView
from signals.rest.feed import BadCursor, Cursor
from signals.rest.filters import SignalFilter
from signals.rest.serializers import (
    SignalDetailOutput,
    SignalOutput,
    SyncInput,
    SyncOutput,
)
from signals.rest.syncing import take_delivery

CHANGED_SINCE = "changed_since"


class SignalSyncView(DeliveryView):
    """Deliver tickets."""

    permission = Permission.WRITE_SIGNALS
    what = "tickets"
    scopes: ClassVar[dict[str, str]] = {"POST": "signals:write"}

    @extend_schema(
        operation_id="signals_sync",
        summary="Deliver tickets",
        description=(
            "Creates and updates signals from 1 to 1,000 tickets of one connection. Safe to repeat and to send out of "
            "order: the newer `updated_at` wins. Each item gets its own result; one that is refused does not stop the "
            "rest. Needs the scope `signals:write`."
        ),
        parameters=[DRY_RUN, KEY],
        request=SyncInput,
        responses={
            200: SyncOutput,
            **REFUSALS,
        },
    )
    @idempotent
    def post(self, request: Request, organization: str) -> Response:
        """Deliver tickets."""
        connection, items, dry_run = self.delivery()
        results = take_delivery(connection=connection, items=items, actor=self.actor, dry_run=dry_run)
        counts = Counter(result.outcome.value for result in results)
        rows = [{"index": index, **_row(result)} for index, result in enumerate(results)]
        return Response({"dry_run": dry_run, "results": rows, "counts": counts})


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
    parameters: ClassVar[frozenset[str]] = frozenset({*SignalFilter.base_filters, "page", "page_size", "changed_since"})
    queryset = Signal.unscoped.none()

    @extend_schema(
        operation_id="signals_list",
        summary="Find signals",
        description="Needs the scope `signals:read`.",
        parameters=[
            OpenApiParameter(
                "changed_since",
                str,
                description="A moment, or the `cursor` of the answer before: what changed in Junto since, the longest "
                "unchanged first. The answer then has `cursor` instead of `count` and `previous`.",
            )
        ],
    )
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Find signals."""
        if CHANGED_SINCE in request.query_params:
            return self._changes(request)
        return super().get(request, *args, **kwargs)

    def _changes(self, request: Request) -> Response:
        """A page of the feed. Raises ValidationError where the cursor, or a parameter beside it, cannot be."""
        for other in ("ordering", "page"):
            if other in request.query_params:
                raise ValidationError({other: [f"The feed of `{CHANGED_SINCE}` has an order of its own."]})
        try:
            cursor = Cursor.parse(request.query_params[CHANGED_SINCE])
        except BadCursor:
            told = "A moment such as 2026-11-21T09:00:00Z is needed, or the cursor of an answer."
            raise ValidationError({CHANGED_SINCE: [told]}) from None
        size = SignalPages().get_page_size(request)
        found = list(cursor.of(self.filter_queryset(self.get_queryset()))[: size + 1])
        page = found[:size]
        if page:
            cursor = Cursor(page[-1].changed_at, page[-1].pk)
        more = replace_query_param(request.build_absolute_uri(), CHANGED_SINCE, str(cursor))
        shown = self.get_serializer(page, many=True).data
        return Response({"next": more if len(found) > size else None, "cursor": str(cursor), "results": shown})

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
        description="With its text, notes, time and the names of its files. Needs the scope `signals:read`.",
        responses={200: SignalDetailOutput, 404: OpenApiResponse(description="There is no such signal here.")},
    )
    def get(self, request: Request, organization: str, signal: UUID) -> Response:
        """Read one signal."""
        notes = SignalNote.objects.for_organization(self.actor.organization).shown_to(self.actor)
        times = SignalTime.objects.for_organization(self.actor.organization).shown_to(self.actor)
        found = (
            Signal.objects.visible_to(self.actor)
            .select_related("company", "contact", "board", "connection")
            .prefetch_related(Prefetch("notes", notes), Prefetch("time_entries", times), "attachments")
            .filter(pk=signal)
            .first()
        )
        if found is None:
            raise Http404("There is no such signal here.")
        return Response(SignalDetailOutput(found).data)
