"""Hudu's records, as far as they are used: fields not named here are ignored, absent ones have defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import JsonValue

from integrations.wire import ApiCredentials, Secret, Wire

CONFIDENTIAL = frozenset({"password", "confidentialtext"})
"""Types of a layout's field whose values are secrets; the vendor changed the word once."""


class Credentials(ApiCredentials):
    """What opens the account: one key."""

    api_key: Secret


class Record(Wire):
    """A record with its id."""

    id: int


class Company(Record):
    """A client of the MSP."""

    name: str = ""
    nickname: str = ""
    id_number: str = ""
    company_type: str = ""
    parent_company_name: str = ""
    address_line_1: str = ""
    address_line_2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country_name: str = ""
    phone_number: str = ""
    website: str = ""
    notes: str = ""
    archived: bool = False
    full_url: str = ""


class LayoutField(Wire):
    """A field that the assets of one layout have."""

    label: str = ""
    field_type: str = ""


class Layout(Record):
    """A kind of asset that the MSP documents."""

    name: str = ""
    active: bool = True
    fields: tuple[LayoutField, ...] = ()

    @property
    def open_labels(self) -> frozenset[str]:
        """The labels of the fields that hold no secret. One of two fields of the same label is enough to hide both."""
        secret = {one.label for one in self.fields if one.field_type.casefold() in CONFIDENTIAL}
        return frozenset(one.label for one in self.fields) - secret


class Owned(Record):
    """A record of a client; `company_id` 0 = of none, or the vendor did not say whose it is."""

    company_id: int = 0


class AssetField(Wire):
    """What stands in one field of an asset. Of what type it is, only the layout tells."""

    label: str = ""
    value: JsonValue = None
    position: int = 0


class Asset(Owned):
    """A documented thing: a device, a person, a network ..., as its layout says."""

    name: str = ""
    asset_layout_id: int = 0
    asset_type: str = ""
    primary_serial: str = ""
    primary_mail: str = ""
    primary_model: str = ""
    primary_manufacturer: str = ""
    archived: bool = False
    url: str = ""
    updated_at: str = ""
    fields: tuple[AssetField, ...] = ()

    def without_secrets(self, layouts: Mapping[int, Layout]) -> Self:
        """The asset without the fields that hold secrets, and without those of which the layout does not tell."""
        layout = layouts.get(self.asset_layout_id)
        known = layout.open_labels if layout else frozenset()
        return self.model_copy(update={"fields": tuple(one for one in self.fields if one.label in known)})


class Article(Owned):
    """An article of the knowledge base; without a company it is the MSP's own."""

    name: str = ""
    content: str = ""
    draft: bool = False
    enable_sharing: bool = False
    url: str = ""
    updated_at: str = ""


class Expiration(Owned):
    """A day on which something of a client ends."""

    date: str = ""
    expiration_type: str = ""
    expirationable_type: str = ""
    expirationable_id: int = 0
    archived_at: str = ""


class ErrorBody(Wire):
    """An error answer."""

    error: str = ""

    @classmethod
    def words(cls, content: JsonValue) -> str:
        """The vendor's own words, for a person; empty where there are none."""
        try:
            return cls.model_validate(content).error
        except ValueError:
            return ""
