"""The daily digest: what waits for a member, what needs an eye, and what the agent did, told once each working day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import transaction

from agent.models import AgentSession
from approvals.models import Action, Origin
from approvals.services import waiting_for
from junto.inbox.models import Digest
from junto.inbox.services import notices_of, notify
from junto.tenants.actors import Actor
from junto.tenants.models import Membership, Organization
from signals.models import ReviewItem, ServiceHours, Signal
from signals.service.attention import Attention, count_all
from signals.service.hours import calendar_of, hours_of

#: No digest comes earlier, however early the working day begins: local time.
MORNING: Final = time(7, 0)
#: What was done is told of since the member's last digest, but of no more days.
MOST_BACK: Final = timedelta(days=14)
KIND: Final = "digest"
#: A day of so long ago has another name than any since.
WEEK_DAYS: Final = 7


@dataclass(frozen=True)
class Figures:
    """What one member is told.

    `sessions` ended, and `changes` were made by the agent (`unattended` of them with nobody in front), since `since`;
    `written` = what was changed meanwhile outside of sessions with nobody in front: by processors, escalation rules,
    alerts that cleared. `since` is `today` or earlier, in the organization's days.
    """

    since: date
    today: date
    decisions: int
    reviews: int
    attention: dict[Attention, int]
    sessions: int
    changes: int
    unattended: int
    written: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        done = self.sessions or self.changes or self.written
        return not (self.decisions or self.reviews or done or any(self.attention.values()))

    @property
    def title(self) -> str:
        """What matters most, in a line."""
        urgent = [
            _count(self.decisions, "request waits for your decision", "requests wait for your decision"),
            _count(self.attention[Attention.BREACHED], "ticket breached", "tickets breached"),
            _count(self.attention[Attention.AT_RISK], "at risk", "at risk"),
        ]
        words = ", ".join(filter(None, urgent)) or "nothing urgent"
        return f"Your day: {words}"

    @property
    def body(self) -> str:
        """All of it, in sentences."""
        return " ".join(f"{sentence}." for sentence in self._sentences())

    def _sentences(self) -> Iterator[str]:
        if self.reviews:
            yield _count(self.reviews, "value waits for review", "values wait for review")
        others = [
            _count(self.attention[Attention.UNHAPPY], "unhappy client", "unhappy clients"),
            _count(self.attention[Attention.STALE], "stale ticket", "stale tickets"),
            _count(self.attention[Attention.BOUNCING], "bouncing", "bouncing"),
        ]
        if any(others):
            yield ", ".join(filter(None, others))
        if self.sessions or self.changes:
            ended = _count(self.sessions, "session", "sessions") or "no session"
            made = _count(self.changes, "change", "changes") or "no change"
            alone = f", {self.unattended} of them unattended" if self.unattended else ""
            yield f"Since {self._day} the agent ended {ended} and made {made}{alone}"
        if self.written:
            made = _count(self.written, "change", "changes")
            yield f"Since {self._day} processors, escalation rules and alerts that cleared made {made}"

    @property
    def _day(self) -> str:
        """The day since which it is told, as people call it."""
        days = (self.today - self.since).days
        if days <= 1:
            return "yesterday" if days else "this morning"
        return self.since.strftime("%A" if days < WEEK_DAYS else "%-d %B")

    @property
    def path(self) -> str:
        """Where to begin, relative to the organization's prefix."""
        if self.decisions:
            return "approvals/"
        urgent = next((kind for kind in (Attention.BREACHED, Attention.AT_RISK) if self.attention[kind]), None)
        return f"signals/?attention={urgent}" if urgent else "signals/"


def send_digests(organization: Organization, *, now: datetime) -> int:
    """Tell every member who wants it, from the organization's morning until its working day ends; how many were told.

    Safe to repeat: a member is told once a day, whichever process comes first.
    """
    hours = hours_of(organization)
    today = _day_of(hours, now)
    if today is None:
        return 0
    rows = Membership.objects.for_organization(organization).filter(is_active=True, user__is_active=True)
    known = {row.membership_id: row for row in Digest.objects.for_organization(organization)}
    told = 0
    for member in rows.select_related("user", "organization"):
        row = known.get(member.pk)
        if row is not None and (not row.wanted or row.told_on == today):
            continue
        told += _tell(member, today, hours=hours, now=now)
    return told


def figures_of(actor: Actor, *, hours: ServiceHours, since: datetime, now: datetime) -> Figures:
    """What there is to tell this member, of what was done since then: only of companies they may see."""
    zone = calendar_of(hours).zone
    sessions = AgentSession.objects.visible_to(actor).filter(changed_at__gte=since, changed_at__lt=now)
    done = (
        Action.objects.visible_to(actor)
        .exclude(category="read")
        .filter(state=Action.State.SUCCEEDED, finished_at__gte=since, finished_at__lt=now)
    )
    changes = done.filter(origin__kind=Origin.Kind.SESSION)
    return Figures(
        since=since.astimezone(zone).date(),
        today=now.astimezone(zone).date(),
        decisions=waiting_for(actor).count(),
        reviews=ReviewItem.objects.visible_to(actor).filter(state=ReviewItem.State.OPEN).count(),
        attention=count_all(Signal.objects.visible_to(actor), hours=hours, now=now),
        sessions=sessions.exclude(state__in=AgentSession.LIVE).count(),
        changes=changes.count(),
        unattended=changes.filter(unattended=True).count(),
        written=done.exclude(origin__kind=Origin.Kind.SESSION).filter(unattended=True).count(),
    )


def want_digest(*, membership: Membership, wanted: bool) -> None:
    """A member's own word on whether they are told."""
    Digest.objects.for_organization(membership.organization).update_or_create(
        membership=membership, defaults={"organization": membership.organization, "wanted": wanted}
    )


def wants_digest(membership: Membership) -> bool:
    """Whether they are told; who never said is."""
    row = Digest.objects.for_organization(membership.organization).filter(membership=membership).first()
    return row is None or row.wanted


def _day_of(hours: ServiceHours, now: datetime) -> date | None:
    """The local day whose morning has come and whose work has not ended; None at other times."""
    calendar = calendar_of(hours)
    local = now.astimezone(calendar.zone)
    spans = calendar.hours_of(local.date())
    if not spans or local.time() < MORNING or not spans[0][0] <= now < spans[-1][1]:
        return None
    return local.date()


@transaction.atomic
def _tell(member: Membership, today: date, *, hours: ServiceHours, now: datetime) -> bool:
    rows = Digest.objects.for_organization(member.organization)
    row, _ = rows.get_or_create(membership=member, defaults={"organization": member.organization})
    fresh = rows.filter(membership=member, wanted=True).exclude(told_on=today)
    if not fresh.update(told_on=today, told_at=now):
        return False  # another process told them, or they want none any more
    actor = Actor.person(member)
    since = max(row.told_at or _last_morning(hours, today), now - MOST_BACK)
    figures = figures_of(actor, hours=hours, since=since, now=now)
    notices_of(member).filter(kind=KIND, read_at=None).update(read_at=now)  # yesterday's says what is no longer so
    if figures.is_empty:
        return False
    notify(members=[member], kind=KIND, title=figures.title, body=figures.body, path=figures.path)
    return True


def _last_morning(hours: ServiceHours, today: date) -> datetime:
    """When the last working day before `today` began, for whom no earlier digest is known; within MOST_BACK."""
    calendar = calendar_of(hours)
    before = (today - timedelta(days=days) for days in range(1, MOST_BACK.days))
    day = next((each for each in before if calendar.hours_of(each)), today - timedelta(days=1))
    return datetime.combine(day, MORNING, calendar.zone)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""
