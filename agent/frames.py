"""What a browser may send on the socket: typed frames, a union tagged by `type`; anything else gets an error."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

#: Characters of one chat message; a longer one is a document and belongs on the ticket.
MESSAGE_LIMIT = 8_000
REASON_LIMIT = 2_000


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)

    id: str = Field(default="", max_length=64)


class Say(_Frame):
    """A person writes in the chat."""

    type: Literal["say"]
    text: str = Field(min_length=1, max_length=MESSAGE_LIMIT)


class Start(_Frame):
    """A person starts the agent on this signal, or continues a prepared session."""

    type: Literal["start"]


class Stop(_Frame):
    """Nothing new is claimed from now on; what already left ends as it ends (I16)."""

    type: Literal["stop"]
    reason: str = Field(default="", max_length=REASON_LIMIT)


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
    arguments: dict[str, Any] | None = None
    target_digest: str = Field(default="", max_length=64)
    target: str = Field(default="", max_length=300)


class PreviewChange(_Frame):
    """Show the before and after of changed arguments; their digest comes back."""

    type: Literal["preview_change"]
    action: UUID
    arguments: dict[str, Any]


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
    Say | Start | Stop | Close | Decide | PreviewChange | PassOn | Settle | ChooseRunbook | Typing | Ping,
    Field(discriminator="type"),
]
_adapter: TypeAdapter[Frame] = TypeAdapter(Frame)


def read_frame(value: object) -> Frame:
    """The typed frame. Raises pydantic's ValidationError when it is none."""
    return _adapter.validate_python(value)
