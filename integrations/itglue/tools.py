"""IT Glue's tools. Importing this module declares them; contracts and tests read the list."""

from __future__ import annotations

from integrations.itglue import library, reading, upkeep, writing
from integrations.tools import AnyTool

TOOLS: tuple[AnyTool, ...] = (
    reading.find_organization,
    reading.search_configurations,
    reading.get_configuration,
    reading.list_contacts,
    reading.list_locations,
    library.list_asset_types,
    library.list_flexible_assets,
    library.list_documents,
    library.read_document,
    library.list_password_names,
    library.list_expirations,
    library.list_domains,
    upkeep.update_configuration,
    upkeep.link_items,
    writing.create_document,
    writing.add_document_section,
    writing.publish_document,
)
