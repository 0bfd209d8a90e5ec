"""What a tool's author wrote for a model, as people read it: other tools by their labels, names of fields as words."""

from __future__ import annotations

import re
from typing import Final

from integrations.tools import registry
from integrations.vendors import is_mcp

#: A name of a tool or a field in a sentence: parts joined by underscores, perhaps with the system in front.
_NAME: Final = re.compile(
    r"(?<![\w.@/-])(?:(?P<system>[a-z0-9]{2,20})\.)?(?P<name>[a-z0-9]+(?:_[a-z0-9]+)*)(?![\w@/-])"
)


def person_words(words: str, system: str) -> str:
    """`words` on a tool of `system` with “List members” for `list_members`, and "allowed actions" for a field.

    The words of an MCP server are its own, and stay.
    """
    if is_mcp(system):
        return words

    def shown(found: re.Match[str]) -> str:
        tool = f"{found['system'] or system}.{found['name']}"
        if tool in registry and (found["system"] or "_" in found["name"]):
            return f"“{registry.get(tool).label}”"
        return found[0] if found["system"] else found[0].replace("_", " ")

    return _NAME.sub(shown, words)
