"""The tools that read what the MSP wrote down of a company: flexible assets, documents, names of passwords, dates."""

from __future__ import annotations

from datetime import date

from pydantic import Field, JsonValue

from integrations.errors import TargetRefused
from integrations.itglue import endpoints, schemas
from integrations.itglue.targets import (
    Id,
    client_of,
    document_of,
    filled,
    matching,
    open_to_all,
    organization_id_of,
    own,
)
from integrations.texts import REMOVED, address, plain, redacted, told
from integrations.tools import Flag, Risk, Scope, ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import Limit, Words, counted, day

LONGEST_TRAIT = 1500
LONGEST_DOCUMENT = 20_000
PASSWORD_KIND = "password"  # noqa: S105  # the vendor's name of a kind of field


class ListAssetTypes(ToolArguments):
    name: Words | None = Field(None, description="Part of the kind's name, as in Backup.")


class ListFlexibleAssets(ToolArguments):
    type_id: Id = Field(description="The kind of asset (list_asset_types).")
    name: Words | None = Field(None, description="Part of the asset's name.")
    limit: Limit = Field(10, description="At most so many assets.")


class ListDocuments(ToolArguments):
    name: Words | None = Field(None, description="Part of the document's name.")
    limit: Limit = Field(50, description="At most so many documents.")


class ReadDocument(ToolArguments):
    document_id: Id = Field(description="Id of the document (list_documents).")


class ListPasswordNames(ToolArguments):
    name: Words | None = Field(None, description="Part of the name, or of what it is for.")
    limit: Limit = Field(50, description="At most so many names.")


class ListExpirations(ToolArguments):
    since: date | None = Field(None, description="Only what ends on or after this day.")
    until: date | None = Field(None, description="Only what ends on or before this day.")
    limit: Limit = Field(50, description="At most so many dates, the earliest first.")


class ListDomains(ToolArguments):
    pass


@tool(
    name="itglue.list_asset_types",
    label="List kinds of assets",
    description="The kinds of flexible assets that are documented in IT Glue, such as networks or backups: the ids that"
    " list_flexible_assets takes.",
    arguments=ListAssetTypes,
    title=lambda _: "List kinds of assets",
    scope=Scope.FREE,
    endpoints=(endpoints.ASSET_TYPES,),
)
def list_asset_types(context: ToolContext, arguments: ListAssetTypes) -> ToolResult:
    word = (arguments.name or "").casefold()
    found = [one for one in client_of(context).asset_types() if one.enabled and word in one.name.casefold()]
    found.sort(key=lambda one: one.name.casefold())
    rows: list[JsonValue] = [
        filled({"id": one.id, "name": one.name, "description": told(one.description, most=200)}) for one in found[:200]
    ]
    return ToolResult(content={"types": rows}, summary=counted(len(found), "kind"))


@tool(
    name="itglue.list_flexible_assets",
    label="Read documented assets",
    description="The flexible assets of one kind (network, backup, application ...) of this company, with their fields."
    " Fields that hold passwords are left out.",
    arguments=ListFlexibleAssets,
    title=lambda arguments: f"Read assets named “{arguments.name}”" if arguments.name else "Read documented assets",
    endpoints=(endpoints.ASSET_FIELDS, endpoints.ASSETS),
)
def list_flexible_assets(context: ToolContext, arguments: ListFlexibleAssets) -> ToolResult:
    client = client_of(context)
    fields = client.asset_fields(arguments.type_id)
    listed = own(context, client.assets(organization_id_of(context), arguments.type_id))
    of_kind = [one for one in listed if one.flexible_asset_type_id == arguments.type_id and not one.archived]
    shown, restricted = open_to_all(of_kind)
    found = matching(shown, arguments.name, lambda one: one.name)
    rows: list[JsonValue] = [
        filled(
            {
                "id": one.id,
                "name": redacted(one.name),
                "kind": one.flexible_asset_type_name,
                "fields": _traits(one, fields),
                "updated": day(one.updated_at),
                "page": one.resource_url,
            }
        )
        for one in found[: arguments.limit]
    ]
    return ToolResult(
        content={"assets": rows, "left_out": len(found) - len(rows), "restricted_left_out": restricted},
        summary=counted(len(found), "asset"),
    )


