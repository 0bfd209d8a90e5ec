"""IT Glue's error answers, as JSON:API writes them."""

from __future__ import annotations

from integrations.sandbox.json_types import Json, Record

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Record not found",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
}


class Problem(Exception):
    """A request refused. Nothing has been changed."""

    def __init__(self, status: int, detail: str, *, pointer: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.pointer = pointer

    def body(self) -> Json:
        """The body as the vendor writes it."""
        told: Record = {"status": str(self.status), "title": _TITLES[self.status], "detail": self.detail}
        if self.pointer:
            told["source"] = {"pointer": self.pointer}
        return {"errors": [told]}


def not_found(number: str) -> Problem:
    """No such record for this account."""
    return Problem(404, f"The record identified by {number[:40]} could not be found.")
