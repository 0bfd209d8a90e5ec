"""What changes something at IT Glue."""

from __future__ import annotations

import ipaddress
from copy import deepcopy

from integrations.sandbox.itglue.kinds import KINDS, Kind, attributes_of, number_of, organization_of, shown
from integrations.sandbox.itglue.problems import Problem, not_found
from integrations.sandbox.itglue.routes import MEDIA_TYPE, Call, Route, answered
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.wire import Answer, Effect

SECTION_TYPES = ("Document::Text", "Document::Heading", "Document::Gallery", "Document::Step")
DESTINATIONS = {
    "Configuration": "configurations",
    "Contact": "contacts",
    "Document": "documents",
    "Domain": "domains",
    "Flexible Asset": "flexible_assets",
    "Location": "locations",
    "Organization": "organizations",
    "Password": "passwords",
}
_TEXTS = frozenset(
    (
        *("name", "hostname", "primary-ip", "mac-address", "default-gateway", "serial-number", "asset-tag", "position"),
        *("notes", "operating-system-notes", "installed-by", "purchased-by"),
        *("purchased-at", "installed-at", "warranty-expires-at"),
    )
)
_POINTERS = {"location-id": "locations", "contact-id": "contacts"}
_SWITCHES = frozenset({"archived", "restricted"})


def _attributes(call: Call, kind: str, known: frozenset[str]) -> Record:
    """The attributes of the body; names and type with underscores, as some clients write them, are the same.

    Raises Problem for another shape, type or name.
    """
    if call.request.headers.get("content-type", "").partition(";")[0].strip() != MEDIA_TYPE:
        raise Problem(415, f"The content type must be {MEDIA_TYPE}.")
    try:
        body = call.request.json()
    except ValueError as error:
        raise Problem(400, "The body is not JSON.") from error
    data = body.get("data") if isinstance(body, dict) else None
    attributes = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(attributes, dict) or _dashed(str(data.get("type"))) != kind:
        raise Problem(400, "The body must be a record with its type and attributes.", pointer="/data")
    attributes = {_dashed(name): value for name, value in attributes.items()}
    for name in attributes:
        if name not in known:
            raise Problem(422, "is not a known attribute", pointer=f"/data/attributes/{name[:40]}")
    return attributes


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _update_configuration(call: Call) -> Answer:
    kind = KINDS["configurations"]
    record = deepcopy(call.own(kind))
    wanted = _attributes(call, kind.type, _TEXTS | set(_POINTERS) | _SWITCHES)
    if record.get("synced"):
        raise Problem(422, "This record is kept in step with the PSA and cannot be changed here.")
    for name, value in wanted.items():
        _check_value(call, record, name, value)
    attributes = attributes_of(record)
    attributes |= wanted
    for name, path in _POINTERS.items():
        if name in wanted:
            found = call.world.get(KINDS[path].name, wanted[name])
            attributes[f"{name[:-3]}-name"] = attributes_of(found)["name"] if found else None
    attributes["updated-at"] = call.world.now()
    call.world.save(kind.name, record)
    return answered(200, shown(call.world, kind, record), effect=Effect("changed", kind.name, number_of(record)))


