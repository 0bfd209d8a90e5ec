"""REST for sync jobs: how each connection stands (`/api/v1/<organization>/sync-state`)."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from signals.rest.endpoints import SignalView
from signals.rest.serializers_state import SyncStatesOutput
from signals.sync.standing import sync_states


class SyncStateView(SignalView):
    """How each connection stands."""

    @extend_schema(
        operation_id="sync_state",
        summary="How each connection stands",
        description="What is here, how far it has been read, and what waits. Needs the scope `signals:read`.",
        responses={200: SyncStatesOutput},
    )
    def get(self, request: Request, organization: str) -> Response:
        """How each connection stands."""
        return Response(SyncStatesOutput({"connections": sync_states(actor=self.actor)}).data)