@tool(
    name="itglue.list_documents",
    label="List documents",
    description="The documents of this company in IT Glue, by name: instructions, notes, plans.",
    arguments=ListDocuments,
    title=lambda arguments: f"List documents named “{arguments.name}”" if arguments.name else "List documents",
    endpoints=(endpoints.DOCUMENTS,),
)
def list_documents(context: ToolContext, arguments: ListDocuments) -> ToolResult:
    listed = own(context, client_of(context).documents(organization_id_of(context)))
    shown, restricted = open_to_all(one for one in listed if not one.archived)
    found = matching(shown, arguments.name, lambda one: one.name)
    rows: list[JsonValue] = [
        filled(
            {
                "id": one.id,
                "name": one.name,
                "published": day(one.published_at) or "draft",
                "updated": day(one.updated_at),
                "is_a_file": one.is_uploaded,
            }
        )
        for one in found[: arguments.limit]
    ]
    return ToolResult(
        content={"documents": rows, "left_out": len(found) - len(rows), "restricted_left_out": restricted},
        summary=found[0].name if len(found) == 1 else counted(len(found), "document"),
    )


@tool(
    name="itglue.read_document",
    label="Read a document",
    description="The text of one document of this company in IT Glue. What looks like a password in it is left out.",
    arguments=ReadDocument,
    title=lambda arguments: f"Read document {arguments.document_id}",
    endpoints=(endpoints.DOCUMENT, endpoints.SECTIONS),
)
def read_document(context: ToolContext, arguments: ReadDocument) -> ToolResult:
    document = document_of(context, arguments.document_id)
    if document.is_uploaded:
        raise TargetRefused(f"“{document.name}” is an uploaded file, which Junto does not read: open it in IT Glue.")
    parts = [_part(one) for one in client_of(context).sections(document.id)]
    text = redacted("\n\n".join(part for part in parts if part) or plain(document.content))
    return ToolResult(
        content=filled(
            {
                "id": document.id,
                "name": document.name,
                "published": day(document.published_at) or "draft",
                "updated": day(document.updated_at),
                "archived": document.archived,
                "text": text[:LONGEST_DOCUMENT],
                "characters_left_out": max(len(text) - LONGEST_DOCUMENT, 0),
                "page": document.resource_url,
            }
        ),
        summary=f"{document.name}, {counted(len(text), 'character')}",
    )


@tool(
    name="itglue.list_password_names",
    label="List names of passwords",
    description="Which passwords of this company are kept in IT Glue: name, user name, what for, when changed. Never"
    " the passwords themselves.",
    arguments=ListPasswordNames,
    title=lambda _: "List names of passwords",
    risk=Risk.MEDIUM,
    flags={Flag.SECRET},
    endpoints=(endpoints.PASSWORDS,),
)
def list_password_names(context: ToolContext, arguments: ListPasswordNames) -> ToolResult:
    listed = own(context, client_of(context).password_names(organization_id_of(context)))
    shown, restricted = open_to_all(one for one in listed if not one.archived)
    found = matching(shown, arguments.name, lambda one: f"{one.name} {one.cached_resource_name}".strip())
    rows: list[JsonValue] = [
        filled(
            {
                "id": one.id,
                "name": redacted(one.name),
                "user_name": one.username,
                "address": address(one.url),
                "category": one.password_category_name,
                "belongs_to": one.cached_resource_name,
                "changed": day(one.password_updated_at),
            }
        )
        for one in found[: arguments.limit]
    ]
    return ToolResult(
        content={"passwords": rows, "left_out": len(found) - len(rows), "restricted_left_out": restricted},
        summary=counted(len(found), "name"),
    )


