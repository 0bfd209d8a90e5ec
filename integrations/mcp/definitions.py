"""A tool's definition as a server gives it: foreign text, pinned as it came, bounded before anybody reads it. Pure.

The pin is over what the server said, to the last character. What people and models are shown of it is plain text of a
bounded length, and of its schema only what we can validate.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import JsonValue

LARGEST_DEFINITION = 32 * 1024
"""In bytes of JSON. A larger one is kept by its digest and its first words only, and stays blocked."""

DEEPEST_SCHEMA = 12
MOST_SHAPES = 600
LONGEST_DESCRIPTION = 1000
LONGEST_HINT = 300
LONGEST_NAME = 40

_PARTS: Final = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
_SERVER_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]{0,63}", re.ASCII)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER: Final = re.compile(r"[^a-z0-9]+")
_MARKUP: Final = str.maketrans("", "", "<>`*#[]|\\")
_SHOWN_BLANKS: Final = frozenset("\n\r\t ")

_DIALECTS: Final = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
)
#: Keywords that are kept. One that says how a value is written (`pattern`, `format`) is the server's to enforce: an
#: expression of strangers does not run here.
_KEPT: Final = frozenset(
    {"type", "required", "enum", "const", "format", "uniqueItems", "multipleOf"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {f"{end}{what}" for end in ("min", "max") for what in ("Length", "Items", "Properties")}
)
_LISTS_OF_SHAPES: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_SHAPES: Final = ("items", "additionalProperties", "not")
_REFUSED: Final = (
    "$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor", "patternProperties", "if", "dependentSchemas",
)  # fmt: skip


class SchemaRefused(ValueError):
    """A schema by which no arguments can be validated; the message says why."""


def definition_of(told: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What of a listed tool is pinned: all that says what it is and takes."""
    return {part: told[part] for part in _PARTS if told.get(part) is not None}


