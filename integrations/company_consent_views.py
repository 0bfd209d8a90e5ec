"""A company's administrator lets our app in: the way to the vendor's page, and where that page sends them back to."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from integrations.company_consents import (
    ConsentAnswer,
    ask_company,
    check_all,
    check_link,
    finish_company_consent,
    return_address,
)
from integrations.connections import each_company_consents, vendor_of
from integrations.consents import ConsentRefused
from integrations.errors import IntegrationError, NotConsented
from integrations.guard import target_of
from integrations.views import find_connection, find_link
from junto.tenants.access import MemberRequest, organization_urls
from junto.tenants.permissions import Permission, require


@require_POST
def ask(request: MemberRequest, connection_id: UUID, link_id: UUID) -> HttpResponse:
    """Show the way to the vendor's page: a link, as no form of ours leads to another host."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    link = find_link(request, connection, link_id)
    try:
        address = ask_company(actor=request.actor, link=link)
    except IntegrationError as failure:
        messages.error(request, f"{link.company.name}: {failure}")
        return redirect("connection-companies", connection.pk)
    context = {
        "connection": connection,
        "link": link,
        "vendor": vendor_of(connection).label,
        "address": address,
        "host": target_of(address).host,
        "return_address": return_address(request.organization),
    }
    response = render(request, "integrations/company_consent.html", context)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
def answered(request: MemberRequest) -> HttpResponse:
    """What the vendor's page sent back, for the member who asked."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    told = request.GET
    answer = ConsentAnswer(
        state=told.get("state", ""),
        company=told.get("tenant", ""),
        # an error counts first: the vendor's page also says admin_consent=True beside one
        accepted="error" not in told and told.get("admin_consent", "").lower() == "true",
        said=(told.get("error_description") or told.get("error", ""))[:300],
    )
    try:
        outcome = finish_company_consent(actor=request.actor, answer=answer)
    except ConsentRefused as stale:
        messages.error(request, str(stale))
        return redirect("connections")
    (messages.success if outcome.consented else messages.error)(request, outcome.words)
    return redirect("connection-companies", outcome.link.connection.pk)


@require_POST
def check(request: MemberRequest, connection_id: UUID, link_id: UUID) -> HttpResponse:
    """Ask whether a company lets us in, and say what it does not."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    found = find_link(request, find_connection(request, connection_id), link_id)
    try:
        messages.success(request, check_link(actor=request.actor, link=found))
    except NotConsented:  # the row says what to do
        messages.warning(request, f"{found.company.name} has not consented to the app.")
    except IntegrationError as failure:
        messages.error(request, f"{found.company.name}: {failure}")
    return redirect("connection-companies", connection_id)


@require_POST
def check_companies(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Test all linked companies, as far as somebody can wait for it."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    if not each_company_consents(vendor_of(connection)):
        raise Http404("Companies do not consent one by one there.")
    tally = check_all(actor=request.actor, connection=connection)
    left = f" {tally.left} not tested yet: press Test all again." if tally.left else ""
    say = messages.warning if tally.not_consented or tally.left else messages.success
    say(request, f"{tally.consented} consented, {tally.not_consented} not.{left}")
    for words in tally.failed[:5]:
        messages.error(request, words)
    return redirect("connection-companies", connection_id)


@login_not_required
@never_cache
@require_safe
def returned(request: HttpRequest, organization: str) -> HttpResponse:
    """Where the vendor's page sends whoever answered there. It knows nothing and believes nothing.

    Members go on to `answered`. An administrator of the company, who has no login here, is told that it is done.
    """
    with organization_urls(organization):
        path = f"{reverse('connection-company-consented')}?{request.GET.urlencode()}"
    if request.user.is_authenticated:
        return redirect(path)
    response = render(request, "integrations/consent_answered.html", {"refused": "error" in request.GET, "path": path})
    response["Referrer-Policy"] = "no-referrer"
    return response
