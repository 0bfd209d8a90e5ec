"""Questions about many signals."""

from __future__ import annotations

from typing import Any, Self

from django.db.models import Case, Q, Value, When
from django.db.models.functions import Left

from junto.tenants.scoping import TenantQuerySet

#: Words of a search that count; more would only slow the query down.
SEARCH_WORDS = 8
#: Finds of a search that are remembered by their ids; looking through all texts again would cost more from here on.
FEW = 1000


def urgency_of(priority: str) -> Case:
    """1 (most urgent) to 4, the figure in the name that stands in the field `priority`; 5 where there is none."""
    figures = [When(**{f"{priority}__regex": f"^[^1-4]*{figure}"}, then=Value(figure)) for figure in range(1, 5)]
    return Case(*figures, default=Value(5))


class SignalQuerySet(TenantQuerySet[Any]):
    """Signals; one without a company is seen only by members who reach all companies."""

    company_path = "company"

    def search(self, text: str) -> Self:
        """Those that hold every word of `text` in their number, subject, description, company or contact."""
        found = self
        for word in text.replace("\0", "").split()[:SEARCH_WORDS]:
            found = found.filter(
                Q(external_id__istartswith=word)
                | Q(subject__icontains=word)
                | Q(description__icontains=word)
                | Q(company__name__icontains=word)
                | Q(contact__name__icontains=word)
            )
        return found

    def search_once(self, text: str) -> Self:
        """As `search`, but the ids of few finds are read now: a list then asks for a page, a count and its tabs."""
        found = self.search(text)
        few = list(found.order_by().values_list("pk", flat=True)[: FEW + 1])
        return found if len(few) > FEW else self.filter(pk__in=few)

    def urgent_first(self) -> Self:
        """The most urgent first, by the figure in the name (`Signal.priority_number`); of these the newest."""
        return self.annotate(urgency=urgency_of("priority")).order_by("urgency", "-source_created_at", "id")

    def words_of(self, field: str, *, most: int) -> list[str]:
        """The words that stand in a text column, sorted, each once; at most so many, without the empty one."""
        return list(self.exclude(**{field: ""}).order_by(field).values_list(field, flat=True).distinct()[:most])

    def heads(self, length: int) -> Self:
        """With `head`, so many first characters of the description: of a long one the rest is not read."""
        return self.annotate(head=Left("description", length))

    def with_relations(self) -> Self:
        """Everything a row of a list shows, without the long texts, in one query."""
        return self.select_related("company", "contact", "board", "connection").defer("raw", "description")


class OfSignalQuerySet(TenantQuerySet[Any]):
    """Rows that belong to one signal."""

    company_path = "signal__company"


class ProcessorResultQuerySet(OfSignalQuerySet):
    """What was found out about signals."""

    def current(self) -> Self:
        """What stands."""
        return self.filter(state="current")
