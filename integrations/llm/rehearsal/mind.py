"""The rules in one place: given a conversation, the next reply."""

import json
from dataclasses import dataclass

from pydantic import JsonValue

from .case import Case
from .conversation import Conversation
from .findings import HEADING, findings_text
from .followups import answer_to, is_paused
from .gathering import Wish, reads
from .leads import LOOKING
from .plan import Move, next_move, obstacle_line, obstacles
from .receipts import SUMMARY_HEADING, open_proposals, reaction, summary_text


@dataclass(frozen=True, slots=True)
class Reply:
    """Words, and the calls as they stand on the wire."""

    text: str
    wire_calls: list[JsonValue]

    @property
    def finish_reason(self) -> str:
        return "tool_calls" if self.wire_calls else "stop"


def reply_to(conversation: Conversation) -> Reply:
    """The next reply of the conversation; never empty."""
    case = Case(conversation)
    wishes = reads(case)
    if wishes:
        return _reply(conversation, [_opening(case)], wishes)
    parts: list[str] = []
    if not _findings_said(conversation):
        parts.append(findings_text(case))
    parts += [reaction(case, call) for call in conversation.new_outcomes]
    asked: list[Wish] = []
    for remark in conversation.new_remarks[-5:]:
        answer = answer_to(case, remark)
        parts.append(answer.text)
        asked += [answer.wish] if answer.wish else []
    if not asked:
        move = _next(case)
        parts.append(move.text)
        asked = list(move.wishes)
    return _reply(conversation, parts, asked)


def _next(case: Case) -> Move:
    """The next step of the plan, as far as it may go on now; at its end, when nothing is open, the summary, once."""
    if case.mode == "prepare":
        return Move("" if case.conversation.said(HEADING) >= 0 else _PREPARED)
    if is_paused(case):
        return Move()
    move = next_move(case)
    if move.is_last and not open_proposals(case) and case.conversation.said(SUMMARY_HEADING) < 0:
        return Move(summary_text(case, [obstacle_line(obstacle) for obstacle in obstacles(case)]))
    return move


_PREPARED = "This session only prepared the ticket. Start the agent, and I propose what to do."


def _findings_said(conversation: Conversation) -> bool:
    """Also when older messages were cut away: whoever proposed something had reported before."""
    return conversation.said(HEADING) >= 0 or any(not call.is_read for call in conversation.calls)


def _opening(case: Case) -> str:
    if case.conversation.last_position >= 0:
        return f"{LOOKING} what only the ticket itself could tell."
    about = f"“{case.subject}”" if case.subject else "the ticket"
    return f"{LOOKING} {about}: its contact, the company's devices, its history and what the board offers."


def _reply(conversation: Conversation, parts: list[str], wishes: list[Wish]) -> Reply:
    text = "\n\n".join(part.strip() for part in parts if part.strip())
    if not text and not wishes:
        text = "Nothing more to do from my side."
    calls: list[JsonValue] = []
    for order, wish in enumerate(wishes):
        function: JsonValue = {
            "name": conversation.offers[wish.tool].wire,
            "arguments": json.dumps(wish.arguments, ensure_ascii=False),
        }
        calls.append({"id": f"call_{conversation.fingerprint[:16]}_{order}", "type": "function", "function": function})
    return Reply(text, calls)
