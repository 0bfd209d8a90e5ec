"""Buttons of a connection's page: have a person at the vendor consent, and forget it again."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from integrations.consents import begin_consent, finish_consent, redirect_uri, withdraw_consent
from integrations.errors import IntegrationError
from integrations.guard import target_of
from integrations.services import try_connection
from integrations.vendors import is_mcp, vendor_label
from integrations.views import find_connection
from junto.tenants.access import MemberRequest
from junto.tenants.permissions import Permission, require


@require_POST
def begin(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Show the way to the vendor's page: a link, as no form of ours leads to another host."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    try:
        address = begin_consent(actor=request.actor, connection=connection)
    except IntegrationError as failure:
        messages.error(request, str(failure))
        return redirect("connection-change", connection.pk)
    context = {
        "connection": connection,
        "vendor": vendor_label(connection.vendor),
        "address": address,
        "redirect_uri": redirect_uri(connection),
        "is_server": is_mcp(connection.vendor),
        "host": target_of(address).host,
    }
    response = render(request, "integrations/consent.html", context)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
def returned(request: MemberRequest) -> HttpResponse:
    """Where the vendor's page sends people back to, with a code or without."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    state, code = request.GET.get("state", ""), request.GET.get("code", "")
    try:
        connection = finish_consent(actor=request.actor, state=state, code=code, issuer=request.GET.get("iss"))
    except IntegrationError as failure:
        messages.error(request, str(failure))
        return redirect("connections")
    if is_mcp(connection.vendor):
        health = try_connection(actor=request.actor, connection=connection)
        messages.success(request, f"{connection.label} is asked in the name of whoever signed in there.")
        if not health.ok:
            messages.error(request, f"{health.summary} {health.advice}".strip())
        return redirect("mcp-tools", connection.pk)
    messages.success(request, f"Scripts of {connection.label} run in the name of whoever consented there.")
    return redirect("connection-change", connection.pk)


@require_POST
def withdraw(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Forget a consent."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    withdraw_consent(actor=request.actor, connection=connection)
    what = "is signed in no more at" if is_mcp(connection.vendor) else "has no consent any more for scripts of"
    messages.success(request, f"Junto {what} {connection.label}.")
    return redirect("connection-change", connection.pk)
