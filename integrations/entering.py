"""What an admin entered of a connection: asked for in the right form, tried before anything is lost, and kept."""

from __future__ import annotations

from integrations.connections import credential_value, normal_base_url
from integrations.errors import ToolUnavailable
from integrations.forms import ConnectionForm
from integrations.lifecycle import rotate_credentials
from integrations.models import Connection
from integrations.server_forms import ServerForm
from integrations.servers import system_of
from integrations.services import InvalidConnection, save_connection
from integrations.vendors import MCP, Vendor
from junto.tenants.actors import Actor

Entered = ConnectionForm | ServerForm


def form_of(posted: object, vendor: Vendor, connection: Connection | None) -> Entered:
    """What is asked of a system. Of an MCP server, how Junto signs in there besides."""
    if vendor.package != MCP.package:
        return ConnectionForm(posted, vendor=vendor, connection=connection)
    try:
        auth = credential_value(connection, "auth") if connection else "bearer"
    except ToolUnavailable:
        auth = "bearer"
    return ServerForm(posted, connection=connection, auth=auth)


def holds(actor: Actor, vendor: Vendor, connection: Connection | None, form: Entered) -> bool:
    """Whether nothing that works is lost: new credentials of the same address are tried before the old ones go."""
    new = form.credentials
    same = connection is not None and connection.base_url == normal_base_url(vendor, form.cleaned_data["base_url"])
    if new is None or connection is None or not same or not connection.sealed_credentials:
        return True
    if new.get("auth") == "oauth":  # nothing can be tried before somebody signs in
        return True
    try:
        health = rotate_credentials(actor=actor, connection=connection, credentials=new)
    except InvalidConnection as refused:
        for problem in refused.problems:
            form.add_error(problem.field if problem.field in form.fields else None, problem.message)
        return False
    if not health.ok:
        form.add_error(None, f"The former credentials are kept. {health.summary} {health.advice}".strip())
    return health.ok


def saved_connection(actor: Actor, vendor: Vendor, connection: Connection | None, form: Entered) -> Connection | None:
    """The stored connection, or None with the problems on the form."""
    try:
        short_name = form.cleaned_data.get("short_name")
        return save_connection(
            actor=actor,
            vendor=system_of(short_name, actor.organization) if short_name else vendor.slug,
            label=form.cleaned_data["label"],
            base_url=form.cleaned_data["base_url"],
            credentials=form.credentials,
            connection=connection,
        )
    except InvalidConnection as refused:
        for problem in refused.problems:
            form.add_error(problem.field if problem.field in form.fields else None, problem.message)
        return None
