"""What Junto wrote on a ticket tells of the company that the ticket was of then: a tool for another one leaves it out.

Systems move a ticket with all that stands on it. People's words went along with it as they meant it to; ours may hold
what was looked up for the former company. We know them by the mark in their text, or by the record that a write left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, TypeVar

from integrations.marks import reference_of, references_in
from integrations.models import ExternalRef
from integrations.tools import ToolContext

Row = TypeVar("Row")


class Written(NamedTuple):
    """A record at the vendor: its kind as `ExternalRef` has it, its id there, and all of its text."""

    kind: str
    id: str
    text: str


def of_this_company(context: ToolContext, rows: Sequence[Row], as_written: Callable[[Row], Written]) -> list[Row]:
    """The rows without those that an action of ours wrote for another company than the context's, or that bear the
    mark of an action that we do not know.
    """
    written = [as_written(row) for row in rows]
    left = _references(context, written)
    behind = [{*references_in(each.text), *filter(None, [left.get((each.kind, each.id))])} for each in written]
    asked = frozenset[str]().union(*behind)
    others = frozenset(context.not_for_company(asked)) if asked else frozenset[str]()
    return [row for row, actions in zip(rows, behind, strict=True) if not actions & others]


def _references(context: ToolContext, written: Collection[Written]) -> dict[tuple[str, str], str]:
    """By kind and id, the reference of the action that left the record."""
    if context.connection_id is None or not written:
        return {}
    rows = ExternalRef.objects.for_organization(context.organization).filter(
        connection=context.connection_id,
        kind__in={each.kind for each in written},
        external_id__in={each.id for each in written},
    )
    return {(row.kind, row.external_id): reference_of(row.action_id) for row in rows}
