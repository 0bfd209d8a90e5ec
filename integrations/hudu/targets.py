"""Records that a call may touch: looked up here, and of the signal's own company or refused (I7).

Neither a filter nor a route of the vendor vouches for whose a record is: every answer is looked at once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, TypeVar

from pydantic import Field, JsonValue

from integrations.errors import TargetRefused, ToolUnavailable, VendorNotFound
from integrations.hudu import schemas
from integrations.hudu.client import LABEL, HuduClient
from integrations.tools import ToolContext

Id = Annotated[int, Field(ge=1, le=2**53 - 1)]
"""A record's id at Hudu."""

O = TypeVar("O", bound=schemas.Owned)  # noqa: E741  # as short as its neighbours


def client_of(context: ToolContext) -> HuduClient:
    """The client that dispatch opened for this call."""
    if not isinstance(context.client, HuduClient):
        raise ToolUnavailable(f"{LABEL} is not connected.")
    return context.client


def company_id_of(context: ToolContext) -> int:
    """The signal's company as the vendor numbers it, from the link and from nothing that a model says."""
    external = context.company_external_id
    if not (external.isascii() and external.isdigit()) or len(external) > 16:
        raise ToolUnavailable(f"{context.company.name} is not linked to a company in {LABEL}.")
    return int(external)


def own(context: ToolContext, records: Iterable[O]) -> list[O]:
    """Those of the records that the vendor itself says are the company's."""
    wanted = company_id_of(context)
    return [one for one in records if one.company_id == wanted]


def asset_of(context: ToolContext, asset_id: int, layouts: Mapping[int, schemas.Layout]) -> schemas.Asset:
    """The asset, when it belongs to the company. Raises TargetRefused."""
    wanted = company_id_of(context)
    return _owned(context, asset_id, "asset", lambda: client_of(context).asset(wanted, asset_id, layouts))


def article_of(context: ToolContext, article_id: int) -> schemas.Article:
    """The article, when it belongs to the company; those of no company are not its own. Raises TargetRefused."""
    return _owned(context, article_id, "article", lambda: client_of(context).article(article_id))


def _owned(context: ToolContext, number: int, word: str, look_up: Callable[[], O]) -> O:
    """The record; one that is another's and one that is not there are refused alike."""
    wanted = company_id_of(context)
    try:
        record = look_up()
    except VendorNotFound:
        record = None
    if record is None or record.id != number or record.company_id != wanted:
        raise TargetRefused(f"{number} is not an {word} of {context.company.name}.")
    return record


def ownership(context: ToolContext) -> JsonValue:
    """Whose a target is, as a target's state holds it."""
    return {"id": company_id_of(context), "name": context.company.name}
