"""A session through the egress gate to a server that answers as it likes, and an errand that may write."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_django import Settings

from integrations.connectwise import endpoints
from integrations.connectwise.schemas import ErrorBody
from integrations.http import (
    VendorSession,
)
from integrations.warrants import Errand, Warrant
from tests.integrations.rogue import Respond, Rogue, rogue_server

SECRET = "pR1vateKeyValue"
TICKETS = "/service/tickets"
NOTES = "/service/tickets/7/notes"


@contextmanager
def session_to(
    settings: Settings, *responses: Respond, seconds: float = 5.0, **errand: Any
) -> Iterator[tuple[VendorSession, Rogue, Errand]]:
    """A session to a rogue server, its errand, and the server."""
    with rogue_server(*responses) as rogue:
        settings.LOCAL_TARGETS = frozenset({("127.0.0.1", rogue.port)})
        what_for = Errand(deadline=time.monotonic() + seconds, **errand)
        session = VendorSession(
            label="ConnectWise PSA",
            base_url=rogue.base_url,
            endpoints=endpoints.ENDPOINTS,
            errand=what_for,
            headers={"Authorization": f"Basic {SECRET}"},
            secrets=(SECRET,),
            explain=ErrorBody.words,
            lane=str(uuid.uuid4()),
        )
        yield session, rogue, what_for
        session.close()


def granted(**changes: Any) -> dict[str, Any]:
    """An errand's fields with a warrant that fits, but for the changes to the warrant."""
    warrant = Warrant(
        action_id=uuid.uuid4(),
        digest="d" * 64,
        tool_pin="p" * 64,
        fence=1,
        deadline=datetime.now(UTC) + timedelta(seconds=30),
    )
    return {"tool_pin": "p" * 64, "digest": "d" * 64, "warrant": dataclasses.replace(warrant, **changes)}
