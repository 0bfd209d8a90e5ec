"""The runbooks as technicians read them. They are written and published in the admin (runbooks/admin.py)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from approvals.models import Grant
from integrations.errors import ToolRefused
from integrations.toolbox import toolbox
from integrations.tools import OWN_VENDOR
from integrations.vendors import vendor_label
from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, PermissionDenied
from runbooks.document import parse
from runbooks.models import Runbook, RunbookImage
from runbooks.rendering import draw_document
from runbooks.suspension import suspended
from runbooks.versions import PublishedVersion, published_versions

#: Runbooks on one page of the library.
PAGE_SIZE = 60
#: Words of a search that count, and its longest text in characters.
MOST_WORDS, LONGEST_SEARCH = 8, 200
#: Mermaid styles elements inline. `sandbox` without `allow-same-origin` takes our own origin away from it.
FRAME_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-scripts"
)

Status = Runbook.Status

TABS: dict[str, str] = {
    "": "All",
    Status.PUBLISHED: "Published",
    Status.DRAFT: "Drafts",
    Status.ARCHIVED: "Archived",
}
STATUS_LOOKS: dict[str, tuple[str, str, str]] = {
    Status.DRAFT: ("Draft", "accent", "pen"),
    Status.PUBLISHED: ("Published", "ok", "ok"),
    Status.ARCHIVED: ("Archived", "", "void"),
}


@dataclass(frozen=True)
class Shown:
    """One runbook on a page, in words. A published one is shown as it is in force."""

    title: str
    path: str
    description: str
    status_word: str
    tone: str
    icon: str
    scope: str
    audience: str
    version: int | None
    systems: list[str]
    category: str
    published_by: str
    published_at: datetime | None
    suspended: tuple[str, ...]


@dataclass(frozen=True)
class ShownGrant:
    """What the version in force may do unattended."""

    text: str
    risk: str
    detail: str


@require_safe
def runbooks(request: HttpRequest) -> HttpResponse:
    """The library: what is published, then drafts, then what was retired."""
    actor = _reader(request)
    visible = Runbook.objects.visible_to(actor)
    query, status = request.GET.get("q", "").strip()[:LONGEST_SEARCH], request.GET.get("status", "")
    status = status if status in TABS else ""
    found = visible.saying(query.replace("\0", "").split()[:MOST_WORDS])
    if status:
        found = found.filter(status=status)
    listed = found.select_related("company", "published_by__user").by_shown_title()
    page = Paginator(listed, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    in_force, resting = published_versions(rows), suspended(rows)
    counts = {each["status"]: each["count"] for each in visible.order_by().values("status").annotate(count=Count("pk"))}
    context = {
        "runbooks": [_shown(row, in_force.get(row.pk), resting.get(row.pk, ())) for row in rows],
        "page_obj": page,
        "query_string": urlencode({"q": query, "status": status}),
        "total": sum(counts.values()),
        "tabs": [
            {
                "label": label,
                "path": f"?{urlencode({'q': query, 'status': key})}",
                "current": key == status,
                "count": counts.get(key, 0) if key else sum(counts.values()),
            }
            for key, label in TABS.items()
        ],
        "filters": {"q": query, "status": status},
        "admin_path": _admin_path(actor, None),
    }
    return render(request, "runbooks/list.html", context)


@require_safe
def runbook(request: HttpRequest, runbook_id: UUID) -> HttpResponse:
    """One runbook: the version in force, or the draft where none is.

    Raises:
        Http404: there is none of this id, or it is not theirs to see.
    """
    actor = _reader(request)
    row = (
        Runbook.objects.visible_to(actor).select_related("company", "published_by__user").filter(pk=runbook_id).first()
    )
    if row is None:
        raise Http404("There is no such runbook.")
    version = published_versions([row]).get(row.pk)
    context = {
        "runbook": _shown(row, version, suspended([row]).get(row.pk, ())),
        "drawn": draw_document(version.body if version else row.body),
        "grants": _grants(actor, row),
        "admin_path": _admin_path(actor, row),
        "runbook_id": row.pk,
        "may_run": row.status == Status.PUBLISHED and actor.can_anywhere(Permission.RUN_SESSIONS),
    }
    return render(request, "runbooks/detail.html", context)


@require_safe
def image(request: HttpRequest, image_id: UUID) -> HttpResponse:
    """A picture out of a runbook, as this server drew it: shown as nothing but a picture, whatever it may hold.

    Raises:
        Http404: there is none of this id in this organization.
    """
    actor = _reader(request)
    found = RunbookImage.objects.for_organization(actor.organization).filter(pk=image_id).first()
    if found is None:
        raise Http404("There is no such picture.")
    # a picture never changes under its id; "private" keeps it out of caches that others share
    headers = {
        "Cache-Control": "private, max-age=86400, immutable",
        "Content-Disposition": "inline",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(bytes(found.content), content_type=found.content_type, headers=headers)


@require_safe
@xframe_options_sameorigin
def diagram_frame(request: HttpRequest) -> HttpResponse:
    """The frame in which diagrams are drawn: an origin of its own, which reaches nothing and shows nothing."""
    _reader(request)
    response = render(request, "runbooks/diagram_frame.html")
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    return response


def _reader(request: HttpRequest) -> Actor:
    """The member who reads. Raises PermissionDenied for one who may see no work at all."""
    actor = actor_of(request)
    if not actor.can_anywhere(Permission.VIEW_WORK):
        raise PermissionDenied(actor, Permission.VIEW_WORK)
    return actor


def _shown(row: Runbook, version: PublishedVersion | None, resting: tuple[str, ...]) -> Shown:
    """The version in force in words, else the draft; `resting` = why its unattended use is suspended."""
    word, tone, icon = STATUS_LOOKS[row.status]
    document = version.document if version else parse(row.body)
    vendors = dict.fromkeys(tool.partition(".")[0] for tool in document.tools)
    audience = Runbook.Audience(version.audience if version else row.audience)
    return Shown(
        title=version.title if version else row.title,
        path=reverse("runbook", args=[row.pk]),
        description=version.description if version else row.description,
        status_word=word,
        tone=tone,
        icon=icon,
        scope=row.company.name if row.company else "All companies",
        audience=str(audience.label),
        version=row.published_number,
        systems=[vendor_label(each) or each for each in vendors if each != OWN_VENDOR],
        category=str(Runbook.Category(version.category if version else row.category).label),
        published_by=row.published_by.user.display_name if row.published_by else "",
        published_at=row.published_at,
        suspended=resting,
    )


def _label(grant: Grant) -> str:
    try:
        return toolbox(grant.organization).get(grant.tool).label
    except ToolRefused:
        return f"@{grant.tool}"


def _grants(actor: Actor, row: Runbook) -> list[ShownGrant]:
    """The standing approvals of the version in force."""
    standing = Grant.objects.for_organization(actor.organization).filter(
        kind=Grant.Kind.RUNBOOK, runbook=f"{row.pk}:{row.published_number}", revoked_at=None
    )
    return [_shown_grant(grant) for grant in standing.order_by("issued_at", "id")]


def _shown_grant(grant: Grant) -> ShownGrant:
    label = _label(grant)
    tools = toolbox(grant.organization)
    risk = tools.get(grant.tool).risk.value if grant.tool in tools else "high"
    terms = grant.words.removeprefix(f"{label}, ")
    return ShownGrant(text=label, risk=risk, detail=f"{terms[:1].upper()}{terms[1:]}")


def _admin_path(actor: Actor, row: Runbook | None) -> str | None:
    """Where an author edits it, or all of them."""
    if row is None:
        return reverse("admin:runbooks_runbook_changelist") if actor.can_anywhere(Permission.AUTHOR_RUNBOOKS) else None
    may = actor.can(Permission.AUTHOR_RUNBOOKS, row.company or actor.organization)
    return reverse("admin:runbooks_runbook_change", args=[row.pk]) if may else None
