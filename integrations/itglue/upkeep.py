"""The tool that corrects a device's record, and the one that links two records. Each sends exactly one request."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator

from integrations.itglue import endpoints, schemas
from integrations.itglue.targets import (
    Id,
    asset_of,
    client_of,
    configuration_of,
    contact_of,
    document_of,
    location_of,
    organization_id_of,
    ownership,
)
from integrations.texts import plain, redacted
from integrations.tools import (
    Category,
    Change,
    DefaultPolicy,
    Outcome,
    OutcomeStrategy,
    Preview,
    Risk,
    ToolArguments,
    ToolContext,
    ToolResult,
    tool,
)
from integrations.wording import Words, several_lines, single_line

LONGEST_STATE = 200


def _an_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("must be an IP address, as in 192.0.2.10") from None


Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), single_line]
Notes = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000), several_lines]
Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=45), AfterValidator(_an_address)]
Mac = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$")]

#: Argument -> label on the card, but for what points at another record.
FIELDS: dict[str, str] = {
    "name": "Name",
    "hostname": "Host name",
    "primary_ip": "IP address",
    "mac_address": "MAC address",
    "serial_number": "Serial number",
    "asset_tag": "Asset tag",
    "position": "Position",
    "operating_system_notes": "Notes on the operating system",
    "notes": "Notes",
    "purchased_at": "Purchased",
    "installed_at": "Installed",
    "warranty_expires_at": "Warranty ends",
    "archived": "Archived",
}


class UpdateConfiguration(ToolArguments):
    configuration_id: Id = Field(description="Id of the configuration in IT Glue (search_configurations).")
    name: Words | None = Field(None, description="New name.")
    hostname: Short | None = Field(None, description="New host name.")
    primary_ip: Address | None = Field(None, description="New IP address.")
    mac_address: Mac | None = Field(None, description="New MAC address, as in 00:00:5E:00:53:11.")
    serial_number: Short | None = Field(None, description="New serial number.")
    asset_tag: Short | None = Field(None, description="New asset tag.")
    position: Short | None = Field(None, description="New position, as in Rack 2, U14.")
    operating_system_notes: Notes | None = Field(None, description="New notes on the operating system.")
    notes: Notes | None = Field(None, description="New notes; they take the place of all of the former ones.")
    purchased_at: date | None = Field(None, description="Day of purchase.")
    installed_at: date | None = Field(None, description="Day of installation.")
    warranty_expires_at: date | None = Field(None, description="Day on which the warranty ends.")
    location_id: Id | None = Field(None, description="The site where it stands (list_locations).")
    contact_id: Id | None = Field(None, description="Who uses it (list_contacts).")
    archived: bool | None = Field(None, description="True for a device that is out of use.")

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.wanted:
            raise ValueError("no field to change is named")
        return self

    @property
    def wanted(self) -> dict[str, str | int | bool]:
        """The fields named, as the vendor takes them, by the arguments' names."""
        given = self.model_dump(mode="json", exclude_none=True, exclude={"configuration_id"})
        return {name: value for name, value in given.items() if value is not None}


class LinkItems(ToolArguments):
    source_type: Literal["configuration", "contact", "document", "flexible_asset", "location"] = Field(
        description="What kind of record gets the link."
    )
    source_id: Id = Field(description="Its id.")
    destination_type: Literal["configuration", "contact", "document", "flexible_asset", "location"] = Field(
        description="What kind of record it leads to."
    )
    destination_id: Id = Field(description="Its id.")
    note: Short | None = Field(None, description="Why they belong together, in one line.")

    @model_validator(mode="after")
    def _two_records(self) -> Self:
        if (self.source_type, self.source_id) == (self.destination_type, self.destination_id):
            raise ValueError("a record is not linked with itself")
        return self


def _now(found: schemas.Configuration, name: str) -> str | int | bool:
    value: str | int | bool = getattr(found, name)
    return value[:10] if isinstance(value, str) and name.endswith("_at") else value


