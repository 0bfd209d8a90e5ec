"""What the floors above ask of integrations: connections, sources, the chat model, offered tools."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.utils import timezone
from pydantic import ValidationError

from integrations import guard
from integrations.chat_models import ModelInfo, chat_model, model_info
from integrations.connections import credential_fields, normal_base_url, open_client, seal_credentials, vendor_of
from integrations.directory import (
    AlreadyLinked,
    DirectoryReport,
    keep_devices,
    link_company,
    sync_directory,
    unlink_company,
)
from integrations.errors import (
    AddressRefused,
    ArgumentProblem,
    IntegrationError,
    ToolRefused,
    ToolUnavailable,
    VendorDown,
    VendorForbidden,
    VendorGarbled,
    VendorNotFound,
    VendorThrottled,
    VendorTimeout,
    VendorUnauthorized,
)
from integrations.matching import accept_suggestions
from integrations.mcp.client import McpClient
from integrations.models import CompanyLink, Connection, Consent
from integrations.served import follow_server, keep_listing
from integrations.sources import gives_alerts, is_ticket_source, open_alert_source, open_ticket_source, takes_alerts
from integrations.toolbox import toolbox
from integrations.tools import OWN_VENDOR, AnyTool, registry
from integrations.usage import known_price, reserve_usage, settle_usage
from integrations.vendors import is_mcp, vendor_named
from integrations.warrants import Errand
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet

__all__ = [
    "AlreadyLinked",
    "ConnectionHealth",
    "DirectoryReport",
    "InvalidConnection",
    "ModelInfo",
    "accept_suggestions",
    "chat_model",
    "check_connection",
    "check_credentials",
    "gives_alerts",
    "is_offered",
    "is_ticket_source",
    "keep_devices",
    "known_price",
    "link_company",
    "model_info",
    "offered_tools",
    "open_alert_source",
    "open_ticket_source",
    "pause_connection",
    "reserve_usage",
    "save_connection",
    "settle_usage",
    "sync_directory",
    "takes_alerts",
    "tried",
    "try_connection",
    "unlink_company",
]

CHECK_SECONDS = 20.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionHealth:
    """What a try of a connection showed, and what to do about it (empty when it works)."""

    ok: bool
    summary: str
    advice: str = ""


class InvalidConnection(ToolRefused):
    """What was entered cannot be a connection; each problem names its field."""

    def __init__(self, problems: tuple[ArgumentProblem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{one.field}: {one.message}" for one in problems))


def save_connection(
    *,
    actor: Actor,
    vendor: str,
    label: str,
    base_url: str,
    credentials: Mapping[str, str] | None = None,
    connection: Connection | None = None,
) -> Connection:
    """Make or change a connection, and ring so that it is read.

    `credentials` None keeps what is stored. Moving the connection to another host wipes them, whatever is meant: a key
    goes to no host but the one it was entered for (TRUST 0.9).

    Raises:
        PermissionDenied: the actor may not manage integrations.
        InvalidConnection: the address or the credentials cannot be right.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    known = vendor_named(vendor)
    if known is None:
        raise InvalidConnection((ArgumentProblem("vendor", "There is no such system."),))
    base_url = normal_base_url(known, base_url)
    try:
        origin = guard.origin_of(base_url)
        _require_own_command(actor, vendor, base_url)
    except AddressRefused as error:
        raise InvalidConnection((ArgumentProblem("base_url", str(error)),)) from error
    row = connection or Connection(organization=actor.organization, vendor=vendor)
    if row.sealed_credentials and _origin(row) != origin:
        row.sealed_credentials = ""
    moved = is_mcp(row.vendor) and connection is not None and row.base_url != base_url
    row.label, row.base_url = label.strip() or known.label, base_url
    if credentials is not None:
        check_credentials(vendor, credentials)
        seal_credentials(row, credentials)
    row.state, row.state_detail, row.checked_at, row.removed_at = Connection.State.UNTESTED, "", None, None
    with transaction.atomic():
        row.save()
        if moved:
            # what was said of the tools was said of another server, and so was what people consented to
            Consent.objects.for_organization(row.organization).filter(connection=row).delete()
            follow_server(row)
        record(
            actor,
            "connection.changed" if connection else "connection.made",
            row,
            {"vendor": vendor, "base_url": base_url, "credentials_entered": credentials is not None},
        )
        ring("connection.poll", str(row.pk))
        ring("systems.changed", str(row.organization_id))
    return row


@transaction.atomic
def pause_connection(*, actor: Actor, connection: Connection, paused: bool) -> None:
    """Stop everything that goes through a connection, or let it go on. Raises PermissionDenied."""
    require(actor, Permission.MANAGE_INTEGRATIONS)
    connection.state = Connection.State.PAUSED if paused else Connection.State.UNTESTED
    connection.state_detail = ""
    connection.save(update_fields=["state", "state_detail"])
    record(actor, "connection.paused" if paused else "connection.resumed", connection, {"vendor": connection.vendor})
    if not paused:
        ring("connection.poll", str(connection.pk))


def try_connection(*, actor: Actor, connection: Connection) -> ConnectionHealth:
    """`check_connection`, asked for by a person. Raises PermissionDenied."""
    require(actor, Permission.MANAGE_INTEGRATIONS)
    return check_connection(connection, insists=True)


