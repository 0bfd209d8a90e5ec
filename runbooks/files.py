"""A runbook as a Markdown file with front matter: written, and read back with the line of whatever is wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from runbooks.conditions import Condition, WrittenTrigger
from runbooks.contents import Content
from runbooks.inputs import InputsRefused, check_inputs
from runbooks.merging import as_lines

#: Characters of the front matter: what the fields of a runbook may hold, and room for how YAML writes it.
HEAD_LIMIT: Final = 60_000
#: Characters of a whole file; the text of a runbook may have 100,000.
FILE_LIMIT: Final = 170_000
#: Lists and mappings inside each other; an input's options stand at the fourth level.
DEPTH_LIMIT: Final = 20
SUFFIX: Final = ".md"

_FENCE: Final = "---"


@dataclass
class FileRefused(ValueError):
    """The file is no runbook; says in which line."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


@dataclass(frozen=True)
class RunbookFile:
    """A file as it was read. `company` is a name, empty = all companies; `fork_of` the key of the original, if any.

    `triggers` are all that the runbook has; None = the file says nothing about them.
    """

    key: str
    company: str
    fork_of: str
    fork_version: int | None
    content: Content
    body_line: int
    triggers: tuple[Condition, ...] | None = None
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, name: str) -> int:
        """Where a field stands in the file; 1 for one that is left out."""
        return self.body_line if name == "body" else _line_of((name,), self.lines)

    def line_of_trigger(self, number: int, name: str) -> int:
        """Where a field such as `cron` or `inputs.days` stands; where it is left out, the line that it should follow.

        Triggers are counted from 0.
        """
        return _line_of(("triggers", number, *name.split(".")), self.lines)


class _Head(BaseModel):
    """The front matter."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    key: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
    title: Annotated[str, Field(min_length=5, max_length=255)]
    description: str = ""
    audience: Literal["ai", "hybrid", "human"] = "hybrid"
    category: str = "other"
    tags: list[str] = []
    company: str = ""
    fork_of: str = ""
    fork_version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    inputs: list[dict[str, JsonValue]] = []
    on_success: Literal["review", "resolve"] = "review"
    triggers: list[WrittenTrigger] | None = None


class _Dumper(yaml.SafeDumper):
    """Long texts as blocks, which people can read and line tools can compare."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def write_file(runbook: RunbookFile, *, remark: str = "") -> str:
    """The file; what stands at its default is left out. A `remark` of one line is for people and is not read."""
    content = runbook.content
    fields: dict[str, JsonValue] = {
        "key": runbook.key,
        "title": content.title,
        "description": content.description,
        "audience": content.audience,
        "category": content.category,
        "tags": list(content.tags),
        "company": runbook.company,
        "fork_of": runbook.fork_of,
        "fork_version": runbook.fork_version,
        "inputs": content.inputs,
        "on_success": content.on_success,
        "triggers": None if runbook.triggers is None else [each.as_written() for each in runbook.triggers],
    }
    fields = {
        name: value for name, value in fields.items() if name == "audience" or value != _Head.model_fields[name].default
    }
    dumped: str = yaml.dump(fields, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    dumped += f"# {remark}\n" if remark else ""
    return f"{_FENCE}\n{dumped}{_FENCE}\n\n{plain(content.body)}\n"


def read_file(text: str) -> RunbookFile:
    """The runbook in a file.

    Raises:
        FileRefused: it is none, with the line.
    """
    if len(text) > FILE_LIMIT:
        raise FileRefused(1, f"The file has {len(text):,} characters; at most {FILE_LIMIT:,} are read.")
    lines = as_lines(text.removeprefix("\ufeff"))
    if lines[0].rstrip() != _FENCE:
        raise FileRefused(1, "A runbook's file begins with front matter: a line ---, fields, and a line --- again.")
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == _FENCE), None)
    if end is None:
        raise FileRefused(1, "The front matter has no end: a line --- is missing.")
    places, fields = _read_yaml("\n".join([*lines[1:end], ""]))
    head = _read_head(fields, places)
    body = "\n".join(lines[end + 1 :])
    leading = len(body) - len(body.lstrip("\n"))
    return RunbookFile(
        key=head.key,
        company=head.company,
        fork_of=head.fork_of,
        fork_version=head.fork_version,
        content=Content(
            title=head.title,
            description=head.description,
            body=plain(body),
            category=head.category,
            tags=tuple(head.tags),
            audience=head.audience,
            inputs=list(head.inputs),
            on_success=head.on_success,
        ),
        body_line=end + 2 + leading,
        triggers=None if head.triggers is None else tuple(map(Condition.of, head.triggers)),
        lines=places,
    )


