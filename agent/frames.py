"""What a browser may send on the socket: typed frames, a union tagged by `type`; anything else gets an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

#: Characters of one chat message; a longer one is a document and belongs on the ticket.
MESSAGE_LIMIT = 8_000
REASON_LIMIT = 2_000


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)

    id: str = Field(default="", max_length=64, pattern=r"^[ -~]*$")


class Say(_Frame):
    """A person writes in the chat. The same id sent again is the same message: it is acknowledged and not written."""

    type: Literal["say"]
    text: str = Field(min_length=1, max_length=MESSAGE_LIMIT)


class Start(_Frame):
    """A person starts the agent on this signal, or continues a prepared session."""

    type: Literal["start"]


class Stop(_Frame):
    """Nothing new is claimed from now on; what already left ends as it ends (I16)."""

    type: Literal["stop"]
    reason: str = Field(default="", max_length=REASON_LIMIT)


class TryAgain(_Frame):
    """The model gave no answer; a person has it asked again."""

    type: Literal["try_again"]


class Close(_Frame):
    """A person closes the finished conversation."""

    type: Literal["close"]


class Decide(_Frame):
    """A decision, with the digest of what the person saw; `arguments` and the target's digest when they modified."""

    type: Literal["decide"]
    action: UUID
    verdict: Literal["approve", "approve_session", "deny", "take_back"]
    digest: str = Field(max_length=64)
    reason: str = Field(default="", max_length=REASON_LIMIT)
    arguments: dict[str, JsonValue] | None = None
    target_digest: str = Field(default="", max_length=64)
    target: str = Field(default="", max_length=300)


class PreviewChange(_Frame):
    """Show the before and after of changed arguments; their digest comes back."""

    type: Literal["preview_change"]
    action: UUID
    arguments: dict[str, JsonValue]


class PassOn(_Frame):
    """Hand the decision to those who hold a right (a decide permission's codename)."""

    type: Literal["pass_on"]
    action: UUID
    role: str = Field(default="", max_length=20)


class Settle(_Frame):
    """A person says whether an action of unknown outcome was done, and how they know."""

    type: Literal["settle"]
    action: UUID
    done: bool
    evidence: str = Field(min_length=3, max_length=REASON_LIMIT)


class ChooseRunbook(_Frame):
    """Another published runbook for the session; None = none."""

    type: Literal["choose_runbook"]
    runbook: UUID | None


class Typing(_Frame):
    """Somebody is typing; told to the others, kept nowhere."""

    type: Literal["typing"]


class Ping(_Frame):
    """Answered by a pong."""

    type: Literal["ping"]


Frame = Annotated[
    Say | Start | Stop | TryAgain | Close | Decide | PreviewChange | PassOn | Settle | ChooseRunbook | Typing | Ping,
    Field(discriminator="type"),
]
_adapter: TypeAdapter[Frame] = TypeAdapter(Frame)


def read_frame(value: object) -> Frame:
    """The typed frame. Raises pydantic's ValidationError when it is none."""
    return _adapter.validate_python(value)


#: What a person typed, by the frame's field, as they know it.
_TYPED = {"text": "message", "reason": "reason", "evidence": "answer to how you know it", "target": "confirmation"}
_AGAIN = "Load the page again; what you typed is kept."


def refusal_words(problem: ValidationError) -> tuple[str, dict[str, str]]:
    """What is wrong with a frame and what to do about it; for what a person typed, by its field as well."""
    fields: dict[str, str] = {}
    other = ""
    for each in problem.errors():
        name = str(each["loc"][-1]) if each["loc"] else ""
        if name in _TYPED and (words := _typed_words(name, each)):
            fields[name] = words
        else:
            other = other or f"The page sent something that Junto does not know ({_place(each)}). {_AGAIN}"
    return " ".join([*fields.values(), *filter(None, [other])]), fields


def _typed_words(name: str, error: Mapping[str, object]) -> str:
    given = error["input"]
    if error["type"] == "string_too_long" and isinstance(given, str):
        most = _context(error)["max_length"]
        return (
            f"Your {_TYPED[name]} has {len(given):,} characters and at most {most:,} fit: nothing was sent. Shorten it"
            + (", or put it on the ticket as a note." if name == "text" else ".")
        )
    if error["type"] in ("string_too_short", "missing"):
        return f"Your {_TYPED[name]} is missing or too short: nothing was sent."
    return ""


def _place(error: Mapping[str, object]) -> str:
    """The wrong field, or the type that no frame has."""
    if error["type"] == "union_tag_invalid":
        return str(_context(error).get("tag", ""))[:40]
    where = error["loc"]
    return ".".join(map(str, where)) if isinstance(where, tuple) and where else "no type"


def _context(error: Mapping[str, object]) -> dict[str, object]:
    context = error.get("ctx")
    return context if isinstance(context, dict) else {}
