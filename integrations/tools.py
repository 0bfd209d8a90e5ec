"""What a tool is: its declaration (PRODUCT 6), the context it runs in, what it answers, and the registry of all tools.

A vendor's tool is a function under `@tool` in that vendor's `tools` module; our own tools (`junto.*`) are declared the
same way. `IntegrationsConfig.ready` imports the vendors' modules, and each app above imports its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from integrations.argument_words import problems_of, tidied
from integrations.errors import InvalidArguments, ToolRefused, UnknownTool
from integrations.marks import References, mark_of, none_of
from integrations.warrants import Endpoint, Traffic
from integrations.wire import Wire
from junto.canonical import digest
from junto.tenants.models import Company, Organization

OWN_VENDOR = "junto"
"""The first half of the names of our own tools, which need no connection."""

SETTLE_SECONDS = 60.0
"""How long a vendor's index may lag behind its writes, unless a tool says otherwise."""


class Category(StrEnum):
    READ = "read"
    WRITE = "write"
    EXECUTE = "execute"


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Flag(StrEnum):
    """What else is true of a tool (PRODUCT 6)."""

    CLIENT_VISIBLE = "client_visible"
    IRREVERSIBLE = "irreversible"
    BILLING_EFFECT = "billing_effect"
    CREDENTIAL = "credential"
    FORWARDS = "forwards"
    SECRET = "secret"  # noqa: S105  # a word, not one


class DefaultPolicy(StrEnum):
    """When a tool asks, where no admin said otherwise. The words are those of `ApprovalPolicy.Mode`."""

    AUTO = "auto"
    ONCE = "once"
    ALWAYS = "always"


class OutcomeStrategy(StrEnum):
    """How the outcome of a write is found out when no answer came (TRUST, Write with unknown outcome)."""

    NATURAL = "natural"  # read the record and compare with what was wanted
    MARKER = "marker"  # look for the reference mark that the write carried
    OBSERVE = "observe"  # look into the vendor's own log of what was done to the target since
    ASK = "ask"  # only a person can tell


class Scope(StrEnum):
    """How a call is kept inside the signal's company (I7)."""

    COMPANY = "company"  # every record named is looked up and must belong to the company; lists are cut to it
    FREE = "free"  # touches no company's records: boards, members
    ACROSS = "across"  # hands a record of the company to another one: people alone propose it, no model hears of it


class ToolArguments(BaseModel):
    """Base of every tool's arguments: unknown names are refused, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


A = TypeVar("A", bound=ToolArguments)


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Where and for whom a tool runs. None of it ever comes from a model's arguments (HOUSE 4).

    `client` is the vendor's own client, opened for this call, and `company_external_id` the company's id there; for our
    own tools they are None and empty. `subject` names what the session is about (`signal:<id>`). `action_id` is set
    when a write runs or its outcome is looked for. `seen` = the target's state that the claim of a write looked at,
    `drawn_secret` = what was drawn at the claim of one that declares `draws_secret`. `not_for_company` tells which of
    some actions, by the references in their marks, were not for this company (integrations/own_work.py).
    """

    organization: Organization
    company: Company
    client: object = None
    company_external_id: str = ""
    connection_id: uuid.UUID | None = None
    subject: str = ""
    action_id: uuid.UUID | None = None
    seen: JsonValue = None
    drawn_secret: str = field(default="", repr=False)
    not_for_company: References = field(default=none_of, repr=False)

    @property
    def secret_to_set(self) -> str:
        """The password that was drawn for this action at its claim. Raises ToolRefused where none was."""
        if not self.drawn_secret:
            raise ToolRefused("No secret was drawn for this call.")
        return self.drawn_secret

    @property
    def mark(self) -> str:
        """The reference mark of this action, as it is written into notes: a function of the action's id alone (I2)."""
        if self.action_id is None:
            raise ValueError("only a write has a reference mark")
        return mark_of(self.action_id)


