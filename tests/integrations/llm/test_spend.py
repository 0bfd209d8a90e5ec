"""What a model call costs."""

import re
from decimal import Decimal

import pytest

from integrations.llm.chat import ChatMessage, ToolCall, ToolSpec
from integrations.llm.spend import FREE, ModelPrice, cost_microcents, estimate_tokens

PRICE = ModelPrice(cents_per_million_in=Decimal(15), cents_per_million_out=Decimal("60.5"))


def test_cost_is_counted_in_millionths_of_a_cent_and_rounded_up() -> None:
    assert cost_microcents(PRICE, tokens_in=1_000_000, tokens_out=0) == 15_000_000
    assert cost_microcents(PRICE, tokens_in=0, tokens_out=1) == 61
    assert cost_microcents(FREE, tokens_in=10**9, tokens_out=10**9) == 0


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox jumps over the lazy dog.",
        "Der Drucker im dritten Stock druckt seit heute Morgen nur noch leere Seiten.",
        '{"ticket_id": 48213, "text": "Customer called back"}',
        "a b c d e f g h",
    ],
)
def test_an_estimate_holds_at_least_a_token_for_every_word(text: str) -> None:
    assert estimate_tokens([ChatMessage("user", text)]) >= len(re.findall(r"\w+", text))


def test_calls_and_tools_are_counted_too() -> None:
    message = ChatMessage("assistant", "", (ToolCall("1", "connectwise.get_ticket", "{}" * 100),))
    tool = ToolSpec("connectwise.get_ticket", "Read a ticket" * 20, {"type": "object"})
    bare = estimate_tokens([ChatMessage("assistant", "")])
    assert estimate_tokens([message]) > bare + 50
    assert estimate_tokens([], [tool]) > 80
