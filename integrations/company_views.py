"""Setting a company of ours against one at the vendor. For those who manage it.

The page itself stands above (signals/sync/company_pages.py), as it tells for whom signals wait.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from integrations.connections import each_company_consents, vendor_of
from integrations.errors import IntegrationError
from integrations.forms import LinkForm
from integrations.linking import link_by_id
from integrations.matching import Unmapped, accept_suggestions, unmapped
from integrations.models import CompanyLink, Connection
from integrations.services import AlreadyLinked, is_ticket_source, unlink_company
from integrations.views import find_connection, find_link
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require


def mapping_context(request: MemberRequest, connection: Connection, found: Unmapped | None) -> dict[str, object]:
    """What the page shows of our companies and their links; `found` = what is unmapped, None where nobody read it.

    Raises PermissionDenied.
    """
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    links = {
        link.company_id: link
        for link in CompanyLink.objects.for_organization(request.organization)
        .filter(connection=connection)
        .select_related("consent__membership__user")
    }
    asks_each = each_company_consents(vendor_of(connection))
    rows = [
        {
            "id": company.pk,
            "name": company.name,
            "external_id": link.external_id if link else "",
            "external_name": link.external_name if link else "",
            "gone_at": link.gone_at if link else None,
            "consent": getattr(link, "consent", None),
            "ask_path": reverse("connection-link-consent", args=[connection.pk, link.pk]) if link and asks_each else "",
            "check_path": reverse("connection-link-check", args=[connection.pk, link.pk]) if link and asks_each else "",
            "unlink_path": reverse("connection-unlink", args=[connection.pk, link.pk]) if link else "",
        }
        for company in Company.objects.visible_to(request.actor)
        for link in [links.get(company.pk)]
    ]
    return {
        "connection": {"name": connection.label, "path": reverse("connection-change", args=[connection.pk])},
        "companies": rows,
        "unlinked": [row for row in rows if not row["external_id"]],
        "link_path": reverse("connection-link", args=[connection.pk]),
        "accept_path": reverse("connection-accept", args=[connection.pk]),
        "suggestions": found.suggestions if found else (),
        "is_listed": found is not None,
        "asks_each": asks_each,
        "check_path": reverse("connection-check-companies", args=[connection.pk]) if asks_each else "",
        "linked": sum(1 for row in rows if row["external_id"]),
    }


@require_POST
def link(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Link a company."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    form = LinkForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a company and enter its id at the vendor.")
        return redirect("connection-companies", connection.pk)
    company = Company.objects.visible_to(request.actor).filter(pk=form.cleaned_data["company"]).first()
    if company is None:
        raise Http404("There is no such company.")
    try:
        made = link_by_id(
            actor=request.actor,
            connection=connection,
            company=company,
            external_id=form.cleaned_data["external_id"],
        )
    except (IntegrationError, AlreadyLinked) as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{company.name} is linked to {made.external_name or made.external_id}.")
    return redirect("connection-companies", connection.pk)


@require_POST
def accept(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Link the chosen ones of what is suggested."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    chosen = frozenset(request.POST.getlist("external_id"))
    try:
        number = accept_suggestions(actor=request.actor, connection=connection, external_ids=chosen)
    except (IntegrationError, AlreadyLinked) as refused:
        messages.error(request, str(refused))
    else:
        say = messages.success if number else messages.error
        say(request, f"{number} linked." if number else "Choose at least one company.")
    return redirect("connection-companies", connection.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def unlink(request: MemberRequest, connection_id: UUID, link_id: UUID) -> HttpResponse:
    """Take a link away, once it was read what that means."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    found = find_link(request, connection, link_id)
    if request.method != "POST":
        context = {"link": found, "connection": connection, "vendor": vendor_of(connection).label}
        return render(request, "integrations/company_unlink.html", context)
    unlink_company(actor=request.actor, link=found)
    messages.success(request, f"{found.company.name} is no longer linked.")
    return redirect("connection-companies", connection.pk)


def find_unmapped(actor: Actor, connection: Connection) -> tuple[Unmapped | None, str]:
    """What is not linked at a vendor whose companies do not come by themselves, or why that cannot be told."""
    if is_ticket_source(connection):
        return None, ""
    try:
        return unmapped(actor=actor, connection=connection), ""
    except IntegrationError as failure:
        return None, str(failure)
