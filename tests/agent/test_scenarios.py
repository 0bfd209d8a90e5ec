"""Stories of whole sessions, told in tests/scenarios/*.yaml: a ticket, what the model answers, what people do, the end.

`$ticket` stands for the ticket's number. What is expected: the events in order, the effects in the vendor's log, words
that those effects carry, and words that the model was told in its last request.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from agent.events import ActionChanged, CallRefused, Event, ModelReplied, StateChanged
from agent.models import AgentSession
from agent.tasks import sweep_sessions
from approvals.models import Action, Origin
from approvals.services import NotYours, decide_action, pass_on, preview_change, take_lease
from junto.tenants.models import Membership
from tests.agent.model_cases import ModelTestCase
from tests.scripted_model import Asks, Says

FOLDER = Path(__file__).resolve().parent.parent / "scenarios"
Arguments = dict[str, JsonValue]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ticket(_Told):
    """The signal."""

    summary: str
    text: str
    company: str = "HARBOR"


class Reply(_Told):
    """One answer of the model; each call is a tool's name with its arguments."""

    says: str = ""
    calls: list[dict[str, Arguments]] = []


class Start(_Told):
    """Somebody starts the agent."""

    do: Literal["start"]
    by: str


class Say(_Told):
    """Somebody writes in the chat."""

    do: Literal["say"]
    by: str
    text: str


class Verdict(_Told):
    """Somebody decides the waiting request of a tool, with changed arguments perhaps."""

    do: Literal["approve", "approve_session", "deny"]
    by: str
    tool: str
    reason: str = ""
    changed: Arguments | None = None
    may_not: bool = False


class PassOn(_Told):
    """Somebody hands the decision to those who may."""

    do: Literal["pass_on"]
    by: str
    tool: str


class Mishap(_Told):
    """A worker takes the session and dies; later its lease ends and the sweep comes by."""

    do: Literal["worker_dies", "lease_ends"]


class Ending(_Told):
    """What must have come of it."""

    state: str
    events: list[str]
    effects: list[str] = []
    sent: list[str] = []
    told: list[str] = []


class Story(_Told):
    """One file."""

    story: str
    ticket: Ticket
    model: list[Reply]
    steps: list[Annotated[Start | Say | Verdict | PassOn | Mishap, Field(discriminator="do")]]
    ends: Ending


def read(path: Path, *, ticket: int) -> Story:
    """The story in a file, with `$ticket` filled in. Raises pydantic's ValidationError for what is no story."""
    text = path.read_text().replace("$ticket", str(ticket))
    return TypeAdapter(Story).validate_python(yaml.safe_load(text))


class ScenarioTest(ModelTestCase):
    """A test for each file, added below."""

    def play(self, path: Path) -> None:
        """Tell the story and compare its end."""
        told = read(path, ticket=0).ticket
        self.signal = self.ticket(told.summary, told.text, company=told.company)
        story = read(path, ticket=int(self.signal.external_id))
        script = [
            Says(reply.says, calls=[Asks(*call) for calls in reply.calls for call in calls.items()])
            for reply in story.model
        ]
        with self.model(*script) as server:
            for step in story.steps:
                self.take(step)
            assert server.is_finished, "the model was not asked as often as the story says"
        session = self.session()
        assert [in_words(event) for event in self.events(session)] == story.ends.events
        assert session.state == story.ends.state
        effects = self.sandbox.effects()
        assert [f"{row['method']} {row['route']}" for row in effects] == story.ends.effects
        sent = json.dumps([row["body"] for row in effects], ensure_ascii=False)
        assert [words for words in story.ends.sent if words not in sent] == []
        last = json.dumps(server.requests[-1].messages, ensure_ascii=False)
        assert [words for words in story.ends.told if words not in last] == []

    def take(self, step: Start | Say | Verdict | PassOn | Mishap) -> None:
        """One step, after which the agent works until it rests."""
        if isinstance(step, Start):
            self.start(self.member(step.by))
        elif isinstance(step, Say):
            self.say(self.session(), step.text, self.member(step.by))
        elif isinstance(step, Verdict):
            self.judge(step)
        elif isinstance(step, PassOn):
            pass_on(action_id=self.request(step.tool).pk, actor=self.actor(self.member(step.by)))
        elif step.do == "worker_dies":
            assert take_lease(self.session().origin, seconds=20) is not None
        else:
            over = timezone.now() - timedelta(seconds=1)
            Origin.unscoped.filter(pk=self.session().origin_id).update(lease_until=over)
            sweep_sessions.call("")
        self.drain()

    def judge(self, step: Verdict) -> None:
        """A decision, with the digest of what the person saw; refused where the story says that they may not."""
        action, actor = self.request(step.tool), self.actor(self.member(step.by))
        digest = action.digest
        arguments, target_digest = None, ""
        if step.changed is not None:
            arguments = {**action.arguments, **step.changed}
            shown = preview_change(action_id=action.pk, actor=actor, arguments=arguments)
            digest, target_digest = shown.digest, shown.target_digest

        def decide() -> None:
            decide_action(
                action_id=action.pk,
                actor=actor,
                verdict=step.do,
                digest=digest,
                reason=step.reason,
                arguments=arguments,
                target_digest=target_digest,
            )

        if step.may_not:
            with pytest.raises(NotYours):
                decide()
        else:
            decide()

    def request(self, tool: str) -> Action:
        """The one request of that tool that waits."""
        (found,) = [action for action in self.waiting(self.session()) if action.tool == tool]
        return found

    def session(self) -> AgentSession:
        """The ticket's session."""
        return AgentSession.unscoped.select_related("organization", "origin").get(signal=self.signal)

    def member(self, name: str) -> Membership:
        """Somebody of the cast."""
        found: Membership = getattr(self, name)
        return found


def in_words(event: Event) -> str:
    """An event as the stories name it."""
    if isinstance(event, StateChanged):
        return f"session {event.state}"
    if isinstance(event, ActionChanged):
        return f"{event.tool} {event.state}"
    if isinstance(event, ModelReplied):
        return "model replies"
    if isinstance(event, CallRefused):
        return f"{event.name} malformed"
    return event.kind.replace("_", " ")


def _test(path: Path) -> Callable[[ScenarioTest], None]:
    def test(case: ScenarioTest) -> None:
        case.play(path)

    return test


for _path in sorted(FOLDER.glob("*.yaml")):
    setattr(ScenarioTest, f"test_{_path.stem}", _test(_path))
