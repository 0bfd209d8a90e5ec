"""The filters of the REST list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from signals.models import Signal
from signals.rest.foreign import NO_MOMENT


class AnyCaseField(django_filters.fields.MultipleChoiceField):  # type: ignore[misc]
    """Choices in whatever case they are written."""

    def to_python(self, value: object) -> list[str]:
        """The values in lower case."""
        found: list[str] = [each.lower() for each in super().to_python(value)]
        return found


class AnyCaseFilter(django_filters.MultipleChoiceFilter):  # type: ignore[misc]
    """`state=NEW` and `state=new` alike; given more than once, any of them."""

    field_class = AnyCaseField


class UtcField(django_filters.fields.IsoDateTimeField):  # type: ignore[misc]
    """A moment that the calendar of the database holds."""

    default_error_messages: ClassVar[dict[str, str]] = {"invalid": NO_MOMENT}

    def clean(self, value: object) -> datetime | None:
        """The moment in UTC. Raises ValidationError."""
        moment: datetime | None = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError("This moment is outside the calendar.") from None


class MomentFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]
    """A moment as `2026-11-21T14:05:00Z`."""

    field_class = UtcField


SEARCHED = "Words, or their beginnings, in number, subject or description; or parts of company or contact"


class SignalFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Narrow the list down; several filters are joined by and. A value that cannot be is a 400."""

    q = django_filters.CharFilter(method="search", label=SEARCHED)
    state = AnyCaseFilter(choices=Signal.State.choices)
    company = django_filters.UUIDFilter(field_name="company_id", label="Our id of the company")
    company_external_id = django_filters.CharFilter(label="The source's id of the company, as tickets are sent with")
    board = django_filters.CharFilter(field_name="board__name")
    priority = django_filters.CharFilter()
    assignee = django_filters.CharFilter()
    external_id = django_filters.CharFilter()
    connection = django_filters.CharFilter(field_name="connection__vendor")
    updated_since = MomentFilter(field_name="source_updated_at", lookup_expr="gte")
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
        organization = self.request.auth.organization
        found: QuerySet[Signal] = queryset.search(value, organization=organization).signals  # type: ignore[attr-defined]
        return found
