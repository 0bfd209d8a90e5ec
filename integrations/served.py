"""What MCP servers say of their tools, kept: a new tool comes blocked, a changed one is blocked, a lost one shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.utils import timezone
from pydantic import JsonValue

from integrations.mcp.definitions import keepable, local_name, plain, problem_of, storable
from integrations.mcp.places import is_at, place_of_server
from integrations.mcp.schemas import Listed
from integrations.models import Connection, McpTool
from junto.audit.services import record
from junto.bells import ring
from junto.inbox.services import notify
from junto.tenants.actors import Actor
from junto.tenants.models import Membership, Organization
from junto.tenants.permissions import Permission
from junto.tenants.scoping import TenantQuerySet

_State = McpTool.State


def tools_of(connection: Connection) -> TenantQuerySet[McpTool]:
    """What is known of a server's tools."""
    rows: TenantQuerySet[McpTool] = McpTool.objects.for_organization(connection.organization)
    return rows.filter(connection=connection)


def note_change(organization: Organization, *, server: str, name: str, now: Listed | None) -> None:
    """A tool was found not to be what it was, at the moment before a call."""
    connection = Connection.objects.for_organization(organization).select_related("organization").get(pk=server)
    with transaction.atomic():
        rows = list(tools_of(connection).select_for_update().filter(name=name))
        moved = [row for row in rows if (_take(row, now) if now else _lose(row))]
        _tell(connection, moved)


@transaction.atomic
def keep_listing(connection: Connection, listed: Iterable[Listed]) -> list[McpTool]:
    """Bring what we know in step with a whole list of the server's tools; returns what is not in use any more by it."""
    follow_server(connection)
    told = list(listed)
    names = Counter(_kept_name(one) for one in told)
    by_name = {_kept_name(one): one for one in told}  # one row for each name, as it can be kept
    ours = Counter(local_name(one.name) for one in by_name.values())
    known = {row.name: row for row in tools_of(connection).select_for_update()}
    moved: list[McpTool] = []
    for name, one in by_name.items():
        row = known.pop(name, None) or McpTool(organization=connection.organization, connection=connection, name=name)
        twice = names[name] > 1 or ours[local_name(one.name)] > 1
        if _take(row, one, twice=twice):
            moved.append(row)
    moved += [row for row in known.values() if _lose(row)]
    _tell(connection, moved)
    return moved


def follow_server(connection: Connection) -> None:
    """Block what was in use of another server than the connection leads to now, and tell who manages integrations.

    An address, an authorization server and an operator's command can each become another. Inside a transaction.
    """
    fresh = Connection.objects.for_organization(connection.organization).select_related("organization", "consent")
    now = fresh.get(pk=connection.pk)
    rows = tools_of(now).select_for_update().filter(state=_State.ALLOWED)
    moved = [row for row in rows if not is_at(row.trusted_server, now)]
    for row in moved:
        row.connection = now
        row.state, row.changed_at = _State.CHANGED, timezone.now()
        row.save(update_fields=["state", "changed_at"])
    if moved:
        _note_blocked(now, moved)
        _notify(
            now,
            title=f"{plain(now.label, 60)} leads to another server: its tools are blocked",
            body=f"{difference_of(moved[0])} Classify the tools anew, see whether the companies have the same ids"
            " there, and publish runbooks that use them again.",
        )


def difference_of(row: McpTool) -> str:
    """In what the server that an Admin knew differs from the one that the connection leads to; empty in nothing."""
    before, now = row.trusted_server, place_of_server(row.connection)
    if not row.trusted_pin or is_at(before, row.connection):
        return ""
    if before.get("address") != now["address"]:
        return f"It was at {_plain_of(before, 'address')}, and is at {_plain_of(now, 'address')} now."
    if before.get("command") != now.get("command"):
        return f"What runs behind {_plain_of(now, 'address')} is another command by now."
    return f"People signed in for it at {_plain_of(before, 'issuer')}, and at {_plain_of(now, 'issuer')} now."


def _plain_of(place: Mapping[str, JsonValue], part: str) -> str:
    return plain(place.get(part), 300) or "a place that is not noted"


def block_all(connection: Connection) -> None:
    """The connection is taken away: nothing that was said of its tools holds. Inside a transaction."""
    for row in tools_of(connection).filter(state=_State.ALLOWED):
        ring("tool.blocked", tool_key(row))
    tools_of(connection).delete()


def tool_key(row: McpTool) -> str:
    """The organization's id and the tool's name, as a bell carries them."""
    return f"{row.organization_id}/{row.connection.vendor}.{local_name(row.name)}"


def _kept_name(listed: Listed) -> str:
    """A tool's name as a row bears it. One that had to be changed for that is refused by `problem_of`."""
    return str(storable(listed.name))[:200]


def _take(row: McpTool, now: Listed, *, twice: bool = False) -> bool:
    """Keep what the server says now; True where that blocks a tool that was in use."""
    definition = keepable(now.definition)
    problem = "The server has two tools of this name." if twice else problem_of(definition)
    if not row._state.adding and (row.pin, row.problem) == (now.pin, problem) and row.state != _State.GONE:
        return False
    row.definition, row.pin, row.problem = definition, now.pin, problem
    was_in_use = row.state in (_State.ALLOWED, _State.GONE) and bool(row.trusted_pin)
    same = row.trusted_pin == now.pin and not problem
    if not row.trusted_pin:
        row.state = _State.BLOCKED
    elif row.state == _State.GONE and same:
        row.state, row.changed_at = _State.CHANGED, timezone.now()  # it went and came back: somebody looks again
    elif not same:
        row.state, row.changed_at = _State.CHANGED, row.changed_at or timezone.now()
    row.save()
    return was_in_use and row.state == _State.CHANGED


def _lose(row: McpTool) -> bool:
    """Note that the server has it no more; True where it was in use."""
    if row.state == _State.GONE:
        return False
    was_in_use = row.state == _State.ALLOWED
    row.state, row.changed_at = _State.GONE, timezone.now()
    row.save(update_fields=["state", "changed_at"])
    return was_in_use


def _tell(connection: Connection, moved: Sequence[McpTool]) -> None:
    """Who manages integrations hears of tools that were in use and are blocked now."""
    if not moved:
        return
    _note_blocked(connection, moved)
    names = ", ".join(plain(row.name, 60) for row in moved[:5]) + (" and more" if len(moved) > 5 else "")
    _notify(
        connection,
        title=f"{connection.label} changed tools in use: {names}",
        body="They are blocked. Compare what the server said before with what it says now, and classify them anew.",
    )


def _note_blocked(connection: Connection, moved: Sequence[McpTool]) -> None:
    """What was in use is blocked: its milder policies and its approvals for a session end."""
    for row in moved:
        ring("tool.blocked", tool_key(row))
        record(
            Actor.system("mcp", connection.organization),
            "mcp_tool.blocked",
            row,
            {
                "tool": row.name,
                "state": row.state,
                "pin": row.pin,
                "trusted": row.trusted_pin,
                "at": place_of_server(connection),
                "trusted_at": row.trusted_server,
            },
        )


def _notify(connection: Connection, *, title: str, body: str) -> None:
    members = Membership.objects.for_organization(connection.organization).filter(is_active=True)
    notify(
        members=[
            member
            for member in members.select_related("user", "organization")
            if Actor.person(member).can(Permission.MANAGE_INTEGRATIONS)
        ],
        kind="mcp.changed",
        title=title,
        body=body,
        path=f"connections/{connection.pk}/tools/",
    )
