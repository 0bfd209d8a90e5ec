"""Graph's error answers, and those of the sign-in service, which have another shape."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from integrations.sandbox.json_types import Json


class Problem(Exception):
    """A request refused. Nothing has been changed."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def body(self) -> Json:
        """The body as the vendor writes it."""
        request = str(uuid.uuid4())
        now = datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
        inner: Json = {"date": now, "request-id": request, "client-request-id": request}
        return {"error": {"code": self.code, "message": self.message, "innerError": inner}}


class LoginProblem(Problem):
    """A refusal of the sign-in service: a code of RFC 6749, and a number that says more."""

    def __init__(self, status: int, error: str, number: int, message: str) -> None:
        super().__init__(status, error, message)
        self.number = number

    def body(self) -> Json:
        """The body as the vendor writes it."""
        trace = str(uuid.uuid4())
        told = f"AADSTS{self.number}: {self.message} Trace ID: {trace} Correlation ID: {trace}"
        return {
            "error": self.code,
            "error_description": told,
            "error_codes": [self.number],
            "timestamp": datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ"),
            "trace_id": trace,
            "correlation_id": trace,
        }


def not_found(name: str) -> Problem:
    """No such record in this tenant."""
    return Problem(
        404,
        "Request_ResourceNotFound",
        f"Resource '{name}' does not exist or one of its queried reference-property objects are not present.",
    )


def bad_request(message: str) -> Problem:
    """What was asked makes no sense."""
    return Problem(400, "Request_BadRequest", message)


def denied() -> Problem:
    """The permission was not consented."""
    return Problem(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