@dataclass(frozen=True, slots=True)
class ExternalRecord:
    """A record at the vendor: its kind ("ticket", "note", "time_entry") and id there."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool found or did. `foreign` = holds text that strangers wrote. `written` = the record a write left.

    `secret` goes to a person, once, and stands nowhere else: not in `content`, not in `summary`. `records` = those of
    the signal's company that it was made from, which people may see whole.
    """

    content: JsonValue
    summary: str
    foreign: bool = True
    written: ExternalRecord | None = None
    secret: str = field(default="", repr=False)
    records: Sequence[Wire] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of before and after."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a write would do, read from the live target by the server, for the card (I18).

    `target_state` holds what the decision rests on, by name; a record is an object with its `id` and the `name` that
    people know. When it has changed by the time of the claim, the action has drifted. `sets` are those of its values
    that the write changes, as they are afterwards. `evidence` are plain sentences on what was read to make this.
    """

    title: str
    target: str
    changes: tuple[Change, ...]
    seen_by: str
    undo: str
    target_state: JsonValue
    evidence: tuple[str, ...] = ()
    sets: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def target_digest(self) -> str:
        """SHA-256 over the canonical target state."""
        return digest(self.target_state)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the vendor's records tell about a write that got no answer.

    `absent` is given only when it is proof: the marker's settle time is over, or the record still is as it was before.
    """

    verdict: Literal["found", "absent", "unclear"]
    evidence: str
    written: ExternalRecord | None = None


Run = Callable[[ToolContext, A], ToolResult]
Draw = Callable[[ToolContext, A], Preview]
Search = Callable[[ToolContext, A, JsonValue], Outcome]


