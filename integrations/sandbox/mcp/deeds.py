"""What the tools of the asset register do."""

from __future__ import annotations

import json
from collections.abc import Callable

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.mcp.messages import INVALID_PARAMS, Refused
from integrations.sandbox.store import World
from integrations.sandbox.wire import Effect

Deed = Callable[[World, Record], tuple[Json, Effect | None]]


class DeedFailed(Exception):
    """A tool that ran and failed, which is a result and no error of the protocol."""


def perform(world: World, name: str, arguments: Record) -> tuple[Record, Effect | None]:
    """Run a tool that the server lists. Raises Refused for one that is not there, or arguments that do not fit."""
    tool = next((one for one in world.all("tool") if one["name"] == name), None)
    deed = _DEEDS.get(name)
    if tool is None or deed is None:
        raise Refused(INVALID_PARAMS, f"There is no tool {name}")
    schema = tool["inputSchema"]
    known, required = (schema["properties"], schema["required"]) if isinstance(schema, dict) else ({}, [])
    if not isinstance(known, dict) or not isinstance(required, list):
        raise Refused(INVALID_PARAMS, "The tool's schema is broken")
    if set(arguments) - set(known) or set(map(str, required)) - set(arguments):
        raise Refused(INVALID_PARAMS, "The arguments do not fit")
    try:
        told, effect = deed(world, arguments)
    except DeedFailed as failed:
        return {"content": [{"type": "text", "text": str(failed)}], "isError": True}, None
    text = json.dumps(told, ensure_ascii=False)
    structured: Record = told if isinstance(told, dict) else {"found": told}
    return {"content": [{"type": "text", "text": text}], "structuredContent": structured, "isError": False}, effect


def _list_assets(world: World, arguments: Record) -> tuple[Json, Effect | None]:
    words = str(arguments.get("words", "")).casefold()
    found = [one for one in _assets(world) if one["company"] == arguments["company"]]
    return {"assets": [_shown(one) for one in found if words in str(one["name"]).casefold()]}, None


def _get_asset(world: World, arguments: Record) -> tuple[Json, Effect | None]:
    return _shown(_asset(world, arguments["asset"])), None


def _set_asset_note(world: World, arguments: Record) -> tuple[Json, Effect | None]:
    asset = {**_asset(world, arguments["asset"]), "note": arguments["note"]}
    if asset["company"] != arguments["company"]:
        raise DeedFailed("This asset belongs to another client")
    number = world.save("asset", asset)
    return _shown(asset), Effect("changed", "asset", number)


def _search_guides(world: World, arguments: Record) -> tuple[Json, Effect | None]:
    words = str(arguments["words"]).casefold().split()
    found = [
        one for one in world.all("guide") if any(word in f"{one['title']} {one['text']}".casefold() for word in words)
    ]
    return {"guides": [{"title": one["title"], "text": one["text"]} for one in found]}, None


def _export_assets(world: World, _: Record) -> tuple[Json, Effect | None]:
    return {"assets": [_shown(one) for one in _assets(world)]}, None


_DEEDS: dict[str, Deed] = {
    "list_assets": _list_assets,
    "get_asset": _get_asset,
    "set_asset_note": _set_asset_note,
    "search_guides": _search_guides,
    "export_assets": _export_assets,
}


def _assets(world: World) -> list[Record]:
    return world.all("asset")


def _asset(world: World, name: Json) -> Record:
    """By its number, whosever it is: this server keeps clients apart badly, as some do."""
    number = str(name).removeprefix("A-")
    found = world.get("asset", int(number)) if number.isdigit() else None
    if found is None:
        raise DeedFailed(f"There is no asset {name}")
    return found


def _shown(asset: Record) -> Record:
    return {"asset": f"A-{asset['id']}", **{name: one for name, one in asset.items() if name != "id"}}
