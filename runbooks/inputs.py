"""The inputs a runbook declares: what must be known before it can run."""

from __future__ import annotations

import json
from typing import Annotated, Final, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError, model_validator

from runbooks.kinds import Kind, read_value
from runbooks.mentions import FACT_PATHS

#: Characters of all declarations as they are stored.
INPUTS_LIMIT: Final = 10_000


class InputsRefused(ValueError):
    """The declaration of inputs cannot be used; the message names the input and what is wrong."""


class InputDeclaration(BaseModel):
    """One required input, as PRODUCT 4 lists it. `options` belong to a select."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    label: Annotated[str, Field(min_length=1, max_length=120)]
    type: Kind = "string"
    required: bool = True
    default: str | int | float | bool | None = None
    options: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _options_belong_to_a_select(self) -> Self:
        if (self.type == "select") != bool(self.options):
            raise ValueError("a select needs options, and no other type has them")
        return self

    def default_problem(self) -> str:
        """Why no run could begin with its default; empty where it could, and for a fact of the ticket."""
        if self.default is None or self.default == "" or self.default in FACT_PATHS:
            return ""
        try:
            read_value(self.type, self.options, self.default)
        except ValueError as problem:
            return str(problem)
        return ""


_declarations = TypeAdapter(list[InputDeclaration])

#: What to write for each part of an input.
_FIELD_WORDS: Final = {
    "name": "write 1 to 40 small letters, digits and _, a letter first, such as reset_reason",
    "label": "write the question that people are asked, in 1 to 120 characters",
    "type": f"write one of {', '.join(get_args(Kind))}",
    "required": "write true or false",
    "default": "write one text, number, true or false, or leave it out",
    "options": "write a list of the texts to choose from",
}
_ENTRY: Final = "write its name and its label, such as name: reset_reason, label: Why is it reset"


def read_inputs(stored: JsonValue) -> tuple[InputDeclaration, ...]:
    """The declarations in `Runbook.inputs`.

    Raises:
        InputsRefused: it is no list of declarations, or a name stands there twice.
    """
    try:
        declared = _declarations.validate_python(stored)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputsRefused(_in_words(first["loc"], first["type"], first["msg"])) from None
    names = [each.name for each in declared]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputsRefused(f"The input {twice} is declared twice.")
    return tuple(declared)


def _in_words(place: tuple[int | str, ...], kind: str, message: str) -> str:
    """Which input it is, and what to write there."""
    if not place:
        return "The inputs are no list: write one entry for each, or [] for none."
    number = f"Input {int(place[0]) + 1}"
    if len(place) == 1:
        own = message.removeprefix("Value error, ")
        return f"{number}: {own if kind == 'value_error' else _ENTRY}."
    field = str(place[1])
    if kind == "missing":
        return f"{number} has no {field}: {_FIELD_WORDS[field]}."
    if kind == "extra_forbidden":
        return f"{number} {field}: there is nothing of that name. It has {', '.join(_FIELD_WORDS)}."
    return f"{number} {field}: {_FIELD_WORDS.get(field, _ENTRY)}."


def check_inputs(written: JsonValue) -> tuple[InputDeclaration, ...]:
    """What `read_inputs` gives, asking all that is asked of declarations that are written now.

    What is stored may be older than these questions, so reading it asks less.

    Raises:
        InputsRefused: as `read_inputs`, or they are too long, cannot be stored, a select offers an option twice, or a
            default is not of its type.
    """
    declared = read_inputs(written)
    try:
        text = json.dumps(written, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (UnicodeEncodeError, ValueError, RecursionError):
        raise InputsRefused("The inputs hold a number or a character that cannot be stored.") from None
    if len(text) > INPUTS_LIMIT:
        raise InputsRefused(f"The inputs have {len(text):,} characters; at most {INPUTS_LIMIT:,} fit.")
    if any("\0" in word for each in declared for word in (each.label, str(each.default), *each.options)):
        raise InputsRefused("The inputs hold a NUL character, which cannot be stored.")
    for each in declared:
        offered = [option.strip() for option in each.options]
        twice = next((option for option in offered if offered.count(option) > 1), None)
        if twice is not None:
            raise InputsRefused(f"The input {each.name} offers “{twice}” twice.")
        problem = each.default_problem()
        if problem:
            raise InputsRefused(f"The default of the input {each.name} does not fit: {problem}")
    return declared
