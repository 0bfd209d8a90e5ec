"""What publishing allows: every mention without `(ask)` as a grant, in plain words and as argument rules. Pure (I8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from jsonschema import Draft202012Validator
from pydantic import JsonValue

from integrations.tools import AnyTool, Flag
from runbooks.document import Binding, Constant, FactReference, InputReference, Mention, Problem, RunbookDocument
from runbooks.mentions import FACT_WORDS

#: A tool with one of these never runs unattended on arguments that a model chose.
RISKY = frozenset({Flag.CLIENT_VISIBLE, Flag.IRREVERSIBLE, Flag.BILLING_EFFECT, Flag.CREDENTIAL, Flag.FORWARDS})

#: What every unattended run may do at its end, with arguments that the server computed from receipts (PRODUCT 4).
CREATE_TICKET = "connectwise.create_ticket"
ADD_TIME_ENTRY = "connectwise.add_time_entry"
ADD_INTERNAL_NOTE = "connectwise.add_internal_note"
CLOSING_SET = (CREATE_TICKET, ADD_TIME_ENTRY, ADD_INTERNAL_NOTE)

#: Key of the step that the closing set belongs to; that of a step of the text is its number.
CLOSING_STEP = "closing"

#: The rule for arguments that no other rule names.
ANY_OTHER = "*"

Rules = Mapping[str, Mapping[str, JsonValue]]


@dataclass(frozen=True)
class CompiledGrant:
    """One standing approval as publishing would issue it, for one step. `line` 0 = part of the closing set."""

    tool: AnyTool
    words: str
    rules: Rules
    line: int
    step: str


@dataclass(frozen=True)
class Compilation:
    """The grants of a document; what stays under approval, in words; and what forbids publishing."""

    grants: tuple[CompiledGrant, ...]
    asked: tuple[str, ...]
    problems: tuple[Problem, ...]


def compile_grants(document: RunbookDocument, find_tool: Callable[[str], AnyTool | None]) -> Compilation:
    """The grants that publishing `document` for an unattended audience means; unknown tools are left to others."""
    grants: list[CompiledGrant] = []
    asked: list[str] = []
    problems: list[Problem] = []
    for at, mention in ((step.number, mention) for step in document.steps for mention in step.mentions):
        tool = find_tool(mention.tool)
        if tool is None:
            continue
        if mention.ask:
            asked.append(f"{tool.label} (line {mention.line}): asked every time, as the runbook says.")
        elif Flag.IRREVERSIBLE in tool.flags:
            # four eyes: without a second person at publish the mention counts as (ask) (PRODUCT 7)
            asked.append(f"{tool.label} (line {mention.line}): asked every time, as it cannot be undone.")
        elif missing := _unbound(mention, tool):
            problems.append(Problem(mention.line, _must_be_bound(mention, tool, missing)))
        else:
            rules = _rules(mention, tool)
            grants.append(CompiledGrant(tool, _in_words(mention, tool), rules, mention.line, str(at)))
    closing = [tool for tool in map(find_tool, CLOSING_SET) if tool is not None]
    grants += [CompiledGrant(tool, _closing_words(tool), _server_computed(tool), 0, CLOSING_STEP) for tool in closing]
    return Compilation(tuple(grants), tuple(asked), tuple(problems))


def argument_problems(mention: Mention, tool: AnyTool) -> Iterator[Problem]:
    """Bound arguments that the tool does not have, or whose constants it does not take."""
    shapes = _properties(tool)
    for name, binding in mention.bindings.items():
        if name not in shapes:
            known = ", ".join(shapes) or "none"
            yield Problem(mention.line, f"@{tool.name} has no argument {name}; it has {known}.")
        elif isinstance(binding, Constant) and not _takes(tool, shapes[name], binding.value):
            yield Problem(mention.line, f"@{tool.name} does not take {binding.value!r} as {name}.")


def _unbound(mention: Mention, tool: AnyTool) -> list[str]:
    """The required arguments that a risky mention leaves open."""
    if not tool.flags & RISKY:
        return []
    return [name for name in _required(tool) if name not in mention.bindings]


def _must_be_bound(mention: Mention, tool: AnyTool, missing: list[str]) -> str:
    why = {
        Flag.CLIENT_VISIBLE: "the client sees what it does",
        Flag.BILLING_EFFECT: "it changes what is billed",
        Flag.CREDENTIAL: "it changes a way to sign in",
        Flag.FORWARDS: "it sends data elsewhere",
    }
    reason = next(words for flag, words in why.items() if flag in tool.flags)
    names = ", ".join(missing)
    return f"@{mention.tool}: {reason}, so bind {names} or write (ask) behind it."


def _rules(mention: Mention, tool: AnyTool) -> Rules:
    """Named arguments by their binding. The rest: any for harmless tools, else exactly the tool's own defaults."""
    rules: dict[str, Mapping[str, JsonValue]] = {name: _rule(binding) for name, binding in mention.bindings.items()}
    if not tool.flags & RISKY:
        return {**rules, ANY_OTHER: {"kind": "any"}}
    for name, shape in _properties(tool).items():
        # arguments are frozen with their defaults written out, so those need a rule too
        if name not in rules and "default" in shape:
            rules[name] = {"kind": "constant", "value": shape["default"]}
    return rules


def closing_path(tool: str, argument: str) -> str:
    """Where the server puts an argument of the closing set that it computed. No fact of a ticket has such a path."""
    return f"closing.{tool}.{argument}"


def _server_computed(tool: AnyTool) -> Rules:
    return {
        name: {"kind": "constant", "value": shape["default"]}
        if "default" in shape
        else {"kind": "computed", "path": closing_path(tool.name, name)}
        for name, shape in _properties(tool).items()
    }


def _rule(binding: Binding) -> Mapping[str, JsonValue]:
    if isinstance(binding, Constant):
        return {"kind": "constant", "value": binding.value}
    if isinstance(binding, InputReference):
        return {"kind": "input", "name": binding.name}
    return {"kind": "fact", "path": binding.path}


def _in_words(mention: Mention, tool: AnyTool) -> str:
    bound = [f"{name} = {_value_words(binding)}" for name, binding in mention.bindings.items()]
    open_words = [] if tool.flags & RISKY else ["any arguments it accepts" if not bound else "anything else it accepts"]
    *first, last = [*bound, *open_words] or ["its own defaults"]
    terms = f"{', '.join(first)} and {last}" if first else last
    return f"{tool.label}, once a run, with {terms}."


def _closing_words(tool: AnyTool) -> str:
    return f"{tool.label}, once at the end of a run, with what the server computed from the run's receipts."


def _value_words(binding: Binding) -> str:
    if isinstance(binding, Constant):
        return f"“{binding.value}”" if isinstance(binding.value, str) else str(binding.value).lower()
    if isinstance(binding, InputReference):
        return f"the input {binding.name}"
    return FACT_WORDS[binding.path] if isinstance(binding, FactReference) else ""


def _properties(tool: AnyTool) -> dict[str, dict[str, JsonValue]]:
    shapes = tool.schema.get("properties")
    found = shapes if isinstance(shapes, dict) else {}
    return {name: shape for name, shape in found.items() if isinstance(shape, dict)}


def _required(tool: AnyTool) -> list[str]:
    required = tool.schema.get("required")
    return [name for name in required if isinstance(name, str)] if isinstance(required, list) else []


def _takes(tool: AnyTool, shape: dict[str, JsonValue], value: JsonValue) -> bool:
    validator = Draft202012Validator({**shape, "$defs": tool.schema.get("$defs", {})})
    return bool(validator.is_valid(value))
