"""What the REST endpoints share: who asks, which parameters there are, and how a delivery is read."""

from __future__ import annotations

from typing import ClassVar, NoReturn

from django.core.exceptions import RequestDataTooBig
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import ParseError, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.models import Connection
from integrations.vendors import FILES
from junto.team.scopes import HasScope
from junto.team.throttling import Quota, TokenThrottle
from junto.tenants.access import IsMember
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from signals.intake.cleaning import storable
from signals.rest.parsing import BodyTooLarge, BoundedJSONParser
from signals.rest.serializers import MAX_ITEMS

BODY_FIELDS = ("connection", "items")
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1 to 255 characters, a UUID is best: the same request with the same key is done once.",
)
DRY_RUN = OpenApiParameter("dry_run", bool, description="1: say what would happen, and write nothing.")
#: How a delivery can be refused as a whole, for the schema.
REFUSALS = {
    400: OpenApiResponse(description="The body as a whole cannot be used; `detail` says why."),
    401: OpenApiResponse(description="No token, or a wrong, expired or revoked one."),
    403: OpenApiResponse(description="The token lacks the scope."),
    404: OpenApiResponse(description="The token belongs to another organization."),
    409: OpenApiResponse(description="A request with this Idempotency-Key is still under way."),
    413: OpenApiResponse(description="The body is too large."),
    422: OpenApiResponse(description="This Idempotency-Key came with another request."),
    429: OpenApiResponse(description="Too many requests in this minute; `Retry-After` says when there are more."),
}


class _TooMany(Throttled):
    """A 429 that says in plain words when to ask again."""

    extra_detail_singular = "Ask again in {wait} second."
    extra_detail_plural = "Ask again in {wait} seconds."


class SignalView(APIView):
    """Base of the endpoints: the token's organization must be the path's, and it must have the method's scope."""

    permission_classes: tuple[type[BasePermission], ...] = (IsMember, HasScope)
    throttle_classes = (TokenThrottle,)
    scopes: ClassVar[dict[str, str]] = {"GET": "signals:read"}
    #: Parameters that the address may have. A misspelt one would else be passed over, and a dry run be none.
    parameters: ClassVar[frozenset[str]] = frozenset()
    #: What the token may still ask; None where there was no token.
    quota: Quota | None = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Before every method: who asks, and whether the address holds nothing unknown. Raises ParseError."""
        super().initial(request, *args, **kwargs)
        unknown = sorted(set(request.query_params) - self.parameters)
        if unknown:
            known = ", ".join(sorted(self.parameters)) or "none"
            raise ParseError(f"There is no parameter {_quoted(unknown[0])} here. Known are: {known}.")

    def throttled(self, request: Request, wait: float | None) -> NoReturn:
        """Too many requests. Raises Throttled (429), which says when there are more."""
        most = f"{self.quota.most:,} {self.quota.name}" if self.quota else "all its"
        raise _TooMany(wait, f"This API token has made {most} requests in this minute.")

    def finalize_response(self, request: Request, response: Response, *args: object, **kwargs: object) -> Response:
        """Every answer to a token says what it may still ask."""
        if self.quota is not None:
            for name, value in self.quota.headers.items():
                response[name] = value
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        return final

    @property
    def actor(self) -> Actor:
        """Who asks."""
        actor: Actor = self.request.auth  # type: ignore[assignment]
        return actor


class DeliveryView(SignalView):
    """Base of the endpoints that take `{"connection": ..., "items": [...]}` and answer for each item."""

    parser_classes = (BoundedJSONParser,)
    parameters: ClassVar[frozenset[str]] = frozenset({"dry_run"})
    #: The right that sending takes, and what the items are.
    permission: ClassVar[Permission]
    what: ClassVar[str]

    def delivery(self) -> tuple[Connection, list[object], bool]:
        """The connection, the items, still unchecked, and whether this is a dry run.

        Raises:
            ParseError: the body as a whole cannot be used.
            PermissionDenied: the token may not send this.
        """
        require(self.actor, self.permission)
        body = _body_of(self.request)
        if not isinstance(body, dict):
            raise ParseError('The body must be an object: {"connection": "connectwise", "items": [...]}.')
        unknown = next((name for name in body if name not in BODY_FIELDS), None)
        if unknown is not None:
            raise ParseError(f"The body has no field {_quoted(unknown)}, only `connection` and `items`.")
        items = body.get("items")
        if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
            sent = f"{len(items)} items" if isinstance(items, list) else "no list"
            raise ParseError(f"`items` must be a list of 1 to {MAX_ITEMS} {self.what}; {sent} came.")
        return self._connection(body.get("connection")), items, self._switch("dry_run")

    def _switch(self, name: str) -> bool:
        """A parameter that is 1 or 0. Raises ParseError, also where it is given twice: it decides whether we write."""
        if len(self.request.query_params.getlist(name)) > 1:
            raise ParseError(f"`{name}` may be given once.")
        value = self.request.query_params.get(name, "0").lower()
        if value not in _SWITCH:
            raise ParseError(f"`{name}` is 1 or 0.")
        return _SWITCH[value]

    def _connection(self, vendor: object) -> Connection:
        rows = Connection.objects.for_organization(self.actor.organization).exclude(vendor=FILES)
        found = {connection.vendor: connection for connection in rows.select_related("organization")}
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
