"""Questions about many signals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from django.db import connections
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat, Left

from integrations.marks import MARK_PATTERN
from integrations.models import NOTE_KIND, TIME_KIND, ExternalRef
from junto.tenants.models import Organization
from junto.tenants.scoping import TenantQuerySet
from signals.searching import Search

if TYPE_CHECKING:
    from junto.tenants.actors import Actor

#: Finds of a search that are remembered by their ids. Of more, the newest are soon found by going through all of them,
#: and nobody counts them.
FEW = 1000
#: How a source's list of notes names one that is the text of a time entry.
TIME_NOTE = "TimeEntryNote:"


def urgency_of(priority: str) -> Case:
    """1 (most urgent) to 4, the figure in the name that stands in the field `priority`; 5 where there is none."""
    figures = [When(**{f"{priority}__regex": f"^[^1-4]*{figure}"}, then=Value(figure)) for figure in range(1, 5)]
    return Case(*figures, default=Value(5))


class SignalQuerySet(TenantQuerySet[Any]):
    """Signals; one without a company is seen only by members who reach all companies."""

    company_path = "company"

    def search(self, text: str, *, organization: Organization) -> Found:
        """Those that hold every word of `text`: the beginning of a word in number, subject or description, or any part
        of a company's or contact's name. The ids of few are read now, so that all that is asked of them is quick.
        """
        asked = Search.read(text, organization=organization, indexed=connections[self.db].vendor == "postgresql")
        return self.searched(asked)

    def searched(self, asked: Search) -> Found:
        """As `search`, with one that was read before."""
        if asked.exact is None:
            return Found(self.none(), asked, many=False)
        found = self.filter(asked.exact)
        few = list(found.filter(asked.narrow).order_by().values_list("pk", flat=True)[: FEW + 1])
        many = len(few) > FEW
        return Found(found if many else self.filter(pk__in=few), asked, many=many)

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
        return self.select_related("company", "contact", "board", "connection").defer("raw", "description", "words")


@dataclass(frozen=True)
class Found:
    """What a search found, and how it was asked; `many` = more than FEW."""

    signals: SignalQuerySet
    asked: Search
    many: bool


class OfSignalQuerySet(TenantQuerySet[Any]):
    """Rows that belong to one signal."""

    company_path = "signal__company"


class OwnWordsQuerySet(OfSignalQuerySet):
    """What stands on tickets in words. What Junto itself wrote tells of the company that the ticket was of then."""

    def of_company_now(self) -> Self:
        """Those without what Junto wrote before the ticket left another company; people's words came along with it."""
        return self.exclude(self._ours_from_before())

    def shown_to(self, actor: Actor) -> Self:
        """Of these the ones for `actor`: members of all companies are shown every one."""
        return self if actor.companies is None else self.of_company_now()

    def _ours_from_before(self) -> Combinable:
        raise NotImplementedError


class NoteQuerySet(OwnWordsQuerySet):
    """Notes of tickets."""

    def _ours_from_before(self) -> Combinable:
        reference = ExternalRef.unscoped.annotate(
            noted=Case(
                When(kind=NOTE_KIND, then=F("external_id")),
                When(kind=TIME_KIND, then=Concat(Value(TIME_NOTE), F("external_id"))),
                output_field=CharField(),
            )
        ).filter(
            organization=OuterRef("organization"),
            connection=OuterRef("signal__connection"),
            noted=OuterRef("external_id"),
        )
        ours = Q(text__regex=MARK_PATTERN) | Exists(reference)
        return Q(written_at__lt=F("signal__company_since")) & ours


class TimeQuerySet(OwnWordsQuerySet):
    """Time booked on tickets. It says when the work began, not when it was booked: that is known of our own alone."""

    def _ours_from_before(self) -> Combinable:
        reference = ExternalRef.unscoped.filter(
            organization=OuterRef("organization"),
            connection=OuterRef("signal__connection"),
            kind=TIME_KIND,
            external_id=OuterRef("external_id"),
            created_at__lt=OuterRef("signal__company_since"),
        )
        return Q(started_at__lt=F("signal__company_since"), text__regex=MARK_PATTERN) | Exists(reference)


class FoundOfSignalQuerySet(OfSignalQuerySet):
    """What was found out about a signal, from what its company's people, devices and tickets tell.

    Found before the signal left another company, it is for members of all companies only.
    """

    #: The column that says when.
    found_at = "created_at"

    def reached_by(self, actor: Actor) -> Self:
        """The rows of `actor`'s companies, without those that were found for another one."""
        found = super().reached_by(actor)
        if actor.companies is None:
            return found
        since = {f"{self.found_at}__gte": F("signal__company_since")}
        return found.filter(Q(signal__company_since=None) | Q(**since))


class EscalationQuerySet(FoundOfSignalQuerySet):
    """What was told to people of signals: it says how they stood, and quotes what was found."""

    found_at = "fired_at"


class ProcessorResultQuerySet(FoundOfSignalQuerySet):
    """What was found out about signals."""

    def current(self) -> Self:
        """What stands."""
        return self.filter(state="current")
