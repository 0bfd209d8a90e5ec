"""What an API token must have been given to use an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.exceptions import MethodNotAllowed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from junto.tenants.actors import Actor
from junto.tenants.permissions import SCOPE_PERMISSIONS

if TYPE_CHECKING:
    from rest_framework.views import APIView  # DRF reads its settings, and so this app, while importing its views


class HasScope(BasePermission):
    """Asks for the scope that the view names in `scopes` for the method; a method without one is refused.

    Stands behind `IsMember`. A permission alone is not enough here: several scopes carry the same one. HEAD asks for
    what GET asks for. OPTIONS asks for none: it tells only which methods there are, as the schema does.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True, or an error.

        Raises:
            MethodNotAllowed: the endpoint names no scope for the method (405).
            PermissionDenied: the token lacks the scope (403); says which.
        """
        method = request.method or ""
        if method == "OPTIONS":
            return True
        scope = view.scopes.get("GET" if method == "HEAD" else method)  # type: ignore[attr-defined]
        if scope is None:
            raise MethodNotAllowed(method)
        held = request.auth.scopes if isinstance(request.auth, Actor) else frozenset()
        if scope not in SCOPE_PERMISSIONS or scope not in held:
            raise PermissionDenied(f"This API token has no scope {scope}: ask an Admin for one that has.")
        return True