def check_connection(connection: Connection, *, insists: bool = False) -> ConnectionHealth:
    """Try what the connection needs, say precisely what is wrong, and keep that on its row. A paused one stays so."""
    health = tried(connection, insists=insists, keeps=True)
    if connection.state != Connection.State.PAUSED:
        now = timezone.now()
        connection.state = Connection.State.OK if health.ok else Connection.State.FAILING
        connection.state_detail = "" if health.ok else f"{health.summary} {health.advice}".strip()
        connection.checked_at = now
        if health.ok:
            connection.succeeded_at = now
        connection.save(update_fields=["state", "state_detail", "checked_at", "succeeded_at"])
    return health


def offered_tools(*, organization: Organization, company: Company | None) -> tuple[AnyTool, ...]:
    """The tools that may be offered for a company: those of vendors that are connected and know it, and our own."""
    if company is None:
        return registry.offered(())
    usable = _usable_links(organization, company)
    common = registry.offered(set(usable.values_list("connection__vendor", flat=True)))
    served = toolbox(organization).served_for(company)
    return tuple(sorted((*common, *served), key=lambda tool: tool.name))


def is_offered(tool: AnyTool, *, organization: Organization, company: Company) -> bool:
    """Whether `offered_tools` holds `tool`."""
    if tool.vendor == OWN_VENDOR:
        return True
    if is_mcp(tool.vendor):
        return any(tool.pin == one.pin for one in toolbox(organization).served_for(company))
    return _usable_links(organization, company).filter(connection__vendor=tool.vendor).exists()


def _usable_links(organization: Organization, company: Company) -> TenantQuerySet[CompanyLink]:
    links: TenantQuerySet[CompanyLink] = CompanyLink.objects.for_organization(organization).filter(company=company)
    return links.exclude(connection__state=Connection.State.PAUSED).exclude(connection__sealed_credentials="")


def tried(connection: Connection, *, insists: bool, keeps: bool = False) -> ConnectionHealth:
    """What a try shows. With `keeps`, what an MCP server lists is brought in step, all of it or none; else nothing is.

    Raises nothing: a failure of our own is logged and told as one.
    """
    try:
        with closing(open_client(connection, Errand.reading(CHECK_SECONDS), insists=insists)) as client:
            if keeps and isinstance(client, McpClient):
                listed = client.listing()
                keep_listing(connection, listed)
                return ConnectionHealth(True, f"The server answers and lists {len(listed)} tools.")
            return ConnectionHealth(True, f"{client.probe()} answers, and the credentials are accepted.")
    except IntegrationError as error:
        return ConnectionHealth(False, str(error), _advice(error, connection))
    except Exception:  # whatever a system answers, whoever tries it is told so, and what was known of it stays
        log.exception("connection not tried", connection=str(connection.pk), vendor=connection.vendor)
        return ConnectionHealth(
            False,
            "Junto itself failed at this; nothing that was known of the system changed.",
            "Try again; if it fails again, whoever runs this server finds the reason in the log.",
        )


def _advice(error: IntegrationError, connection: Connection) -> str:
    """What a person does about a failure."""
    fields = ", ".join(field.label.lower() for field in credential_fields(vendor_of(connection)))
    advices: tuple[tuple[type[IntegrationError], str], ...] = (
        (AddressRefused, "Correct the address, or ask whoever runs this server."),
        (ToolUnavailable, ""),
        (VendorUnauthorized, f"Enter the credentials again ({fields}) and check that the key is not revoked."),
        (VendorForbidden, "Give the key's security role the right to read what was asked for."),
        (VendorNotFound, "Check the address: the server answers, but the API is not there."),
        (VendorThrottled, "Wait a few minutes; another integration may be using up the limit."),
        (VendorGarbled, "Check the address: something else than the API answers there."),
        (VendorTimeout, "Check the address and any firewall between, then try again."),
        (VendorDown, "Check the address; if it is right, the system is down: try again later."),
    )
    return next((advice for kind, advice in advices if isinstance(error, kind)), "")


def check_credentials(vendor: str, credentials: Mapping[str, str]) -> None:
    """Raises InvalidConnection for credentials that cannot be right."""
    known = vendor_named(vendor)
    if known is None:
        raise InvalidConnection((ArgumentProblem("vendor", "There is no such system."),))
    try:
        known.module("schemas").Credentials.model_validate(dict(credentials))
    except ValidationError as error:
        raise InvalidConnection(
            tuple(
                ArgumentProblem(".".join(str(part) for part in one["loc"]), one["msg"])
                for one in error.errors(include_url=False, include_context=False, include_input=False)
            )
        ) from None


def _require_own_command(actor: Actor, vendor: str, base_url: str) -> None:
    """Raises AddressRefused for a command that was listed for another organization, or for what is no MCP server."""
    slug = base_url.removeprefix(guard.STDIO).partition("/")[0]
    if base_url.startswith(guard.STDIO) and (slug != actor.organization.slug or not is_mcp(vendor)):
        raise AddressRefused("Whoever runs this server has not listed this command in JUNTO_MCP_COMMANDS.")


def _origin(connection: Connection) -> str:
    try:
        return guard.origin_of(connection.base_url)
    except AddressRefused:
        return ""
