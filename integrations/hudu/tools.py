"""Hudu's tools. Importing this module declares them; contracts and tests read the list."""

from __future__ import annotations

from integrations.hudu import reading, writing
from integrations.tools import AnyTool

TOOLS: tuple[AnyTool, ...] = (
    reading.find_company,
    reading.list_asset_layouts,
    reading.search_assets,
    reading.get_asset,
    reading.list_articles,
    reading.read_article,
    reading.list_expirations,
    writing.create_article,
    writing.add_to_article,
)
