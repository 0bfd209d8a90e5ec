"""IT Glue's records, as far as they are used: fields not named here are ignored, absent ones have defaults.

The vendor tells a record as `{"id", "type", "attributes"}` with dashes in the names. Nearly every attribute may be
null, and the types were drawn from examples: what has another type than expected counts as empty, ids excepted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue

from integrations.wire import ApiCredentials, Secret, Wire

_SECRET_KEYS = frozenset({"password", "otpsecret", "autofillselectors"})
_NOT_LETTERS = re.compile(r"[^a-z0-9]")


class Credentials(ApiCredentials):
    """What opens the account: one key."""

    api_key: Secret


def without_secrets(value: JsonValue) -> JsonValue:
    """An answer without what opens something: passwords, seeds of one-time codes, and where they are typed in.

    Done on arrival, at any depth and however the name is spelt, before anything is read.
    """
    if isinstance(value, list):
        return [without_secrets(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: without_secrets(part)
        for name, part in value.items()
        if _NOT_LETTERS.sub("", name.lower()) not in _SECRET_KEYS
    }


def _text(value: JsonValue) -> JsonValue:
    if isinstance(value, bool | dict | list):
        return ""
    return str(value) if isinstance(value, int | float) else value


def _number(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _switch(value: JsonValue) -> JsonValue:
    return value is True or (isinstance(value, str) and value.lower() == "true")


Text = Annotated[str, BeforeValidator(_text)]
Number = Annotated[int, BeforeValidator(_number)]
Switch = Annotated[bool, BeforeValidator(_switch)]


class Dashed(Wire):
    """Base of what stands in attributes: the vendor writes its names with dashes."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))


class Record(Dashed):
    """A record with its id, flattened."""

    id: int


class Owned(Record):
    """A record of a client; `organization_id` 0 = the vendor did not say whose it is."""

    organization_id: Number = 0
    organization_name: Text = ""
    resource_url: Text = ""
    archived: Switch = False
    restricted: Switch = False


class Organization(Record):
    """A client of the MSP, or the MSP itself (`primary`)."""

    name: Text = ""
    short_name: Text = ""
    description: Text = ""
    organization_type_name: Text = ""
    organization_status_name: Text = ""
    alert: Text = ""
    quick_notes: Text = ""
    primary: Switch = False


class Configuration(Owned):
    """A device."""

    name: Text = ""
    hostname: Text = ""
    primary_ip: Text = ""
    mac_address: Text = ""
    default_gateway: Text = ""
    serial_number: Text = ""
    asset_tag: Text = ""
    position: Text = ""
    notes: Text = ""
    operating_system_name: Text = ""
    operating_system_notes: Text = ""
    configuration_type_name: Text = ""
    configuration_status_name: Text = ""
    manufacturer_name: Text = ""
    model_name: Text = ""
    location_id: Number = 0
    location_name: Text = ""
    contact_id: Number = 0
    contact_name: Text = ""
    purchased_at: Text = ""
    installed_at: Text = ""
    warranty_expires_at: Text = ""
    updated_at: Text = ""


class Way(Dashed):
    """An e-mail address or a telephone number of a contact."""

    value: Text = ""
    formatted_value: Text = ""
    primary: Switch = False
    label_name: Text = ""


class Contact(Owned):
    """Somebody who works for a client."""

    name: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    title: Text = ""
    contact_type_name: Text = ""
    location_name: Text = ""
    important: Switch = False
    notes: Text = ""
    contact_emails: tuple[Way, ...] = ()
    contact_phones: tuple[Way, ...] = ()

    @property
    def full_name(self) -> str:
        """First and last name."""
        return self.name or f"{self.first_name} {self.last_name}".strip()


class Location(Owned):
    """A site of a client."""

    name: Text = ""
    primary: Switch = False
    address_1: Text = Field("", alias="address-1")
    address_2: Text = Field("", alias="address-2")
    city: Text = ""
    postal_code: Text = ""
    region_name: Text = ""
    country_name: Text = ""
    phone: Text = ""
    notes: Text = ""


class AssetType(Record):
    """A kind of flexible asset that the MSP documents."""

    name: Text = ""
    description: Text = ""
    enabled: Switch = True


class AssetField(Record):
    """A field of a kind of flexible asset; `name_key` is what its value is called in an asset's traits."""

    name: Text = ""
    kind: Text = ""
    name_key: Text = ""
    order: Number = 0
    use_for_title: Switch = False


class Asset(Owned):
    """A flexible asset."""

    name: Text = ""
    flexible_asset_type_id: Number = 0
    flexible_asset_type_name: Text = ""
    traits: dict[str, JsonValue] = Field(default_factory=dict)
    updated_at: Text = ""


class Document(Owned):
    """A document; without `published_at` it is a draft that was never published."""

    name: Text = ""
    content: Text = ""
    public: Switch = False
    is_uploaded: Switch = False
    published_at: Text = ""
    updated_at: Text = ""


class Section(Record):
    """A part of a document, in HTML."""

    document_id: Number = 0
    resource_type: Text = ""
    content: Text = ""
    sort: Number = 0
    level: Number = 0


class PasswordName(Owned):
    """That there is a password, and for what. The password itself is no field of it."""

    name: Text = ""
    username: Text = ""
    url: Text = ""
    password_category_name: Text = ""
    cached_resource_type_name: Text = ""
    cached_resource_name: Text = ""
    password_updated_at: Text = ""


class Expiration(Owned):
    """A date on which something of a client ends."""

    description: Text = ""
    expiration_date: Text = ""
    resource_type_name: Text = ""
    resource_name: Text = ""


class Domain(Owned):
    """A domain of a client."""

    name: Text = ""
    registrar_name: Text = ""
    expires_on: Text = ""
    notes: Text = ""


class Link(Record):
    """That one record is named on the page of another."""


class Meta(Dashed):
    """Where a list goes on."""

    current_page: Number = 0
    next_page: Number = 0
    total_count: Number = 0


class Page(Dashed):
    """One page of a list. `meta` None = the vendor did not say where it goes on."""

    data: tuple[JsonValue, ...]
    meta: Meta | None = None


class Single(Dashed):
    """One record."""

    data: dict[str, JsonValue]


def flat(row: JsonValue) -> JsonValue:
    """A record's attributes with its id beside them; what has not the shape of JSON:API stays as it is."""
    if not isinstance(row, Mapping):
        return row
    attributes = row.get("attributes")
    return {**(attributes if isinstance(attributes, dict) else {}), "id": row.get("id")}


class Problem(Dashed):
    """One thing that is wrong."""

    title: Text = ""
    detail: Text = ""
    source: dict[str, JsonValue] = Field(default_factory=dict)


class ErrorBody(Dashed):
    """An error answer."""

    errors: tuple[Problem, ...] = ()
    message: Text = ""
    error: Text = ""

    @classmethod
    def words(cls, content: JsonValue) -> str:
        """The vendor's own words, for a person; empty where there are none."""
        try:
            told = cls.model_validate(content)
        except ValueError:
            return ""
        said = [_sentence(one) for one in told.errors[:5]]
        return "; ".join(part for part in said if part) or told.message or told.error


def _sentence(problem: Problem) -> str:
    said = ": ".join(dict.fromkeys(part for part in (problem.title, problem.detail) if part))
    pointer = problem.source.get("pointer")
    field = pointer.rpartition("/")[2] if isinstance(pointer, str) else ""
    return f"{said} ({field})" if said and field else said
