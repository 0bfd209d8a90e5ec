"""The kinds of records there are, what they may be filtered and sorted by, and how they are written."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World


@dataclass(frozen=True)
class Kind:
    """One of them: its name in the store and in paths, and the names (as queries spell them) of filters and sorts."""

    name: str
    path: str
    filters: frozenset[str]
    sorts: frozenset[str]

    @property
    def type(self) -> str:
        """The `type` of its records."""
        return self.path.replace("_", "-")


_STAMPS = "created_at updated_at"
_PSA = "psa_id psa_integration_type"
_RMM = "rmm_id rmm_integration_type"


def _kind(name: str, path: str, filters: str, sorts: str) -> Kind:
    return Kind(name, path, frozenset(filters.split()), frozenset(sorts.split()))


KINDS: dict[str, Kind] = {
    kind.path: kind
    for kind in (
        _kind(
            "organization",
            "organizations",
            f"id name organization_type_id organization_status_id primary {_PSA}",
            f"name id short_name organization_status_name organization_type_name {_STAMPS}",
        ),
        _kind(
            "configuration",
            "configurations",
            "id name organization_id configuration_type_id configuration_status_id contact_id serial_number mac_address"
            f" asset_tag archived {_PSA} {_RMM}",
            f"name id {_STAMPS}",
        ),
        _kind(
            "contact",
            "contacts",
            f"id first_name last_name title contact_type_id important primary_email organization_id {_PSA}",
            f"first_name last_name id {_STAMPS}",
        ),
        _kind("location", "locations", f"id name city organization_id {_PSA}", f"name id primary {_STAMPS}"),
        _kind("asset_type", "flexible_asset_types", "id name icon enabled", f"id name {_STAMPS}"),
        _kind("asset_field", "flexible_asset_fields", "id", _STAMPS),
        _kind(
            "asset",
            "flexible_assets",
            "flexible-asset-type-id flexible_asset_type_id name organization-id organization_id",
            f"name {_STAMPS}",
        ),
        _kind("document", "documents", "name document_folder_id", f"name id {_STAMPS}"),
        _kind("section", "document_sections", "", "sort id"),
        _kind(
            "password",
            "passwords",
            "id name organization_id password_category_id url cached_resource_name archived",
            f"name username url id {_STAMPS}",
        ),
        _kind(
            "expiration",
            "expirations",
            "id resource_id resource_name resource_type_name description expiration_date organization_id",
            f"id organization_id expiration_date {_STAMPS}",
        ),
        _kind("domain", "domains", "id organization_id", _STAMPS),
        _kind("related_item", "related_items", "", ""),
    )
}
"""By their name in paths."""

#: What a record's `hidden` part is called in filters.
HIDDEN = {"psa_id", "psa_integration_type", "rmm_id", "rmm_integration_type", "primary_email"}


def attributes_of(record: Record) -> Record:
    """The attributes of a stored record, to be changed only on a copy."""
    found = record["attributes"]
    if not isinstance(found, dict):
        raise TypeError("a stored record has attributes")
    return found


def number_of(record: Record) -> int:
    """A stored record's id."""
    number = record["id"]
    return number if isinstance(number, int) else 0


def organization_of(record: Record) -> Json:
    """Whose a stored record is."""
    return attributes_of(record).get("organization-id")


def shown(world: World, kind: Kind, record: Record, *, password: bool = False) -> Record:
    """A record as it goes over the wire; with `password` the value that is otherwise left out."""
    number, attributes = number_of(record), deepcopy(attributes_of(record))
    owner = world.get("organization", attributes.get("organization-id"))
    if owner is not None:
        attributes["organization-name"] = attributes_of(owner)["name"]
        attributes["resource-url"] = f"https://msp.itglue.example/{number_of(owner)}/{kind.path}/{number}"
    if kind.name == "password" and not password:
        attributes.pop("password", None)
        attributes.pop("otp-secret", None)
    return {"id": str(number), "type": kind.type, "attributes": attributes}
