"""Sessions on an OpenAI-compatible server that follows a script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.agent.cases import SessionTestCase
from tests.scripted_model import Asks, ModelServer, ScriptedModel, Step


class ModelTestCase(SessionTestCase):
    """`with self.model(Says(...), ...)`: the configured endpoint answers so, in this order."""

    @contextmanager
    def model(self, *script: Step) -> Iterator[ScriptedModel]:
        """An OpenAI-compatible server on loopback that follows a script, and nothing beside it."""
        with ScriptedModel(*script) as server:
            self.point_at(server)
            yield server
            assert not server.unlisted

    def point_at(self, server: ModelServer) -> None:
        """Configure `server` as the model endpoint."""
        self.settings.LLM_BASE_URL, self.settings.LLM_API_KEY = server.base_url, server.key
        self.settings.LLM_MODEL = server.model
        host, port = server.address.split(":")
        self.settings.LOCAL_TARGETS = self.settings.LOCAL_TARGETS | {(host, int(port))}

    def look(self) -> Asks:
        """The model reads the ticket."""
        return Asks("connectwise.get_ticket", {"ticket_id": int(self.signal.external_id)})

    def note(self, text: str = "Checked the gateway.") -> Asks:
        """The model asks for an internal note on the ticket."""
        return Asks("connectwise.add_internal_note", {"ticket_id": int(self.signal.external_id), "text": text})
