"""REST paths, `/api/v1/<organization>/...`: the slug is a path parameter, checked by `IsMember`."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from junto.desk.api import AuditView
from junto.desk.mcp.view import McpView
from junto.tenants.access import API_PAGE_POLICY


class ApiPage(SpectacularSwaggerSplitView):
    """The OpenAPI document to read and try, without inline script."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """The page, or its script where `?script` asks for it."""
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response["Content-Security-Policy"] = API_PAGE_POLICY
        return response


urlpatterns = [
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs", ApiPage.as_view(url_name="api-schema"), name="api-docs"),
    path("<slug:organization>/", include("signals.rest.urls")),
    path("<slug:organization>/", include("runbooks.urls_api")),
    path("<slug:organization>/", include("agent.urls_api")),
    path("<slug:organization>/mcp", McpView.as_view(), name="api-mcp"),
    path("<slug:organization>/audit", AuditView.as_view(), name="api-audit"),
]
