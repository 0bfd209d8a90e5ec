"""Reading a list page by page: the newest first, each row once, whatever is written meanwhile."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from junto.desk.mcp.offers import CannotAnswer
from signals.rest.feed import BadCursor, Cursor

Rows = TypeVar("Rows", bound=QuerySet[Any])


def page_of(rows: Rows, *, by: str, cursor: str, most: int) -> tuple[list[Any], str | None]:
    """At most `most` of `rows` behind `cursor`, the newest by the moment `by` first, and the cursor of the next page.

    Raises:
        CannotAnswer: this is no cursor of an answer.
    """
    if cursor:
        rows = rows.filter(_behind(cursor, by))
    found = list(rows.order_by(f"-{by}", "id")[: most + 1])
    page = found[:most]
    if len(found) <= most:
        return page, None
    return page, str(Cursor(_moment(page[-1], by), page[-1].pk))


def _behind(cursor: str, by: str) -> Q:
    try:
        place = Cursor.parse(cursor)
    except BadCursor:
        place = None
    if place is None or place.last is None:
        raise CannotAnswer("`cursor` is none that an answer gave. Leave it out to begin with the first page.")
    return Q(**{f"{by}__lt": place.moment}) | Q(**{by: place.moment, "id__gt": place.last})


def _moment(row: Any, by: str) -> datetime:
    moment: datetime = getattr(row, by)
    return moment


def missing(what: str, wanted: UUID, how: str) -> CannotAnswer:
    """The refusal of an id that is not there, or not for this token."""
    return CannotAnswer(f"There is no {what} {wanted} here, or it is not for this token to see. {how}")
