"""The filters of the REST list."""

from __future__ import annotations

from typing import ClassVar

import django_filters
from django.db.models import QuerySet

from signals.models import Signal


class SignalFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Narrow the list down; several filters are joined by and. A value that cannot be is a 400."""

    q = django_filters.CharFilter(method="search", label="Words in number, subject, description, company, contact")
    state = django_filters.MultipleChoiceFilter(choices=Signal.State.choices)
    company = django_filters.UUIDFilter(field_name="company_id")
    board = django_filters.CharFilter(field_name="board__name")
    priority = django_filters.CharFilter()
    assignee = django_filters.CharFilter()
    external_id = django_filters.CharFilter()
    connection = django_filters.CharFilter(field_name="connection__vendor")
    updated_since = django_filters.IsoDateTimeFilter(field_name="source_updated_at", lookup_expr="gte")
    ordering = django_filters.OrderingFilter(
        fields={
            "source_updated_at": "updated_at",
            "source_created_at": "created_at",
            "priority": "priority",
            "external_id": "external_id",
        }
    )

    class Meta:
        model = Signal
        fields: ClassVar[list[str]] = []

    def search(self, queryset: QuerySet[Signal], name: str, value: str) -> QuerySet[Signal]:
        """Rows that hold every word."""
        found: QuerySet[Signal] = queryset.search(value)  # type: ignore[attr-defined]
        return found
