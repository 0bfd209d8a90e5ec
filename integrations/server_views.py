"""Pages of an MCP server: its tools, what each claims, what changed, and what an Admin says it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from pydantic import JsonValue

from integrations.mcp.definitions import LONGEST_DESCRIPTION, local_name, plain, title_of
from integrations.models import Connection, McpTool
from integrations.served import difference_of
from integrations.server_forms import FLAG_WORDS, ToolForm
from integrations.servers import ClassificationRefused, block_tool, classify_tool
from integrations.services import try_connection
from integrations.vendors import is_mcp
from integrations.views import find_connection
from junto.tenants.access import MemberRequest
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require

#: State -> tone and icon.
LOOKS: dict[str, tuple[str, str]] = {
    McpTool.State.BLOCKED: ("", "ban"),
    McpTool.State.ALLOWED: ("ok", "ok"),
    McpTool.State.CHANGED: ("danger", "alert"),
    McpTool.State.GONE: ("warn", "dot"),
}
#: A server's hints, in words. They are its claims, and no permission.
CLAIMS: dict[str, tuple[str, str]] = {
    "readOnlyHint": ("It changes nothing.", "It changes something."),
    "destructiveHint": ("It may destroy something.", "It destroys nothing."),
    "idempotentHint": ("Called twice, it does no more than once.", "Called twice, it does it twice."),
    "openWorldHint": ("It reaches systems beyond its own.", "It stays within its own system."),
}
MOST_LINES = 120


@require_safe
def tools(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """All tools of a server, those that need somebody first."""
    server = _server(request, connection_id)
    kept = McpTool.objects.for_organization(request.organization).filter(connection=server)
    rows = list(kept.select_related("connection__consent", "company", "classified_by__user"))
    order = [McpTool.State.CHANGED, McpTool.State.BLOCKED, McpTool.State.ALLOWED, McpTool.State.GONE]
    rows.sort(key=lambda row: (order.index(_state(row)), row.name))
    blocked = [row for row in rows if _state(row) in (McpTool.State.CHANGED, McpTool.State.BLOCKED)]
    context = {
        "connection": server,
        "tools": [_line(row) for row in rows],
        "waiting": sum(not row.problem for row in blocked),
        "unusable": sum(bool(row.problem) for row in blocked),
        "moved": next(filter(None, map(difference_of, rows)), ""),
        "read_path": reverse("mcp-read", args=[server.pk]),
        "back_path": reverse("connection-change", args=[server.pk]),
        "companies_path": reverse("connection-companies", args=[server.pk]),
    }
    return render(request, "integrations/mcp_tools.html", context)


@require_POST
def read(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Ask the server for its tools now."""
    server = _server(request, connection_id)
    health = try_connection(actor=request.actor, connection=server)
    messages.add_message(
        request, messages.SUCCESS if health.ok else messages.ERROR, f"{health.summary} {health.advice}".strip()
    )
    return redirect("mcp-tools", server.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def tool(request: MemberRequest, connection_id: UUID, tool_id: UUID) -> HttpResponse:
    """What a server says of a tool, and what an Admin says of it."""
    server = _server(request, connection_id)
    row = _row(request, server, tool_id)
    companies = Company.objects.visible_to(request.actor).filter(is_active=True)
    form = ToolForm(request.POST if request.method == "POST" else None, row=row, companies=companies)
    if request.method == "POST" and form.is_valid():
        try:
            classify_tool(actor=request.actor, row=row, reading=form.cleaned_data["reading"], said=form.said)
        except ClassificationRefused as refused:
            for problem in refused.problems:
                form.add_error(problem.field if problem.field in form.fields else None, problem.message)
        else:
            messages.success(request, f"{plain(row.name, 60)} may be used as you said.")
            return redirect("mcp-tools", server.pk)
    context = {
        "connection": server,
        "tool": _line(row),
        "form": form,
        "usable": not row.problem and row.state != McpTool.State.GONE,
        "claims": list(_claims(row.definition)),
        "arguments": list(_arguments(row.definition)),
        "difference": list(_difference(row)) if row.trusted and row.trusted_pin != row.pin else [],
        "moved": difference_of(row),
        "may": request.actor.can(Permission.MANAGE_POLICIES),
        "block_path": reverse("mcp-tool-block", args=[server.pk, row.pk]),
        "back_path": reverse("mcp-tools", args=[server.pk]),
    }
    return render(request, "integrations/mcp_tool.html", context)


@require_POST
def block(request: MemberRequest, connection_id: UUID, tool_id: UUID) -> HttpResponse:
    """Let nobody use a tool any more."""
    server = _server(request, connection_id)
    row = _row(request, server, tool_id)
    block_tool(actor=request.actor, row=row)
    messages.success(request, f"{plain(row.name, 60)} is blocked.")
    return redirect("mcp-tools", server.pk)


def _server(request: MemberRequest, connection_id: UUID) -> Connection:
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    found = find_connection(request, connection_id)
    if not is_mcp(found.vendor):
        raise Http404("This is no MCP server.")
    return found


def _row(request: MemberRequest, server: Connection, tool_id: UUID) -> McpTool:
    rows = McpTool.objects.for_organization(request.organization).filter(connection=server, pk=tool_id)
    found: McpTool | None = rows.select_related("connection__consent", "company", "classified_by__user").first()
    if found is None:
        raise Http404("There is no such tool.")
    return found


def _state(row: McpTool) -> McpTool.State:
    """As it counts: a tool whose connection leads elsewhere by now is blocked, whoever heard of that."""
    state = McpTool.State(row.state)
    return McpTool.State.CHANGED if state == McpTool.State.ALLOWED and difference_of(row) else state


def _line(row: McpTool) -> dict[str, object]:
    state = _state(row)
    tone, icon = LOOKS[state]
    flags = dict(FLAG_WORDS)
    return {
        "name": plain(row.name, 80),
        "title": plain(title_of(row.definition) or row.name, 80),
        "words": plain(row.definition.get("description"), LONGEST_DESCRIPTION),
        "called": f"@{row.connection.vendor}.{local_name(row.name)}" if local_name(row.name) else "",
        "state": state.value,
        "state_word": str(state.label),
        "tone": tone,
        "icon": icon,
        "problem": row.problem,
        "category": row.category.capitalize() if row.trusted_pin else "",
        "risk": row.risk if row.trusted_pin else "",
        "reach": str(row.get_reach_display()) if row.trusted_pin else "",
        "flags": [flags[one] for one in row.flags if one in flags] if row.trusted_pin else [],
        "by": row.classified_by.user.display_name if row.classified_by else "",
        "classified_at": row.classified_at,
        "changed_at": row.changed_at,
        "path": reverse("mcp-tool", args=[row.connection_id, row.pk]),
    }


def _claims(definition: Mapping[str, JsonValue]) -> Iterator[str]:
    hints = definition.get("annotations")
    for name, (yes, no) in CLAIMS.items():
        value = hints.get(name) if isinstance(hints, dict) else None
        if isinstance(value, bool):
            yield yes if value else no


def _arguments(definition: Mapping[str, JsonValue]) -> Iterator[tuple[str, str, bool, str]]:
    """Name, kind, whether it has to be given, and the server's words."""
    schema = definition.get("inputSchema")
    shapes = schema.get("properties") if isinstance(schema, dict) else None
    required = schema.get("required") if isinstance(schema, dict) else None
    for name, shape in shapes.items() if isinstance(shapes, dict) else ():
        kind = shape.get("type") if isinstance(shape, dict) else ""
        words = shape.get("description") if isinstance(shape, dict) else ""
        needed = isinstance(required, list) and name in required
        yield plain(name, 80), plain(kind if isinstance(kind, str) else "", 20), needed, plain(words, 300)


def _difference(row: McpTool) -> Iterator[tuple[str, str]]:
    """What the server said when it was classified, and what it says now, line by line: kind and text."""
    before, now = (
        json.dumps(each, indent=1, sort_keys=True, ensure_ascii=True).splitlines()
        for each in (row.trusted, row.definition)
    )
    for number, line in enumerate(unified_diff(before, now, n=2, lineterm="")):
        if number >= MOST_LINES:
            yield "", "…"
            return
        if number >= 2 and not line.startswith("@@"):
            yield {"+": "ins", "-": "del"}.get(line[0], ""), line[1:1000]
