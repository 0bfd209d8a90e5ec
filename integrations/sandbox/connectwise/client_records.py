"""Companies, contacts and configurations (devices): what a ticket is about."""

from __future__ import annotations

from copy import deepcopy

from integrations.sandbox.connectwise.edits import create_draft, patch_draft, require_object
from integrations.sandbox.connectwise.problems import Problem, bad_reference, bad_value, invalid, missing, not_found
from integrations.sandbox.connectwise.record_types import COMPANY, CONFIGURATION, CONTACT
from integrations.sandbox.connectwise.shapes import reference, stamp
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World

_COMMUNICATION_TYPES = {"Email": 1, "Phone": 2, "Fax": 3}


def create_company(world: World, body: Json, *, by: str) -> Record:
    """A new client company; its identifier is unique."""
    company = create_draft(world, COMPANY, require_object(body, COMPANY.resource))
    return _store_company(world, company, by=by)


def patch_company(world: World, number: int, body: Json, *, by: str) -> Record:
    """A changed company."""
    company = world.get("company", number)
    if company is None:
        raise not_found("Company", number)
    draft, _ = patch_draft(world, COMPANY, company, body)
    return _store_company(world, draft, by=by)


def create_contact(world: World, body: Json, *, by: str) -> Record:
    """A new contact."""
    contact = create_draft(world, CONTACT, require_object(body, CONTACT.resource))
    return _store_contact(world, contact, by=by)


def patch_contact(world: World, number: int, body: Json, *, by: str) -> Record:
    """A changed contact."""
    draft, _ = patch_draft(world, CONTACT, get_contact(world, number), body)
    return _store_contact(world, draft, by=by)


def get_contact(world: World, number: int) -> Record:
    """The stored contact, or a Problem with status 404."""
    contact = world.get("contact", number)
    if contact is None:
        raise not_found("Contact", number)
    return contact


def communications_of(contact: Record) -> list[Record]:
    """A contact's addresses and numbers as records of their own."""
    entries = contact.get("communicationItems")
    return [
        {**entry, "contactId": contact["id"]}
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    ]


def add_communication(world: World, contact_id: int, body: Json, *, by: str) -> Record:
    """One more address or number of a contact."""
    contact = deepcopy(get_contact(world, contact_id))
    entries = contact.get("communicationItems")
    contact["communicationItems"] = [*(entries if isinstance(entries, list) else []), body]
    _store_contact(world, contact, by=by)
    return communications_of(contact)[-1]


def create_configuration(world: World, body: Json, *, by: str) -> Record:
    """A new configuration."""
    configuration = create_draft(world, CONFIGURATION, require_object(body, CONFIGURATION.resource))
    configuration.setdefault("status", 1)
    configuration.setdefault("activeFlag", True)
    return _store_configuration(world, configuration, by=by)


def patch_configuration(world: World, number: int, body: Json, *, by: str) -> Record:
    """A changed configuration."""
    configuration = world.get("configuration", number)
    if configuration is None:
        raise not_found("Configuration", number)
    draft, _ = patch_draft(world, CONFIGURATION, configuration, body)
    return _store_configuration(world, draft, by=by)


def configurations_of(world: World, ticket_id: int) -> list[Record]:
    """The configurations attached to a ticket, as references."""
    links = [link for link in world.all("ticket_configuration") if link.get("ticket") == ticket_id]
    return [configuration_reference(world, link.get("configuration")) for link in links]


def configuration_reference(world: World, number: Json) -> Record:
    """A configuration as a ticket's list shows it: the name stands in `_info`."""
    shown = reference(world, "configuration", number)
    if not isinstance(shown, dict):
        return {}
    return {
        "id": shown["id"],
        "deviceIdentifier": shown.get("deviceIdentifier", ""),
        "_info": {"name": shown.get("name")},
    }


def attach_configuration(world: World, ticket: Record, body: Json) -> Record:
    """Attach a configuration of the ticket's own company to it; attaching it twice is refused."""
    fields = require_object(body, "configuration")
    number = fields.get("id")
    if not isinstance(number, int):
        raise invalid("configuration", missing("id"))
    configuration = world.get("configuration", number)
    if configuration is None or configuration.get("company") != ticket.get("company"):
        raise invalid(
            "configuration", bad_reference("id", f"Configuration {number} is not one of the ticket's company.")
        )
    if any(link.get("configuration") == number for link in _links(world, ticket["id"])):
        raise Problem(400, "DuplicateObject", f"Configuration {number} is attached already.")
    world.save("ticket_configuration", {"ticket": ticket["id"], "configuration": number})
    return configuration_reference(world, number)


def detach_configuration(world: World, ticket: Record, number: int) -> None:
    """Take a configuration off a ticket; a Problem with status 404 if it is not attached."""
    for link in _links(world, ticket["id"]):
        if link.get("configuration") == number and isinstance(link["id"], int):
            world.remove("ticket_configuration", link["id"])
            return
    raise not_found("Configuration", number)


def _links(world: World, ticket_id: Json) -> list[Record]:
    return [link for link in world.all("ticket_configuration") if link.get("ticket") == ticket_id]


def _store_company(world: World, company: Record, *, by: str) -> Record:
    identifier = str(company["identifier"]).casefold()
    for other in world.all("company"):
        if other["id"] != company.get("id") and str(other.get("identifier")).casefold() == identifier:
            raise invalid(COMPANY.resource, bad_value("identifier", "The identifier is in use."))
    company.setdefault("status", 1)
    company.setdefault("deletedFlag", False)
    stamp(world, company, by=by)
    world.save("company", company)
    return company


def _store_contact(world: World, contact: Record, *, by: str) -> Record:
    contact.setdefault("inactiveFlag", False)
    contact.setdefault("defaultFlag", False)
    entries = contact.get("communicationItems")
    if isinstance(entries, list):
        contact["communicationItems"] = [_communication(entry, number) for number, entry in enumerate(entries, start=1)]
    stamp(world, contact, by=by)
    world.save("contact", contact)
    return contact


def _communication(entry: Json, number: int) -> Json:
    if not isinstance(entry, dict) or not isinstance(entry.get("value"), str):
        raise invalid("contactCommunication", missing("value"))
    given = entry.get("type")
    name = given.get("name") if isinstance(given, dict) else None
    sort = entry.get("communicationType") or ("Email" if "@" in str(entry["value"]) else "Phone")
    if sort not in _COMMUNICATION_TYPES:
        raise invalid("contactCommunication", bad_value("communicationType", "Email, Phone or Fax."))
    completed: Record = {
        "id": number,
        "type": {"id": _COMMUNICATION_TYPES[str(sort)], "name": name or sort, "_info": {}},
        "value": entry["value"],
        "defaultFlag": bool(entry.get("defaultFlag", True)),
        "communicationType": sort,
    }
    if sort == "Email":
        completed["domain"] = "@" + str(entry["value"]).rpartition("@")[2]
    if isinstance(entry.get("extension"), str):
        completed["extension"] = entry["extension"]
    return completed


def _store_configuration(world: World, configuration: Record, *, by: str) -> Record:
    contact = world.get("contact", configuration.get("contact"))
    if contact is not None and contact.get("company") != configuration.get("company"):
        raise invalid(CONFIGURATION.resource, bad_reference("contact/id", "The contact is not of that company."))
    stamp(world, configuration, by=by)
    world.save("configuration", configuration)
    return configuration
