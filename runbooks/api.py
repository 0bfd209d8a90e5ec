"""REST for other systems: the runbooks as they are in force (`/api/v1/<organization>/runbooks`)."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from runbooks.document import parse
from runbooks.models import Runbook
from runbooks.querysets import RunbookQuerySet
from runbooks.versions import PublishedVersion, published_versions
from signals.rest.api import SignalPages
from signals.rest.endpoints import SignalView
from signals.rest.filters import AnyCaseFilter

SCOPES = {"GET": "runbooks:read"}
#: Words of a search that count.
MOST_WORDS = 8


class RunbookFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Narrow the list down; several filters are joined by and. A value that cannot be is a 400."""

    q = django_filters.CharFilter(method="search", label="Words in title, description and text")
    status = AnyCaseFilter(choices=Runbook.Status.choices)
    company = django_filters.UUIDFilter(field_name="company_id", label="Those of this company alone")

    class Meta:
        model = Runbook
        fields: ClassVar[list[str]] = []

    def search(self, queryset: QuerySet[Runbook], name: str, value: str) -> QuerySet[Runbook]:
        """Rows that hold every word."""
        found: QuerySet[Runbook] = queryset.saying(value.replace("\0", "").split()[:MOST_WORDS])  # type: ignore[attr-defined]
        return found


class RunbookOutput(serializers.Serializer[dict[str, object]]):
    """A runbook in a list: the version in force, else the draft."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    description = serializers.CharField()
    status = serializers.ChoiceField(choices=Runbook.Status.values)
    version = serializers.IntegerField(allow_null=True, help_text="Of the text in force; null: it was never published.")
    category = serializers.CharField()
    audience = serializers.ChoiceField(choices=Runbook.Audience.values)
    company = serializers.UUIDField(allow_null=True, help_text="Null: for all companies.")
    company_name = serializers.CharField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    changed_at = serializers.DateTimeField(help_text="When it or its draft was saved last.")


class RunbookDetailOutput(RunbookOutput):
    """One runbook with its text."""

    body = serializers.CharField(help_text="Markdown; tools are mentioned as @vendor.verb_noun.")
    tools = serializers.ListField(child=serializers.CharField(), help_text="The tools that it mentions.")
    inputs = serializers.ListField(child=serializers.DictField(), help_text="What a run of it must be given.")
    on_success = serializers.ChoiceField(choices=Runbook.OnSuccess.values)


class RunbookListView(SignalView, generics.ListAPIView[Runbook]):
    """Find runbooks."""

    scopes: ClassVar[dict[str, str]] = SCOPES
    serializer_class = RunbookOutput  # type: ignore[assignment]
    pagination_class = SignalPages
    filterset_class = RunbookFilter
    parameters: ClassVar[frozenset[str]] = frozenset({*RunbookFilter.base_filters, "page", "page_size"})
    queryset = Runbook.unscoped.none()

    @extend_schema(
        operation_id="runbooks_list",
        summary="Find runbooks",
        description="What is published first, each by its title. Needs the scope `runbooks:read`.",
    )
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Find runbooks."""
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        in_force = published_versions(rows)
        return self.get_paginated_response([RunbookOutput(_told(row, in_force.get(row.pk))).data for row in rows])

    def get_queryset(self) -> RunbookQuerySet:
        """All runbooks of the token's organization."""
        if getattr(self, "swagger_fake_view", False):
            return RunbookQuerySet(Runbook).none()
        return Runbook.objects.visible_to(self.actor).select_related("company").by_shown_title()


class RunbookDetailView(SignalView):
    """Read one runbook."""

    scopes: ClassVar[dict[str, str]] = SCOPES

    @extend_schema(
        operation_id="runbooks_retrieve",
        summary="Read one runbook",
        description="The version in force, else the draft. Needs the scope `runbooks:read`.",
        responses={200: RunbookDetailOutput, 404: OpenApiResponse(description="There is no such runbook here.")},
    )
    def get(self, request: Request, organization: str, runbook: UUID) -> Response:
        """Read one runbook."""
        row = Runbook.objects.visible_to(self.actor).select_related("company").filter(pk=runbook).first()
        if row is None:
            raise Http404("There is no such runbook here.")
        version = published_versions([row]).get(row.pk)
        shown = version or row
        inputs = [one.model_dump(mode="json") for one in version.inputs] if version else list(row.inputs)
        told: dict[str, object] = {
            **_told(row, version),
            "body": shown.body,
            "tools": sorted(parse(shown.body).tools),
            "inputs": inputs,
            "on_success": shown.on_success,
        }
        return Response(RunbookDetailOutput(told).data)


def _told(row: Runbook, version: PublishedVersion | None) -> dict[str, object]:
    shown = version or row
    return {
        "id": row.pk,
        "title": shown.title,
        "description": shown.description,
        "status": row.status,
        "version": version.number if version else None,
        "category": shown.category,
        "audience": shown.audience,
        "company": row.company_id,
        "company_name": row.company.name if row.company else None,
        "published_at": row.published_at,
        "changed_at": row.changed_at,
    }
