"""What can happen in a session: the typed payloads of `SessionEvent`, a union tagged by `kind`."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RequestedCall(_Payload):
    """One tool call of a reply. `call_id` is ours (`<event number>.<position>`): models repeat theirs.

    `too_long` = characters of arguments that were too many to be kept; the call is refused then.
    """

    call_id: str
    name: str
    arguments_text: str
    too_long: int = 0


class UserSaid(_Payload):
    """A person wrote in the chat. `role` is the word of their role, for the prompt and the screen.

    `frame_id` is what the person's page called the message, so that the same one sent again is known.
    """

    kind: Literal["user_said"] = "user_said"
    membership_id: UUID
    name: str
    role: str
    text: str
    frame_id: str = ""


class PersonStarted(_Payload):
    """A person pressed Start: the agent may now propose actions, and it is the model's turn."""

    kind: Literal["person_started"] = "person_started"
    membership_id: UUID
    name: str
    role: str


class ModelReplied(_Payload):
    """The model's answer, whole. `aborted`: the stream broke off and only the text before that is here.

    `shown` = the number of the last event the model had read when it was asked; what came later it has not answered.
    `left_out` = calls beyond those that are taken up of one answer.
    """

    kind: Literal["model_replied"] = "model_replied"
    text: str
    calls: tuple[RequestedCall, ...] = ()
    model: str
    tokens_in: int
    tokens_out: int
    aborted: bool = False
    cost_microcents: int = 0
    shown: int | None = None
    left_out: int = 0


class CallRefused(_Payload):
    """A call that could not become an action at all: its arguments were not one JSON object."""

    kind: Literal["call_refused"] = "call_refused"
    call_id: str
    name: str
    reason: str


class ActionChanged(_Payload):
    """An action reached a state. Written once per (session, action, state), from the action's row."""

    kind: Literal["action_changed"] = "action_changed"
    action_id: UUID
    call_id: str
    tool: str
    title: str
    state: str
    reason: str = ""
    by: str = ""


class StateChanged(_Payload):
    """The session moved. `detail` says why, in words for the screen."""

    kind: Literal["state_changed"] = "state_changed"
    state: str
    detail: str = ""
    by: str = ""


class Notice(_Payload):
    """Something people should know: a model that is down, a budget that ended, a runbook that was chosen.

    `parks`: the agent waits after this until a person writes, instead of asking the model again and again.
    `cause` = what those who keep the model running need to know, in their words; shown to them alone.
    """

    kind: Literal["notice"] = "notice"
    tone: Literal["quiet", "warn", "danger"]
    text: str
    parks: bool = False
    cause: str = ""


class TriedAgain(_Payload):
    """The clock had a model asked again that gave no answer."""

    kind: Literal["tried_again"] = "tried_again"


class DecisionAsked(_Payload):
    """The run reached a decision of its runbook: people choose by button, and the run goes on with the answer."""

    kind: Literal["decision_asked"] = "decision_asked"
    step: int
    question: str
    options: tuple[str, ...]


class PersonDirected(_Payload):
    """A person gave a run its course: answered a decision, skipped or retried a step, took over, handed back; or had
    a model asked again that gave no answer.

    `text` is told to the people and to the model. `goes_on` = it is the model's turn; else it waits for a person.
    """

    kind: Literal["person_directed"] = "person_directed"
    membership_id: UUID
    name: str
    role: str
    deed: Literal["answer", "skip", "retry", "done", "undone", "take_over", "hand_back", "start", "try_again"]
    step: int = 0
    text: str
    goes_on: bool


Event = Annotated[
    UserSaid
    | PersonStarted
    | PersonDirected
    | ModelReplied
    | CallRefused
    | ActionChanged
    | StateChanged
    | TriedAgain
    | DecisionAsked
    | Notice,
    Field(discriminator="kind"),
]
_adapter: TypeAdapter[Event] = TypeAdapter(Event)


def read_event(payload: object) -> Event:
    """The typed event of a stored payload. Raises pydantic's ValidationError for one that no version wrote."""
    return _adapter.validate_python(payload)
