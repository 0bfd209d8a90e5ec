"""A call's arguments in words: what is wrong with them, for people and models, and their schema without ornaments."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue, ValidationError

from integrations.errors import ArgumentProblem

#: pydantic's kind of error -> words, from what the schema demands (`ctx`). Any other kind keeps pydantic's own words.
_WORDS: dict[str, Callable[[Mapping[str, object]], str]] = {
    "missing": lambda _: "is missing",
    "extra_forbidden": lambda _: "is nothing that this tool takes",
    "string_type": lambda _: "must be text",
    "string_too_short": lambda ctx: _at_least(ctx["min_length"], "character"),
    "string_too_long": lambda ctx: f"is too long: at most {ctx['max_length']:,} characters fit",
    "string_pattern_mismatch": lambda _: "holds characters or a length that it cannot have",
    "int_type": lambda _: "must be a whole number",
    "int_parsing": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "int_parsing_size": lambda _: "is too large a number",
    "float_type": lambda _: "must be a number",
    "float_parsing": lambda _: "must be a number",
    "finite_number": lambda _: "must be a number",
    "bool_type": lambda _: "must be true or false",
    "bool_parsing": lambda _: "must be true or false",
    "greater_than": lambda ctx: f"must be more than {ctx['gt']}",
    "greater_than_equal": lambda ctx: f"must be at least {ctx['ge']}",
    "less_than": lambda ctx: f"must be less than {ctx['lt']}",
    "less_than_equal": lambda ctx: f"must be at most {ctx['le']}",
    "literal_error": lambda ctx: f"must be {ctx['expected']}",
    "enum": lambda ctx: f"must be {ctx['expected']}",
    "list_type": lambda _: "must be a list",
    "tuple_type": lambda _: "must be a list",
    "too_short": lambda ctx: _at_least(ctx["min_length"], "value"),
    "too_long": lambda ctx: f"holds too many values: at most {ctx['max_length']} fit",
    "datetime_type": lambda _: "must be a date and a time, as in 2026-11-21T14:00:00Z",
    "datetime_parsing": lambda _: "must be a date and a time, as in 2026-11-21T14:00:00Z",
    "datetime_from_date_parsing": lambda _: "must be a date and a time, as in 2026-11-21T14:00:00Z",
    "value_error": lambda ctx: str(ctx["error"]),
}


def problems_of(error: ValidationError) -> tuple[ArgumentProblem, ...]:
    """Every problem with the name of its argument, in the order of the schema."""
    return tuple(
        ArgumentProblem(
            ".".join(str(part) for part in one["loc"]), _words(one["type"], one.get("ctx", {})) or one["msg"]
        )
        for one in error.errors(include_url=False, include_input=False)
    )


def _words(kind: str, context: Mapping[str, object]) -> str:
    words = _WORDS.get(kind)
    return words(context) if words else ""


def _at_least(least: object, what: str) -> str:
    return "must not be empty" if least == 1 else f"needs at least {least} {what}s"


def tidied(value: JsonValue) -> JsonValue:
    """A schema without titles, and with `anyOf [X, null]` written as X."""
    if isinstance(value, list):
        return [tidied(one) for one in value]
    if not isinstance(value, dict):
        return value
    tidy: dict[str, JsonValue] = {}
    for key, inner in value.items():
        if key == "properties" and isinstance(inner, dict):
            tidy[key] = {name: tidied(shape) for name, shape in inner.items()}
        elif (key == "title" and isinstance(inner, str)) or (key == "default" and inner is None):
            continue
        else:
            tidy[key] = tidied(inner)
    choices = tidy.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [one for one in choices if one != {"type": "null"}]
        if len(rest) == 1 and isinstance(rest[0], dict):
            del tidy["anyOf"]
            return {**rest[0], **tidy}
    return tidy
