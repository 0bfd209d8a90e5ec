"""What a model call costs: tokens estimated before it, money computed after it. Pure; rows are written elsewhere."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from integrations.llm.chat import ChatMessage, ToolSpec

_PER_MESSAGE = 8
"""Tokens a server spends around each message and each tool on roles and separators, rounded up."""

_BYTES_PER_TOKEN = 3
"""Bytes of UTF-8 a token covers at least. English needs about 4; code, JSON and other languages about 3."""


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """The price of one model in US cents for a million tokens read and a million tokens written."""

    cents_per_million_in: Decimal
    cents_per_million_out: Decimal


FREE = ModelPrice(Decimal(0), Decimal(0))


def cost_microcents(price: ModelPrice, *, tokens_in: int, tokens_out: int) -> int:
    """What one call costs in millionths of a US cent, rounded up.

    Before a call, with the most tokens it may write, this is the sum to set aside, so that calls running at the same
    time cannot pass a cap together.
    """
    # Cents for a million tokens are, as a number, millionths of a cent for one token.
    return ceil(price.cents_per_million_in * tokens_in + price.cents_per_million_out * tokens_out)


def estimate_text_tokens(text: str) -> int:
    """Tokens `text` will take, on the high side: a reservation that is too small would be no limit."""
    return estimate_tokens_of_size(len(text.encode(errors="replace")))


def estimate_tokens_of_size(size_bytes: int) -> int:
    """The same for text of which only the size in UTF-8 is known."""
    return -(-size_bytes // _BYTES_PER_TOKEN)


def estimate_tokens(messages: Iterable[ChatMessage], tools: Iterable[ToolSpec] = ()) -> int:
    """Tokens a request will take to read, on the high side."""
    total = 0
    for message in messages:
        total += _PER_MESSAGE + estimate_text_tokens(message.content)
        total += sum(
            _PER_MESSAGE + estimate_text_tokens(call.name + call.arguments_text) for call in message.tool_calls
        )
    for tool in tools:
        schema = json.dumps(tool.parameters, ensure_ascii=False)
        total += _PER_MESSAGE + estimate_text_tokens(tool.name + tool.description + schema)
    return total
