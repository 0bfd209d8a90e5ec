"""ConnectWise's error answers. The shape is its ErrorResponseMessage: code, message, errors."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.sandbox.json_types import Json


@dataclass(frozen=True)
class FieldProblem:
    """One entry of `errors`."""

    code: str
    message: str
    field: str


class Problem(Exception):
    """A request refused. Nothing has been changed."""

    def __init__(self, status: int, code: str, message: str, resource: str = "", *problems: FieldProblem) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.resource = resource
        self.problems = problems

    def body(self) -> Json:
        """The body as the vendor writes it."""
        return {
            "code": self.code,
            "message": self.message,
            "errors": [
                {"code": one.code, "message": one.message, "resource": self.resource, "field": one.field}
                for one in self.problems
            ],
        }


def bad_query(message: str) -> Problem:
    """A filter, order, projection or page that cannot be understood. It never means "everything"."""
    return Problem(400, "InvalidQuery", message)


def not_found(resource: str, number: int) -> Problem:
    """No such record for these credentials."""
    return Problem(404, "NotFound", f"{resource} {number} not found")


def invalid(resource: str, *problems: FieldProblem) -> Problem:
    """A record that cannot be stored like this."""
    return Problem(400, "InvalidObject", f"{resource} object is invalid", resource, *problems)


def missing(field: str) -> FieldProblem:
    """A required field that was left out or emptied."""
    return FieldProblem("MissingRequiredField", f"The {field} field is required.", field)


def bad_reference(field: str, message: str) -> FieldProblem:
    """A reference to something that does not exist or does not belong there."""
    return FieldProblem("InvalidReference", message, field)


def bad_value(field: str, message: str) -> FieldProblem:
    """A value of the wrong type, length or range."""
    return FieldProblem("InvalidValue", message, field)
