"""Streamed text on its way to the sockets: a few frames a second, ephemeral; the final event replaces them."""

from __future__ import annotations

import time
from uuid import UUID

from agent.models import AgentSession
from junto.crashpoints import crashpoint
from junto.engine import push

#: Seconds between two frames of one run (TRUST (d): coalesced to at most 10 frames a second a run).
FRAME_SECONDS = 0.1
#: Seconds between two looks whether somebody pressed Stop.
STOP_LOOK_SECONDS = 0.5


#: Characters of one reply's text that are shown and kept.
MOST_TEXT = 50_000


class StopPressed(Exception):
    """The session was stopped while the model was writing."""


def session_group(signal_id: UUID) -> str:
    """The channel group of one signal's page; made by the server from the signal's own id, never from a request."""
    return f"signal.{signal_id.hex}"


class Stream:
    """Takes the model's text piece by piece. Raises StopPressed out of the model's call when the session ended.

    `text` is what came so far, without what is too long to be kept.
    """

    def __init__(self, session: AgentSession) -> None:
        self._session = session
        self._run = f"{session.pk}:{session.last_number + 1}"
        self._held = self.text = ""
        self._sent_at = self._looked_at = time.monotonic()

    def __call__(self, text: str) -> None:
        """One piece."""
        text = text[: MOST_TEXT - len(self.text)]
        self._held += text
        self.text += text
        crashpoint("C6")
        now = time.monotonic()
        if now - self._looked_at >= STOP_LOOK_SECONDS:
            self._looked_at = now
            self._stop_if_ended()
        if now - self._sent_at >= FRAME_SECONDS:
            self._sent_at = now
            self._send()

    def end(self) -> None:
        """Send what is left, and the word that the final event follows."""
        self._send()
        message = {"type": "stream.end", "session": str(self._session.pk), "run": self._run}
        push(session_group(self._session.signal_id), message)

    def _send(self) -> None:
        if self._held:
            message = {"type": "stream.delta", "session": str(self._session.pk), "run": self._run, "text": self._held}
            push(session_group(self._session.signal_id), message)
            self._held = ""

    def _stop_if_ended(self) -> None:
        rows = AgentSession.objects.for_organization(self._session.organization)
        if not rows.filter(pk=self._session.pk, state__in=AgentSession.LIVE).exists():
            raise StopPressed
