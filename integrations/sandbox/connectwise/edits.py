"""Writing records: creation bodies and PATCH arrays, checked field by field against the record's shape.

Everything is applied to a draft; a request with one bad field changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC

from integrations.sandbox.connectwise.conditions import parse_moment
from integrations.sandbox.connectwise.problems import FieldProblem, Problem, bad_reference, bad_value, invalid, missing
from integrations.sandbox.connectwise.shapes import Field, Shape, Type, reference_columns
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World

_BOARD_SCOPED = frozenset({"status", "type", "subtype", "item"})


class BadField(Exception):
    """A value that a field cannot take."""

    def __init__(self, problem: FieldProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def require_object(body: Json, resource: str) -> Record:
    """The body of a creation, which must be a JSON object."""
    if not isinstance(body, dict):
        raise invalid(resource, bad_value("", "The body must be a JSON object."))
    return body


def create_draft(world: World, shape: Shape, body: Record, *, also: Mapping[str, Field] | None = None) -> Record:
    """A new record from a creation body; `also` are fields taken at creation only. Raises Problem."""
    problems: list[FieldProblem] = []
    draft: Record = {}
    fields = {**shape.fields, **(also or {})}
    for name in _board_first(body):
        value = body[name]
        try:
            if name == "id" and value in (0, None):
                continue
            _assign(world, fields, draft, name, value)
        except BadField as error:
            problems.append(error.problem)
    refused = {problem.field.split("/")[0] for problem in problems}
    problems += [missing(name) for name in shape.required if name not in refused and draft.get(name) in (None, "")]
    if problems:
        raise invalid(shape.resource, *problems)
    return draft


def patch_draft(world: World, shape: Shape, record: Record, body: Json) -> tuple[Record, set[str]]:
    """A changed copy of a record after a PATCH array, and the names of the fields it touched. Raises Problem."""
    if not isinstance(body, list) or not body:
        raise Problem(400, "InvalidPatch", "The body must be an array of patch operations.")
    draft = deepcopy(record)
    touched: set[str] = set()
    problems: list[FieldProblem] = []
    operations = [_read_operation(entry) for entry in body]
    # The board goes first whatever the order was: statuses and types are looked up on the new board.
    for path, value in sorted(operations, key=lambda operation: operation[0].split("/")[0] != "board"):
        name = path.split("/")[0]
        touched.add(name)
        try:
            _assign(world, shape.fields, draft, name, _whole_value(shape, path, value))
            if name in shape.required and draft.get(name) in (None, ""):
                raise BadField(missing(name))
        except BadField as error:
            problems.append(error.problem)
    if problems:
        raise invalid(shape.resource, *problems)
    return draft, touched


def find_reference(world: World, kind: str, field: str, value: Json, board: Json = None) -> int | None:
    """The id that a reference such as `{"id": 5}` or `{"name": "New"}` means; None for null. Raises BadField."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadField(bad_reference(field, f"{field} must be an object with an id."))
    number = value.get("id")
    if isinstance(number, int) and not isinstance(number, bool):
        if world.get(kind, number) is None:
            raise BadField(bad_reference(field, f"{field} {number} does not exist."))
        return number
    if "id" in value and number is not None:
        raise BadField(bad_reference(field, f"{field}/id must be an integer."))
    columns = reference_columns(kind)
    wanted = {name: part for name, part in value.items() if name in ("identifier", "name") and name in columns}
    if not wanted or not all(isinstance(part, str) for part in wanted.values()):
        raise BadField(bad_reference(field, f"{field} must name an id, identifier or name."))
    found = [
        record
        for record in world.all(kind)
        if all(_same_text(columns[name][1](record), part) for name, part in wanted.items())
        and (kind not in _BOARD_SCOPED or board is None or record.get("board") == board)
    ]
    if len(found) != 1:
        number = "no" if not found else "more than one"
        raise BadField(bad_reference(field, f"There is {number} {field} {wanted}."))
    only = found[0].get("id")
    return only if isinstance(only, int) else None


