"""The tools that look up organizations, devices, people and sites. What comes back is short and plain."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from integrations.errors import VendorGarbled
from integrations.itglue import endpoints, schemas
from integrations.itglue.targets import Id, client_of, configuration_of, filled, matching, organization_id_of, own
from integrations.texts import told
from integrations.tools import ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import Limit, Words, counted, day, single_line

LONGEST_NOTES = 4000

Serial = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), single_line]


class FindOrganization(ToolArguments):
    pass


class SearchConfigurations(ToolArguments):
    name: Words | None = Field(None, description="Part of the device's name or host name.")
    serial_number: Serial | None = Field(None, description="The whole serial number.")
    ninjaone_device_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None, description="Number of the device in NinjaOne (ninjaone.find_device), where the two are integrated."
    )
    include_archived: bool = Field(False, description="Also devices that were archived.")
    limit: Limit = Field(25, description="At most so many devices.")


class OneConfiguration(ToolArguments):
    configuration_id: Id = Field(description="Id of the configuration in IT Glue (search_configurations).")


class ListContacts(ToolArguments):
    name: Words | None = Field(None, description="Part of the name or of an e-mail address.")
    limit: Limit = Field(25, description="At most so many contacts.")


class ListLocations(ToolArguments):
    pass


@tool(
    name="itglue.find_organization",
    label="Read the organization",
    description="The organization of this signal as IT Glue documents it, with its alert and quick notes. Other"
    " organizations cannot be looked up.",
    arguments=FindOrganization,
    title=lambda _: "Read the organization",
    endpoints=(endpoints.ORGANIZATIONS,),
)
def find_organization(context: ToolContext, _: FindOrganization) -> ToolResult:
    found = client_of(context).organization(organization_id_of(context))
    return ToolResult(
        content=filled(
            {
                "id": found.id,
                "name": found.name,
                "short_name": found.short_name,
                "type": found.organization_type_name,
                "status": found.organization_status_name,
                "alert": told(found.alert, most=1000),
                "description": told(found.description, most=1000),
                "quick_notes": told(found.quick_notes, most=LONGEST_NOTES),
            }
        ),
        summary=found.name,
        records=(found,),
    )


@tool(
    name="itglue.search_configurations",
    label="Search documented devices",
    description="The devices (configurations) of this company in IT Glue, by name, serial number or the device's number"
    " in NinjaOne; without any, all of them.",
    arguments=SearchConfigurations,
    title=lambda arguments: f"Search devices named “{arguments.name}”" if arguments.name else "Search devices",
    endpoints=(endpoints.CONFIGURATIONS,),
)
def search_configurations(context: ToolContext, arguments: SearchConfigurations) -> ToolResult:
    listed = client_of(context).configurations(
        organization_id_of(context),
        serial_number=arguments.serial_number or "",
        ninjaone_id=arguments.ninjaone_device_id or 0,
    )
    devices = own(context, listed)
    if arguments.ninjaone_device_id and len(devices) > 1:
        # no field of the answer repeats this filter, but a device has one number there
        raise VendorGarbled("IT Glue did not look for this device alone; search by name.", sent=True)
    serial = (arguments.serial_number or "").casefold()
    fitting = [
        one
        for one in devices
        if (arguments.include_archived or not one.archived) and serial in ("", one.serial_number.casefold())
    ]
    found = matching(fitting, arguments.name, lambda one: f"{one.name} {one.hostname}" if one.hostname else one.name)
    return ToolResult(
        content={
            "configurations": [_line(one) for one in found[: arguments.limit]],
            "left_out": max(len(found) - arguments.limit, 0),
        },
        summary=found[0].name if len(found) == 1 else counted(len(found), "device"),
        records=found[: arguments.limit],
    )


@tool(
    name="itglue.get_configuration",
    label="Read a documented device",
    description="One device (configuration) of this company in IT Glue: type, status, addresses, site, user, warranty"
    " and notes.",
    arguments=OneConfiguration,
    title=lambda arguments: f"Read device {arguments.configuration_id}",
    endpoints=(endpoints.CONFIGURATION,),
)
def get_configuration(context: ToolContext, arguments: OneConfiguration) -> ToolResult:
    found = configuration_of(context, arguments.configuration_id)
    return ToolResult(
        content=filled(
            {
                **_line(found),
                "hostname": found.hostname,
                "manufacturer": found.manufacturer_name,
                "model": found.model_name,
                "mac_address": found.mac_address,
                "default_gateway": found.default_gateway,
                "asset_tag": found.asset_tag,
                "position": found.position,
                "purchased": day(found.purchased_at),
                "installed": day(found.installed_at),
                "warranty_expires": day(found.warranty_expires_at),
                "operating_system_notes": told(found.operating_system_notes, most=1000),
                "notes": told(found.notes, most=LONGEST_NOTES),
                "updated": day(found.updated_at),
                "page": found.resource_url,
            }
        ),
        summary=", ".join(part for part in (found.name, found.configuration_status_name) if part),
        records=(found,),
    )


@tool(
    name="itglue.list_contacts",
    label="List documented contacts",
    description="The contacts of this company in IT Glue: name, title, e-mail addresses, telephone numbers, site.",
    arguments=ListContacts,
    title=lambda arguments: f"List contacts named “{arguments.name}”" if arguments.name else "List contacts",
    endpoints=(endpoints.CONTACTS,),
)
def list_contacts(context: ToolContext, arguments: ListContacts) -> ToolResult:
    people = own(context, client_of(context).contacts(organization_id_of(context)))
    found = matching(people, arguments.name, lambda one: " ".join([one.full_name, *_values(one.contact_emails)]))
    rows: list[JsonValue] = [
        filled(
            {
                "id": one.id,
                "name": one.full_name,
                "title": one.title,
                "type": one.contact_type_name,
                "important": one.important,
                "emails": [*_values(one.contact_emails)],
                "phones": [*_values(one.contact_phones)],
                "location": one.location_name,
                "notes": told(one.notes, most=500),
            }
        )
        for one in found[: arguments.limit]
    ]
    return ToolResult(
        content={"contacts": rows, "left_out": max(len(found) - len(rows), 0)},
        summary=found[0].full_name if len(found) == 1 else counted(len(found), "contact"),
        records=found[: len(rows)],
    )


@tool(
    name="itglue.list_locations",
    label="List sites",
    description="The sites (locations) of this company in IT Glue: address, telephone, notes.",
    arguments=ListLocations,
    title=lambda _: "List sites",
    endpoints=(endpoints.LOCATIONS,),
)
def list_locations(context: ToolContext, _: ListLocations) -> ToolResult:
    found = own(context, client_of(context).locations(organization_id_of(context)))
    found.sort(key=lambda one: (not one.primary, one.name.casefold()))
    rows: list[JsonValue] = [
        filled(
            {
                "id": one.id,
                "name": one.name,
                "primary": one.primary,
                "address": ", ".join(
                    part
                    for part in (
                        one.address_1,
                        one.address_2,
                        f"{one.postal_code} {one.city}".strip(),
                        one.region_name,
                        one.country_name,
                    )
                    if part
                ),
                "phone": one.phone,
                "notes": told(one.notes, most=1000),
            }
        )
        for one in found[:100]
    ]
    return ToolResult(
        content={"locations": rows, "left_out": max(len(found) - len(rows), 0)},
        summary=counted(len(found), "site"),
        records=found[: len(rows)],
    )


def _line(one: schemas.Configuration) -> dict[str, JsonValue]:
    return filled(
        {
            "id": one.id,
            "name": one.name,
            "type": one.configuration_type_name,
            "status": one.configuration_status_name,
            "serial_number": one.serial_number,
            "primary_ip": one.primary_ip,
            "operating_system": one.operating_system_name,
            "location": one.location_name,
            "contact": one.contact_name,
            "archived": one.archived,
        }
    )


def _values(ways: tuple[schemas.Way, ...]) -> list[str]:
    ordered = sorted(ways, key=lambda one: not one.primary)
    return [one.formatted_value or one.value for one in ordered if one.formatted_value or one.value][:6]
