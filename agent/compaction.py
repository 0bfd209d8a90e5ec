"""A conversation made shorter for a model that cannot read all of it. Pure: no database, no clock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from integrations.llm.chat import ChatMessage
from integrations.llm.spend import estimate_tokens

#: Characters that are left of a long text when leaving out old results was not enough.
KEPT_TEXT = 2_000
LEFT_OUT = "Left out to keep the conversation short; ask again if it is needed."


def compact(messages: Sequence[ChatMessage], *, limit_tokens: int) -> list[ChatMessage]:
    """`messages`, shortened until an estimate says that they fit into `limit_tokens`, or nothing is left to shorten.

    First old results are left out, then long texts cut, the oldest first each time. What was called, with which result
    status and for which reason, always stays, and so does the first message, which holds the rules.
    """
    shorter = list(messages)
    left = estimate_tokens(shorter)
    for shorten in (_without_result, _cut):
        for place, message in enumerate(shorter[1:], start=1):
            if left <= limit_tokens:
                return shorter
            shorter[place] = shorten(message)
            left += estimate_tokens([shorter[place]]) - estimate_tokens([message])
    return shorter


def _without_result(message: ChatMessage) -> ChatMessage:
    if message.role != "tool":
        return message
    answer = json.loads(message.content)
    if "result" not in answer:
        return message
    answer["result"] = LEFT_OUT
    return _smaller(message, json.dumps(answer, ensure_ascii=False))


def _cut(message: ChatMessage) -> ChatMessage:
    calls = tuple(
        replace(call, arguments_text=json.dumps({"left_out": LEFT_OUT}))
        if len(call.arguments_text) > KEPT_TEXT
        else call
        for call in message.tool_calls
    )
    message = replace(message, tool_calls=calls)
    if message.role == "tool" or len(message.content) <= KEPT_TEXT:
        return message
    return _smaller(message, f"{message.content[:KEPT_TEXT]}\n(cut: {LEFT_OUT})")


def _smaller(message: ChatMessage, content: str) -> ChatMessage:
    return replace(message, content=content) if len(content) < len(message.content) else message
