"""A session played against the rehearsal model: offered tools, invented results, people who decide and speak."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pydantic import JsonValue

from integrations.connectwise.tools import TOOLS as CONNECTWISE_TOOLS
from integrations.llm.chat import ChatMessage, ModelReply, ToolCall, ToolSpec
from integrations.llm.openai_chat import OpenAIChatModel
from integrations.llm.rehearsal import BASE_URL, MODEL_NAME, rehearsal_client
from integrations.tools import Category

Fields = dict[str, JsonValue]


TOOLS: dict[str, Fields] = {tool.name: tool.schema for tool in CONNECTWISE_TOOLS}
"""The real tools' schemas: the rehearsal has to cope with these, whatever they become."""

READS = {tool.name: tool.schema for tool in CONNECTWISE_TOOLS if tool.category is Category.READ}
RESET: dict[str, Fields] = {
    "microsoft365.reset_password": {
        "type": "object",
        "properties": {"user": {"type": "string"}},
        "required": ["user"],
    }
}
RESULTS: dict[str, JsonValue] = {
    "connectwise.get_ticket": {
        "id": 48213, "summary": "VPN drops every hour", "status": "New", "priority": "High", "board": "Help Desk",
        "board_id": 4, "type": "", "subtype": "", "contact": {"id": 7, "name": "Jane Poe"}, "notes": [],
    },
    "connectwise.find_contact": {
        "contacts": [{"id": 7, "name": "Jane Poe", "email": "jane@fabrikam.example", "phone": "555-0101"}]
    },
    "connectwise.list_configurations": {
        "configurations": [
            {"id": 1, "name": "FAB-LT-014", "type": "Laptop", "contact": "Jane Poe"},
            {"id": 2, "name": "FAB-SRV-01", "type": "Server"},
        ]
    },
    "connectwise.search_tickets": {
        "tickets": [
            {"id": 48213, "summary": "VPN drops every hour", "status": "New"},
            {"id": 47001, "summary": "VPN cannot connect from home", "status": "Closed"},
            {"id": 47002, "summary": "Printer out of toner", "status": "Closed"},
        ]
    },
    "connectwise.board_options": {
        "board": {"id": 4, "name": "Help Desk"},
        "types": [{"id": 1, "name": "Service Request"}, {"id": 2, "name": "Network"}, {"id": 3, "name": "Email"}],
        "subtypes": [
            {"id": 21, "name": "VPN", "type_ids": [2]},
            {"id": 22, "name": "Wifi", "type_ids": [2]},
            {"id": 31, "name": "Mailbox", "type_ids": [3]},
        ],
        "statuses": [
            {"id": 1, "name": "New", "closed": False},
            {"id": 5, "name": "In Progress", "closed": False},
            {"id": 9, "name": "Closed", "closed": True},
        ],
    },
    "connectwise.list_ticket_time": {"time_entries": [{"id": 3, "hours": 0.5, "member": "Theo"}], "total_hours": 0.5},
    "connectwise.list_members": {
        "members": [{"identifier": "theo", "name": "Theo Brandt"}, {"identifier": "mara", "name": "Mara Lind"}]
    },
}  # fmt: skip

FACTS: Fields = {
    "mode": "triage",
    "organization": "Northwind MSP",
    "company": {"id": "c0ffee", "name": "Fabrikam", "external_ids": {"connectwise": 250}},
    "ticket": {
        "connection": "connectwise",
        "id": 48213,
        "subject": "VPN drops every hour",
        "board": "Help Desk",
        "board_id": 4,
        "status": "New",
        "priority": "High",
        "type": None,
        "subtype": None,
        "contact": {"id": 7, "name": "Jane Poe", "email": "jane@fabrikam.example"},
        "devices": [],
        "assignee": None,
        "created_at": "2026-11-20T08:00:00Z",
    },
    "member": {"identifier": "theo"},
    "runbook": None,
    "other_matches": [],
    "now": "2026-11-21T09:00:00Z",
    "work": {"began": "2026-11-21T08:12:30Z", "minutes": 15},
}

Decide = Callable[[ToolCall], Fields]


def specs(tools: dict[str, Fields]) -> list[ToolSpec]:
    return [ToolSpec(name=name, description=name, parameters=schema) for name, schema in tools.items()]


def rehearsal() -> OpenAIChatModel:
    return OpenAIChatModel(base_url=BASE_URL, api_key="", model=MODEL_NAME, http_client=rehearsal_client())


