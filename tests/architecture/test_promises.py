"""docs/promises.md is held to its word: every test it names exists. (Under `bin/test --all` a skipped test fails.)"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from junto.env import ROOT

PROMISES = ROOT / "docs" / "promises.md"
ROW = re.compile(r"^\| *(\d+) *\| *(.+?) *\| *(.+?) *\|$", re.MULTILINE)
OPEN = "open"


def rows() -> list[tuple[int, str, str]]:
    """Number, promise, and what keeps it: test ids in backquotes, or `open`."""
    return [(int(number), text, kept) for number, text, kept in ROW.findall(PROMISES.read_text(encoding="utf-8"))]


def test_promises_are_numbered_without_a_gap() -> None:
    assert [number for number, _, _ in rows()] == list(range(1, len(rows()) + 1))
    assert rows()


@pytest.mark.parametrize(("number", "kept"), [(number, kept) for number, _, kept in rows()])
def test_a_promise_names_tests_that_exist_or_says_that_it_is_open(number: int, kept: str) -> None:
    if kept == OPEN:
        return
    ids = re.findall(r"`([^`]+)`", kept)

    assert ids, f"promise {number} names neither a test nor {OPEN}"
    assert [each for each in ids if not exists(each)] == []


def exists(test_id: str) -> bool:
    """Whether `tests/x/test_y.py::Class::test_z` is defined; parameters in brackets do not count."""
    path, *names = test_id.partition("[")[0].split("::")
    return bool(names) and (ROOT / path).is_file() and "::".join(names) in defined(ROOT / path)


@cache
def defined(path: Path) -> frozenset[str]:
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if _is_test(each)}
        elif _is_test(node):
            found.add(node.name)
    return frozenset(found)


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
