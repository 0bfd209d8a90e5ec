"""The catalogue of an organization's tools: every one there is, what is in force for it, and who said so."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from approvals.fields import Field, schema_fields
from approvals.grants import policy_rules
from approvals.models import Action, ApprovalPolicy
from approvals.policy import EffectivePolicy, Mode, PolicyRule, ToolFacts, effective_policy
from approvals.tool_words import MODE_WORDS, ToolWords, system_of, tool_words
from integrations.llm.fencing import show_escaped
from integrations.models import Connection, McpTool
from integrations.toolbox import blocked_words, name_of, toolbox
from integrations.tools import OWN_VENDOR, AnyTool, Category, Risk
from integrations.vendors import VENDORS, vendor_label
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission

#: Mode -> its look, as the design's table of words says.
LOOKS: Final[dict[Mode, tuple[str, str]]] = {
    Mode.AUTO: ("play", ""),
    Mode.ONCE: ("clock", ""),
    Mode.ALWAYS: ("hand", "accent"),
    Mode.DISABLED: ("ban", ""),
}
#: Uses of a tool that its page shows.
USES_SHOWN: Final = 10
LONGEST_QUERY: Final = 100


@dataclass(frozen=True)
class Wanted:
    """What the catalogue is narrowed to; empty = everything. `connected` is "yes" or "no"."""

    q: str = ""
    vendor: str = ""
    category: str = ""
    risk: str = ""
    policy: str = ""
    connected: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str], *, vendors: Collection[str]) -> Wanted:
        """From a page's query; a value that means nothing narrows nothing."""
        known: dict[str, list[str]] = {
            "vendor": [*vendors],
            "category": list(Category),
            "risk": list(Risk),
            "policy": list(Mode),
            "connected": ["yes", "no"],
        }
        chosen = {name: query.get(name, "") for name, values in known.items() if query.get(name) in values}
        return cls(q=" ".join(query.get("q", "").split())[:LONGEST_QUERY], **chosen)

    def fits_blocked(self, row: BlockedRow) -> bool:
        """Whether a blocked tool is wanted: it has no kind, risk or policy that a filter could ask for."""
        return (
            all(part in f"{row.name} {row.system}".casefold() for part in self.q.casefold().split())
            and self.vendor in ("", row.vendor)
            and not (self.category or self.risk or self.policy)
            and self.connected in ("", "yes")
        )

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return self != Wanted()

    def fits(self, row: ToolRow) -> bool:
        """Whether a tool is wanted: all words stand in what is said of it, and every filter holds."""
        words = row.words
        said = f"{words.name} {words.label} {words.system} {words.description} {' '.join(words.flags)}".casefold()
        return (
            all(part in said for part in self.q.casefold().split())
            and self.vendor in ("", row.vendor)
            and self.category in ("", row.category_value)
            and self.risk in ("", row.risk)
            and self.policy in ("", row.mode)
            and self.connected in ("", "yes" if row.connected else "no")
        )


@dataclass(frozen=True)
class ToolRow:
    """One tool of the page. `override` is the mode set at the place shown, empty = inherited; `options` may be set."""

    tool: str
    vendor: str
    title: str
    category: str
    category_value: str
    risk: str
    client_sees: bool
    default_word: str
    override: str
    override_word: str
    options: list[tuple[str, str]]
    never_unattended: bool
    mode: str
    effective_word: str
    effective_icon: str
    effective_tone: str
    source: str
    unattended: bool
    connected: bool
    words: ToolWords

    @property
    def decides(self) -> str:
        """Who may approve it, where anybody is asked."""
        return self.words.decides if self.mode in (Mode.ONCE, Mode.ALWAYS) else ""


@dataclass(frozen=True)
class BlockedRow:
    """A tool of an MCP server that was in use and is blocked. `path` leads to where an Admin classifies it anew."""

    name: str
    vendor: str
    system: str
    why: str
    path: str


@dataclass(frozen=True)
class ToolGroup:
    """The tools of one system. `connection` is one of its connections, whose settings its tools are run with."""

    system: str
    vendor: str
    connected: bool
    connection: Connection | None
    tools: list[ToolRow]


@dataclass(frozen=True)
class ToolUse:
    """A call of the tool that the reader may see."""

    action: Action
    title: str
    signal_id: str


def tool_groups(actor: Actor, company: Company | None, wanted: Wanted) -> Iterator[ToolGroup]:
    """The wanted tools by system: what is connected first, then what could be."""
    shelf = _Shelf.of(actor, company)
    groups = []
    tools = all_tools(actor)
    for vendor in dict.fromkeys(tool.vendor for tool in tools):
        rows = [shelf.row(tool) for tool in tools if tool.vendor == vendor]
        fitting = [row for row in rows if wanted.fits(row)]
        if fitting:
            found = shelf.connections.get(vendor)
            groups.append(ToolGroup(fitting[0].words.system, vendor, fitting[0].connected, found, fitting))
    yield from sorted(groups, key=lambda group: (not group.connected, group.vendor == OWN_VENDOR, group.system))


