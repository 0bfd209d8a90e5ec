"""What the schemas of all vendors share: how a record is read as it comes over the wire, and what a secret can be."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue, SecretStr, model_validator

#: Longest secret that an Admin may enter, in characters; the vendors' own are far shorter.
LONGEST_SECRET = 300


def _plausible(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not 1 <= len(text) <= LONGEST_SECRET or not all("!" <= character <= "~" for character in text):
        raise ValueError("This is no secret: it is empty or holds characters no secret has.")
    return SecretStr(text)


Secret = Annotated[SecretStr, AfterValidator(_plausible)]
"""A key or password of an API: printable ASCII without blanks."""


class ApiCredentials(BaseModel):
    """Base of what an Admin enters for a vendor: nothing else than its fields."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Wire(BaseModel):
    """Base of every record: unknown fields are ignored, nulls count as absent."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: JsonValue) -> JsonValue:
        if isinstance(value, dict):
            return {name: part for name, part in value.items() if part is not None}
        return value
