"""The tool by which a model finds further tools; what it found is shown to it from its next reply on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agent.offering import FIND_TOOLS, found_tools
from approvals.services import offered_tools
from integrations.tools import Scope, ToolArguments, ToolContext, ToolResult, tool


class FindTools(ToolArguments):
    """What is to be done."""

    words: Annotated[
        str,
        Field(
            min_length=2,
            max_length=200,
            description="What is to be done, in words, with the system's name where it is known.",
        ),
    ]


@tool(
    name=FIND_TOOLS,
    label="Find further tools",
    description=(
        "Finds tools of the connected systems by words and adds them to those that the model may call from its next "
        "reply on. Shown at first is only what seems to fit the ticket: look here before saying that something cannot "
        "be done."
    ),
    arguments=FindTools,
    title=lambda arguments: f"Find tools for “{arguments.words}”",
    scope=Scope.FREE,
)
def find_tools(context: ToolContext, arguments: FindTools) -> ToolResult:
    """Among the tools that a session about the context's company may be told of, and no others."""
    tools = offered_tools(organization=context.organization, company=context.company)
    content = found_tools({each.name: each for each in tools}, arguments.words)
    found = content["tools"]
    number = len(found) if isinstance(found, list) else 0
    words = f"{number} {'tool' if number == 1 else 'tools'}" if number else "No tool"
    return ToolResult(content=content, summary=f"{words} found for “{arguments.words}”.", foreign=False)
