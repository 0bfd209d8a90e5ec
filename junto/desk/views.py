"""Pages outside any organization: the way in, health, and what is said when something is wrong."""

from __future__ import annotations

import secrets

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template import loader
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from junto.team.problems import is_api, problem_page
from junto.tenants.access import LAST_ORGANIZATION
from junto.tenants.models import Membership, User

#: A database that once had every migration of this code keeps them while the process lives.
_seen_current = False


@require_safe
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """To the only organization, or the one last open; else choose, or hear that there is none."""
    assert isinstance(request.user, User)  # LoginRequiredMiddleware let nobody else through
    memberships = memberships_of(request.user)
    slugs = [membership.organization.slug for membership in memberships]
    last = request.session.get(LAST_ORGANIZATION)
    if last in slugs and "choose" not in request.GET:
        return redirect(f"/o/{last}/")
    if len(slugs) == 1:
        return redirect(f"/o/{slugs[0]}/")
    organizations = [
        {"name": membership.organization.name, "path": f"/o/{membership.organization.slug}/"}
        for membership in memberships
    ]
    return render(request, "desk/start.html", {"organizations": organizations})


def memberships_of(user: User) -> list[Membership]:
    """The organizations a user works in, by name: the one question that is asked across organizations."""
    found = Membership.unscoped.select_related("organization").filter(user=user, is_active=True)
    return list(found.order_by("organization__name"))


def without_prefix(path: str) -> str:
    """A path of the root URLconf, reversed inside an organization, without the organization's prefix."""
    return "/" + path.split("/", 3)[3] if path.startswith("/o/") else path


@login_not_required
@require_safe
def password_help(request: HttpRequest) -> HttpResponse:
    """What to do about a forgotten password: no mail leaves this server, so a person of the team helps."""
    return render(request, "account/password_help.html")


@login_not_required
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and has every migration, else 503; one word of why. Tells nothing else."""
    try:
        ready = database_is_current()
    except DatabaseError:
        return HttpResponse("database\n", status=503, content_type="text/plain")
    if not ready:
        return HttpResponse("migrations\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


def database_is_current() -> bool:
    """Whether the database answers and no migration is missing.

    Raises:
        DatabaseError: it does not answer.
    """
    global _seen_current
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if not _seen_current:
        executor = MigrationExecutor(connection)
        _seen_current = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _seen_current


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return _error(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403, with the words of our own PermissionDenied."""
    return _error(request, 403, str(exception))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was open too long or came from elsewhere."""
    return _error(request, 403, "This form is no longer valid. Load the page again and repeat what you did.")


def no_such_page(request: HttpRequest) -> HttpResponse:
    """404, for an address that somebody else's code would answer."""
    return _error(request, 404)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: the same for what does not exist and for what belongs to somebody else."""
    return _error(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, with the number under which the log tells what failed. Without the shell: that may be what failed."""
    request.fault = secrets.token_hex(4)  # type: ignore[attr-defined]
    if is_api(request):
        return problem_page(500, detail=f"Something failed here; it is in the log as {request.fault}. Try again.")  # type: ignore[attr-defined]
    context = {"home_path": "/", "fault": request.fault}  # type: ignore[attr-defined]
    return HttpResponse(loader.render_to_string("500.html", context), status=500)


def _error(request: HttpRequest, status: int, message: str = "") -> HttpResponse:
    if is_api(request):
        return problem_page(status, detail=message)
    return render(request, f"{status}.html", {"message": message, "home_path": "/"}, status=status)
