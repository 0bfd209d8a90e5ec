"""NinjaOne's error answers: a result code, words and an incident's number; those of OAuth have another shape."""

from __future__ import annotations

import uuid

from integrations.sandbox.json_types import Json


class Problem(Exception):
    """A request refused. Nothing has been changed."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> Json:
        """The body as the vendor writes it."""
        return {"resultCode": "FAILURE", "errorMessage": self.message, "incidentId": str(uuid.uuid4())}


class OAuthProblem(Problem):
    """A refusal of the token endpoint, named by the code that RFC 6749 gives it."""

    def body(self) -> Json:
        """The body as RFC 6749 wants it."""
        return {"error": self.message}


def not_found(kind: str) -> Problem:
    """No such record for these credentials."""
    return Problem(404, f"{kind} not found")
