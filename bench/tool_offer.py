"""What the offered tools cost of a prompt, and whether those that are needed are among them.

The tickets are the subjects by which the library's runbooks are tried; what one needs are the tools its runbook
mentions. Beside them the scenarios, which need the tools their model asks for. Tokens are the budgets' estimate.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from agent.offering import FIND_TOOLS, Wants, ranked, shown_tools, tool_specs
from agent.offering import FOUND as FOUND_AT_ONCE
from integrations.llm.chat import ToolSpec
from integrations.llm.spend import estimate_tokens
from integrations.tools import AnyTool, Scope, registry
from junto.env import ROOT
from runbooks.document import parse
from runbooks.templates import templates
from tests.runbooks.tickets import TICKETS


@dataclass(frozen=True)
class Need:
    """A ticket, the tools it turned out to need, and the words of the steps that name each of them."""

    ticket: str
    tools: frozenset[str]
    steps: dict[str, list[str]]


def measure() -> dict[str, dict[str, float]]:
    """Figures of the library's tickets and of the scenarios, every system connected."""
    tools = {tool.name: tool for tool in registry if tool.scope is not Scope.ACROSS}
    library = [need for need in _library() if need.tools <= tools.keys()]
    return {"library": _figures(tools, library), "scenarios": _figures(tools, list(_scenarios()))}


def _figures(tools: dict[str, AnyTool], needs: list[Need]) -> dict[str, float]:
    everything = estimate_tokens((), _specs(tools.values()))
    alone = [Wants(ticket=need.ticket) for need in needs]
    pinned = [Wants(ticket=need.ticket, named=need.tools) for need in needs]
    costs = [estimate_tokens((), tool_specs(tools, wants)) for wants in alone]
    with_runbook = [estimate_tokens((), tool_specs(tools, wants)) for wants in pinned]
    shown = [shown_tools(tools, wants).keys() for wants in alone]
    found = [[*have, *_searched(tools, need)] for have, need in zip(shown, needs, strict=True)]
    return {
        "tickets": len(needs),
        "tools": len(tools),
        "tokens_all": everything,
        "tokens_shown": round(statistics.mean(costs)),
        "tokens_shown_most": max(costs),
        "tokens_shown_with_runbook": round(statistics.mean(with_runbook)),
        "tools_shown": round(statistics.mean(map(len, shown)), 1),
        "recall_by_ticket_alone": _recall(needs, shown),
        "recall_with_a_search_a_step": _recall(needs, found),
        "recall_with_runbook": _recall(needs, [shown_tools(tools, wants).keys() for wants in pinned]),
    }


def _recall(needs: list[Need], shown: Iterable[Iterable[str]]) -> float:
    """Of all tools that were needed, the share that was shown."""
    there = sum(len(need.tools.intersection(have)) for need, have in zip(needs, shown, strict=True))
    return round(there / sum(len(need.tools) for need in needs), 3)


def _searched(tools: dict[str, AnyTool], need: Need) -> set[str]:
    """What the words of the steps find, one search a step, without the names of tools in them."""
    return {
        name
        for words in need.steps.values()
        for text in words
        for name in ranked(tools, text, limit=FOUND_AT_ONCE)
        if name != FIND_TOOLS
    }


def _specs(tools: Iterable[AnyTool]) -> list[ToolSpec]:
    return [ToolSpec(tool.name, tool.description, tool.schema) for tool in tools]


def _library() -> Iterable[Need]:
    for template in templates().values():
        steps: dict[str, list[str]] = {}
        for step in parse(template.file.content.body).steps:
            for mention in step.mentions:
                steps.setdefault(mention.tool, []).append(step.title)
        for subject in TICKETS.get(template.name, ()):
            if steps:
                yield Need(subject, frozenset(steps), steps)


def _scenarios() -> Iterable[Need]:
    for path in sorted((ROOT / "tests" / "scenarios").glob("*.yaml")):
        story: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        calls = [call for reply in story["model"] for call in reply.get("calls", ())]
        called = {name for call in calls for name in call if name in registry}
        ticket = story["ticket"]
        if called:
            yield Need(f"{ticket['summary']}\n{ticket['text']}", frozenset(called), {})
