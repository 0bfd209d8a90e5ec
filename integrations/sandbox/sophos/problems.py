"""Sophos Central's error answers: a word, a message and numbers to quote; those of the identity server differ."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from integrations.sandbox.json_types import Json


class Problem(Exception):
    """A request refused. Nothing has been changed."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message

    def body(self) -> Json:
        """The body as the APIs write it."""
        return {
            "error": self.error,
            "message": self.message,
            "correlationId": str(uuid.uuid4()),
            "requestId": str(uuid.uuid4()),
            "createdAt": datetime.now(tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "docUrl": "https://developer.sophos.com/",
        }


class IdentityProblem(Problem):
    """A refusal of the identity server."""

    def body(self) -> Json:
        """The body as the identity server writes it."""
        return {"errorCode": self.error, "message": self.message, "trackingId": str(uuid.uuid4())}


def not_found(what: str) -> Problem:
    """No such record in this tenant."""
    return Problem(404, "resourceNotFound", f"{what} not found")


def bad_request(words: str) -> Problem:
    """A request that cannot be meant."""
    return Problem(400, "badRequest", words)
