"""The admin inside an organization: managers come in, everyone else is turned away."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver
from unfold.sites import UnfoldAdminSite

from junto.tenants.access import ADMIN_POLICY
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, PermissionDenied

AdminView = Callable[..., HttpResponseBase]


class ManagerAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """Mounted below `/o/<slug>/admin/`; asks for the right to author runbooks, not for Django's `is_staff`."""

    site_header = "Junto"
    site_title = "Junto"
    index_title = "Manage"

    def search(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """The pages whose name holds `s`; unfold's own remembers answers per user, which crosses organizations."""
        term = request.GET.get("s", "").strip().lower()
        if not term:
            return HttpResponse()
        results = self._search_apps(self.get_app_list(request), term)
        page = Paginator(results, max(len(results), 1)).page(1)
        context = {"results": page, "page_obj": page.paginator, "page_counter": 0, "execution_time": 0.0}
        return TemplateResponse(request, "unfold/helpers/search_results.html", context)

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the member may manage anything here."""
        actor: Actor | None = getattr(request, "actor", None)
        return actor is not None and actor.can_anywhere(Permission.AUTHOR_RUNBOOKS)

    def admin_view(self, view: AdminView, cacheable: bool = False) -> AdminView:
        """Django's check and CSRF protection, with a clear 403 in place of a second login page.

        Raises:
            PermissionDenied: a member who is no manager.
        """
        checked: AdminView = super().admin_view(view, cacheable)

        def inner(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not self.has_permission(request):
                raise PermissionDenied(request.actor, Permission.AUTHOR_RUNBOOKS)  # type: ignore[attr-defined]
            response = checked(request, *args, **kwargs)
            response.headers.setdefault("Content-Security-Policy", ADMIN_POLICY)
            return response

        return update_wrapper(inner, checked)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Django's pages but `r/<content type>/<id>/`, which looks rows up without asking whose they are."""
        return [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]

    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """There is one login page, and it is not here."""
        return redirect(settings.LOGIN_URL)

    def logout(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """Nor is there a second way out."""
        return redirect("/accounts/logout/")

    def password_change(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """Passwords are changed where everyone changes them."""
        return redirect("/accounts/password/change/")

    def password_change_done(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """Unused, as `password_change` leads elsewhere."""
        raise Http404("Passwords are changed below /accounts/.")


site = ManagerAdminSite()
