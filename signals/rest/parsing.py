"""Reading the body of a delivery: bounded in size, and no ticket in it can make the others unreadable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

from signals.intake.cleaning import MOST_LEVELS, whole_number

#: Where a body too deep for Python's parser is cut: what is left is still too deep for the ticket it stands in.
_CUT_BELOW = 2 * MOST_LEVELS
#: A text, closed or not, or a bracket outside of texts.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


class BodyTooLarge(APIException):
    """The request is larger than `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self) -> None:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024 // 1024
        super().__init__(f"The request is larger than {limit} MiB: send fewer items at once.")


class BoundedJSONParser(JSONParser):
    """DRF's parser reads a body of any size; this one stops at Django's own limit and survives deep nesting.

    A number too long to be read stands in the result as `Unreadable`.
    """

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, object] | None = None
    ) -> Any:
        """The body as JSON.

        Raises:
            BodyTooLarge: it is larger than Django's limit for bodies.
            ParseError: it is no JSON in UTF-8; says where.
        """
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ParseError(f"The body is not UTF-8 (byte {error.start}).") from None
        try:
            return _read(text)
        except RecursionError:
            return _read("".join(_shallow(text)))


def _read(text: str) -> object:
    try:
        found: object = json.loads(text, parse_constant=_refuse_constant, parse_int=whole_number)
    except ValueError as error:
        raise ParseError(f"The body is no JSON: {error}.") from None
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not allowed")


def _shallow(text: str) -> Iterator[str]:
    """The pieces of a JSON text without what is nested deeper than the cut. Raises ParseError where it never ends."""
    level, start = 0, 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            level += 1
            if level == _CUT_BELOW:
                yield text[start : token.start()]
                yield "[]"
        elif token[0] in "]}":
            if level == _CUT_BELOW:
                start = token.end()
            level -= 1
    if level >= _CUT_BELOW:
        raise ParseError("The body is no JSON: it is nested too deeply and does not end.")
    yield text[start:]