def pin_of(definition: Mapping[str, JsonValue]) -> str:
    """SHA-256 over the definition as it came; the order of its keys says nothing."""
    return hashlib.sha256(json.dumps(definition, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def keepable(definition: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The definition as a database keeps it: cut where it is too large, without characters that no column takes."""
    text = json.dumps(definition, ensure_ascii=True)
    if len(text) > LARGEST_DEFINITION:
        shown = {part: str(definition.get(part, ""))[:LONGEST_DESCRIPTION] for part in ("name", "title", "description")}
        return {**{part: storable(words) for part, words in shown.items()}, "tooLarge": True}
    return {part: storable(value) for part, value in definition.items()}


def local_name(name: str) -> str:
    """The second half of the tool's name here: what a mention in a runbook can spell. Empty where nothing is left."""
    plain = _OTHER.sub("_", _HUMP.sub("_", name).lower()).strip("_")
    return plain if plain[:1].isalpha() else ""


def problem_of(definition: Mapping[str, JsonValue]) -> str:
    """Why a tool can be used by nobody, whatever an Admin says; empty where it can."""
    name = str(definition.get("name", ""))
    if definition.get("tooLarge"):
        return f"Its definition is larger than {LARGEST_DEFINITION >> 10} KiB."
    if not _SERVER_NAME.fullmatch(name) or not 0 < len(local_name(name)) <= LONGEST_NAME:
        return f"Its name cannot be written here: letters, digits and _ . / - , at most {LONGEST_NAME} of them."
    hidden = sorted({f"U+{ord(one):04X}" for text in _texts(definition) for one in text if _is_hidden(one)})
    if hidden:
        return f"Its definition holds characters that nobody sees: {', '.join(hidden[:5])}."
    try:
        shape_of(definition)
    except SchemaRefused as refused:
        return f"Its arguments cannot be validated: {refused}"
    return ""


def plain(text: object, limit: int) -> str:
    """Foreign words as one line of plain text: no markup, nothing hidden, at most `limit` characters."""
    shown = "".join(" " if one in _SHOWN_BLANKS else one for one in str(text or "") if not _is_hidden(one))
    line = " ".join(shown.translate(_MARKUP).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def title_of(definition: Mapping[str, JsonValue]) -> JsonValue:
    """The server's name of a tool for people, in either of the two places that the protocol has for it."""
    hints = definition.get("annotations")
    return definition.get("title") or (hints.get("title") if isinstance(hints, dict) else None)


def shape_of(definition: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The schema of its arguments, as far as we validate by it: no references left, unknown arguments refused.

    Raises:
        SchemaRefused: arguments cannot be validated by it.
    """
    schema = definition.get("inputSchema")
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise SchemaRefused("they are described as no object.")
    dialect = str(schema.get("$schema", _DIALECTS[0])).rstrip("#")
    if dialect not in _DIALECTS:
        raise SchemaRefused("the schema is written in a dialect that is not known here.")
    shape = _Reader(schema).read(schema, depth=0)
    shape["properties"] = shape.get("properties", {})
    shape["additionalProperties"] = False
    try:
        Draft202012Validator.check_schema(shape)
    except SchemaError as error:
        raise SchemaRefused(f"the schema contradicts itself: {plain(error.message, 160)}") from None
    return shape


class _Reader:
    """Copies a schema keyword by keyword, with its own references written out."""

    def __init__(self, root: Mapping[str, JsonValue]) -> None:
        self._root = root
        self._number = 0

    def read(self, shape: JsonValue, *, depth: int, through: tuple[str, ...] = ()) -> dict[str, JsonValue]:
        self._number += 1
        if depth > DEEPEST_SCHEMA or self._number > MOST_SHAPES:
            raise SchemaRefused(f"the schema is nested deeper than {DEEPEST_SCHEMA} levels, or too large.")
        if isinstance(shape, bool):
            return {} if shape else {"not": {}}
        if not isinstance(shape, dict):
            raise SchemaRefused("a part of the schema is none.")
        for keyword in _REFUSED:
            if keyword in shape:
                raise SchemaRefused(f"the schema uses {keyword}.")
        reference = shape.get("$ref")
        target: dict[str, JsonValue] = {}
        if reference is not None:
            if reference in through:
                raise SchemaRefused("the schema refers to itself.")
            target = self.read(self._found(reference), depth=depth + 1, through=(*through, str(reference)))
        return {**target, **self._kept(shape, depth=depth, through=through)}

    def _kept(self, shape: Mapping[str, JsonValue], *, depth: int, through: tuple[str, ...]) -> dict[str, JsonValue]:
        kept: dict[str, JsonValue] = {}
        for keyword, value in shape.items():
            if keyword == "properties" and isinstance(value, dict):
                kept[keyword] = {name: self.read(one, depth=depth + 1, through=through) for name, one in value.items()}
            elif keyword in _LISTS_OF_SHAPES and isinstance(value, list):
                kept[keyword] = [self.read(one, depth=depth + 1, through=through) for one in value]
            elif keyword in _SHAPES:
                is_plain = isinstance(value, bool)
                kept[keyword] = value if is_plain else self.read(value, depth=depth + 1, through=through)
            elif keyword == "description":
                kept[keyword] = plain(value, LONGEST_HINT)
            elif keyword in _KEPT:
                kept[keyword] = value
        return kept

    def _found(self, reference: JsonValue) -> JsonValue:
        """What a reference inside the schema means; one that leads out of it is followed by nobody."""
        text = str(reference)
        if not text.startswith("#/"):
            raise SchemaRefused("the schema refers to itself." if text == "#" else "the schema refers to another one.")
        place: JsonValue = dict(self._root)
        for part in text[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(place, dict) or key not in place:
                raise SchemaRefused("the schema refers to something that is not in it.")
            place = place[key]
        return place


def _texts(value: JsonValue | Mapping[str, JsonValue]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _texts(inner)


def _is_hidden(letter: str) -> bool:
    return letter not in _SHOWN_BLANKS and unicodedata.category(letter).startswith("C")


def storable(value: JsonValue) -> JsonValue:
    """The value without characters that no column of a database takes."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [storable(one) for one in value]
    if isinstance(value, dict):
        return {str(storable(key)): storable(inner) for key, inner in value.items()}
    return value
