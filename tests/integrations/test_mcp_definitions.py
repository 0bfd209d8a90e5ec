"""What a server may say of a tool, and what of it anybody is shown. No server, no database."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.mcp.definitions import (
    LARGEST_DEFINITION,
    SchemaRefused,
    keepable,
    local_name,
    pin_of,
    plain,
    problem_of,
    shape_of,
)
from integrations.mcp.endpoints import path_of


def definition(schema: dict[str, Any] | None = None, **told: Any) -> dict[str, Any]:
    """A sound definition, but for what is given."""
    shape = {"type": "object", "properties": {}, **(schema or {})}
    return {"name": "look", "description": "Look.", "inputSchema": shape, **told}


def of(shape: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A definition with one argument of this shape."""
    return definition({"properties": {"x": shape}, **more})


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (of({"$ref": "https://evil.example/schema.json"}), "refers to another one"),
        (of({"$ref": "file:///etc/passwd"}), "refers to another one"),
        (of({"$ref": "#/$defs/a"}, **{"$defs": {"a": {"$ref": "#/$defs/a"}}}), "refers to itself"),
        (of({"$ref": "#"}), "refers to itself"),
        (of({"$ref": "#/$defs/none"}), "not in it"),
        (of({"patternProperties": {"(a+)+$": {}}}), "patternProperties"),
        (of({"$id": "https://x.example"}), r"\$id"),
        (of({"$dynamicRef": "#x"}), "dynamicRef"),
        (of({"type": "nonsense"}), "contradicts itself"),
        (definition({"type": "array"}), "no object"),
        (definition({"$schema": "https://x.example/my-own"}), "dialect"),
        (definition({"properties": {f"p{n}": {} for n in range(700)}}), "too large"),
    ],
)
def test_arguments_that_cannot_be_validated_block_the_tool(told: dict[str, Any], reason: str) -> None:
    with pytest.raises(SchemaRefused, match=reason):
        shape_of(told)
    assert "cannot be validated" in problem_of(told)


def test_a_schema_that_is_nested_too_deep_is_refused() -> None:
    shape: dict[str, Any] = {"type": "string"}
    for _ in range(20):
        shape = {"type": "object", "properties": {"x": shape}}
    with pytest.raises(SchemaRefused, match="nested deeper"):
        shape_of(of(shape))


def test_references_inside_are_written_out_and_strangers_expressions_are_dropped() -> None:
    told = of(
        {"$ref": "#/$defs/id", "description": "<b>An</b> id"},
        **{"$defs": {"id": {"type": "string", "pattern": "(a+)+$", "maxLength": 9, "default": "x"}}},
    )
    assert shape_of(told)["properties"] == {"x": {"type": "string", "maxLength": 9, "description": "bAn/b id"}}
    assert shape_of(told)["additionalProperties"] is False


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\u2066", "\x1b", "\ufeff", "\U000e0041"])
def test_a_definition_with_characters_that_nobody_sees_is_blocked(hidden: str) -> None:
    assert "nobody sees" in problem_of(definition(description=f"Look{hidden}up"))
    assert "nobody sees" in problem_of(of({"type": "string", "description": f"a{hidden}"}))
    assert hidden not in plain(f"Look{hidden}up", 100)


def test_a_definition_that_is_too_large_is_kept_by_its_first_words() -> None:
    told = keepable(definition(description="x" * LARGEST_DEFINITION * 2))
    assert "larger than" in problem_of(told)
    assert len(str(told)) < 4000


def test_what_no_database_takes_is_replaced_and_pinned_as_it_came() -> None:
    told = definition(description="a\x00b\ud800c")
    assert "\x00" not in str(keepable(told))
    str(keepable(told)).encode()
    assert pin_of(told) != pin_of(keepable(told))


@pytest.mark.parametrize("part", ["name", "title", "description", "inputSchema", "outputSchema", "annotations"])
def test_the_pin_changes_with_every_part(part: str) -> None:
    told = definition(title="T", outputSchema={"type": "object"}, annotations={"readOnlyHint": True})
    assert pin_of({**told, part: "other"}) != pin_of(told)
    assert pin_of(dict(reversed(told.items()))) == pin_of(told)


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("getAsset", "get_asset"),
        ("get-asset", "get_asset"),
        ("docs/search.v2", "docs_search_v2"),
        ("_x", "x"),
        ("9", ""),
    ],
)
def test_a_name_is_written_as_a_runbook_can_mention_it(name: str, local: str) -> None:
    assert local_name(name) == local


@pytest.mark.parametrize("name", ["", "9lives", "drop table", "ünïcode", "a" * 65, "а", "x" * 41])
def test_a_name_that_cannot_be_written_here_blocks_the_tool(name: str) -> None:
    assert "cannot be written" in problem_of(definition(name=name))


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"method":"tools/call","params":{"name":"wipe"}}', "/tools/call/wipe"),
        (b'{"method":"tools/list"}', "/tools/list"),
        (b'[{"method":"tools/call","params":{"name":"wipe"}}]', "/unreadable"),
        (b'{"result":{"roots":["/"]}}', "/unreadable"),
        (b'{"error":{"code":-32601}}', "/answer"),
        (b"\xff", "/unreadable"),
        (b'{"method":"tools/list","method":"tools/call","params":{"name":"wipe"}}', "/tools/call/wipe"),
    ],
)
def test_a_message_is_classed_by_what_it_says(body: bytes, path: str) -> None:
    assert path_of(body) == path
