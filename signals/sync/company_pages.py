"""The page of a connection that says which company is which there, and who there is linked to none of ours."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from integrations.company_views import find_unmapped, mapping_context
from integrations.contracts import CompanyRecord
from integrations.matching import Unmapped, companies_like
from integrations.models import Connection
from integrations.services import takes_alerts
from integrations.views import find_connection
from junto.tenants.access import MemberRequest
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require
from signals.intake.placing import waiting_by_company

PAGE_SIZE = 20
"""So many at once: each brings a choice among all companies of ours that are not linked."""
ALIKE_NAMED = 3


@dataclass(frozen=True)
class LinkedToNone:
    """A company at the vendor. `waiting` = signals that wait for it to be linked."""

    external: CompanyRecord
    suggested: Company | None
    waiting: int
    alike: tuple[str, ...] = ()


@require_safe
def companies(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Which company is which at the vendor, and who there is linked to none."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    found, problem = find_unmapped(request.actor, connection)
    context = mapping_context(request, connection, found) | {"problem": problem}
    if found is not None:
        context["page_obj"] = _linked_to_none(request, connection, found)
        context["takes_alerts"] = takes_alerts(connection)
        context["waiting_path"] = f"{reverse('signals')}?state=needs_review"
    return render(request, "integrations/companies.html", context)


def _linked_to_none(request: MemberRequest, connection: Connection, found: Unmapped) -> Page[LinkedToNone]:
    """Those at the vendor that are linked to none, those first for which most signals wait."""
    waiting = waiting_by_company(request.actor, connection)
    suggested = {one.external.external_id: one.company for one in found.suggestions}
    rows = [
        LinkedToNone(each, suggested.get(each.external_id), waiting.get(each.external_id, 0))
        for each in (*(one.external for one in found.suggestions), *found.there)
    ]
    rows.sort(key=lambda row: (-row.waiting, row.external.name.casefold(), row.external.external_id))
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    here = list(Company.objects.visible_to(request.actor))
    page.object_list = [row if row.suggested else _with_alike(row, here) for row in page.object_list]
    return page


def _with_alike(row: LinkedToNone, here: list[Company]) -> LinkedToNone:
    """With the companies of ours whose names could mean it: those that are linked already, or several."""
    alike = companies_like(row.external.name, here)[:ALIKE_NAMED]
    return LinkedToNone(row.external, None, row.waiting, tuple(company.name for company in alike))
