"""A tool of an MCP server as one of ours, made from what an Admin said of it: it exists in its organization only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from pydantic import JsonValue

from integrations.errors import ArgumentProblem, InvalidArguments, TargetRefused, ToolRefused, ToolUnavailable
from integrations.mcp.client import DefinitionChanged, McpClient
from integrations.mcp.definitions import LONGEST_DESCRIPTION, local_name, plain, shape_of, title_of
from integrations.mcp.endpoints import LIST_TOOLS, call_endpoint
from integrations.mcp.schemas import Said
from integrations.models import McpTool
from integrations.records import without_secrets
from integrations.served import note_change
from integrations.tools import (
    Category,
    Change,
    DefaultPolicy,
    Flag,
    OutcomeStrategy,
    Preview,
    Risk,
    Scope,
    Tool,
    ToolArguments,
    ToolContext,
    ToolResult,
    default_policy,
)
from integrations.warrants import Traffic
from junto.canonical import NotCanonical, digest

MOST_ARGUMENTS = 16 * 1024
"""Characters of JSON that a call's arguments may be."""

LONGEST_VALUE = 300
#: Names of what stands around records: pages, links to them, and how the call went.
_AROUND: Final = re.compile(
    r"@odata\.\w{1,40}|(?:\w{1,40}[_.-])?(?:next|prev|previous|first|last|self|cursor|page|paging|pagination|links?|meta)"
    r"(?:[_.-]?(?:page|token|cursor|link|url|info))?|status|success|ok|version|type|kind|object",
    re.IGNORECASE | re.ASCII,
)
_NO_LOOK = (
    "What it would change there cannot be looked up beforehand: the server was only asked whether the tool is the"
)


class ServedArguments(ToolArguments):
    """The arguments of a tool whose schema is the server's."""

    values: dict[str, JsonValue]


