"""Buttons of a connection's page: let the vendor tell of changes, or no more."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from integrations.errors import IntegrationError
from integrations.views import find_connection
from integrations.webhooks import register_webhook, unregister_webhook
from junto.tenants.access import MemberRequest
from junto.tenants.permissions import Permission, require


@require_POST
def register(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Ask the vendor to tell of changes."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    try:
        register_webhook(actor=request.actor, connection=connection)
    except IntegrationError as failure:
        messages.error(request, f"The webhook is not set up. {failure}")
    else:
        messages.success(request, f"{connection.label} now tells of changes by itself.")
    return redirect("connection-change", connection.pk)


@require_POST
def unregister(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Close the address, and ask the vendor to send no more."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    try:
        unregister_webhook(actor=request.actor, connection=connection)
    except IntegrationError as failure:
        words = "Junto takes no more webhooks of it, but the system was not told:"
        messages.error(request, f"{words} {failure} Remove the webhook there by hand.")
    else:
        messages.success(request, f"{connection.label} sends no more webhooks.")
    return redirect("connection-change", connection.pk)