@dataclass(frozen=True, kw_only=True)
class Tool(Generic[A]):
    """One tool as declared. `Tool.pin` changes with everything an approval rested on (I20)."""

    name: str
    label: str
    description: str
    category: Category
    risk: Risk
    flags: frozenset[Flag]
    policy: DefaultPolicy
    scope: Scope
    arguments: type[A]
    endpoints: frozenset[Endpoint]
    outcome: OutcomeStrategy
    settle_seconds: float
    undo: str
    run: Run[A] = field(repr=False)
    title: Callable[[A], str] = field(repr=False)
    preview: Draw[A] | None = field(repr=False)
    search: Search[A] | None = field(repr=False)
    draws_secret: bool = False

    @property
    def vendor(self) -> str:
        """The slug of the system it belongs to."""
        return self.name.partition(".")[0]

    @property
    def is_write(self) -> bool:
        """Whether it changes something outside."""
        return self.category is not Category.READ

    @cached_property
    def schema(self) -> dict[str, JsonValue]:
        """JSON schema of the arguments, without pydantic's titles and nulls: absent says the same."""
        tidy = tidied(self.arguments.model_json_schema())
        if not isinstance(tidy, dict):
            raise TypeError(f"the schema of {self.name} is no object")
        return tidy

    @cached_property
    def pin(self) -> str:
        """SHA-256 over name, description, schema, endpoints, category, risk and flags."""
        return digest(
            {
                "name": self.name,
                "description": self.description,
                "schema": self.schema,
                "endpoints": [*sorted(map(str, self.endpoints))],
                "category": self.category,
                "risk": self.risk,
                "flags": [*sorted(self.flags)],
            }
        )

    def accept(self, arguments: Mapping[str, JsonValue]) -> A:
        """The arguments as the tool's own type.

        Raises:
            InvalidArguments: they do not fit; each problem names its field.
        """
        try:
            return self.arguments.model_validate(arguments)
        except ValidationError as error:
            raise InvalidArguments(problems_of(error)) from None

    def freeze(self, arguments: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """The arguments as they are stored, shown, digested and run: defaults written out, absent ones left out.

        Freezing frozen arguments changes nothing. Raises InvalidArguments.
        """
        return self.accept(arguments).model_dump(mode="json", exclude_none=True)

    def title_of(self, arguments: Mapping[str, JsonValue]) -> str:
        """What a call with these arguments would do, in a few words. Raises InvalidArguments."""
        return self.title(self.accept(arguments))


AnyTool = Tool[Any]


class Registry:
    """All tools of this process by their exact name."""

    def __init__(self) -> None:
        self._tools: dict[str, AnyTool] = {}

    def add(self, tool: AnyTool) -> None:
        """Raises ValueError for a name already taken."""
        if tool.name in self._tools:
            raise ValueError(f"two tools are called {tool.name}")
        self._tools[tool.name] = tool

    def get(self, name: str) -> AnyTool:
        """The tool of exactly this name. Raises UnknownTool."""
        try:
            return self._tools[name]
        except KeyError:
            raise UnknownTool(f"There is no tool called {name!r}.") from None

    def __contains__(self, name: str) -> bool:
        return name in self._tools

    def __iter__(self) -> Iterator[AnyTool]:
        return iter(self.all())

    def all(self) -> tuple[AnyTool, ...]:
        """Every tool, by name."""
        return tuple(self._tools[name] for name in sorted(self._tools))

    def offered(self, vendors: Collection[str]) -> tuple[AnyTool, ...]:
        """The tools of these vendors and our own, by name."""
        return tuple(one for one in self.all() if one.vendor in vendors or one.vendor == OWN_VENDOR)


registry = Registry()


def default_policy(category: Category, risk: Risk, flags: frozenset[Flag]) -> DefaultPolicy:
    """PRODUCT 7's defaults, from what a tool declares."""
    if category is Category.READ:
        if Flag.BILLING_EFFECT in flags:
            return DefaultPolicy.ALWAYS
        return DefaultPolicy.ONCE if Flag.SECRET in flags else DefaultPolicy.AUTO
    if risk is Risk.HIGH or flags & {Flag.CLIENT_VISIBLE, Flag.BILLING_EFFECT, Flag.IRREVERSIBLE}:
        return DefaultPolicy.ALWAYS
    if category is Category.EXECUTE and risk is not Risk.LOW:
        return DefaultPolicy.ALWAYS
    return DefaultPolicy.ONCE


def tool(
    *,
    name: str,
    label: str,
    description: str,
    arguments: type[A],
    title: Callable[[A], str],
    category: Category = Category.READ,
    risk: Risk = Risk.LOW,
    flags: Collection[Flag] = (),
    policy: DefaultPolicy | None = None,
    scope: Scope = Scope.COMPANY,
    endpoints: Collection[Endpoint] = (),
    outcome: OutcomeStrategy = OutcomeStrategy.ASK,
    settle_seconds: float = SETTLE_SECONDS,
    undo: str = "",
    preview: Draw[A] | None = None,
    search: Search[A] | None = None,
    draws_secret: bool = False,
) -> Callable[[Run[A]], Tool[A]]:
    """Declare a tool and put it into the registry. Without `policy` PRODUCT 7's default holds; it may only be stricter.

    Raises ValueError for a declaration that contradicts itself.
    """

    def declare(run: Run[A]) -> Tool[A]:
        derived = default_policy(category, risk, frozenset(flags))
        declared = Tool(
            name=name,
            label=label,
            description=description,
            category=category,
            risk=risk,
            flags=frozenset(flags),
            policy=policy or derived,
            scope=scope,
            arguments=arguments,
            endpoints=frozenset(endpoints),
            outcome=outcome,
            settle_seconds=settle_seconds,
            undo=undo,
            run=run,
            title=title,
            preview=preview,
            search=search,
            draws_secret=draws_secret,
        )
        _check(declared, derived)
        registry.add(declared)
        return declared

    return declare


def _check(declared: Tool[A], derived: DefaultPolicy) -> None:
    strictness = list(DefaultPolicy)
    if strictness.index(declared.policy) < strictness.index(derived):
        raise ValueError(f"{declared.name} asks less often than its own declaration demands")
    writes = any(endpoint.traffic is Traffic.WRITE for endpoint in declared.endpoints)
    if writes and not declared.is_write:
        raise ValueError(f"{declared.name} is a read and lists an endpoint that writes")
    if declared.is_write and declared.preview is None:
        raise ValueError(f"{declared.name} changes something and has no preview")
    if declared.draws_secret and Flag.SECRET not in declared.flags:
        raise ValueError(f"{declared.name} sets a secret and does not say so")
    if declared.outcome is not OutcomeStrategy.ASK and declared.search is None:
        raise ValueError(f"{declared.name} says its outcome can be found out, but not how")
