"""Records that a call may touch: looked up here, and of the signal's own organization or refused (I7).

Neither a nested route nor a filter of IT Glue vouches for whose a record is: every answer is looked at once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

from pydantic import Field, JsonValue

from integrations.errors import TargetRefused, ToolUnavailable, VendorNotFound
from integrations.itglue import schemas
from integrations.itglue.client import ITGlueClient
from integrations.tools import ToolContext

LARGEST_ID = 2**53 - 1
"""Ids of IT Glue have up to 16 digits; this is the largest that JSON carries safely."""

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""A record's id at IT Glue."""


O = TypeVar("O", bound=schemas.Owned)  # noqa: E741  # as short as its neighbours


def client_of(context: ToolContext) -> ITGlueClient:
    """The client that dispatch opened for this call."""
    if not isinstance(context.client, ITGlueClient):
        raise ToolUnavailable("IT Glue is not connected.")
    return context.client


def organization_id_of(context: ToolContext) -> int:
    """The signal's company as IT Glue numbers it."""
    external = context.company_external_id
    if not (external.isascii() and external.isdigit()) or len(external) > 16:
        raise ToolUnavailable(f"{context.company.name} is not linked to an organization in IT Glue.")
    return int(external)


def own(context: ToolContext, records: Iterable[O]) -> list[O]:
    """Those of the records that the vendor itself says are the company's."""
    wanted = organization_id_of(context)
    return [one for one in records if one.organization_id == wanted]


def open_to_all(records: Iterable[O]) -> tuple[list[O], int]:
    """The records that IT Glue shows to all users of the account, and how many others there are.

    What is restricted to some people there is not read out to everybody here, though the key would see it.
    """
    every = list(records)
    shown = [one for one in every if not one.restricted]
    return shown, len(every) - len(shown)


def matching(records: Iterable[O], name: str | None, words: Callable[[O], str]) -> list[O]:
    """The records whose words contain `name`, those called exactly so first."""
    wanted = (name or "").casefold()
    found = [one for one in records if wanted in words(one).casefold()]
    return sorted(found, key=lambda one: (words(one).casefold() != wanted, words(one).casefold(), one.id))


def configuration_of(context: ToolContext, configuration_id: int) -> schemas.Configuration:
    """The configuration, when it belongs to the company. Raises TargetRefused."""
    return _owned(context, configuration_id, "configuration", client_of(context).configuration)


def contact_of(context: ToolContext, contact_id: int) -> schemas.Contact:
    """The contact, when they belong to the company. Raises TargetRefused."""
    return _owned(context, contact_id, "contact", client_of(context).contact)


def location_of(context: ToolContext, location_id: int) -> schemas.Location:
    """The location, when it belongs to the company. Raises TargetRefused."""
    return _owned(context, location_id, "location", client_of(context).location)


def document_of(context: ToolContext, document_id: int) -> schemas.Document:
    """The document, when it belongs to the company and is not restricted. Raises TargetRefused."""
    return _unrestricted(_owned(context, document_id, "document", client_of(context).document), "document")


def asset_of(context: ToolContext, asset_id: int) -> schemas.Asset:
    """The flexible asset, when it belongs to the company and is not restricted. Raises TargetRefused."""
    return _unrestricted(
        _owned(context, asset_id, "flexible asset", lambda _, number: client_of(context).asset(number)), "asset"
    )


def _owned(context: ToolContext, number: int, word: str, look_up: Callable[[int, int], O]) -> O:
    """The record; one that is another's and one that is not there are refused alike."""
    wanted = organization_id_of(context)
    try:
        record = look_up(wanted, number)
    except VendorNotFound:
        record = None
    if record is None or record.id != number or record.organization_id != wanted:
        raise TargetRefused(f"{number} is not a {word} of {context.company.name}.")
    return record


def _unrestricted(record: O, word: str) -> O:
    if record.restricted:
        raise TargetRefused(f"IT Glue shows this {word} to some of its users only: open it there.")
    return record


def ownership(context: ToolContext) -> JsonValue:
    """Whose a target is, as a target's state holds it."""
    return {"id": organization_id_of(context), "name": context.company.name}


def filled(record: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Without the fields that are empty."""
    return {name: value for name, value in record.items() if value not in ("", None, [], {}, False, 0)}
