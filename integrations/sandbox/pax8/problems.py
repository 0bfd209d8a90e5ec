"""Pax8's error answers; those of the token service differ."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.sandbox.json_types import Json

_TYPES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    422: "UNPROCESSABLE_ENTITY",
    429: "TOO_MANY_REQUESTS",
}


class Problem(Exception):
    """A request refused. Nothing has been changed. `retry_after` in seconds, where the caller has to wait."""

    def __init__(self, status: int, message: str, *, reasons: Sequence[str] = (), retry_after: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reasons = reasons
        self.retry_after = retry_after

    def body(self, path: str) -> Json:
        """The body as the API writes it."""
        common: dict[str, Json] = {"instance": path, "status": self.status}
        details: list[Json] = [{"type": "BAD_REQUEST", "message": reason, **common} for reason in self.reasons]
        return {"type": _TYPES[self.status], "message": self.message, **common, "details": details}


class TokenProblem(Problem):
    """A refusal of the token service."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(status, description)
        self.error = error

    def body(self, path: str) -> Json:
        """The body as the token service writes it."""
        return {"error": self.error, "error_description": self.message}


def not_found(what: str) -> Problem:
    """No such record."""
    return Problem(404, f"{what} not found")