def _fact(value: str | int | bool) -> JsonValue:
    """A value as a target's state holds it: long text and what may hold a password by its digest only."""
    if not isinstance(value, str) or (len(value) <= LONGEST_STATE and redacted(value) == value):
        return value
    return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"


def _words(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return redacted(plain(str(value)))


def _preview_update(context: ToolContext, arguments: UpdateConfiguration) -> Preview:
    found = configuration_of(context, arguments.configuration_id)
    wanted = arguments.wanted
    changes = [
        Change(label, _words(_now(found, name)), _words(wanted[name]))
        for name, label in FIELDS.items()
        if name in wanted
    ]
    if arguments.location_id:
        site = location_of(context, arguments.location_id)
        changes.append(Change("Site", found.location_name, site.name))
    if arguments.contact_id:
        changes.append(Change("User", found.contact_name, contact_of(context, arguments.contact_id).full_name))
    lost = [label for name, label in FIELDS.items() if name in wanted and _holds_secret(_now(found, name))]
    former = "; ".join(f"{one.label}: {one.before or 'empty'}" for one in changes)
    return Preview(
        title=f"Change {found.name} in IT Glue",
        target=found.name,
        changes=tuple(changes),
        seen_by=f"{context.organization.name}, and the client where the record is shared with them.",
        undo=f"Set the former values again ({former[:500]}); IT Glue keeps the former version, too.",
        target_state={
            "company": ownership(context),
            "configuration": {"id": found.id, "name": found.name},
            **{name: _fact(_now(found, name)) for name in wanted},
        },
        sets={name: _fact(value) for name, value in wanted.items()},
        evidence=(
            "The record was read just now.",
            "IT Glue refuses changes to records that it keeps in step with a PSA or a monitoring.",
            *(f"{label} hold what looks like a password: it would be lost." for label in lost),
        ),
    )


def _holds_secret(value: str | int | bool) -> bool:
    return isinstance(value, str) and redacted(value) != value


def _search_update(context: ToolContext, arguments: UpdateConfiguration, before: JsonValue) -> Outcome:
    found = configuration_of(context, arguments.configuration_id)
    known = before if isinstance(before, dict) else {}
    # one request changes all fields or none; a user that IT Glue does not tell of proves nothing
    wanted = {name: value for name, value in arguments.wanted.items() if name != "contact_id" or found.contact_id}
    if wanted and all(_fact(_now(found, name)) == _fact(value) for name, value in wanted.items()):
        return Outcome("found", f"{found.name} has the values that were sent.")
    if wanted and known and all(_fact(_now(found, name)) == known.get(name) for name in wanted):
        return Outcome("absent", f"{found.name} is as it was before.")
    return Outcome("unclear", f"{found.name} was changed by somebody else meanwhile, or does not tell its user.")


@tool(
    name="itglue.update_configuration",
    label="Correct a documented device",
    description="Change fields of one device (configuration) of this company in IT Glue. Text given for a field takes"
    " the place of what stood there.",
    arguments=UpdateConfiguration,
    title=lambda arguments: f"Change device {arguments.configuration_id} in IT Glue",
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    policy=DefaultPolicy.ALWAYS,
    endpoints=(endpoints.CONFIGURATION, endpoints.LOCATION, endpoints.CONTACT, endpoints.UPDATE_CONFIGURATION),
    outcome=OutcomeStrategy.NATURAL,
    undo="Set the former values again.",
    preview=_preview_update,
    search=_search_update,
)
def update_configuration(context: ToolContext, arguments: UpdateConfiguration) -> ToolResult:
    found = configuration_of(context, arguments.configuration_id)
    if arguments.location_id:
        location_of(context, arguments.location_id)
    if arguments.contact_id:
        contact_of(context, arguments.contact_id)
    attributes = {name.replace("_", "-"): value for name, value in arguments.wanted.items()}
    changed = client_of(context).write(
        schemas.Configuration,
        endpoints.UPDATE_CONFIGURATION,
        {"data": {"type": "configurations", "attributes": {**attributes}}},
        organization_id=organization_id_of(context),
        id=found.id,
    )
    return ToolResult(
        content={"configuration_id": changed.id, "name": changed.name, "changed": [*arguments.wanted]},
        summary=f"{changed.name or found.name} is changed",
    )


Named = Callable[[ToolContext, int], str]

#: Kind -> (what the vendor calls it in a path, and as a destination; how its name is looked up).
_LINKABLE: dict[str, tuple[str, str, Named]] = {
    "configuration": (
        "configurations",
        "Configuration",
        lambda context, number: configuration_of(context, number).name,
    ),
    "contact": ("contacts", "Contact", lambda context, number: contact_of(context, number).full_name),
    "document": ("documents", "Document", lambda context, number: document_of(context, number).name),
    "flexible_asset": ("flexible_assets", "Flexible Asset", lambda context, number: asset_of(context, number).name),
    "location": ("locations", "Location", lambda context, number: location_of(context, number).name),
}


def _both(context: ToolContext, arguments: LinkItems) -> tuple[str, str]:
    """The names of the two records, when both are the company's. Raises TargetRefused."""
    source = _LINKABLE[arguments.source_type][2](context, arguments.source_id)
    return source, _LINKABLE[arguments.destination_type][2](context, arguments.destination_id)


def _preview_link(context: ToolContext, arguments: LinkItems) -> Preview:
    source, destination = _both(context, arguments)
    words = arguments.destination_type.replace("_", " ")
    return Preview(
        title=f"Link {source} with {destination}",
        target=source,
        changes=(
            Change("Related items", "not looked up", f"{destination} ({words})"),
            *((Change("Note", "", arguments.note),) if arguments.note else ()),
        ),
        seen_by=f"{context.organization.name}, and the client where both records are shared with them.",
        undo="Remove the related item on the record's page in IT Glue.",
        target_state={
            "company": ownership(context),
            "source": {"id": arguments.source_id, "name": source},
            "destination": {"id": arguments.destination_id, "name": destination},
        },
        evidence=("Both records were read just now; IT Glue's page tells whether they are linked already.",),
    )


@tool(
    name="itglue.link_items",
    label="Link two records",
    description="Name one record of this company on the page of another in IT Glue, such as a document on a device.",
    arguments=LinkItems,
    title=lambda arguments: (
        f"Link {arguments.source_type} {arguments.source_id} with {arguments.destination_type}"
        f" {arguments.destination_id}"
    ),
    category=Category.WRITE,
    risk=Risk.LOW,
    endpoints=(
        endpoints.CONFIGURATION,
        endpoints.CONTACT,
        endpoints.DOCUMENT,
        endpoints.ASSET,
        endpoints.LOCATION,
        endpoints.LINK_ITEMS,
    ),
    outcome=OutcomeStrategy.ASK,
    undo="Remove the related item in IT Glue.",
    preview=_preview_link,
)
def link_items(context: ToolContext, arguments: LinkItems) -> ToolResult:
    source, destination = _both(context, arguments)
    path, _, _ = _LINKABLE[arguments.source_type]
    attributes: dict[str, JsonValue] = {
        "destination-type": _LINKABLE[arguments.destination_type][1],
        "destination-id": str(arguments.destination_id),
    }
    if arguments.note:
        attributes["notes"] = arguments.note
    client_of(context).write(
        schemas.Link,
        endpoints.LINK_ITEMS,
        {"data": {"type": "related-items", "attributes": attributes}},
        resource_type=path,
        resource_id=arguments.source_id,
    )
    return ToolResult(
        content={"source": source, "destination": destination}, summary=f"{source} is linked with {destination}"
    )
