"""The tools that an author may mention, as the editor's palette lists them and its form of arguments asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import JsonValue

from integrations.toolbox import toolbox
from integrations.tools import OWN_VENDOR, AnyTool, Flag, Scope
from integrations.vendors import vendor_label
from junto.tenants.models import Organization
from runbooks.grants import RISKY
from runbooks.mentions import FACT_WORDS
from runbooks.publication import connected_vendors

Kind = Literal["text", "long text", "number", "choice", "yes or no", "other"]

FLAG_WORDS: Final = {
    Flag.CLIENT_VISIBLE: "The client sees it",
    Flag.IRREVERSIBLE: "Cannot be undone",
    Flag.BILLING_EFFECT: "Changes what is billed",
    Flag.CREDENTIAL: "Changes a way to sign in",
    Flag.FORWARDS: "Sends data elsewhere",
    Flag.SECRET: "Shows a secret",
}
CATEGORY_WORDS: Final = {"read": "Reads", "write": "Changes", "execute": "Executes"}
#: Facts that an argument of this name means nearly always.
LIKELY_FACTS: Final = {
    "ticket_id": "ticket.id",
    "board_id": "ticket.board",
    "company_id": "ticket.company",
    "contact_id": "ticket.contact",
    "device_id": "ticket.device",
    "email": "ticket.contact.email",
    "user": "ticket.contact.email",
    "user_email": "ticket.contact.email",
}
#: Texts that may be longer than this are typed into a field of several lines.
LONG_TEXT: Final = 250


@dataclass(frozen=True)
class Argument:
    """One argument of a tool. `fact` is what it is likely to be bound to; `default` what the tool takes without it."""

    name: str
    description: str
    kind: Kind
    required: bool
    options: tuple[str, ...]
    default: str
    fact: str


@dataclass(frozen=True)
class MentionableTool:
    """A tool in the words of the palette. `risky` = must be bound, or asked, in a runbook that runs unattended."""

    name: str
    label: str
    system: str
    description: str
    category: str
    risk: str
    flags: tuple[str, ...]
    risky: bool
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class Fact:
    """A fact of the ticket that an argument may be bound to."""

    path: str
    words: str


def mentionable_tools(organization: Organization) -> tuple[MentionableTool, ...]:
    """The tools of the systems that the organization has connected, and our own, by name."""
    offered = toolbox(organization).offered(connected_vendors(organization))
    return tuple(_described(tool) for tool in offered if tool.scope is not Scope.ACROSS)


def facts() -> tuple[Fact, ...]:
    """All facts in the order of their paths."""
    return tuple(Fact(path, words) for path, words in FACT_WORDS.items())


def _described(tool: AnyTool) -> MentionableTool:
    return MentionableTool(
        name=tool.name,
        label=tool.label,
        system="Junto" if tool.vendor == OWN_VENDOR else vendor_label(tool.vendor),
        description=tool.description,
        category=CATEGORY_WORDS[tool.category.value],
        risk=tool.risk.value,
        flags=tuple(words for flag, words in FLAG_WORDS.items() if flag in tool.flags),
        risky=bool(tool.flags & RISKY),
        arguments=tuple(_arguments(tool.schema)),
    )


def _arguments(schema: dict[str, JsonValue]) -> Iterator[Argument]:
    """The required ones first."""
    shapes, required = schema.get("properties"), schema.get("required")
    names = required if isinstance(required, list) else []
    if not isinstance(shapes, dict):
        return
    for name, shape in sorted(shapes.items(), key=lambda item: item[0] not in names):
        if isinstance(shape, dict):
            yield _argument(name, shape, required=name in names)


def _argument(name: str, shape: dict[str, JsonValue], *, required: bool) -> Argument:
    options, default = shape.get("enum"), shape.get("default")
    return Argument(
        name=name,
        description=str(shape.get("description", "")),
        kind=_kind(shape),
        required=required,
        options=tuple(map(str, options)) if isinstance(options, list) else (),
        default="" if default is None else str(default).lower() if isinstance(default, bool) else str(default),
        fact=LIKELY_FACTS.get(name, ""),
    )


def _kind(shape: dict[str, JsonValue]) -> Kind:
    if isinstance(shape.get("enum"), list):
        return "choice"
    match shape.get("type"):
        case "integer" | "number":
            return "number"
        case "boolean":
            return "yes or no"
        case "string":
            longest = shape.get("maxLength")
            return "long text" if isinstance(longest, int) and longest > LONG_TEXT else "text"
    return "other"
