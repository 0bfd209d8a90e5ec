"""How solved tickets were solved: the last word on them, what was done through Junto, and which runbook was run."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.urls import reverse

from agent.models import AgentSession
from agent.prompts import ForeignText
from approvals.models import Action
from integrations.llm.fencing import show_escaped
from integrations.marks import without_marks
from integrations.vendors import VENDORS
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from runbooks.versions import NoSuchVersion, published_document
from signals.models import ServiceClock, Signal, SignalNote
from signals.similar.finding import Similar, similar_elsewhere, similar_in

#: Characters of a last note that are shown.
NOTE_LENGTH: Final = 600
#: Deeds named of one ticket.
MOST_DEEDS: Final = 5
#: Similar tickets that a model is told of, and that a page shows.
TOLD: Final = 3
SHOWN: Final = 5


@dataclass(frozen=True)
class Solution:
    """What became of one ticket. `note` is foreign text; `runbook` names one that was run to its end."""

    closed_at: datetime
    note: str = ""
    deeds: tuple[str, ...] = ()
    runbook: str = ""


def solutions(signals: Sequence[Signal]) -> dict[uuid.UUID, Solution]:
    """How each of these tickets of one organization was solved: four queries, and one for each runbook that was run.

    Deeds and runs count only for the company that the ticket belongs to now.
    """
    if not signals:
        return {}
    notes, deeds, runs = _last_notes(signals), _deeds(signals), _runs(signals)
    clocks = ServiceClock.objects.for_organization(signals[0].organization).filter(signal__in=signals)
    solved = dict(clocks.exclude(resolved_at=None).values_list("signal", "resolved_at"))
    return {
        signal.pk: Solution(
            # of one that was closed before Junto knew it, the last change is as near as can be told
            closed_at=solved.get(signal.pk, signal.source_updated_at),
            note=notes.get(signal.pk, ""),
            deeds=tuple(deeds[signal.pk][:MOST_DEEDS]),
            runbook=runs.get(signal.pk, ""),
        )
        for signal in signals
    }


def similar_texts(signal: Signal, company: Company) -> list[ForeignText]:
    """Solved tickets of `company` like this one, with how they were solved, for a model's opening."""
    found = similar_in(signal, company=company, limit=TOLD)
    solved = solutions([each.signal for each in found])
    return [_told(each, solved[each.signal.pk]) for each in found]


@dataclass(frozen=True)
class SimilarRow:
    """A similar ticket on a page, in words that are safe to show."""

    path: str
    number: str
    subject: str
    company: str
    why: str
    closed_at: datetime
    note: str
    deeds: tuple[str, ...]
    runbook: str


def similar_rows(signal: Signal) -> list[SimilarRow]:
    """Solved tickets of the signal's own company like it; none while the company is not known."""
    return _rows(similar_in(signal, company=signal.company, limit=SHOWN)) if signal.company else []


def rows_elsewhere(signal: Signal, actor: Actor) -> list[SimilarRow]:
    """Solved tickets of other companies like it, only of those that the actor may see."""
    return _rows(similar_elsewhere(signal, actor=actor, limit=SHOWN))


def sees_elsewhere(signal: Signal, actor: Actor) -> bool:
    """Whether there is a company beside the signal's that the actor may see."""
    companies = Company.objects.visible_to(actor)
    return (companies.exclude(pk=signal.company_id) if signal.company_id else companies).exists()


def _rows(found: Sequence[Similar]) -> list[SimilarRow]:
    solved = solutions([each.signal for each in found])
    return [_row(each, solved[each.signal.pk]) for each in found]


def _row(similar: Similar, solution: Solution) -> SimilarRow:
    signal = similar.signal
    words = ", ".join(f"“{word}”" for word in similar.words)
    return SimilarRow(
        path=reverse("signal", args=[signal.pk]),
        number=signal.number or "No ticket",
        subject=show_escaped(signal.subject),
        company=show_escaped(signal.company.name) if signal.company else "",
        why=show_escaped(f"Shares {words}") if words else "",
        closed_at=solution.closed_at,
        note=show_escaped(solution.note),
        deeds=tuple(show_escaped(deed) for deed in solution.deeds),
        runbook=show_escaped(solution.runbook),
    )


def _told(similar: Similar, solution: Solution) -> ForeignText:
    signal = similar.signal
    vendor = signal.connection.vendor if signal.connection else ""
    label = VENDORS[vendor].label if vendor in VENDORS else "Junto"
    parts = [f"{signal.subject}\n{similar.head}".strip()]
    if solution.note:
        parts.append(f"Last note: {solution.note}")
    if solution.runbook:
        parts.append(f"Runbook that was run: {solution.runbook}")
    if solution.deeds:
        parts.append("Done through Junto: " + "; ".join(solution.deeds))
    ref = f"similar, solved {solution.closed_at:%Y-%m-%d}"
    return ForeignText(f"{label} ticket {signal.number}".strip(), ref, "\n".join(parts))


def _last_notes(signals: Sequence[Signal]) -> dict[uuid.UUID, str]:
    rows = SignalNote.objects.for_organization(signals[0].organization).filter(signal__in=signals).of_company_now()
    found: dict[uuid.UUID, str] = {}
    for signal_id, text in rows.order_by("written_at", "external_id").values_list("signal_id", "text"):
        words = without_marks(text).strip()
        if words:
            found[signal_id] = words[:NOTE_LENGTH] + ("…" if len(words) > NOTE_LENGTH else "")
    return found


def _deeds(signals: Sequence[Signal]) -> defaultdict[uuid.UUID, list[str]]:
    """What was changed through Junto, oldest first; each kind of deed on a ticket once."""
    by_subject = {signal.origin_subject: signal for signal in signals}
    rows = Action.objects.for_organization(signals[0].organization).exclude(category="read")
    done = rows.filter(origin__subject__in=by_subject, state__in=(Action.State.SUCCEEDED, Action.State.SETTLED))
    found: defaultdict[uuid.UUID, list[str]] = defaultdict(list)
    for action in done.exclude(settled_done=False).select_related("origin").order_by("created_at"):
        signal = by_subject[action.origin.subject]
        if action.company_id == signal.company_id and action.title not in found[signal.pk]:
            found[signal.pk].append(action.title)
    return found


def _runs(signals: Sequence[Signal]) -> dict[uuid.UUID, str]:
    """The last runbook of each ticket whose session went to its end."""
    companies = {signal.pk: signal.company_id for signal in signals}
    rows = AgentSession.objects.for_organization(signals[0].organization).filter(
        signal__in=companies, state=AgentSession.State.COMPLETED, runbook_record__isnull=False
    )
    found: dict[uuid.UUID, str] = {}
    for session in rows.select_related("runbook").order_by("created_at"):
        if session.runbook is None or session.runbook_record is None:
            continue
        if session.company_id != companies[session.signal_id]:
            continue
        try:
            version = published_document(session.runbook, record=session.runbook_record)
        except NoSuchVersion:
            continue
        found[session.signal_id] = f"{version.title}, version {version.number}"
    return found
