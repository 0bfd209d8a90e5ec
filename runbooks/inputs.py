"""The inputs a runbook declares: what must be known before it can run."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError, model_validator


class InputsRefused(ValueError):
    """The declaration of inputs cannot be used; the message names the input and what is wrong."""


class InputDeclaration(BaseModel):
    """One required input, as PRODUCT 4 lists it. `options` belong to a select."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    label: Annotated[str, Field(min_length=1, max_length=120)]
    type: Literal["string", "email", "number", "select", "date", "boolean"] = "string"
    required: bool = True
    default: str | int | float | bool | None = None
    options: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _options_belong_to_a_select(self) -> Self:
        if (self.type == "select") != bool(self.options):
            raise ValueError("a select needs options, and no other type has them")
        return self


_declarations = TypeAdapter(list[InputDeclaration])


def read_inputs(stored: JsonValue) -> tuple[InputDeclaration, ...]:
    """The declarations in `Runbook.inputs`.

    Raises:
        InputsRefused: it is no list of declarations, or a name stands there twice.
    """
    try:
        declared = _declarations.validate_python(stored)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = " ".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
        raise InputsRefused(f"Input {place}: {first['msg']}.") from None
    names = [each.name for each in declared]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputsRefused(f"The input {twice} is declared twice.")
    return tuple(declared)
