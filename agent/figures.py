"""How a published runbook does: uses, success, corrections by people, and what makes it stale. From rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncWeek
from django.utils import timezone

from agent.models import AgentSession
from agent.plots import Plot, columns
from agent.replay_views import dollars
from approvals.models import Decision, Origin
from integrations.vendors import vendor_named
from junto.tenants.actors import Actor
from runbooks.models import Runbook
from runbooks.publication import connected_vendors, usable_tool
from runbooks.versions import NoSuchVersion, published_document

#: Weeks that the plots show, this one included.
WEEKS: Final = 12
#: Days without a use after which a runbook in force counts as stale.
UNUSED_DAYS: Final = 60

State = AgentSession.State


@dataclass(frozen=True)
class VersionFigures:
    """One version, or all of them together (`number` None).

    `uses` = sessions pinned to it; `runs` of these were carried out by the agent, `ended` are over, `well` went to
    their end with every step done or skipped.
    """

    number: int | None
    uses: int
    runs: int
    ended: int
    well: int
    tokens: str
    cost: str

    @property
    def success(self) -> str:
        """The share of ended runs that went well, in words."""
        return f"{round(100 * self.well / self.ended)} %" if self.ended else "-"


@dataclass(frozen=True)
class Corrections:
    """What people said to actions of it: `asked` decisions, of which so many denied, or changed before approving."""

    asked: int
    denied: int
    changed: int
    tools: tuple[tuple[str, int], ...]

    @property
    def share(self) -> str:
        """Decisions that corrected something, in words."""
        return f"{round(100 * (self.denied + self.changed) / self.asked)} %" if self.asked else "-"


@dataclass(frozen=True)
class Figures:
    """All that the page shows."""

    total: VersionFigures
    versions: tuple[VersionFigures, ...]
    corrections: Corrections
    last_used: datetime | None
    stale: tuple[str, ...]
    uses_plot: Plot
    corrections_plot: Plot


def figures_of(runbook: Runbook, actor: Actor) -> Figures:
    """The figures of a runbook, of the companies `actor` reaches; at most eight queries."""
    sessions: QuerySet[AgentSession] = AgentSession.objects.visible_to(actor).filter(runbook=runbook).order_by()
    decisions: QuerySet[Decision] = Decision.objects.visible_to(actor).filter(
        action__origin__in=sessions.values("origin")
    )
    decisions = decisions.order_by()
    versions = tuple(_version(each) for each in _sums(sessions.values("runbook_number")).order_by("-runbook_number"))
    last = sessions.aggregate(last=Max("created_at"))["last"]
    weeks = _weeks()
    return Figures(
        total=_version(_sums(sessions.values("organization")).order_by("organization").first() or {}),
        versions=versions,
        corrections=_corrections(decisions),
        last_used=last,
        stale=tuple(_stale(runbook, last)),
        uses_plot=_uses(sessions, weeks),
        corrections_plot=_corrected(decisions, weeks),
    )


def _sums(grouped: QuerySet[AgentSession, Mapping[str, object]]) -> QuerySet[AgentSession, Mapping[str, object]]:
    run = Q(origin__mode=Origin.Mode.RUNBOOK)
    return grouped.annotate(
        uses=Count("pk"),
        runs=Count("pk", filter=run),
        ended=Count("pk", filter=run & ~Q(state__in=AgentSession.LIVE)),
        well=Count("pk", filter=run & Q(state=State.COMPLETED)),
        read=Sum("tokens_in"),
        written=Sum("tokens_out"),
        cost=Sum("cost_microcents"),
    )


def _version(row: Mapping[str, object]) -> VersionFigures:
    def figure(name: str) -> int:
        value = row.get(name)
        return value if isinstance(value, int) else 0

    return VersionFigures(
        number=figure("runbook_number") or None,
        uses=figure("uses"),
        runs=figure("runs"),
        ended=figure("ended"),
        well=figure("well"),
        tokens=f"{figure('read') + figure('written'):,}",
        cost=dollars(figure("cost")),
    )


def _corrections(decisions: QuerySet[Decision]) -> Corrections:
    denied, changed = Q(verdict=Decision.Verdict.DENY), Q(modified=True)
    rows = decisions.values_list("action__tool").annotate(
        asked=Count("pk"), denied=Count("pk", filter=denied), changed=Count("pk", filter=changed & ~denied)
    )
    found = [(tool, asked, no, other) for tool, asked, no, other in rows]
    by_tool = Counter({tool: no + other for tool, _, no, other in found if no + other})
    return Corrections(
        asked=sum(asked for _, asked, _, _ in found),
        denied=sum(no for _, _, no, _ in found),
        changed=sum(other for _, _, _, other in found),
        tools=tuple(by_tool.most_common(5)),
    )


def _stale(runbook: Runbook, last_used: datetime | None) -> Iterator[str]:
    """Why the version in force may no longer be right; nothing for one that is not in force."""
    if runbook.status != Runbook.Status.PUBLISHED:
        return
    try:
        version = published_document(runbook)
    except NoSuchVersion:
        return
    connected = connected_vendors(runbook.organization)
    for name in version.document.tools:
        if usable_tool(name, runbook.organization, connected) is None:
            vendor = vendor_named(name.partition(".")[0])
            gone = vendor is not None and vendor.slug not in connected
            yield f"It mentions @{name}, but " + (
                f"{vendor.label} is not connected any more." if vendor and gone else "there is no such tool any more."
            )
    since = max(filter(None, [last_used, runbook.published_at]), default=None)
    if since is not None and timezone.now() - since > timedelta(days=UNUSED_DAYS):
        days = (timezone.now() - since).days
        never = f"Never used in the {days} days since it was published."
        yield f"Nobody used it for {days} days." if last_used else never


def _weeks() -> list[date]:
    """The Mondays of the weeks shown, oldest first."""
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def _uses(sessions: QuerySet[AgentSession], weeks: Sequence[date]) -> Plot:
    recent = sessions.filter(created_at__date__gte=weeks[0])
    run = Q(origin__mode=Origin.Mode.RUNBOOK)
    rows = recent.values_list(TruncWeek("created_at")).annotate(
        well=Count("pk", filter=run & Q(state=State.COMPLETED)), uses=Count("pk")
    )
    by_week = {week.date(): (well, uses - well) for week, well, uses in rows}
    return columns(weeks, by_week, title="Uses a week", series=("Runs that went well", "Other uses"))


def _corrected(decisions: QuerySet[Decision], weeks: Sequence[date]) -> Plot:
    recent = decisions.filter(created_at__date__gte=weeks[0])
    corrected = Q(verdict=Decision.Verdict.DENY) | Q(modified=True)
    rows = recent.values_list(TruncWeek("created_at")).annotate(wrong=Count("pk", filter=corrected), asked=Count("pk"))
    by_week = {week.date(): (asked - wrong, wrong) for week, wrong, asked in rows}
    return columns(weeks, by_week, title="Decisions a week", series=("Approved as asked", "Denied or changed"))