def _assign(world: World, fields: Mapping[str, Field], draft: Record, name: str, value: Json) -> None:
    field = fields.get(name)
    if field is None:
        raise BadField(bad_value(name, f"{name} is not a field of this record."))
    if field.read_only:
        raise BadField(bad_value(name, f"{name} cannot be set."))
    if value is None:
        draft.pop(name, None)
        return
    draft[name] = _checked(world, field, name, value, draft.get("board"))


def _checked(world: World, field: Field, name: str, value: Json, board: Json) -> Json:
    if field.type is Type.REFERENCE:
        return find_reference(world, field.target, name, value, board)
    if field.type is Type.TEXT:
        return _text(field, name, value)
    if field.type is Type.BOOL:
        if not isinstance(value, bool):
            raise BadField(bad_value(name, f"{name} must be true or false."))
        return value
    if field.type is Type.NUMBER:
        fits = isinstance(value, int) if field.whole else isinstance(value, int | float)
        if not fits or isinstance(value, bool):
            raise BadField(bad_value(name, f"{name} must be {'an integer' if field.whole else 'a number'}."))
        return value
    if field.type is Type.DATE:
        return _moment(name, value)
    if not isinstance(value, list):
        raise BadField(bad_value(name, f"{name} must be an array."))
    return value


def _text(field: Field, name: str, value: Json) -> str:
    if not isinstance(value, str):
        raise BadField(bad_value(name, f"{name} must be text."))
    if field.max_length is not None and len(value) > field.max_length:
        raise BadField(
            FieldProblem("MaxLength", f"The {name} field may be at most {field.max_length} characters.", name)
        )
    if field.choices and value not in field.choices:
        raise BadField(bad_value(name, f"{name} must be one of {', '.join(field.choices)}."))
    return value


def _moment(name: str, value: Json) -> str:
    """Moments are kept in UTC and in one form, so that their text order is their order in time."""
    if not isinstance(value, str):
        raise BadField(bad_value(name, f"{name} must be a date."))
    try:
        moment = parse_moment(value)
    except ValueError as error:
        raise BadField(bad_value(name, f"{name} must be an ISO 8601 date.")) from error
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _whole_value(shape: Shape, path: str, value: Json) -> Json:
    """What a path's whole field takes: a value at `status/name` becomes the reference `{"name": value}`."""
    name, *rest = path.split("/")
    if not rest or value is None:
        return value
    field = shape.fields.get(name)
    if field is None or field.type is not Type.REFERENCE or len(rest) != 1:
        raise BadField(bad_value(path, f"{path} cannot be patched."))
    return {rest[0]: value}


def _read_operation(entry: Json) -> tuple[str, Json]:
    """The path and value of one operation; `remove` is the value null."""
    if not isinstance(entry, dict) or set(entry) - {"op", "path", "value"}:
        raise Problem(400, "InvalidPatch", "A patch operation has op, path and value.")
    op, path = entry.get("op"), entry.get("path")
    if not isinstance(op, str) or op.lower() not in ("add", "replace", "remove"):
        raise Problem(400, "InvalidPatch", f"'{op}' is not a patch operation.")
    if not isinstance(path, str) or not path.strip("/"):
        raise Problem(400, "InvalidPatch", "A patch operation needs a path.")
    if op.lower() != "remove" and "value" not in entry:
        raise Problem(400, "InvalidPatch", f"The operation on '{path}' has no value.")
    return path.strip("/"), None if op.lower() == "remove" else entry.get("value")


def _board_first(body: Record) -> list[str]:
    return sorted(body, key=lambda name: name != "board")


def _same_text(value: Json, wanted: Json) -> bool:
    return isinstance(value, str) and isinstance(wanted, str) and value.casefold() == wanted.casefold()
