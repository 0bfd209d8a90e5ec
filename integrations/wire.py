"""What the schemas of all vendors share: how a record is read as it comes over the wire, and what a secret can be."""

from __future__ import annotations

from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    JsonValue,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)

from integrations.errors import VendorGarbled

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

    _sent: JsonValue = PrivateAttr(None)

    @property
    def sent(self) -> JsonValue:
        """The whole record as the vendor sent it, fields that nobody uses included; None for a part of one."""
        return self._sent

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: JsonValue) -> JsonValue:
        if isinstance(value, dict):
            return {name: part for name, part in value.items() if part is not None}
        return value


M = TypeVar("M", bound=Wire)


def record_of(model: type[M], content: JsonValue, *, label: str) -> M:
    """A record as its type; `label` is the vendor's name.

    Raises VendorGarbled, which names fields and repeats no value.
    """
    try:
        record = model.model_validate(content)
        record._sent = content  # noqa: SLF001  (our own class, in its own module)
        return record
    except ValidationError as error:
        fields = ", ".join(sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]}))
        raise VendorGarbled(
            f"{label} sent a {model.__name__.lower()} that could not be read{f' ({fields})' if fields else ''}.",
            sent=True,
        ) from None


def records_of(model: type[M], content: JsonValue, *, label: str) -> list[M]:
    """All records of a plain list. Raises VendorGarbled, also for what is no list."""
    if not isinstance(content, list):
        raise VendorGarbled(f"{label} sent something else than a list.", sent=True)
    return [record_of(model, row, label=label) for row in content]


def normal_uuid(text: str) -> str:
    """An id as most vendors give them, in the one form that ours are kept and compared in. Raises ValueError."""
    plain = text.strip().lower()
    if not is_uuid(plain):
        raise ValueError("an id is 32 letters and digits in groups, as in 1f2e3d4c-0000-4000-8000-000000000001")
    return plain


def normal_number(text: str) -> str:
    """The same of an id that is a number."""
    plain = text.strip()
    if not (plain.isascii() and plain.isdecimal() and len(plain) <= 18):
        raise ValueError("an id is a number")
    return str(int(plain))


def is_uuid(text: str) -> bool:
    """Whether an id is one as most vendors give them, and so may stand in a header or a path."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
