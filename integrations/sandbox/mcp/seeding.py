"""What the asset register holds: the machines of the demo world, guides for everybody, and its own list of tools."""

from __future__ import annotations

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.world.facts import Facts

_COMPANY: Record = {"type": "string", "description": "Short name of the client, as in HARBOR.", "maxLength": 40}
_ASSET: Record = {"type": "string", "description": "Number of the asset, as in A-12.", "maxLength": 20}

GUIDES: tuple[tuple[str, str], ...] = (
    ("Printer prints blank pages", "Pull the cartridge, take the orange strip off, print the cleaning page twice."),
    ("Laptop does not charge", "Hold the power button for 30 seconds with the charger out, then plug it in again."),
    ("Outlook asks for the password again and again", "Remove the account from the credential manager, sign in anew."),
)


def seed_records(facts: Facts) -> dict[str, list[Record]]:
    """The records of an owner's world."""
    return {
        "asset": [
            {
                "company": device.company,
                "name": device.name,
                "model": device.model,
                "serial": device.serial,
                "note": device.notes,
            }
            for device in facts.devices
        ],
        "guide": [{"title": title, "text": text} for title, text in GUIDES],
        "tool": [dict(tool) for tool in TOOLS],
        "habit": [{"page_size": 3, "endless": False}],
    }


def _tool(
    name: str, title: str, description: str, shapes: dict[str, Json], required: list[Json], **more: Json
) -> Record:
    schema: Record = {"type": "object", "properties": shapes, "required": required}
    return {"name": name, "title": title, "description": description, "inputSchema": schema, **more}


TOOLS: tuple[Record, ...] = (
    _tool(
        "list_assets",
        "List assets",
        "The assets of one client, perhaps only those whose name holds some words.",
        {"company": _COMPANY, "words": {"type": "string", "description": "Words of the name.", "maxLength": 80}},
        ["company"],
        annotations={"readOnlyHint": True},
    ),
    _tool(
        "get_asset",
        "Read an asset",
        "One asset of a client.",
        {"company": _COMPANY, "asset": _ASSET},
        ["company", "asset"],
        annotations={"readOnlyHint": True},
    ),
    _tool(
        "set_asset_note",
        "Set an asset's note",
        "Put a note on an asset, in place of the one that is there.",
        {"company": _COMPANY, "asset": _ASSET, "note": {"type": "string", "maxLength": 500}},
        ["company", "asset", "note"],
        annotations={"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True},
    ),
    _tool(
        "search_guides",
        "Search guides",
        "Repair guides by words. They are the same for everybody.",
        {"words": {"type": "string", "minLength": 1, "maxLength": 120}},
        ["words"],
        annotations={"readOnlyHint": True, "openWorldHint": False},
    ),
    _tool("export_assets", "Export all assets", "Every asset of every client.", {}, []),
)
