"""Sessions on an OpenAI-compatible server that follows a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pytest_django import Settings

from tests.agent.cases import SessionTestCase
from tests.scripted_model import Asks, ModelServer, Says, ScriptedModel, SeenRequest, Step


class ModelEndpoint:
    """`with self.model(Says(...), ...)`: the configured endpoint answers so, in this order."""

    settings: Settings
    #: Whether the script is for what processors ask.
    for_processors = False

    @contextmanager
    def model(self, *script: Step) -> Iterator[ScriptedModel]:
        """An OpenAI-compatible server on loopback that follows a script, and nothing beside it."""
        with ScriptedModel(*script) as server:
            server.for_processors = self.for_processors
            self.point_at(server)
            yield server
            assert not server.unlisted

    @contextmanager
    def answering(self, first: Callable[[SeenRequest], Step], *, always: bool = False) -> Iterator[AnsweringModel]:
        """A server that any number of conversations may talk to at once, all treated alike."""
        with AnsweringModel(first, always=always) as server:
            self.point_at(server)
            yield server

    def point_at(self, server: ModelServer) -> None:
        """Configure `server` as the model endpoint."""
        self.settings.LLM_BASE_URL, self.settings.LLM_API_KEY = server.base_url, server.key
        self.settings.LLM_MODEL = server.model
        host, port = server.address.split(":")
        self.settings.LOCAL_TARGETS = self.settings.LOCAL_TARGETS | {(host, int(port))}


class ModelTestCase(ModelEndpoint, SessionTestCase):
    """Sessions on real input, whose model follows a script."""

    def look(self) -> Asks:
        """The model reads the ticket."""
        return Asks("connectwise.get_ticket", {"ticket_id": int(self.signal.external_id)})

    def note(self, text: str = "Checked the gateway.") -> Asks:
        """The model asks for an internal note on the ticket."""
        return Asks("connectwise.add_internal_note", {"ticket_id": int(self.signal.external_id), "text": text})


class AnsweringModel(ModelServer):
    """Answers the first request of each conversation, with `always` all of them, with what `first` makes of it."""

    for_processors = True

    def __init__(self, first: Callable[[SeenRequest], Step], *, always: bool = False) -> None:
        super().__init__()
        self._first, self._always = first, always

    def answer(self, request: SeenRequest) -> Step | None:
        said = [message for message in request.messages if message.get("role") == "assistant"]
        return Says("That is all.") if said and not self._always else self._first(request)