def decoded(content: bytes) -> str | None:
    """The text of a file; None where it is none in UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def plain(text: str) -> str:
    """A text as files keep it: \\n at line ends, no blank lines around it."""
    return "\n".join(as_lines(text)).strip("\n")


def _read_yaml(text: str) -> tuple[dict[str, int], dict[str, Any]]:
    """The line of each field in the file, and the fields.

    Raises:
        FileRefused: it is no YAML mapping, holds a field twice, or refers to itself.
    """
    if len(text) > HEAD_LIMIT:
        raise FileRefused(2, f"The front matter has {len(text):,} characters; at most {HEAD_LIMIT:,} are read.")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            _check_event(event, depth)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        fields = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 2
        raise FileRefused(line, f"The front matter cannot be read: {error.problem}.") from error
    except FileRefused:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FileRefused(2, f"The front matter cannot be read: {str(error).splitlines()[0]}.") from error
    if not isinstance(node, yaml.MappingNode) or not isinstance(fields, dict):
        raise FileRefused(2, "The front matter is a list of fields such as title: Reset a password.")
    places = dict(_places(node))
    if "triggers" in fields and fields["triggers"] is None:
        raise FileRefused(places["triggers"], "triggers: [] means none; leave the field out to keep those there are.")
    return places, fields


def _places(node: yaml.Node, path: str = "") -> Iterator[tuple[str, int]]:
    """The line of every field and list item: `title`, `triggers`, `triggers.0`, `triggers.0.cron`.

    Raises:
        FileRefused: a field is given twice.
    """
    inside: list[tuple[str, yaml.Node, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        inside = [(str(name.value), name, value) for name, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        inside = [(str(number), value, value) for number, value in enumerate(node.value)]
    seen: set[str] = set()
    for name, place, value in inside:
        line = place.start_mark.line + 2
        if name in seen:
            raise FileRefused(line, f"{name} is given twice.")
        seen.add(name)
        yield f"{path}{name}", line
        yield from _places(value, f"{path}{name}.")


def _line_of(path: Sequence[str | int], places: Mapping[str, int]) -> int:
    """The line of what stands there; where it is left out, of what it should stand in, and 1 outside everything."""
    wholes = (".".join(map(str, path[:length])) for length in range(len(path), 0, -1))
    return next((places[whole] for whole in wholes if whole in places), 1)


def _check_event(event: yaml.Event, depth: int) -> None:
    """Raises FileRefused for what a small file could blow up with, and for what no database keeps."""
    line = event.start_mark.line + 2 if event.start_mark else 2
    if depth > DEPTH_LIMIT:  # the reader's time grows with the square of it
        raise FileRefused(line, f"The front matter is nested deeper than {DEPTH_LIMIT} levels.")
    if isinstance(event, yaml.AliasEvent):
        raise FileRefused(line, "The front matter may not refer to itself with * and &.")
    if isinstance(event, yaml.ScalarEvent) and any("\ud800" <= sign <= "\udfff" for sign in event.value):
        raise FileRefused(line, "The front matter holds half a character.")
    if isinstance(event, yaml.ScalarEvent) and "\0" in event.value:
        raise FileRefused(line, "The front matter holds a NUL character, which cannot be stored.")


def _read_head(fields: dict[str, Any], places: Mapping[str, int]) -> _Head:
    try:
        head = _Head.model_validate(fields)
        check_inputs([*head.inputs])
    except InputsRefused as error:
        raise FileRefused(places.get("inputs", 1), str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise _refusal(first["loc"], _in_words(first["type"], first["msg"]), places) from error
    return head


def _refusal(where: tuple[str | int, ...], words: str, places: Mapping[str, int]) -> FileRefused:
    """What is wrong with one field, in words and with its line."""
    if len(where) > 1 and where[0] == "triggers":
        # behind the number pydantic names the kind, and behind a value what it tried to read it as: these are no fields
        number, rest = int(where[1]), where[3:5]
        inside = (str(part + 1 if isinstance(part, int) else part) for part in rest)
        name = " ".join(["Trigger", str(number + 1), *inside])
        return FileRefused(_line_of(("triggers", number, *rest), places), f"{name}: {words}")
    name = str(where[0]) if where else ""
    return FileRefused(places.get(name, 1), f"{name}: {words}")


def _in_words(kind: str, message: str) -> str:
    words = {
        "missing": "this field is missing.",
        "extra_forbidden": "there is no such field.",
        "string_type": "a text is expected; put it in quotes.",
        "list_type": "a list is expected.",
        "model_attributes_type": "fields such as kind: schedule are expected.",
        "union_tag_not_found": "say its kind: classification, alert, schedule or manual.",
        "union_tag_invalid": "its kind is none of classification, alert, schedule and manual.",
        "int_type": "a whole number is expected.",
        "bool_type": "true or false is expected.",
        "dict_type": "values by name are expected.",
    }
    return words.get(kind, re.sub(r"^String", "it", message) + ".")
