"""A tool's declaration in words: for the catalogue of an organization and for docs/tools.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from approvals.people import who_decides_words
from approvals.person_words import person_words
from approvals.policy import Mode
from integrations.toolbox import reach_words
from integrations.tools import OWN_VENDOR, AnyTool, Category, Flag, OutcomeStrategy, Scope
from integrations.vendors import VENDORS, is_mcp, vendor_label

#: Mode -> its words, as the design's table of words says.
MODE_WORDS: Final[dict[Mode, str]] = {
    Mode.AUTO: "Runs by itself",
    Mode.ONCE: "Ask once a session",
    Mode.ALWAYS: "Always ask",
    Mode.DISABLED: "Off",
}
CATEGORY_WORDS: Final = {
    Category.READ: "Looks up",
    Category.WRITE: "Changes records",
    Category.EXECUTE: "Runs on a system",
}
FLAG_WORDS: Final = {
    Flag.CLIENT_VISIBLE: "The client sees it",
    Flag.IRREVERSIBLE: "Cannot be undone",
    Flag.BILLING_EFFECT: "Touches what is billed",
    Flag.CREDENTIAL: "Changes how somebody signs in",
    Flag.FORWARDS: "Sends data elsewhere",
    Flag.SECRET: "Shows something secret",
}
SCOPE_WORDS: Final = {
    Scope.COMPANY: "Only records of the ticket's company: each is looked up and checked, lists are cut to it.",
    Scope.FREE: "Touches no company's records: what it reads is the same for all of them.",
    Scope.ACROSS: "Hands a record to another company: people alone ask for it, and no model hears of it.",
}
OUTCOME_WORDS: Final = {
    OutcomeStrategy.NATURAL: "The record is read again and compared with what was wanted.",
    OutcomeStrategy.MARKER: "The reference mark that was sent along is looked for.",
    OutcomeStrategy.OBSERVE: "The system's own log of what was done is looked at.",
    OutcomeStrategy.ASK: "A person looks and says whether it was done; it is never sent again by itself.",
}


@dataclass(frozen=True)
class ToolWords:
    """One tool as people read it. `undo` and `outcome` are empty for a look-up; `card` = what a real request shows."""

    name: str
    label: str
    system: str
    description: str
    kind: str
    risk: str
    flags: tuple[str, ...]
    default: str
    decides: str
    company: str
    undo: str
    outcome: str
    permissions: tuple[str, ...]
    card: str


def tool_words(tool: AnyTool) -> ToolWords:
    """`tool` in words."""
    mode = Mode(tool.policy)
    return ToolWords(
        name=tool.name,
        label=tool.label,
        system=system_of(tool),
        description=person_words(tool.description, tool.vendor),
        kind=CATEGORY_WORDS[tool.category],
        risk=tool.risk.value,
        flags=tuple(words for flag, words in FLAG_WORDS.items() if flag in tool.flags),
        default=MODE_WORDS[mode],
        decides=who_decides_words(risk=tool.risk, flags=tool.flags),
        company=reach_words(tool) or SCOPE_WORDS[tool.scope],
        undo=tool.undo if tool.is_write else "",
        outcome=OUTCOME_WORDS[tool.outcome] if tool.is_write else "",
        permissions=permissions_of(tool),
        card=_card(tool),
    )


def system_of(tool: AnyTool) -> str:
    """The label of the system a tool belongs to."""
    return "Junto" if tool.vendor == OWN_VENDOR else vendor_label(tool.vendor) or tool.vendor.capitalize()


def _card(tool: AnyTool) -> str:
    if is_mcp(tool.vendor):
        return (
            "A real request shows the company and exactly what will be sent. What stands at the server before is not "
            "read: Junto knows no way to ask it."
        )
    return (
        f"A real request shows the company, the record, before and after as read from {system_of(tool)} at that "
        "moment, and exactly what will be sent."
    )


def permissions_of(tool: AnyTool) -> tuple[str, ...]:
    """What the credentials of the connection must be allowed to for this tool; empty where the vendor does not tell."""
    if is_mcp(tool.vendor):
        return ("As far as what Junto signs in with may go there. The server decides; Junto does not know.",)
    if tool.vendor not in VENDORS:
        return ()
    needed = VENDORS[tool.vendor].permissions
    return tuple(sorted({words for endpoint in tool.endpoints if (words := needed.get(endpoint))}))
