"""The connections page: what is connected, and how it fares. For those who manage it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.company_consents import return_address
from integrations.connections import asks_people, each_company_consents, per_minute, rights, set_up_steps
from integrations.entering import form_of, holds, saved_connection
from integrations.lifecycle import let_alerts_in, remove_connection
from integrations.models import CompanyLink, Connection, RefusedTicket, SyncCursor
from integrations.persons import consent_of
from integrations.services import (
    check_connection,
    gives_alerts,
    is_ticket_source,
    pause_connection,
    takes_alerts,
    try_connection,
)
from integrations.traffic import traffic_of
from integrations.vendors import FILES, MCP, VENDORS, Vendor, is_mcp, vendor_label, vendor_named
from integrations.webhooks import sends_webhooks, webhook_facts
from junto.tenants.access import MemberRequest
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet

#: State -> word, tone and icon of the tile.
STATE_WORDS: dict[str, tuple[str, str, str]] = {
    Connection.State.UNTESTED: ("Not tested", "", "dot"),
    Connection.State.OK: ("Working", "ok", "ok"),
    Connection.State.FAILING: ("Failing", "danger", "alert"),
    Connection.State.PAUSED: ("Paused", "warn", "pause"),
}


@require_safe
def connections(request: MemberRequest) -> HttpResponse:
    """What is connected, and how it fares."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    rows = list(_standing(request).order_by("label"))
    cursors = SyncCursor.objects.for_organization(request.organization).filter(stream="tickets")
    read_up_to = dict(cursors.values_list("connection_id", "high_water"))
    connected = {row.vendor for row in rows}
    refused: dict[UUID, list[RefusedTicket]] = {}
    for each in RefusedTicket.objects.for_organization(request.organization).select_related("connection"):
        refused.setdefault(each.connection.pk, []).append(each)
    linked = _linked(request)
    context = {
        "connections": [
            _tile(row, read_up_to.get(row.pk), refused.get(row.pk, ())) | {"linked": linked.get(row.pk, 0)}
            for row in rows
        ],
        "companies": _companies(request),
        "missing": [
            (vendor.label, reverse("connection-add", args=[slug]))
            for slug, vendor in (*VENDORS.items(), (MCP.slug, MCP))
            if slug not in connected
        ],
        "may_edit": True,
    }
    return render(request, "integrations/connections.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: MemberRequest, vendor: str) -> HttpResponse:
    """Connect a system; it is tried at once."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    known = MCP if vendor == MCP.slug else VENDORS.get(vendor)
    if known is None or _standing(request).filter(vendor=vendor).exists():
        raise Http404("There is nothing to add here.")
    former = Connection.objects.visible_to(request.actor).filter(vendor=vendor).exclude(removed_at=None).first()
    return _edit(request, known, None, former=former)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Change a connection; credentials are entered anew or kept, and never shown."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    known = vendor_named(connection.vendor)
    if known is None:
        raise Http404("This kind of system is not installed.")
    return _edit(request, known, connection)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Take a connection away, once it was read what becomes of what belongs to it."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    if request.method == "POST":
        remove_connection(actor=request.actor, connection=connection)
        messages.success(request, f"{connection.label} is removed.")
        return redirect("connections")
    links = CompanyLink.objects.for_organization(request.organization).filter(connection=connection)
    tile = _tile(connection)
    context = {
        "connection": tile,
        "vendor": tile["vendor"],
        "links": links.count(),
        "sends_webhooks": sends_webhooks(connection),
    }
    return render(request, "integrations/connection_remove.html", context)


@require_POST
def test(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Try a connection and say what is wrong."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    health = try_connection(actor=request.actor, connection=connection)
    _tell(request, health.ok, f"{health.summary} {health.advice}".strip())
    return _back(request, connection)


@require_POST
def pause(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Pause a connection, or let it go on."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    paused = request.POST.get("paused") == "yes"
    pause_connection(actor=request.actor, connection=connection, paused=paused)
    messages.success(request, f"{connection.label} {'is paused' if paused else 'goes on'}.")
    return _back(request, connection)


@require_POST
def alerts(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Let alerts become signals, or no more."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    if not gives_alerts(connection):
        raise Http404("This system has no alerts.")
    taken = request.POST.get("taken") == "yes"
    let_alerts_in(actor=request.actor, connection=connection, taken=taken)
    messages.success(
        request, f"Alerts of {connection.label} {'become signals' if taken else 'stay there'} from now on."
    )
    return redirect("connection-change", connection.pk)


def _standing(request: MemberRequest) -> TenantQuerySet[Connection]:
    """The organization's connections, without those that were taken away."""
    rows: TenantQuerySet[Connection] = Connection.objects.visible_to(request.actor)
    return rows.exclude(vendor=FILES).filter(removed_at=None)


def _linked(request: MemberRequest) -> dict[UUID, int]:
    """How many of the companies that the member sees are linked, by connection."""
    links = CompanyLink.objects.visible_to(request.actor).filter(company__is_active=True)
    return dict(links.order_by().values_list("connection_id").annotate(Count("pk")))


def _companies(request: MemberRequest) -> int:
    """How many there are to link."""
    return int(Company.objects.visible_to(request.actor).filter(is_active=True).count())


def _edit(
    request: MemberRequest, vendor: Vendor, connection: Connection | None, *, former: Connection | None = None
) -> HttpResponse:
    """The form of a connection. `former`: one that was taken away and comes back, with its tickets."""
    posted = request.POST if request.method == "POST" else None
    form = form_of(posted, vendor, connection)
    if posted is not None and form.is_valid() and holds(request.actor, vendor, connection, form):
        saved = saved_connection(request.actor, vendor, connection or former, form)
        if saved is not None:
            health = check_connection(saved, insists=True)
            _tell(request, health.ok, f"Saved. {health.summary} {health.advice}".strip())
            if is_mcp(saved.vendor):
                return redirect("mcp-tools", saved.pk)
            if connection is None and health.ok and not is_ticket_source(saved):  # its companies do not link themselves
                messages.info(
                    request, "Next: say which company is which there. Tools are offered for linked ones only."
                )
                return redirect("connection-companies", saved.pk)
            return redirect("connections")
    context = {
        "form": form,
        "vendor": vendor.label,
        "is_server": vendor.package == MCP.package,
        "tools_path": reverse("mcp-tools", args=[connection.pk]) if connection and is_mcp(connection.vendor) else "",
        "connection": _tile(connection) if connection else None,
        "linked": _linked(request).get(connection.pk, 0) if connection else 0,
        "companies": _companies(request),
        "consent": consent_of(connection) if connection else None,
        "consent_path": reverse("connection-consent", args=[connection.pk])
        if connection and asks_people(vendor) and form.initial.get("auth", "oauth") == "oauth"
        else "",
        "withdraw_path": reverse("connection-withdraw", args=[connection.pk]) if connection else "",
        "alerts_path": reverse("connection-alerts", args=[connection.pk])
        if connection and gives_alerts(connection)
        else "",
        "traffic": traffic_of(connection) if connection else None,
        "per_minute": per_minute(vendor),
        "set_up": set_up_steps(vendor),
        "rights_to_write": vendor.rights_to_write,
        "rights": rights(vendor),
        "return_address": return_address(request.organization) if each_company_consents(vendor) else "",
        "back_path": reverse("connections"),
        "webhook": webhook_facts(connection) if connection else None,
        "register_path": reverse("connection-webhook", args=[connection.pk]) if connection else "",
        "unregister_path": reverse("connection-webhook-remove", args=[connection.pk]) if connection else "",
    }
    response = render(request, "integrations/connection_form.html", context, status=200 if posted is None else 400)
    response["Cache-Control"] = "no-store"
    return response


def _back(request: MemberRequest, connection: Connection) -> HttpResponse:
    """To the page that the button stood on: the connection's own, or the list of them."""
    return (
        redirect("connection-change", connection.pk) if request.POST.get("page") == "own" else redirect("connections")
    )


def find_connection(request: MemberRequest, connection_id: UUID) -> Connection:
    """The connection that a path names. Raises Http404."""
    found: Connection | None = _standing(request).select_related("organization").filter(pk=connection_id).first()
    if found is None:
        raise Http404("There is no such connection.")
    return found


def find_link(request: MemberRequest, connection: Connection, link_id: UUID) -> CompanyLink:
    """The link that a path names. Raises Http404."""
    links = CompanyLink.objects.visible_to(request.actor).filter(connection=connection, pk=link_id)
    found: CompanyLink | None = links.select_related("company", "connection__organization").first()
    if found is None:
        raise Http404("There is no such link.")
    return found


def _tile(connection: Connection, cursor_at: object = None, refused: Sequence[RefusedTicket] = ()) -> dict[str, object]:
    word, tone, icon = STATE_WORDS[connection.state]
    return {
        "vendor": vendor_label(connection.vendor) or connection.vendor,
        "tools_path": reverse("mcp-tools", args=[connection.pk]) if is_mcp(connection.vendor) else "",
        "name": connection.label,
        "base_url": connection.base_url,
        "state_word": word,
        "tone": tone,
        "icon": icon,
        "detail": connection.state_detail,
        "checked_at": connection.checked_at,
        "succeeded_at": connection.succeeded_at,
        "cursor_at": cursor_at,
        "gives_tickets": is_ticket_source(connection) or takes_alerts(connection),
        "takes_alerts": connection.takes_alerts,
        "refused": refused,
        "paused": connection.state == Connection.State.PAUSED,
        "test_path": reverse("connection-test", args=[connection.pk]),
        "edit_path": reverse("connection-change", args=[connection.pk]),
        "remove_path": reverse("connection-remove", args=[connection.pk]),
        "pause_path": reverse("connection-pause", args=[connection.pk]),
        "sync_path": reverse("connection-sync", args=[connection.pk]),
        "companies_path": reverse("connection-companies", args=[connection.pk]),
    }


def _tell(request: MemberRequest, ok: bool, words: str) -> None:
    messages.add_message(request, messages.SUCCESS if ok else messages.ERROR, words)
