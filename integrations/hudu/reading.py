"""The tools that look things up. What comes back is short and plain; fields that hold secrets have ended before."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from integrations.errors import TargetRefused
from integrations.hudu import endpoints, schemas
from integrations.hudu.targets import Id, article_of, asset_of, client_of, company_id_of, own
from integrations.texts import REMOVED, plain, redacted, told
from integrations.tools import Scope, ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import Limit, Words, counted, day, filled, single_line

LONGEST_FIELD = 1500
LONGEST_ARTICLE = 20_000

Serial = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), single_line]


class FindCompany(ToolArguments):
    pass


class ListAssetLayouts(ToolArguments):
    name: Words | None = Field(None, description="Part of the layout's name, as in Network.")


class SearchAssets(ToolArguments):
    name: Words | None = Field(None, description="Part of the asset's name.")
    serial_number: Serial | None = Field(None, description="The whole serial number.")
    layout_id: Id | None = Field(None, description="Only assets of this layout (list_asset_layouts).")
    archived: bool = Field(False, description="The archived assets instead of those in use.")
    limit: Limit = Field(25, description="At most so many assets.")


class OneAsset(ToolArguments):
    asset_id: Id = Field(description="Id of the asset (search_assets).")


class ListArticles(ToolArguments):
    name: Words | None = Field(None, description="Part of the article's name.")
    limit: Limit = Field(50, description="At most so many articles.")


class ReadArticle(ToolArguments):
    article_id: Id = Field(description="Id of the article (list_articles).")


class ListExpirations(ToolArguments):
    since: date | None = Field(None, description="Only what ends on or after this day.")
    until: date | None = Field(None, description="Only what ends on or before this day.")
    limit: Limit = Field(50, description="At most so many dates, the earliest first.")


@tool(
    name="hudu.find_company",
    label="Read the company",
    description="The company of this signal as Hudu documents it, with its notes. Others cannot be looked up.",
    arguments=FindCompany,
    title=lambda _: "Read the company",
    endpoints=(endpoints.COMPANY,),
)
def find_company(context: ToolContext, _: FindCompany) -> ToolResult:
    wanted = company_id_of(context)
    found = client_of(context).company(wanted)
    if found.id != wanted:
        raise TargetRefused("Hudu answered with another company.")
    lines = (found.address_line_1, found.address_line_2, f"{found.zip} {found.city}".strip(), found.state)
    return ToolResult(
        content=filled(
            {
                "id": found.id,
                "name": found.name,
                "nickname": found.nickname,
                "number": found.id_number,
                "type": found.company_type,
                "parent": found.parent_company_name,
                "address": ", ".join(part for part in (*lines, found.country_name) if part),
                "phone": found.phone_number,
                "website": found.website,
                "notes": told(found.notes, most=4000),
                "page": found.full_url,
            }
        ),
        summary=found.name,
        records=(found,),
    )


@tool(
    name="hudu.list_asset_layouts",
    label="List kinds of assets",
    description="The kinds of assets (layouts) that are documented in Hudu, such as networks or people: the ids that"
    " search_assets takes.",
    arguments=ListAssetLayouts,
    title=lambda _: "List kinds of assets",
    scope=Scope.FREE,
    endpoints=(endpoints.LAYOUTS,),
)
def list_asset_layouts(context: ToolContext, arguments: ListAssetLayouts) -> ToolResult:
    word = (arguments.name or "").casefold()
    found = [one for one in client_of(context).layouts().values() if one.active and word in one.name.casefold()]
    rows: list[JsonValue] = [
        {"id": one.id, "name": one.name} for one in sorted(found, key=lambda one: one.name.casefold())[:200]
    ]
    return ToolResult(content={"layouts": rows}, summary=counted(len(found), "kind"))


@tool(
    name="hudu.search_assets",
    label="Search documented assets",
    description="The assets of this company in Hudu (devices, people, networks ...), by part of a name, serial number"
    " or layout; without any, all of them.",
    arguments=SearchAssets,
    title=lambda arguments: f"Search assets named “{arguments.name}”" if arguments.name else "Search assets",
    endpoints=(endpoints.LAYOUTS, endpoints.ASSETS),
)
def search_assets(context: ToolContext, arguments: SearchAssets) -> ToolResult:
    client, wanted = client_of(context), (arguments.name or "").casefold()
    serial = (arguments.serial_number or "").casefold()
    listed = client.assets(
        company_id_of(context),
        client.layouts(),
        layout_id=arguments.layout_id or 0,
        serial=arguments.serial_number or "",
        archived=arguments.archived,
    )
    found = [
        one
        for one in own(context, listed)
        if wanted in one.name.casefold()
        and serial in ("", one.primary_serial.casefold())
        and arguments.layout_id in (None, one.asset_layout_id)
        and one.archived == arguments.archived
    ]
    found.sort(key=lambda one: (one.name.casefold() != wanted, one.name.casefold(), one.id))
    rows: list[JsonValue] = [_line(one) for one in found[: arguments.limit]]
    return ToolResult(
        content={"assets": rows, "left_out": len(found) - len(rows)},
        summary=found[0].name if len(found) == 1 else counted(len(found), "asset"),
    )


@tool(
    name="hudu.get_asset",
    label="Read a documented asset",
    description="One asset of this company in Hudu with all of its fields. Fields that hold passwords are left out.",
    arguments=OneAsset,
    title=lambda arguments: f"Read asset {arguments.asset_id}",
    endpoints=(endpoints.LAYOUTS, endpoints.ASSET),
)
def get_asset(context: ToolContext, arguments: OneAsset) -> ToolResult:
    found = asset_of(context, arguments.asset_id, client_of(context).layouts())
    fields = {one.label: _value(one) for one in sorted(found.fields, key=lambda one: one.position) if one.label}
    more: dict[str, JsonValue] = {"fields": filled(fields), "updated": day(found.updated_at), "page": found.url}
    return ToolResult(content=filled({**_line(found), **more}), summary=found.name)


@tool(
    name="hudu.list_articles",
    label="List articles",
    description="The articles of this company in Hudu's knowledge base, by name: instructions, notes, plans.",
    arguments=ListArticles,
    title=lambda arguments: f"List articles named “{arguments.name}”" if arguments.name else "List articles",
    endpoints=(endpoints.ARTICLES,),
)
def list_articles(context: ToolContext, arguments: ListArticles) -> ToolResult:
    wanted = (arguments.name or "").casefold()
    listed = own(context, client_of(context).articles(company_id_of(context)))
    found = sorted((one for one in listed if wanted in one.name.casefold()), key=lambda one: one.name.casefold())
    rows: list[JsonValue] = [
        filled({"id": one.id, "name": redacted(one.name), "state": _state(one), "updated": day(one.updated_at)})
        for one in found[: arguments.limit]
    ]
    return ToolResult(
        content={"articles": rows, "left_out": len(found) - len(rows)}, summary=counted(len(found), "article")
    )


@tool(
    name="hudu.read_article",
    label="Read an article",
    description="One article of this company in Hudu's knowledge base, as plain text. What looks like a password is cut"
    " out.",
    arguments=ReadArticle,
    title=lambda arguments: f"Read article {arguments.article_id}",
    endpoints=(endpoints.ARTICLE,),
)
def read_article(context: ToolContext, arguments: ReadArticle) -> ToolResult:
    found = article_of(context, arguments.article_id)
    return ToolResult(
        content=filled(
            {
                "id": found.id,
                "name": redacted(found.name),
                "state": _state(found),
                "updated": day(found.updated_at),
                "text": told(found.content, most=LONGEST_ARTICLE),
                "page": found.url,
            }
        ),
        summary=redacted(found.name),
    )


@tool(
    name="hudu.list_expirations",
    label="List what expires",
    description="What of this company ends when, as Hudu keeps it: domains, certificates, warranties, articles to be"
    " reviewed.",
    arguments=ListExpirations,
    title=lambda _: "List what expires",
    endpoints=(endpoints.EXPIRATIONS,),
)
def list_expirations(context: ToolContext, arguments: ListExpirations) -> ToolResult:
    since = arguments.since.isoformat() if arguments.since else ""
    until = arguments.until.isoformat() if arguments.until else "9999"
    listed = own(context, client_of(context).expirations(company_id_of(context)))
    found = [one for one in listed if not one.archived_at and since <= day(one.date) <= until]
    found.sort(key=lambda one: (one.date, one.id))
    rows: list[JsonValue] = [
        filled(
            {
                "date": day(one.date),
                "what": one.expiration_type.replace("_", " "),
                "of": one.expirationable_type.lower(),
                "of_id": one.expirationable_id,
            }
        )
        for one in found[: arguments.limit]
    ]
    return ToolResult(
        content={"expirations": rows, "left_out": len(found) - len(rows)},
        summary=counted(len(found), "date"),
        records=found[: arguments.limit],
    )


def _line(one: schemas.Asset) -> dict[str, JsonValue]:
    return filled(
        {
            "id": one.id,
            "name": redacted(one.name),
            "layout": one.asset_type,
            "serial_number": one.primary_serial,
            "email": one.primary_mail,
            "manufacturer": one.primary_manufacturer,
            "model": one.primary_model,
        }
    )


def _value(one: schemas.AssetField) -> JsonValue:
    """A field as it is shown: text is made plain, and cut where its label or itself speaks of a password."""
    if not isinstance(one.value, str):
        return one.value
    text = plain(one.value)
    named = redacted(f"{one.label}: {text}")
    return REMOVED if REMOVED in named else told(text, most=LONGEST_FIELD)


def _state(one: schemas.Article) -> str:
    return "draft" if one.draft else "shared by a public link" if one.enable_sharing else ""
