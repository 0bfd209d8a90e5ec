"""Tools of our own that only tests have: every risk, with and without the flags that matter, on a shelf in memory.

`shelf` is the outside world of these tests: what stands there, and every change made to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, JsonValue

from integrations.errors import OutcomeUnknown, TargetRefused, VendorDown, VendorRefused
from integrations.tools import (
    AnyTool,
    Category,
    Change,
    DefaultPolicy,
    Flag,
    Outcome,
    OutcomeStrategy,
    Preview,
    Risk,
    ToolArguments,
    ToolContext,
    ToolResult,
    registry,
    tool,
)


@dataclass
class Shelf:
    """What stands on the shelf by place, what was done to it, and how it fails next."""

    things: dict[str, str] = field(default_factory=lambda: {"left": "a red box"})
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    looks: int = 0
    down: bool = False
    answerless: bool = False
    echo: str = ""
    """How whoever locks it repeats what was sent: in a refusal, in words without an answer, or else in its answer."""

    codes: list[str] = field(default_factory=list)
    foreign: set[str] = field(default_factory=lambda: {"somebody else's"})
    before_change: Callable[[], None] | None = None
    after_look: Callable[[], None] | None = None

    def reset(self) -> None:
        """Everything as it was."""
        self.__init__()  # type: ignore[misc]


shelf = Shelf()


class Put(ToolArguments):
    place: str = Field(max_length=40)
    thing: str = Field(max_length=2000, description="What to put there.")
    careful: bool = True


class Look(ToolArguments):
    place: str = Field(max_length=40)


def _put(context: ToolContext, arguments: Put) -> ToolResult:
    if shelf.before_change is not None:
        shelf.before_change()
    if shelf.down:
        raise VendorDown("The shelf cannot be reached.", sent=False)
    shelf.things[arguments.place] = arguments.thing
    shelf.changes.append((arguments.place, arguments.thing, context.mark))
    if shelf.answerless:
        raise OutcomeUnknown("The shelf gave no answer.")
    return ToolResult(content={"place": arguments.place}, summary=f"Put it {arguments.place}.", foreign=False)


def _lock(context: ToolContext, arguments: Put) -> ToolResult:
    """As a vendor whose client forgot to hide what it sets."""
    code = context.secret_to_set
    shelf.codes.append(code)
    said = json.dumps({"place": arguments.place, "code": code})
    if shelf.echo == "refusal":
        raise VendorRefused(f"The shelf refused this (400). It said: {said}", sent=True, status=400)
    if shelf.echo == "no answer":
        raise OutcomeUnknown(f"The change was sent, and then: {said}")
    return ToolResult(content={"said": [said], code: code}, summary=f"Locked: {said}", foreign=False, secret=code)


def _foresee(context: ToolContext, arguments: Put) -> Preview:
    shelf.looks += 1
    if shelf.down:
        raise VendorDown("The shelf cannot be reached.", sent=False)
    if arguments.place in shelf.foreign:
        raise TargetRefused("That is not a place of this company.")
    now = shelf.things.get(arguments.place, "")
    preview = Preview(
        title=f"Put something {arguments.place}",
        target=f"Place {arguments.place}",
        changes=(Change("Thing", now, arguments.thing), Change("Anything thrown away", "No", "No")),
        seen_by="Whoever walks by.",
        undo="Put the old thing back.",
        target_state={"thing": now},
        evidence=("The shelf was looked at just now.",),
    )
    if shelf.after_look is not None:
        shelf.after_look()
    return preview


def _find(context: ToolContext, arguments: Put, before: JsonValue) -> Outcome:
    if shelf.down:
        raise VendorDown("The shelf cannot be reached.", sent=False)
    if any(mark == context.mark for _, _, mark in shelf.changes):
        return Outcome("found", f"It carries {context.mark}.")
    return Outcome("absent", "Nothing carries its mark.")


def _look(context: ToolContext, arguments: Look) -> ToolResult:
    shelf.looks += 1
    if shelf.down:
        raise VendorDown("The shelf cannot be reached.", sent=False)
    return ToolResult(content={"thing": shelf.things.get(arguments.place)}, summary="Looked.")


def _declare(name: str, risk: Risk, flags: Collection[Flag] = (), category: Category = Category.WRITE) -> AnyTool:
    declared: AnyTool = tool(
        name=name,
        label="Put something on the shelf",
        description="Puts a thing in a place.",
        arguments=Put,
        title=lambda arguments: f"Put something {arguments.place}",
        category=category,
        risk=risk,
        flags=flags,
        outcome=OutcomeStrategy.MARKER,
        preview=_foresee,
        search=_find,
    )(_put)
    return declared


def _locks() -> AnyTool:
    declared: AnyTool = tool(
        name="junto.put_code",
        label="Lock the shelf",
        description="Locks a place with a new code.",
        arguments=Put,
        title=lambda arguments: f"Lock {arguments.place}",
        category=Category.WRITE,
        risk=Risk.HIGH,
        flags=[Flag.CREDENTIAL, Flag.SECRET],
        outcome=OutcomeStrategy.ASK,
        preview=_foresee,
        draws_secret=True,
    )(_lock)
    return declared


def _reads() -> list[AnyTool]:
    read: Any = tool(
        name="junto.look",
        label="Look",
        description="Looks.",
        arguments=Look,
        title=lambda arguments: "Look at the shelf",
    )(_look)
    secret: Any = tool(
        name="junto.look_inside",
        label="Look inside",
        description="Looks inside.",
        arguments=Look,
        title=lambda arguments: "Look inside",
        flags=[Flag.SECRET],
        policy=DefaultPolicy.ONCE,
    )(_look)
    return [read, secret]


@contextmanager
def practice_tools() -> Iterator[None]:
    """The tools are registered inside the block, and the shelf is as at first."""
    shelf.reset()
    made = [
        _declare("junto.put_low", Risk.LOW),
        _declare("junto.put_medium", Risk.MEDIUM),
        _declare("junto.put_high", Risk.HIGH),
        _declare("junto.put_for_client", Risk.LOW, [Flag.CLIENT_VISIBLE]),
        _declare("junto.put_billed", Risk.LOW, [Flag.BILLING_EFFECT]),
        _declare("junto.put_for_ever", Risk.MEDIUM, [Flag.IRREVERSIBLE]),
        _declare("junto.run_low", Risk.LOW, category=Category.EXECUTE),
        _locks(),
        *_reads(),
    ]
    try:
        yield
    finally:
        for one in made:
            registry._tools.pop(one.name)
