"""The values of 100 tickets that a person wrote down: well formed, and of the tickets that the rule chose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.signals.values.choice import chosen

VALUES = Path(__file__).parent / "values"
SCALES = {
    "kind": {"issue", "request"},
    "sentiment": {"very_negative", "negative", "neutral", "positive"},
    "tone": {"annoyed", "pressing", "worried", "pleased", "courteous", "plain"},
    "frustration": {"low", "medium", "high"},
    "urgency": {"low", "medium", "high"},
    "automation": {"none", "low", "medium", "high"},
}
ENTITIES = {"people", "devices", "applications", "vendors"}


def written(half: str) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = yaml.safe_load((VALUES / half).read_text(encoding="utf-8"))
    return rows


@pytest.mark.parametrize("half", ["tune.yaml", "held_out.yaml"])
def test_every_value_lies_on_its_scale(half: str) -> None:
    rows = written(half)
    assert len({row["id"] for row in rows}) == 50
    for row in rows:
        assert all(row[field] in scale for field, scale in SCALES.items()), row["id"]
        assert set(row) - set(SCALES) - ENTITIES == {"id", "facts"}, row["id"]
        assert all(isinstance(name, str) for kind in ENTITIES for name in row.get(kind, [])), row["id"]
        assert 1 <= len(row["facts"]) <= 3, row["id"]
        assert all(word == word.casefold() and " " not in word for words in row["facts"] for word in words), row["id"]


def test_the_tickets_are_those_that_the_rule_chose(eval_dir: Path) -> None:
    tune, held_out = chosen(eval_dir)
    assert [row["id"] for row in written("tune.yaml")] == tune
    assert [row["id"] for row in written("held_out.yaml")] == held_out
