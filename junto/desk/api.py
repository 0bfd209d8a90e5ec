"""REST for other systems: the audit log, entry by entry (`/api/v1/<organization>/audit`)."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from junto.audit.models import AuditEntry
from junto.desk.audit_log import COLUMNS
from junto.tenants.permissions import Permission, require
from signals.rest.api import SignalPages
from signals.rest.endpoints import SignalView

#: Numbers of entries fit into this many digits.
_DIGITS = 18


class AuditEntryOutput(serializers.ModelSerializer[AuditEntry]):
    """One entry. `hash` is told over the entry and `previous_hash`: who changes one breaks all that follow."""

    class Meta:
        model = AuditEntry
        fields = COLUMNS


class AuditOutput(serializers.Serializer[dict[str, object]]):
    """Entries in the order they were written."""

    results = AuditEntryOutput(many=True)
    last = serializers.IntegerField(help_text="Ask for `after` this number next.")
    more = serializers.BooleanField(help_text="There are entries behind it already.")


class AuditView(SignalView):
    """Read the audit log."""

    scopes: ClassVar[dict[str, str]] = {"GET": "audit:read"}
    parameters: ClassVar[frozenset[str]] = frozenset({"after", "page_size"})

    @extend_schema(
        operation_id="audit_list",
        summary="Read the audit log",
        description="Every entry once, oldest first, none left out. Needs the scope `audit:read`.",
        parameters=[
            OpenApiParameter("after", int, description="The number of the last entry that you have; 0 at first."),
            OpenApiParameter("page_size", int, description="50, at most 200."),
        ],
        responses={200: AuditOutput},
    )
    def get(self, request: Request, organization: str) -> Response:
        """Read the audit log."""
        require(self.actor, Permission.EXPORT_AUDIT)
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) <= _DIGITS):
            raise ParseError("`after` is the number of an entry, 0 or more.")
        size = SignalPages().get_page_size(request)
        rows = AuditEntry.objects.for_organization(self.actor.organization).filter(number__gt=int(after))
        found = list(rows.order_by("number")[: size + 1])
        page = found[:size]
        last = page[-1].number if page else int(after)
        return Response(AuditOutput({"results": page, "last": last, "more": len(found) > size}).data)
