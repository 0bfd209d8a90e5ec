"""The processors there are, in the order in which they run unless an Admin says otherwise (PRODUCT 3)."""

from __future__ import annotations

from signals.processors.automation import AutomationProcessor
from signals.processors.base import AnyProcessor
from signals.processors.category import CategoryProcessor
from signals.processors.description import DescriptionProcessor
from signals.processors.entities import EntityProcessor
from signals.processors.issue_or_request import IssueOrRequestProcessor
from signals.processors.priority import PriorityProcessor
from signals.processors.router import RouterProcessor
from signals.processors.sentiment import SentimentProcessor
from signals.processors.summary import SummaryProcessor
from signals.processors.ticket_type import TicketTypeProcessor

__all__ = ["PROCESSORS", "UnknownProcessor", "processor_of"]

#: A new processor is a module beside this one, and a line here.
PROCESSORS: tuple[AnyProcessor, ...] = (
    IssueOrRequestProcessor(),
    CategoryProcessor(),
    EntityProcessor(),
    SummaryProcessor(),
    AutomationProcessor(),
    TicketTypeProcessor(),
    PriorityProcessor(),
    SentimentProcessor(),
    DescriptionProcessor(),
    RouterProcessor(),
)

_BY_SLUG = {processor.slug: processor for processor in PROCESSORS}


class UnknownProcessor(LookupError):
    """There is no processor of this name."""


def processor_of(slug: str) -> AnyProcessor:
    """The processor called `slug`. Raises UnknownProcessor."""
    try:
        return _BY_SLUG[slug]
    except KeyError as unknown:
        raise UnknownProcessor(f"There is no processor “{slug}”.") from unknown
