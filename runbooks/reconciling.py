"""Three-way merge of whole runbooks: the text by lines, tags and inputs one by one, other fields whole. Pure.

A page shows a `ContentMerge`, a person answers what is open, `read_answers` reads the form, `resolved` is the outcome.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

from pydantic import JsonValue

from runbooks.contents import LABELS, Content, input_words
from runbooks.merging import Conflict, MergeResult, Side, as_lines, merge_texts

State = Literal["ours", "theirs", "both", "open"]
#: Whom a runbook is for: the company's id (none = all companies), and its name.
Scope = tuple[uuid.UUID | None, str]
#: The name of its field.
SCOPE: Final = "company"

#: Fields of which one side or the other is taken as it is.
_WHOLE: Final = ("title", "description", "audience", "category", "on_success")

_SIDES: Final[dict[str, Side]] = {"ours": "ours", "theirs": "theirs"}


class Unanswered(ValueError):
    """Some of what both sides changed was not decided; `names` are the form's names for it."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(f"{len(names)} of the changes that meet are not decided yet.")


@dataclass(frozen=True)
class FieldMerge:
    """A field that at least one side changed, in words. `name` is also its name in the form."""

    name: str
    label: str
    base: str
    ours: str
    theirs: str
    state: State


@dataclass(frozen=True)
class Answers:
    """What a person decided: a side for each open field, the lines for each conflict of the text."""

    fields: Mapping[str, Side]
    body: Sequence[Sequence[str]]


@dataclass(frozen=True)
class ContentMerge:
    """What becomes of `ours` when the changes from `base` to `theirs` are taken over."""

    base: Content
    ours: Content
    theirs: Content
    fields: tuple[FieldMerge, ...]

    @cached_property
    def body(self) -> MergeResult:
        """The text, merged line by line."""
        return merge_texts(self.base.body, self.ours.body, self.theirs.body)

    @property
    def open_fields(self) -> tuple[FieldMerge, ...]:
        """Fields for a person to decide."""
        return tuple(field for field in self.fields if field.state == "open")

    @property
    def clean(self) -> bool:
        """Whether nothing has to be decided."""
        return self.body.clean and not self.open_fields

    @property
    def untouched(self) -> bool:
        """Whether taking over would change nothing."""
        taken = [field for field in self.fields if field.state != "ours"]
        return self.body.clean and not taken and self.body.text == "\n".join(as_lines(self.ours.body))

    def side_of(self, name: str, answers: Answers) -> State | None:
        """Whose value a field takes; None where nobody changed it. Raises KeyError for an open one without answer."""
        states = {field.name: field.state for field in self.fields}
        return answers.fields[name] if states.get(name) == "open" else states.get(name)

    def resolved(self, answers: Answers) -> Content:
        """The merged content.

        Raises:
            ValueError: a conflict of the text has no answer.
            KeyError: an open field has none.
        """
        sides = {field.name: field.state for field in self.fields if field.state != "open"} | dict(answers.fields)
        for field in self.open_fields:
            answers.fields[field.name]
        whole = {name: getattr(self._side(sides.get(name, "ours")), name) for name in _WHOLE}
        return replace(
            self.ours,
            **whole,
            tags=_merged_tags(self.base.tags, self.ours.tags, self.theirs.tags),
            inputs=self._inputs(sides),
            body=self.body.resolved(answers.body),
        )

    def _side(self, state: State) -> Content:
        return self.theirs if state == "theirs" else self.ours

    def _inputs(self, sides: Mapping[str, State]) -> JsonValue:
        if "inputs" in sides:
            return self._side(sides["inputs"]).inputs
        ours, theirs = _by_name(self.ours), _by_name(self.theirs)
        chosen = [
            (theirs if sides.get(f"inputs.{name}", "ours") == "theirs" else ours).get(name)
            for name in dict.fromkeys([*ours, *theirs])
        ]
        return [declared for declared in chosen if declared is not None]


def merge_contents(*, base: Content, ours: Content, theirs: Content) -> ContentMerge:
    """What changed on which side, and what a person must decide."""
    fields = [_whole(name, base, ours, theirs) for name in _WHOLE]
    fields.append(_tags(base, ours, theirs))
    fields += list(_inputs(base, ours, theirs))
    return ContentMerge(base, ours, theirs, tuple(field for field in fields if field is not None))


