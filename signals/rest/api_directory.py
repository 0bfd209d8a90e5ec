"""REST for sync jobs: companies, contacts and devices in (`/api/v1/<organization>/companies/sync` and its like)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from pydantic import JsonValue
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from integrations.directory_sync import DirectoryResult
from integrations.models import DirectoryRecord
from junto.team.idempotency import idempotent
from junto.tenants.permissions import Permission
from signals.rest.endpoints import DRY_RUN, KEY, REFUSALS, DeliveryView
from signals.rest.serializers_directory import (
    CompanySyncInput,
    ContactSyncInput,
    DeviceSyncInput,
    DirectorySyncOutput,
)
from signals.rest.syncing_directory import take_directory_delivery

Kind = DirectoryRecord.Kind


def _documented(what: str, delivery: type[Serializer[Any]]) -> Callable[[Callable[..., Response]], Any]:
    """The page of the API's schema for a delivery of `what` (plural), each with the same rules."""
    return extend_schema(
        operation_id=f"{what}_sync",
        summary=f"Deliver {what}",
        description=(
            f"Creates and updates 1 to 1,000 {what} of one connection. Safe to repeat and to send out of order: the "
            "newer `updated_at` wins. Each item gets its own result. Needs the scope `companies:sync`."
        ),
        parameters=[DRY_RUN, KEY],
        request=delivery,
        responses={200: DirectorySyncOutput, **REFUSALS},
    )


class DirectorySyncView(DeliveryView):
    """Base of the three."""

    permission = Permission.SYNC_COMPANIES
    scopes: ClassVar[dict[str, str]] = {"POST": "companies:sync"}
    kind: ClassVar[Kind]

    def deliver(self) -> Response:
        """Store the delivery and answer for each item."""
        connection, items, dry_run = self.delivery()
        results = take_directory_delivery(
            connection=connection, kind=self.kind, items=items, actor=self.actor, dry_run=dry_run
        )
        counts = Counter(result.outcome.value for result in results)
        rows = [{"index": index, **_row(result)} for index, result in enumerate(results)]
        return Response({"dry_run": dry_run, "results": rows, "counts": counts})


class CompanySyncView(DirectorySyncView):
    """Deliver companies."""

    kind = Kind.COMPANY

    @_documented("companies", CompanySyncInput)
    @idempotent
    def post(self, request: Request, organization: str) -> Response:
        """Deliver companies."""
        return self.deliver()


class ContactSyncView(DirectorySyncView):
    """Deliver contacts."""

    kind = Kind.CONTACT

    @_documented("contacts", ContactSyncInput)
    @idempotent
    def post(self, request: Request, organization: str) -> Response:
        """Deliver contacts."""
        return self.deliver()


class DeviceSyncView(DirectorySyncView):
    """Deliver devices."""

    kind = Kind.DEVICE

    @_documented("devices", DeviceSyncInput)
    @idempotent
    def post(self, request: Request, organization: str) -> Response:
        """Deliver devices."""
        return self.deliver()


def _row(result: DirectoryResult) -> dict[str, JsonValue]:
    return {
        "external_id": result.external_id,
        "outcome": result.outcome.value,
        "id": str(result.row_id) if result.row_id else None,
        "reason": result.reason,
    }