@tool(
    name="itglue.list_expirations",
    label="List what expires",
    description="What ends when at this company, the earliest first: warranties, domains, certificates, licences.",
    arguments=ListExpirations,
    title=lambda _: "List what expires",
    endpoints=(endpoints.EXPIRATIONS,),
)
def list_expirations(context: ToolContext, arguments: ListExpirations) -> ToolResult:
    listed = own(context, client_of(context).expirations(organization_id_of(context)))
    first = arguments.since.isoformat() if arguments.since else ""
    last = arguments.until.isoformat() if arguments.until else "9999"
    found = [one for one in listed if one.expiration_date and first <= day(one.expiration_date) <= last]
    found.sort(key=lambda one: (one.expiration_date, one.id))
    rows: list[JsonValue] = [
        filled(
            {
                "on": day(one.expiration_date),
                "what": one.resource_name,
                "kind": one.resource_type_name,
                "description": told(one.description, most=300),
            }
        )
        for one in found[: arguments.limit]
    ]
    return ToolResult(
        content={"expirations": rows, "left_out": len(found) - len(rows)},
        summary=f"{counted(len(found), 'date')}, the first {day(found[0].expiration_date)}" if found else "No dates",
        records=found[: len(rows)],
    )


@tool(
    name="itglue.list_domains",
    label="List domains",
    description="The domains of this company in IT Glue: registrar and when they end.",
    arguments=ListDomains,
    title=lambda _: "List domains",
    endpoints=(endpoints.DOMAINS,),
)
def list_domains(context: ToolContext, _: ListDomains) -> ToolResult:
    found = own(context, client_of(context).domains(organization_id_of(context)))
    found.sort(key=lambda one: one.name.casefold())
    rows: list[JsonValue] = [
        filled(
            {
                "id": one.id,
                "name": one.name,
                "registrar": one.registrar_name,
                "expires": day(one.expires_on),
                "notes": told(one.notes, most=500),
            }
        )
        for one in found[:200]
    ]
    return ToolResult(
        content={"domains": rows, "left_out": max(len(found) - len(rows), 0)},
        summary=counted(len(found), "domain"),
        records=found[: len(rows)],
    )


def _part(section: schemas.Section) -> str:
    """A section as a model reads it."""
    text = plain(section.content)
    if section.resource_type.endswith("Heading"):
        return f"{'#' * min(max(section.level, 1), 6)} {text}" if text else ""
    return "(pictures)" if section.resource_type.endswith("Gallery") else text


def _traits(asset: schemas.Asset, fields: list[schemas.AssetField]) -> dict[str, JsonValue]:
    """The fields that are known not to hold a password, by the names that people know; one of no known kind is none."""
    return filled(
        {
            field.name or field.name_key: _named_trait(field.name or field.name_key, asset.traits[field.name_key])
            for field in fields
            if field.name_key in asset.traits and field.kind and field.kind.casefold() != PASSWORD_KIND
        }
    )


def _named_trait(name: str, value: JsonValue) -> JsonValue:
    """A field's value; cut where its name speaks of a password, which its kind need not say."""
    if not isinstance(value, str):
        return _trait(value)
    return REMOVED if redacted(f"{name}: {value}").startswith(f"{name}: {REMOVED}") else _trait(value)


def _trait(value: JsonValue) -> JsonValue:
    """A field's value: text, or the names of what it points at."""
    if isinstance(value, dict):
        values = value.get("values")
        every = values if isinstance(values, list) else []
        names = [str(one["name"]) for one in every if isinstance(one, dict) and one.get("name")]
        return [*(redacted(name)[:200] for name in names[:50])]
    if isinstance(value, list):
        return [_trait(one) for one in value[:50]]
    return told(value, most=LONGEST_TRAIT) if isinstance(value, str) else value
