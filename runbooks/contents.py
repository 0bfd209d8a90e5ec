"""What a version of a runbook says: the fields that are compared, merged, copied by forks, and written to files."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Self

from pydantic import JsonValue

from runbooks.inputs import InputDeclaration, InputsRefused, read_inputs
from runbooks.models import Runbook


@dataclass(frozen=True)
class Content:
    """The text and everything around it that a version keeps. `inputs` as they are stored."""

    title: str
    description: str
    body: str
    category: str
    tags: tuple[str, ...]
    audience: str
    inputs: JsonValue
    on_success: str

    @classmethod
    def of(cls, row: Runbook) -> Self:
        """The content of a runbook's draft, or of a history record, which has the same fields."""
        return cls(
            title=row.title,
            description=row.description,
            body=row.body,
            category=str(row.category),
            tags=tuple(map(str, row.tags)) if isinstance(row.tags, list) else (),
            audience=str(row.audience),
            inputs=row.inputs,
            on_success=str(row.on_success),
        )

    def write_to(self, row: Runbook) -> None:
        """Make it the row's content; the row is not saved."""
        for name in CONTENT:
            value = getattr(self, name)
            setattr(row, name, list(value) if name == "tags" else value)

    def words(self, name: str) -> str:
        """One field as people read it."""
        value = getattr(self, name)
        if name in _CHOICES:
            return dict(_CHOICES[name]).get(value, str(value))
        if name == "tags":
            return ", ".join(self.tags)
        return "\n".join(map(input_words, self.declarations)) if name == "inputs" else str(value)

    @property
    def declarations(self) -> tuple[InputDeclaration, ...]:
        """The inputs; none where what is stored cannot be read."""
        try:
            return read_inputs(self.inputs)
        except InputsRefused:
            return ()


#: Names of the fields, in the order of `Content`.
CONTENT: Final = tuple(field.name for field in fields(Content))

#: What each field but the text is called on a page, in the order in which they are shown.
LABELS: Final[dict[str, str]] = {
    "title": "Title",
    "description": "Description",
    "audience": "Audience",
    "category": "Category",
    "tags": "Tags",
    "inputs": "Inputs",
    "on_success": "On success",
}

_CHOICES: Final[dict[str, list[tuple[str, str]]]] = {
    "audience": Runbook.Audience.choices,
    "category": Runbook.Category.choices,
    "on_success": Runbook.OnSuccess.choices,
}


def input_words(declared: InputDeclaration) -> str:
    """One input on one line: its label, name, type, whether it is required, its options and default."""
    kind = f"one of {', '.join(declared.options)}" if declared.options else declared.type
    default = "" if declared.default is None else f", default {declared.default}"
    return f"{declared.label} ({declared.name}): {kind}, {'required' if declared.required else 'optional'}{default}"
