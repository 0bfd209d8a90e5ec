"""Which of its tools a session shows the model at once, and how the others are found: what tools cost of a prompt.

Pure, and no border: whatever stands here, a session may use what `offered_tools` gave it and nothing else. The choice
grows only: by what people say, and by what the model found, so that a tool it was shown stays there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pydantic import JsonValue

from integrations.llm.chat import ToolSpec
from integrations.tools import OWN_VENDOR, AnyTool
from integrations.vendors import VENDORS
from junto.retrieval.documents import Document
from junto.retrieval.index import DocumentIndex, Query

FIND_TOOLS: Final = "junto.find_tools"
"""The tool by which the model finds the others."""

SHOWN_WHOLE: Final = 30
"""So many tools are shown as they are: choosing among fewer would save little."""

OF_TICKET: Final = 10
OF_REMARK: Final = 4
OF_SYSTEM: Final = 1
FOUND: Final = 8
"""So many tools are shown that fit the ticket best, each thing a person says, and the ticket of each system; and so
many are found at once."""

LONGEST_QUERY: Final = 2_000
"""Characters of a text that tools are ranked by: what it is about stands at its beginning."""

CORE: Final = frozenset(
    {
        "connectwise.add_internal_note",
        "connectwise.add_time_entry",
        "connectwise.assign_ticket",
        "connectwise.classify_ticket",
        "connectwise.set_ticket_status",
    }
)
"""Changes that nearly every ticket ends with."""

Tools = Mapping[str, AnyTool]


@dataclass(frozen=True)
class Wants:
    """What is known of what a session needs.

    `remarks` = what people said in it; `named` = tools that its runbook mentions, that were called, or were found.
    """

    ticket: str
    remarks: Sequence[str] = ()
    named: frozenset[str] = frozenset()


def shown_tools(tools: Tools, wants: Wants) -> dict[str, AnyTool]:
    """Those of `tools` that the model is shown, by name."""
    others = {name: tool for name, tool in tools.items() if name != FIND_TOOLS}
    if len(others) <= SHOWN_WHOLE or FIND_TOOLS not in tools:  # what nobody can find has to be shown
        return dict(sorted(others.items()))
    chosen = {name for name, tool in tools.items() if is_always_shown(tool)} | (wants.named & tools.keys())
    chosen |= {name for remark in wants.remarks for name in tools if name in remark}
    chosen.update(ranked(others, wants.ticket, limit=OF_TICKET))
    for remark in wants.remarks:
        chosen.update(ranked(others, remark, limit=OF_REMARK))
    for system in {tool.vendor for tool in others.values()}:
        reads = {name: tool for name, tool in others.items() if tool.vendor == system and not tool.is_write}
        chosen.update(ranked(reads, wants.ticket, limit=OF_SYSTEM))
    return {name: tools[name] for name in sorted(chosen)}


def is_always_shown(tool: AnyTool) -> bool:
    """Our own tools, what looks up tickets, and what nearly every ticket ends with."""
    if tool.vendor == OWN_VENDOR or tool.name in CORE:
        return True
    return tool.vendor in VENDORS and VENDORS[tool.vendor].gives_tickets and not tool.is_write


def tool_specs(tools: Tools, wants: Wants) -> list[ToolSpec]:
    """The tools as the model sees them, in a stable order; the one that finds others tells how many there are."""
    shown = shown_tools(tools, wants)
    return [ToolSpec(name, tool.description + _left(name, tools, shown), tool.schema) for name, tool in shown.items()]


def found_tools(tools: Tools, words: str) -> dict[str, JsonValue]:
    """What `words` find among `tools`: their names, what each does, and whether it changes something."""
    others = {name: tool for name, tool in tools.items() if name != FIND_TOOLS}
    rows: list[JsonValue] = [
        {
            "tool": name,
            "does": others[name].description,
            "changes_something": others[name].is_write,
        }
        for name in ranked(others, words, limit=FOUND)
    ]
    systems: dict[str, JsonValue] = {_label(vendor): number for vendor, number in sorted(_counted(others).items())}
    return {"tools": rows} if rows else {"tools": [], "tools_of_each_system": systems}


def names_found(results: Iterable[JsonValue]) -> frozenset[str]:
    """The tools that earlier searches of a session found, from what they answered."""
    rows = [row for result in results if isinstance(result, dict) for row in _list(result.get("tools"))]
    names = [row.get("tool") for row in rows if isinstance(row, dict)]
    return frozenset(name for name in names if isinstance(name, str))


def ranked(tools: Tools, text: str, *, limit: int) -> list[str]:
    """The tools that fit a text best, at most `limit`; none that has no word in common with it."""
    names = tuple(sorted(tools))
    if not names or not text.strip():
        return []
    index = _index(tuple((name, tools[name].pin, _said(tools[name])) for name in names))
    return [names[hit.place] for hit in index.rank(Query.of(text[:LONGEST_QUERY]), limit=limit)]


@lru_cache(maxsize=64)
def _index(declared: tuple[tuple[str, str, tuple[str, str]], ...]) -> DocumentIndex:
    """Of declarations alone, kept by their whole text: who has the same ones is told the same."""
    return DocumentIndex.of({place: Document(*said) for place, (_, _, said) in enumerate(declared)})


def _said(tool: AnyTool) -> tuple[str, str]:
    """What a tool says of itself, as a title and a text."""
    verb = tool.name.partition(".")[2].replace("_", " ")
    properties = tool.schema.get("properties")
    shapes = properties.values() if isinstance(properties, dict) else ()
    told = " ".join(str(shape.get("description", "")) for shape in shapes if isinstance(shape, dict))
    return f"{tool.label} {verb}", f"{_label(tool.vendor)} {tool.description} {told}"


def _left(name: str, tools: Tools, shown: Tools) -> str:
    """How many more tools there are of each system, for the one that finds them."""
    if name != FIND_TOOLS:
        return ""
    left = _counted({each: tool for each, tool in tools.items() if each not in shown})
    told = ", ".join(f"{number} of {_label(vendor)}" for vendor, number in sorted(left.items()))
    return f" Not shown now: {told}." if told else ""


def _counted(tools: Tools) -> Counter[str]:
    return Counter(tool.vendor for tool in tools.values())


def _label(vendor: str) -> str:
    return VENDORS[vendor].label if vendor in VENDORS else vendor.capitalize()


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