def blocked_rows(actor: Actor, wanted: Wanted) -> list[BlockedRow]:
    """The wanted ones of those that were in use and are blocked; a path only for who may do something about it."""
    rows = [blocked_row(actor, row) for row in toolbox(actor.organization).all_blocked()]
    return [row for row in rows if wanted.fits_blocked(row)]


def blocked_row(actor: Actor, row: McpTool) -> BlockedRow:
    """One of them."""
    vendor = row.connection.vendor
    may = actor.can(Permission.MANAGE_INTEGRATIONS)
    path = reverse("mcp-tool", args=[row.connection_id, row.pk]) if may else ""
    return BlockedRow(name_of(row), vendor, vendor_label(vendor), blocked_words(row), path)


def all_tools(actor: Actor) -> tuple[AnyTool, ...]:
    """Every tool there is for the organization: those of all vendors, connected or not, and of its own servers."""
    return toolbox(actor.organization).offered({*VENDORS, *_connections(actor)})


def tool_row(actor: Actor, company: Company | None, tool: AnyTool) -> ToolRow:
    """One tool of it."""
    return _Shelf.of(actor, company).row(tool)


def connection_to(actor: Actor, vendor: str) -> Connection | None:
    """The organization's oldest connection to a system."""
    return _connections(actor).get(vendor)


def tool_arguments(tool: AnyTool) -> list[Field]:
    """What a tool takes, with its help."""
    return schema_fields(tool.schema, {}, system=tool.vendor)


def last_uses(actor: Actor, tool: AnyTool) -> list[ToolUse]:
    """The newest calls of a tool that `actor` may see, each with its signal where it has one."""
    rows = Action.objects.visible_to(actor).filter(tool=tool.name).select_related("company", "origin")
    uses = rows.order_by("-created_at")[:USES_SHOWN]
    return [ToolUse(row, show_escaped(row.title), row.origin.signal_id) for row in uses]


@dataclass(frozen=True)
class _Shelf:
    """What every row of the page is made from, read once."""

    rules: list[PolicyRule]
    setters: dict[str, ApprovalPolicy]
    connections: dict[str, Connection]
    company: Company | None

    @classmethod
    def of(cls, actor: Actor, company: Company | None) -> _Shelf:
        rows = ApprovalPolicy.objects.for_organization(actor.organization).select_related("set_by__user", "company")
        return cls(
            rules=policy_rules(organization=actor.organization),
            setters={str(row.pk): row for row in rows},
            connections=_connections(actor),
            company=company,
        )

    def row(self, tool: AnyTool) -> ToolRow:
        facts, here = ToolFacts.of(tool), str(self.company.pk) if self.company else None
        policy = effective_policy(facts, here, self.rules)
        mine = next((rule for rule in self.rules if rule.tool == tool.name and rule.company == here), None)
        floor = effective_policy(facts, None, self.rules).mode if self.company else Mode.AUTO
        icon, tone = LOOKS[policy.mode]
        words = tool_words(tool)
        return ToolRow(
            tool=tool.name,
            vendor=tool.vendor,
            title=tool.label,
            category=words.kind,
            category_value=tool.category.value,
            risk=tool.risk.value,
            client_sees="client_visible" in tool.flags,
            default_word=words.default,
            override=mine.mode.value if mine else "",
            override_word=MODE_WORDS[mine.mode] if mine else "",
            options=[(mode.value, said) for mode, said in MODE_WORDS.items() if mode.strictness >= floor.strictness],
            never_unattended=mine.never_unattended if mine else False,
            mode=policy.mode.value,
            effective_word=MODE_WORDS[policy.mode],
            effective_icon=icon,
            effective_tone=tone,
            source=self.source(policy),
            unattended=policy.unattended,
            connected=tool.vendor == OWN_VENDOR or tool.vendor in self.connections,
            words=words,
        )

    def source(self, policy: EffectivePolicy) -> str:
        """Where the policy in force comes from, with the name of whoever set it."""
        unattended = "" if policy.unattended else ", never unattended"
        row = self.setters.get(policy.ref)
        if row is None:
            return f"Default{unattended}"
        place = row.company.name if row.company else "Your organization"
        return f"{place}, set by {row.set_by.user.display_name}, {row.updated_at:%-d %b %Y}{unattended}"


def _connections(actor: Actor) -> dict[str, Connection]:
    rows = Connection.objects.for_organization(actor.organization).filter(removed_at=None).order_by("-created_at")
    return {row.vendor: row for row in rows}


def systems(actor: Actor) -> list[tuple[str, str]]:
    """Every system that has tools for the organization, as (slug, label)."""
    found = {tool.vendor: system_of(tool) for tool in all_tools(actor)}
    return sorted(found.items(), key=lambda pair: pair[1])
