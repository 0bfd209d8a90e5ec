"""The door for MCP clients: `POST /api/v1/<organization>/mcp`, with an API token like every other REST call."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from junto.desk.mcp.catalogue import SCOPES
from junto.desk.mcp.protocol import MOST_BYTES, exchange
from junto.tenants.access import IsMember, is_own_origin
from junto.tenants.actors import Actor
from signals.rest.endpoints import SignalView

#: JSON-RPC's number for a request that is turned away.
INVALID_REQUEST = -32600


class TooLarge(APIException):
    """The request is larger than any call needs."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"The request is larger than {MOST_BYTES // 1024:,} KiB: shorten the arguments."
    default_code = "too_large"


class NoOtherSite(BasePermission):
    """A browser that another site's page sends here is turned away, whatever token it holds (DNS rebinding).

    Programs send no Origin. The Host is checked before, for every address.
    """

    message = "This request comes from another site's page. MCP clients are programs and send no Origin."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether no page, or one of our own, sent it."""
        origin = request.headers.get("Origin")
        return origin is None or is_own_origin(origin, request.get_host())


class HasAnyScope(BasePermission):
    """Asks for one of the scopes that open a tool; which tools there are, is told by the scopes that are held."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True, or an error. Raises PermissionDenied."""
        held = request.auth.scopes if isinstance(request.auth, Actor) else frozenset()
        if not SCOPES & held:
            wanted = ", ".join(sorted(SCOPES))
            raise PermissionDenied(f"This API token opens no tool: it has none of the scopes {wanted}.")
        return True


class McpView(SignalView):
    """One message of the Model Context Protocol, over streamable HTTP without a session."""

    permission_classes = (NoOtherSite, IsMember, HasAnyScope)
    scopes: ClassVar[dict[str, str]] = {}

    def handle_exception(self, exc: Exception) -> Response:
        """A refusal in the shape that MCP clients show to whoever uses them; the API's own problem stands in it."""
        response: Response = super().handle_exception(exc)
        problem = response.data
        error = {"code": INVALID_REQUEST, "message": problem["detail"], "data": problem}
        response.data = {"jsonrpc": "2.0", "id": None, "error": error}
        response.content_type = "application/json"
        return response

    @extend_schema(exclude=True)
    def post(self, request: Request, organization: str) -> HttpResponse:
        """Answer the message."""
        try:
            body = request.body
        except RequestDataTooBig:
            raise TooLarge from None
        if len(body) > MOST_BYTES:
            raise TooLarge
        reply = exchange(self.actor, headers=request.headers, body=body)
        answer = HttpResponse(reply.body, status=reply.status or 500)
        for name, value in reply.headers.items():
            if name not in ("content-length", "connection"):
                answer[name] = value
        answer["Cache-Control"] = "no-store"
        return answer