@dataclass(frozen=True, kw_only=True)
class ServedTool(Tool[ServedArguments]):
    """A tool of an MCP server. `served_by` = the connection's id, `server` = where that led when it was classified,
    `server_name` = the tool's name there.

    `company_argument` is filled in by us, from the company's link, and by nobody else; `company_field` names what in
    its answers says whose they are.
    """

    served_by: str
    server: Mapping[str, JsonValue]
    server_name: str
    definition_pin: str
    shape: dict[str, JsonValue] = field(repr=False)
    company_argument: str = ""
    company_field: str = ""
    only_company: str = ""

    @cached_property
    def schema(self) -> dict[str, JsonValue]:
        """The server's schema as we validate by it, without the argument that is ours to fill in."""
        shapes = {name: one for name, one in _properties(self.shape).items() if name != self.company_argument}
        required = self.shape.get("required")
        left = [one for one in required if one != self.company_argument] if isinstance(required, list) else []
        rest = {key: value for key, value in self.shape.items() if key not in ("properties", "required")}
        return {**rest, "properties": shapes, **({"required": left} if left else {})}

    @cached_property
    def pin(self) -> str:
        """SHA-256 over the server's definition, which server that is, and everything that an Admin said of it."""
        return digest(
            {
                "tool": super().pin,
                "definition": self.definition_pin,
                "server": [self.served_by, dict(self.server)],
                "company": [self.company_argument, self.company_field, self.only_company],
            }
        )

    def accept(self, arguments: Mapping[str, JsonValue]) -> ServedArguments:
        """See `Tool.accept`. An argument that is null where the schema has no null counts as absent."""
        values = {name: value for name, value in arguments.items() if not self._is_absent(name, value)}
        try:
            size = len(json.dumps(values, ensure_ascii=False))
            digest(values)
        except (NotCanonical, ValueError) as problem:
            raise InvalidArguments((ArgumentProblem("", str(problem)),)) from None
        if size > MOST_ARGUMENTS:
            raise InvalidArguments((ArgumentProblem("", f"are longer than {MOST_ARGUMENTS:,} characters."),))
        problems = tuple(map(_problem, Draft202012Validator(self.schema).iter_errors(values)))
        if problems:
            raise InvalidArguments(problems)
        return ServedArguments(values=values)

    def freeze(self, arguments: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """See `Tool.freeze`. Nothing is filled in."""
        return self.accept(arguments).values

    def sent(self, arguments: ServedArguments, *, company_id: str) -> dict[str, JsonValue]:
        """The arguments as they leave. Raises TargetRefused where the company's id cannot be what the schema asks."""
        return {**arguments.values, **self.filled_in(company_id=company_id)}

    def filled_in(self, *, company_id: str) -> dict[str, JsonValue]:
        """What of the arguments nobody gives but us. Raises TargetRefused like `sent`."""
        if not self.company_argument:
            return {}
        shape = _properties(self.shape).get(self.company_argument)
        is_number = isinstance(shape, dict) and shape.get("type") in ("integer", "number")
        if is_number and not company_id.isdecimal():
            raise TargetRefused("The company's id at this server is no number, as the tool needs it.")
        return {self.company_argument: int(company_id) if is_number else company_id}

    def _is_absent(self, name: str, value: JsonValue) -> bool:
        shape = _properties(self.schema).get(name)
        return value is None and isinstance(shape, dict) and not Draft202012Validator(shape).is_valid(None)


def tool_of(row: McpTool, *, system: str, server: str) -> ServedTool:
    """The tool of a row that an Admin classified, of the server that people call `server`.

    Raises ValueError for a row that says too little, or contradicts itself.
    """
    category, risk = Category(row.category), Risk(row.risk)
    flags = frozenset(Flag(one) for one in row.flags)
    derived = default_policy(category, risk, flags)
    wanted = DefaultPolicy(row.policy)
    name = f"{system}.{local_name(row.name)}"
    title = plain(title_of(row.trusted) or row.name, 60)
    words = plain(row.trusted.get("description"), LONGEST_DESCRIPTION) or "The server says nothing of it."
    call = call_endpoint(row.name, Traffic.READ if category is Category.READ else Traffic.WRITE)
    order = list(DefaultPolicy)
    made = ServedTool(
        name=name,
        label=f"{title} ({plain(server, 40)})",
        description=f"A tool of the MCP server {plain(server, 40)}. In the server's own words: {words}",
        category=category,
        risk=risk,
        flags=flags,
        policy=max(wanted, derived, key=order.index),
        scope=Scope.FREE if row.reach == row.Reach.FREE else Scope.COMPANY,
        arguments=ServedArguments,
        endpoints=frozenset({LIST_TOOLS, call}),
        outcome=OutcomeStrategy.ASK,
        settle_seconds=0.0,
        undo="",
        run=lambda context, arguments: _run(made, context, arguments),
        title=lambda arguments: _title(title, arguments),
        preview=None if category is Category.READ else lambda context, arguments: _preview(made, context, arguments),
        search=None,
        served_by=str(row.connection_id),
        server=row.trusted_server,
        server_name=row.name,
        definition_pin=row.trusted_pin,
        shape=shape_of(row.trusted),
        company_argument=row.company_argument if row.reach == row.Reach.ARGUMENT else "",
        company_field=row.company_field if row.reach == row.Reach.ARGUMENT else "",
        only_company=str(row.company_id or "") if row.reach == row.Reach.COMPANY else "",
    )
    return made


def _run(tool: ServedTool, context: ToolContext, arguments: ServedArguments) -> ToolResult:
    sent = tool.sent(arguments, company_id=context.company_external_id)
    with _watched(tool, context):
        said = _client(context).call(tool.server_name, sent, pin=tool.definition_pin, quotes=not tool.company_field)
    told: JsonValue = said.text if said.structured is None else said.structured
    content: dict[str, JsonValue] = {"answer": without_secrets(told)}
    cut = () if content["answer"] == told else ("what may be a password or a key: it is marked as removed",)
    if said.left_out or cut:
        content["left_out"] = [*said.left_out, *cut]
    if tool.company_field and not is_own(said, tool.company_field, context.company_external_id):
        if not tool.is_write:
            raise TargetRefused("The server answered with records that are not, or not only, this company's.")
        content = {"answer": "Done. What the server said of it names another company, or none, and is not shown."}
    return ToolResult(content=content, summary=f"{tool.label} answered{_size(said)}.")


def _size(said: Said) -> str:
    if isinstance(said.structured, list):
        return f" with {len(said.structured):,} records"
    return "" if said.structured is not None else f" {len(said.text):,} characters"


def _preview(tool: ServedTool, context: ToolContext, arguments: ServedArguments) -> Preview:
    sent = tool.sent(arguments, company_id=context.company_external_id)
    with _watched(tool, context):
        _client(context).look(tool.server_name, pin=tool.definition_pin)
    return Preview(
        title=tool.title(arguments),
        target=f"{tool.label}, for {context.company.name}",
        changes=tuple(Change(_told(tool, name), "Not read", _shown(value)) for name, value in sent.items()),
        seen_by=f"Whoever sees this server's records; it is not said to Junto, beyond what an Admin of "
        f"{context.organization.name} knows.",
        undo="",
        target_state={
            "tool": {"id": tool.definition_pin, "name": tool.label},
            "company": {"id": context.company_external_id, "name": context.company.name},
        },
        evidence=(f"{_NO_LOOK} one that was classified.",),
    )


def _told(tool: ServedTool, name: str) -> str:
    """What the card calls an argument: the company's id is none that anybody gave."""
    return f"{name}, filled in by Junto" if name == tool.company_argument else name


@contextmanager
def _watched(tool: ServedTool, context: ToolContext) -> Iterator[None]:
    """A tool that is not what was classified is blocked from here on. Raises ToolUnavailable."""
    try:
        yield
    except DefinitionChanged as changed:
        note_change(context.organization, server=tool.served_by, name=changed.name, now=changed.now)
        raise ToolUnavailable(
            f"{tool.label} is blocked: the server changed it since it was classified. An Admin has to look at it."
        ) from changed


def is_own(said: Said, name: str, company_id: str) -> bool:
    """Whether every record of an answer says in the field of exactly this name that it is the company's.

    What stands inside such a record is of it, but for lists of records, each of which has to say it. Around records,
    and around an empty list, only numbers and what turns pages may stand: neither words nor other objects.
    """
    told: JsonValue = said.structured
    if told is None:
        try:
            told = json.loads(said.text)
        except (ValueError, RecursionError):
            return not said.text.strip()
    owners = set(_values_of(told, name))
    if not owners:
        return any(isinstance(one, list) for one in _parts_of(told)) and _all_say(told, name)
    return owners == {company_id} and _all_say(told, name)


def _all_say(value: JsonValue, name: str, *, outermost: bool = True, listed: bool = False) -> bool:
    """Whether all records in it say whose they are. What is outermost, or holds a list and is not `listed` itself,
    may have numbers and such beside its records."""
    frame = outermost or (not listed and _has_list(value))
    if isinstance(value, list):
        return all(
            any(True for _ in _values_of(one, name)) and _all_say(one, name, outermost=False, listed=True)
            for one in value
        )
    if not isinstance(value, dict):
        return False
    if name in value:
        return all(_is_part(one, name) for one in value.values())
    return all(
        (frame and _is_around(key, one))
        or (isinstance(one, dict | list) and _all_say(one, name, outermost=False, listed=listed))
        for key, one in value.items()
    )


def _has_list(value: JsonValue) -> bool:
    return isinstance(value, dict) and any(isinstance(one, list) for one in value.values())


def _is_part(value: JsonValue, name: str) -> bool:
    """Of what stands in a record that says whose it is: whether no list of records in it keeps silent."""
    if isinstance(value, dict):
        return all(_is_part(one, name) for one in value.values())
    return (
        not isinstance(value, list) or not any(isinstance(one, dict | list) for one in value) or _all_say(value, name)
    )


def _is_around(key: str, value: JsonValue) -> bool:
    """Whether it may stand beside records: a number, or what by its name turns pages and has no blanks in it."""
    if value is None or isinstance(value, int | float):
        return True
    if isinstance(value, dict):
        return bool(_AROUND.fullmatch(key)) and all(_is_around(*one) for one in value.items())
    return isinstance(value, str) and bool(_AROUND.fullmatch(key)) and not any(map(str.isspace, value))


def _parts_of(value: JsonValue) -> Iterator[JsonValue]:
    """The value and all that is in it."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from _parts_of(one)


def _values_of(value: JsonValue, name: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name:
                yield inner if isinstance(inner, str) else json.dumps(inner)
            else:
                yield from _values_of(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _values_of(inner, name)


def _client(context: ToolContext) -> McpClient:
    if not isinstance(context.client, McpClient):
        raise ToolRefused("This tool needs a connection to its server.")
    return context.client


def _title(title: str, arguments: ServedArguments) -> str:
    values = arguments.values
    first = next((value for value in values.values() if isinstance(value, str | int) and value != ""), None)
    if isinstance(first, bool):
        words = next(f"{plain(name, 60)}: {'yes' if first else 'no'}" for name, one in values.items() if one is first)
        return f"{title}, {words}"
    return title if first is None else f"{title}: {plain(first, 80)}"


def _shown(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _properties(shape: Mapping[str, JsonValue]) -> dict[str, Any]:
    return cast("dict[str, Any]", shape.get("properties", {}))


def _problem(error: ValidationError) -> ArgumentProblem:
    return ArgumentProblem(".".join(str(part) for part in error.absolute_path), plain(error.message, 200))
