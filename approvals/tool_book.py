"""docs/tools.md: every tool as it is declared, written by `bin/junto tools --write` and held current by a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from approvals.tool_words import ToolWords, system_of, tool_words
from integrations.tools import AnyTool

BEGINNING = """# Tools

Written by `bin/junto tools --write` from what the tools declare; a test fails when it is not current. Change the tool,
not this page.

**Asks** is what holds where no Admin said otherwise under **Tools and policies**: *runs by itself*, *ask once a
session* (approving covers the tool for the rest of that session) or *always ask*. A look-up is kept to the ticket's
company like everything else; where it *touches no company's records* that is said. The rights are the least that a
connection's credentials need for it; what to make at each system stands in [admins.md](admins.md) and on the page of
the connection."""


def tool_book(tools: Iterable[AnyTool]) -> str:
    """The whole page as Markdown."""
    ordered = sorted(tools, key=lambda tool: (system_of(tool), tool.name))
    parts = [BEGINNING]
    for system, group in groupby(ordered, key=system_of):
        parts.extend(_chapter(system, list(group)))
    return "\n\n".join(parts) + "\n"


def _chapter(system: str, tools: list[AnyTool]) -> Iterator[str]:
    reads = [tool_words(tool) for tool in tools if not tool.is_write]
    writes = [tool_words(tool) for tool in tools if tool.is_write]
    yield f"## {system}"
    if reads:
        yield "\n".join(["| looks up | what it does | asks | rights |", "|---|---|---|---|", *map(_row, reads)])
    yield from map(_entry, writes)


def _row(tool: ToolWords) -> str:
    asks = tool.default if tool.default == "Runs by itself" else f"{tool.default}. {tool.decides}"
    free = " Touches no company's records." if tool.company.startswith("Touches no") else ""
    what = f"**{tool.label}.** {tool.description}{free}{''.join(f' {flag}.' for flag in tool.flags)}"
    risk = "" if tool.risk == "low" else f" {tool.risk.capitalize()} risk."
    cells = (f"`{tool.name}`", f"{what}{risk}", asks, ", ".join(tool.permissions) or "none")
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _entry(tool: ToolWords) -> str:
    marks = [f"{tool.kind}, {tool.risk} risk", *(flag[0].lower() + flag[1:] for flag in tool.flags)]
    lines = [
        f"### `{tool.name}`",
        "",
        f"**{tool.label}.** {tool.description}",
        "",
        f"- {'; '.join(marks)}.",
        f"- Asks: {tool.default.lower()}. {tool.decides}",
        f"- Company: {tool.company}",
        f"- Undo: {tool.undo or 'there is none.'}",
        f"- Where no answer came: {tool.outcome}",
    ]
    if tool.permissions:
        lines.append(f"- Rights: {', '.join(tool.permissions)}.")
    return "\n".join(lines)
