"""JSON a model wrote is read strictly or refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.llm.strict import DuplicateKey, JsonRefused, strict_json


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '{"x": {"a": 1, "b": 2, "a": 3}}', '[{"\\u0061": 1, "a": 2}]'])
def test_a_key_named_twice_is_refused_however_deep_or_written(text: str) -> None:
    with pytest.raises(DuplicateKey, match='"a"'):
        strict_json(text)


@pytest.mark.parametrize(
    "text",
    ["", "{", "nope", '{"a": 1} {"a": 2}', "{'a': 1}", "[1,]", "NaN", "[Infinity]", "-Infinity", "1e999", '"\\ud800"',
     '{"\\udc00": 1}', "9" * 5000, "[" * 100_000, "[" * 65 + "]" * 65, "\ufeff{}", "{\u00a0}"],
)  # fmt: skip
def test_what_is_not_exactly_one_json_value_is_refused(text: str) -> None:
    with pytest.raises(JsonRefused):
        strict_json(text)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_whatever_json_can_say_comes_back_as_it_was(value: object) -> None:
    assert strict_json(json.dumps(value)) == value


@given(st.text())
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    try:
        value = strict_json(text)
    except JsonRefused:
        return
    assert value == json.loads(text)