def with_scope(merge: ContentMerge, *, base: Scope, ours: Scope, theirs: Scope) -> ContentMerge:
    """The merge with the company among its fields, where a side changed it; it is no part of any content."""
    state = _state(base[0], ours[0], theirs[0])
    if state is None:
        return merge
    return replace(merge, fields=(*merge.fields, FieldMerge(SCOPE, "Company", base[1], ours[1], theirs[1], state)))


def read_answers(form: Mapping[str, str], merge: ContentMerge) -> Answers:
    """The decisions in a submitted form: a field's name -> side; `hunk-<n>` -> ours, theirs, both, or edit with
    `text-<n>`, counted from 1.

    Raises:
        Unanswered: something open is not decided.
    """
    missing: list[str] = []
    fields: dict[str, Side] = {}
    for field in merge.open_fields:
        chosen = _SIDES.get(form.get(field.name, ""))
        if chosen is None:
            missing.append(field.name)
        else:
            fields[field.name] = chosen
    body = [_hunk_answer(form, number, conflict) for number, conflict in enumerate(merge.body.conflicts, start=1)]
    missing += [f"hunk-{number}" for number, lines in enumerate(body, start=1) if lines is None]
    if missing:
        raise Unanswered(missing)
    return Answers(fields, [lines for lines in body if lines is not None])


def _hunk_answer(form: Mapping[str, str], number: int, conflict: Conflict) -> tuple[str, ...] | None:
    match form.get(f"hunk-{number}"):
        case "ours":
            return conflict.ours
        case "theirs":
            return conflict.theirs
        case "both":
            return (*conflict.ours, *conflict.theirs)
        case "edit":
            text = form.get(f"text-{number}", "")
            return tuple(as_lines(text)) if text else ()
        case _:
            return None


def _whole(name: str, base: Content, ours: Content, theirs: Content) -> FieldMerge | None:
    state = _state(getattr(base, name), getattr(ours, name), getattr(theirs, name))
    if state is None:
        return None
    return FieldMerge(name, LABELS[name], base.words(name), ours.words(name), theirs.words(name), state)


def _tags(base: Content, ours: Content, theirs: Content) -> FieldMerge | None:
    if base.tags == ours.tags == theirs.tags:
        return None
    state: State = "both"
    merged = _merged_tags(base.tags, ours.tags, theirs.tags)
    if merged in (ours.tags, theirs.tags):
        state = "ours" if merged == ours.tags else "theirs"
    return FieldMerge("tags", LABELS["tags"], base.words("tags"), ours.words("tags"), theirs.words("tags"), state)


def _merged_tags(base: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    gone = set(base) - set(theirs)
    new = [tag for tag in theirs if tag not in base and tag not in ours]
    return (*(tag for tag in ours if tag not in gone), *new)


def _inputs(base: Content, ours: Content, theirs: Content) -> Iterator[FieldMerge]:
    """Each input by its name; the list as a whole where one of the three cannot be read."""
    if any(content.inputs and not content.declarations for content in (base, ours, theirs)):
        whole = _whole("inputs", base, ours, theirs)
        if whole is not None:
            yield whole
        return
    words = [{each.name: input_words(each) for each in content.declarations} for content in (base, ours, theirs)]
    was, mine, other = words
    for name in dict.fromkeys([*mine, *other, *was]):
        state = _state(was.get(name), mine.get(name), other.get(name))
        if state is not None:
            before, left, right = (each.get(name, "") for each in words)
            yield FieldMerge(f"inputs.{name}", f"Input {name}", before, left, right, state)


def _by_name(content: Content) -> dict[str, JsonValue]:
    """The inputs as they are stored, by name."""
    stored = content.inputs if isinstance(content.inputs, list) else []
    return {str(declared["name"]): declared for declared in stored if isinstance(declared, dict) and "name" in declared}


def _state(base: object, ours: object, theirs: object) -> State | None:
    """Who changed it; None where nobody did."""
    if ours == theirs:
        return None if ours == base else "both"
    if theirs == base:
        return "ours"
    return "theirs" if ours == base else "open"
