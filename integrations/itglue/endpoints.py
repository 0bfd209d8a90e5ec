"""The requests this client makes, by class. What is not listed here does not leave.

Source: the vendor's developer page, paths below the host. Documents and their sections are not on that page; public
SDKs name them. Lists of one organization go by its nested route, never by a filter alone.
"""

from __future__ import annotations

from integrations.warrants import Endpoint, Traffic

_ORGANIZATION = "/organizations/{organization_id}/relationships"


def _read(template: str) -> Endpoint:
    return Endpoint(Traffic.READ, "GET", template)


ORGANIZATIONS = _read("/organizations")
CONFIGURATIONS = _read(f"{_ORGANIZATION}/configurations")
CONFIGURATION = _read(f"{_ORGANIZATION}/configurations/{{id}}")
CONTACTS = _read(f"{_ORGANIZATION}/contacts")
CONTACT = _read(f"{_ORGANIZATION}/contacts/{{id}}")
LOCATIONS = _read(f"{_ORGANIZATION}/locations")
LOCATION = _read(f"{_ORGANIZATION}/locations/{{id}}")
DOCUMENTS = _read(f"{_ORGANIZATION}/documents")
DOCUMENT = _read(f"{_ORGANIZATION}/documents/{{id}}")
SECTIONS = _read("/documents/{document_id}/relationships/sections")
PASSWORDS = _read(f"{_ORGANIZATION}/passwords")
EXPIRATIONS = _read(f"{_ORGANIZATION}/expirations")
DOMAINS = _read(f"{_ORGANIZATION}/domains")
ASSET_TYPES = _read("/flexible_asset_types")
ASSET_FIELDS = _read("/flexible_asset_types/{flexible_asset_type_id}/relationships/flexible_asset_fields")
ASSETS = _read("/flexible_assets")
ASSET = _read("/flexible_assets/{id}")

UPDATE_CONFIGURATION = Endpoint(Traffic.WRITE, "PATCH", f"{_ORGANIZATION}/configurations/{{id}}")
CREATE_DOCUMENT = Endpoint(Traffic.WRITE, "POST", f"{_ORGANIZATION}/documents")
ADD_SECTION = Endpoint(Traffic.WRITE, "POST", "/documents/{document_id}/relationships/sections")
PUBLISH_DOCUMENT = Endpoint(Traffic.WRITE, "PATCH", "/documents/{document_id}/publish")
LINK_ITEMS = Endpoint(Traffic.WRITE, "POST", "/{resource_type}/{resource_id}/relationships/related_items")

ENDPOINTS: tuple[Endpoint, ...] = (
    ORGANIZATIONS,
    CONFIGURATIONS,
    CONFIGURATION,
    CONTACTS,
    CONTACT,
    LOCATIONS,
    LOCATION,
    DOCUMENTS,
    DOCUMENT,
    SECTIONS,
    PASSWORDS,
    EXPIRATIONS,
    DOMAINS,
    ASSET_TYPES,
    ASSET_FIELDS,
    ASSETS,
    ASSET,
    UPDATE_CONFIGURATION,
    CREATE_DOCUMENT,
    ADD_SECTION,
    PUBLISH_DOCUMENT,
    LINK_ITEMS,
)
"""The vendor's whole table."""

PERMISSIONS: dict[Endpoint, str] = dict.fromkeys(ENDPOINTS, "API key without Password Access")
"""The vendor's keys know no finer rights."""