def _check_value(call: Call, record: Record, name: str, value: Json) -> None:
    pointer = f"/data/attributes/{name}"
    if name in _POINTERS:
        found = call.world.get(KINDS[_POINTERS[name]].name, value)
        if value is not None and (found is None or organization_of(found) != organization_of(record)):
            raise Problem(422, "must be of the same organization", pointer=pointer)
    elif name in _SWITCHES:
        if not isinstance(value, bool):
            raise Problem(422, "must be true or false", pointer=pointer)
    elif not isinstance(value, str) or (name == "name" and not value):
        raise Problem(422, "must be text", pointer=pointer)
    elif name == "mac-address" and len(value) > 17:
        raise Problem(422, "is too long (maximum is 17 characters)", pointer=pointer)
    elif name in ("primary-ip", "default-gateway") and value and not _is_address(value):
        raise Problem(422, "is not an IP address", pointer=pointer)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _create_document(call: Call) -> Answer:
    kind, organization = KINDS["documents"], call.organization()
    known = frozenset({"name", "restricted", "archived", "public", "is-uploaded", "document-folder-id"})
    wanted = _attributes(call, kind.type, known)
    if not isinstance(wanted.get("name"), str) or not wanted["name"]:
        raise Problem(422, "can't be blank", pointer="/data/attributes/name")
    now = call.world.now()
    record: Record = {
        "attributes": {
            "organization-id": organization["id"],
            "restricted": False,
            "public": False,
            "my-glue": False,
            "archived": False,
            "is-uploaded": False,
            "document-folder-id": None,
            "created-at": now,
            "updated-at": now,
            "published-at": None,
            **wanted,
        }
    }
    number = call.world.save(kind.name, record)
    return answered(201, shown(call.world, kind, record), effect=Effect("created", kind.name, number))


def _add_section(call: Call) -> Answer:
    kind, document = KINDS["document_sections"], call.find(KINDS["documents"], 0)
    wanted = _attributes(call, kind.type, frozenset({"resource-type", "content", "level", "sort"}))
    if wanted.get("resource-type") not in SECTION_TYPES:
        raise Problem(422, "is not included in the list", pointer="/data/attributes/resource-type")
    if not isinstance(wanted.get("content", ""), str):
        raise Problem(422, "must be text", pointer="/data/attributes/content")
    others = [row for row in call.world.all(kind.name) if attributes_of(row)["document-id"] == document["id"]]
    now = call.world.now()
    attributes: Record = {
        "document-id": document["id"],
        "content": "",
        "rendered-content": wanted.get("content", ""),
        "level": None,
        "sort": len(others) + 1,
        "created-at": now,
        "updated-at": now,
        **wanted,
    }
    record: Record = {"attributes": attributes}
    number = call.world.save(kind.name, record)
    return answered(201, shown(call.world, kind, record), effect=Effect("created", kind.name, number))


def _publish(call: Call) -> Answer:
    kind = KINDS["documents"]
    record = deepcopy(call.find(kind, 0))
    _attributes(call, kind.type, frozenset())
    now = call.world.now()
    attributes_of(record).update({"published-at": now, "updated-at": now})
    call.world.save(kind.name, record)
    return answered(200, [shown(call.world, kind, record)], effect=Effect("changed", kind.name, number_of(record)))


def _relate(call: Call) -> Answer:
    items, kind = KINDS["related_items"], _linkable(call.parts[0])
    source = call.find(kind, 1)
    wanted = _attributes(call, items.type, frozenset({"destination-type", "destination-id", "notes", "via-copilot"}))
    path, number = DESTINATIONS.get(str(wanted.get("destination-type"))), str(wanted.get("destination-id"))
    if path is None:
        raise Problem(422, "is not included in the list", pointer="/data/attributes/destination-type")
    target = call.world.get(KINDS[path].name, int(number)) if number.isdigit() else None
    if target is None:
        raise Problem(422, "must exist", pointer="/data/attributes/destination-id")
    record: Record = {"source_type": kind.path, "source_id": source["id"], "attributes": dict(wanted)}
    made = call.world.save(items.name, record)
    return answered(201, shown(call.world, items, record), effect=Effect("created", items.name, made))


def _linkable(path: str) -> Kind:
    if path not in DESTINATIONS.values():
        raise not_found(path)
    return KINDS[path]


WRITES = [
    Route("PATCH", "/organizations/{organization_id}/relationships/configurations/{id}", _update_configuration),
    Route("POST", "/organizations/{organization_id}/relationships/documents", _create_document),
    Route("POST", "/documents/{document_id}/relationships/sections", _add_section),
    Route("PATCH", "/documents/{document_id}/publish", _publish),
    Route("POST", "/{resource_type}/{resource_id}/relationships/related_items", _relate),
]
