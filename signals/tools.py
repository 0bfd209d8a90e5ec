"""Our own read tools over signals: of the same company only, for prompt and screen alike (I7)."""

from __future__ import annotations

from typing import Annotated

from django.db.models import Prefetch
from pydantic import Field, JsonValue

from integrations.tools import Scope, ToolArguments, ToolContext, ToolResult, tool
from signals.facts import vendor_id
from signals.models import Signal, SignalNote

#: Characters of a note or description that one row may carry into a prompt.
EXCERPT = 400


class SearchSignals(ToolArguments):
    """What to look for."""

    query: Annotated[str, Field(max_length=200, description="Words, or their beginnings, that all must occur.")]
    closed: bool | None = Field(None, description="True: only closed ones; false: only open ones; left out: both.")
    limit: Annotated[int, Field(ge=1, le=25, description="How many at most, newest first.")] = 10


def _title(arguments: SearchSignals) -> str:
    return f"Search this company's signals for “{arguments.query}”"


@tool(
    name="junto.search_signals",
    label="Search signals",
    description=(
        "Searches the tickets of this company that Junto has seen, open and closed, by words of their number, "
        "subject or description, or their beginnings, and shows how each ended."
    ),
    arguments=SearchSignals,
    title=_title,
    scope=Scope.COMPANY,
)
def search_signals(context: ToolContext, arguments: SearchSignals) -> ToolResult:
    """Signals of the context's company; the one the session is about is left out."""
    found = Signal.objects.for_organization(context.organization).filter(company=context.company)
    found = found.search(arguments.query, organization=context.organization).signals
    found = found.select_related("board").defer("raw", "words").order_by("-source_updated_at", "id")
    if context.subject.startswith("signal:"):
        found = found.exclude(pk=context.subject.removeprefix("signal:"))
    if arguments.closed is not None:
        found = found.filter(closed_at_source=arguments.closed)
    notes = SignalNote.objects.for_organization(context.organization).of_company_now()
    rows = [_row(signal) for signal in found.prefetch_related(Prefetch("notes", notes))[: arguments.limit]]
    words = f"{len(rows)} {'signal' if len(rows) == 1 else 'signals'}" if rows else "No signal"
    return ToolResult(content={"signals": rows}, summary=f"{words} found for “{arguments.query}”.", foreign=True)


def _row(signal: Signal) -> JsonValue:
    last = max(signal.notes.all(), key=lambda note: note.written_at, default=None)
    return {
        "ticket_id": vendor_id(signal.external_id),
        "subject": signal.subject,
        "state": signal.get_state_display(),
        "status": signal.source_status or None,
        "closed": signal.closed_at_source,
        "board": signal.board.name if signal.board else None,
        "updated_at": signal.source_updated_at.isoformat(),
        "description": signal.description[:EXCERPT],
        "last_note": last.text[:EXCERPT] if last else None,
    }
