"""A runbook's triggers as its file says them: read in the words of the file, and told apart from those that are stored.

Pure. A file names companies and boards, for their ids say nothing elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

_Words = Annotated[str, StringConstraints(strip_whitespace=True)]
_Value = str | int | float | bool


class _Trigger(BaseModel):
    """What triggers of all kinds have."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    companies: list[_Words] = []
    board: _Words = ""
    enabled: bool = True


class _TicketType(_Trigger):
    kind: Literal["classification"]
    type: _Words
    subtype: _Words = ""


class _Alert(_Trigger):
    kind: Literal["alert"]
    alert_type: _Words


class _Schedule(_Trigger):
    kind: Literal["schedule"]
    cron: _Words
    time_zone: _Words = "UTC"
    grace_minutes: Annotated[int, Field(ge=0)] = 60
    inputs: dict[str, _Value] = {}


class _ByHand(_Trigger):
    kind: Literal["manual"]
    inputs: dict[str, _Value] = {}


#: One trigger as it stands in the front matter.
WrittenTrigger = Annotated[_TicketType | _Alert | _Schedule | _ByHand, Field(discriminator="kind")]


@dataclass(frozen=True)
class Condition:
    """One trigger. What its kind does not have stands at its default; `companies` and `board` are names."""

    kind: str
    type: str = ""
    subtype: str = ""
    alert_type: str = ""
    cron: str = ""
    time_zone: str = "UTC"
    grace_minutes: int = 60
    companies: tuple[str, ...] = ()
    board: str = ""
    inputs: Mapping[str, JsonValue] = field(default_factory=dict)
    enabled: bool = True

    @classmethod
    def of(cls, written: BaseModel) -> Condition:
        """What was read from a file."""
        said = written.model_dump()
        return cls(**{**said, "companies": tuple(said["companies"])})

    def as_written(self) -> dict[str, JsonValue]:
        """Its fields for a file; what stands at its default is left out."""
        said: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        said |= {"companies": list(self.companies), "inputs": dict(self.inputs)}
        return {name: value for name, value in said.items() if name == "kind" or value != _DEFAULTS[name]}

    @property
    def event(self) -> Hashable:
        """What has to happen, wherever it does."""
        return self.kind, self.type, self.subtype, self.alert_type, self.cron, self.time_zone

    @property
    def reach(self) -> Hashable:
        """What has to happen, and where; names in either case are the same."""
        where = frozenset(name.casefold() for name in self.companies), self.board.casefold()
        return self.event, where, tuple(sorted((name, str(value)) for name, value in self.inputs.items()))

    @property
    def whole(self) -> Hashable:
        """All of it."""
        return self.reach, self.grace_minutes, self.enabled


_DEFAULTS: Final = Condition(kind="").__dict__ | {"companies": [], "inputs": {}}

#: A number in the list of those stored, and one in the list of those a file says; None where it has no partner.
Pair = tuple[int | None, int | None]


def pair_conditions(stored: Sequence[Condition], said: Sequence[Condition]) -> Iterator[Pair]:
    """Which trigger of a file is which stored one, the likest first; those that are the same in all are left out.

    A stored one whose place or switch changed stays the same trigger, with what came of it.
    """
    old, new = dict(enumerate(stored)), dict(enumerate(said))
    likeness: tuple[Callable[[Condition], Hashable], ...] = (
        lambda condition: condition.whole,
        lambda condition: condition.reach,
        lambda condition: condition.event,
    )
    found: dict[int, int] = {}
    for alike in likeness:
        for number, condition in [*new.items()]:
            partner = next((place for place, other in old.items() if alike(other) == alike(condition)), None)
            if partner is not None:
                found[number] = partner
                del old[partner], new[number]
    for number, condition in enumerate(said):
        partner = found.get(number)
        if partner is None or stored[partner].whole != condition.whole:
            yield partner, number
    yield from ((place, None) for place in old)
