"""One value, one digest: what the approver saw is what is compared (I2)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junto.canonical import NotCanonical, canonical_json, digest

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15, allow_nan=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_that_was_written_and_read_again_keeps_its_digest(value: object) -> None:
    assert digest(json.loads(canonical_json(value))) == digest(value)
    assert digest(json.loads(json.dumps(value))) == digest(value)


@given(st.dictionaries(TEXT, VALUES, max_size=6))
def test_the_order_of_members_means_nothing(value: dict) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


@given(VALUES, VALUES)
def test_different_values_have_different_digests(left: object, right: object) -> None:
    if json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True):
        assert digest(left) == digest(right)
    elif canonical_json(left) == canonical_json(right):
        assert json.loads(canonical_json(left)) == left == right


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        ({"\U0001f600": 1, "\ufb33": 2}, '{"\U0001f600":1,"\ufb33":2}'),
        ("\u20ac$\x0f\nA'B\"\\/", '"\u20ac$\\u000f\\nA\'B\\"\\\\/"'),
        (1.0, "1"),
        (-0.0, "0"),
        (4.5, "4.5"),
        (2e-3, "0.002"),
        (1e-6, "0.000001"),
        (1e-27, "1e-27"),
        (333333333.33333329, "333333333.3333333"),
    ],
)
def test_the_spelling_is_that_of_the_standard(value: object, text: str) -> None:
    assert canonical_json(value) == text


def test_text_is_not_normalised() -> None:
    assert digest("caf\u00e9") != digest("cafe\u0301")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, 1e22, "a\x00b", "\ud800", {1: 2}, b"x", object()])
def test_what_has_no_common_spelling_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical_json(value)


def test_a_bottomless_value_is_refused() -> None:
    value: list = []
    for _ in range(10_000):
        value = [value]
    with pytest.raises(NotCanonical):
        canonical_json(value)
