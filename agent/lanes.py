"""What a lane of a replay holds: its calls as they are kept, and what differs between two lanes. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, TypeAdapter, ValidationError

from runbooks.differences import changes
from runbooks.wording import Piece, compare_words

#: A text of at least so many characters, with blanks in it, is prose: another wording of it is no other action.
PROSE: Final = 40

Verdict = Literal["read", "unseen", "runs", "asks", "refused"]


def _step_kept(value: JsonValue) -> JsonValue:
    """Lanes that were kept earlier have the place of the step, and 0 for none."""
    return (str(value) if value else "") if isinstance(value, int) else value


class LaneCall(BaseModel):
    """One call of a lane. `step` is what the runbook calls it; empty = beside the runbook.

    `verdict`: a look-up that was recorded (`near` says for which target) or never seen; a change that would run by
    itself, would ask, or is refused; `reason` says why. `outcome` = what became of it, in the lane of what happened.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    tool: str
    title: str
    arguments: dict[str, JsonValue]
    verdict: Verdict
    reason: str = ""
    near: Literal["", "ticket", "company"] = ""
    step: Annotated[str, BeforeValidator(_step_kept)] = ""
    outcome: str = ""

    @property
    def is_change(self) -> bool:
        """Whether it changes something, or was refused: what two lanes are compared by."""
        return self.verdict in ("runs", "asks", "refused")


@dataclass
class LaneResult:
    """A lane as it ended. Cost in millionths of a cent."""

    calls: list[LaneCall] = field(default_factory=list)
    end: str = ""
    words: str = ""
    answers: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_microcents: int = 0

    def count(self, verdict: Verdict) -> int:
        """How many calls met it."""
        return sum(call.verdict == verdict for call in self.calls)


@dataclass(frozen=True)
class ArgumentChange:
    """An argument that is not the same, word by word; `prose` = a long text in other words."""

    name: str
    pieces: tuple[Piece, ...]
    prose: bool


@dataclass(frozen=True)
class CallChange:
    """A change of one lane beside that of the other: the same, or added, removed, changed, in other words."""

    kind: Literal["same", "added", "removed", "changed", "reworded"]
    before: LaneCall | None
    after: LaneCall | None
    arguments: tuple[ArgumentChange, ...] = ()


_calls: TypeAdapter[list[LaneCall]] = TypeAdapter(list[LaneCall])


def read_calls(stored: object) -> list[LaneCall]:
    """The calls of a stored lane; none where they are not of this form."""
    try:
        return _calls.validate_python(stored)
    except ValidationError:
        return []


def write_calls(calls: Iterable[LaneCall]) -> list[dict[str, JsonValue]]:
    """The calls as they are stored."""
    return [call.model_dump(mode="json") for call in calls]


def compare_lanes(before: Sequence[LaneCall], after: Sequence[LaneCall]) -> list[CallChange]:
    """The changes of both lanes in order, paired by their tool; look-ups are left out."""
    old = [call for call in before if call.is_change]
    new = [call for call in after if call.is_change]
    found: list[CallChange] = []
    at = new_at = 0
    for change in changes([call.tool for call in old], [call.tool for call in new]):
        found += map(_pair, old[at : change.start], new[new_at : change.new_start])
        found += [CallChange("removed", call, None) for call in old[change.start : change.end]]
        found += [CallChange("added", None, call) for call in new[change.new_start : change.new_end]]
        at, new_at = change.end, change.new_end
    return [*found, *map(_pair, old[at:], new[new_at:])]


def count_changes(found: Iterable[CallChange], kind: Literal["added", "removed", "changed"]) -> int:
    """How many there are of one kind."""
    return sum(change.kind == kind for change in found)


def _pair(before: LaneCall, after: LaneCall) -> CallChange:
    arguments = tuple(_argument_changes(before.arguments, after.arguments))
    if before.verdict != after.verdict or any(not change.prose for change in arguments):
        return CallChange("changed", before, after, arguments)
    return CallChange("reworded" if arguments else "same", before, after, arguments)


def _argument_changes(before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]) -> Iterator[ArgumentChange]:
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old != new or type(old) is not type(new):
            prose = _is_prose(old) and _is_prose(new)
            yield ArgumentChange(name, compare_words(in_words(old), in_words(new)), prose)


def _is_prose(value: JsonValue) -> bool:
    return isinstance(value, str) and len(value) >= PROSE and " " in value


def in_words(value: JsonValue) -> str:
    """A value as people read it; nothing for none."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