def accept(call: ToolCall) -> Fields:
    """Every call succeeds with the usual result."""
    return {"status": "ok", "provenance": call.name, "modified": False, "result": RESULTS.get(call.name, {"id": 1})}


@dataclass
class Session:
    """One played session; `say` and `run` advance it, and the lists tell what happened."""

    facts: Fields = field(default_factory=lambda: dict(FACTS))
    ticket_text: str = "My VPN drops every hour when I work from home. Regards, Jane"
    tools: dict[str, Fields] = field(default_factory=lambda: dict(TOOLS))
    decide: Decide = accept
    streamed: bool = True
    messages: list[ChatMessage] = field(default_factory=list)
    replies: list[ModelReply] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model = rehearsal()
        if not self.messages:
            self.messages = [self._system(), ChatMessage("user", self.ticket_text)]

    def _system(self) -> ChatMessage:
        return ChatMessage("system", "You triage.\n\n```facts\n" + json.dumps(self.facts) + "\n```\n")

    def switch(self, **facts: JsonValue) -> None:
        self.facts = {**self.facts, **facts}
        self.messages[0] = self._system()

    def step(self) -> ModelReply:
        """One reply, and the outcomes of its calls."""
        reply = self.model.complete(
            self.messages,
            specs(self.tools),
            on_delta=self.pieces.append if self.streamed else None,
            deadline_seconds=20,
        )
        self.replies.append(reply)
        self.messages.append(ChatMessage("assistant", reply.text, reply.tool_calls))
        for call in reply.tool_calls:
            self.messages.append(ChatMessage("tool", json.dumps(self.decide(call)), tool_call_id=call.id))
        return reply

    def run(self, most: int = 25) -> "Session":
        """Steps until a reply asks for nothing."""
        for _ in range(most):
            if not self.step().tool_calls:
                return self
        raise AssertionError(f"no end after {most} replies: {[call.name for call in self.calls()]}")

    def say(self, text: str, *, name: str = "Theo", role: str = "Technician") -> ModelReply:
        self.messages.append(ChatMessage("user", f"[{name}, {role}] {text}"))
        return self.step()

    def calls(self, *names: str) -> list[ToolCall]:
        every = [call for reply in self.replies for call in reply.tool_calls]
        return [call for call in every if not names or call.name in names]

    @property
    def text(self) -> str:
        return "\n\n".join(reply.text for reply in self.replies)


def deny(tool: str, reason: str, *, times: int = 1) -> Decide:
    """Accepts everything but the first `times` calls of `tool`."""
    left = [times]

    def decide(call: ToolCall) -> Fields:
        if call.name == tool and left[0]:
            left[0] -= 1
            return {"status": "denied", "provenance": "Theo, Technician", "reason": reason, "result": None}
        return accept(call)

    return decide


def modify(tool: str, **changed: JsonValue) -> Decide:
    """Accepts everything; the first call of `tool` goes out with changed arguments."""
    left = [1]

    def decide(call: ToolCall) -> Fields:
        if call.name == tool and left[0]:
            left[0] = 0
            sent = {**json.loads(call.arguments_text), **changed}
            return {**accept(call), "modified": True, "sent": sent}
        return accept(call)

    return decide


def with_runbook(steps: Iterable[Fields], *, audience: str = "ai", mode: str = "triage") -> Fields:
    runbook: Fields = {
        "id": "r1",
        "title": "VPN drops",
        "version": 3,
        "audience": audience,
        "score": 0.82,
        "reason": "“vpn” in title and subject",
        "steps": list(steps),
    }
    return {**FACTS, "mode": mode, "runbook": runbook}


CLASSIFY = "connectwise.classify_ticket"
NOTE = "connectwise.add_internal_note"
TIME = "connectwise.add_time_entry"


def arguments(session: Session, tool: str, order: int = 0) -> dict[str, JsonValue]:
    return dict(json.loads(session.calls(tool)[order].arguments_text))


def step(number: int | str, title: str, *mentions: Fields, kind: str = "step", options: tuple[str, ...] = ()) -> Fields:
    return {
        "number": number,
        "title": title,
        "text": title,
        "kind": kind,
        "options": list(options),
        "mentions": list(mentions),
    }


def mention(tool: str, *unresolved: str, ask: bool = False, **given: JsonValue) -> Fields:
    return {"tool": tool, "ask": ask, "arguments": given, "unresolved": list(unresolved)}
