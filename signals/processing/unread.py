"""A language model whose answers cannot be read: told to Admins and the operator, for each is paid for in vain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from integrations.llm.fencing import show_escaped
from integrations.services import model_info
from junto.tenants.models import Organization
from junto.tenants.scoping import TenantQuerySet
from signals.models import ModelQuestion
from signals.processing.plans import Plan, plans
from signals.processors.base import ModelOptions

#: So many answers in a row that cannot be read are no accident.
IN_A_ROW: Final = 5
#: Not told any more so long after the last of them.
_TOLD_FOR: Final = timedelta(days=7)
#: A question that nobody answered: not even the tokens that were sent are counted then.
_SILENCE: Final = Q(answer="", tokens_in=0, tokens_out=0)


@dataclass(frozen=True)
class Unread:
    """`count` answers to a processor, the last ones, can all not be read.

    `model` gave the newest of them, `at` that moment. `problem` says in foreign words, escaped, what is wrong with it,
    and `path` leads to what it wrote.
    """

    count: int
    model: str
    at: datetime
    problem: str
    path: str


def answered(rows: TenantQuerySet[ModelQuestion]) -> TenantQuerySet[ModelQuestion]:
    """Those that a model answered, in whatever words."""
    return rows.exclude(_SILENCE)


def unread_answers(organization: Organization, plan: Plan) -> Unread | None:
    """What Admins are told of a processor that goes on asking; None where its answers can be read."""
    rows = _last_unread(organization, plan)
    if not rows:
        return None
    newest = rows[0]
    return Unread(
        count=len(rows),
        model=show_escaped(newest.model),
        at=newest.created_at,
        problem=show_escaped(newest.problem),
        path=reverse("finding", args=[newest.signal_id, newest.processor]),
    )


@dataclass(frozen=True)
class Silence:
    """So many questions that nobody answered; `problem` says of the newest in foreign words, escaped, why."""

    count: int
    problem: str


def silence_among(asked: TenantQuerySet[ModelQuestion]) -> Silence | None:
    """Those of `asked` that got no answer at all; None where each got one."""
    rows = asked.filter(_SILENCE)
    newest = rows.defer("prompt", "answer").order_by("-created_at").first()
    return Silence(rows.count(), show_escaped(newest.problem)) if newest is not None else None


@dataclass(frozen=True)
class UnreadAmong:
    """Of some questions the answers that cannot be read: how many of each processor, by slug.

    `problem` says in foreign words, escaped, what is wrong with the newest, and `path` leads to what it wrote.
    """

    by: Mapping[str, int]
    problem: str
    path: str


def unread_among(asked: TenantQuerySet[ModelQuestion]) -> UnreadAmong | None:
    """Those of `asked` that were answered in vain; None where every answer could be read."""
    rows = answered(asked).exclude(problem="")
    newest = rows.defer("prompt", "answer").order_by("-created_at").first()
    if newest is None:
        return None
    counted = rows.order_by().values("processor").annotate(count=Count("pk"))
    return UnreadAmong(
        by={row["processor"]: row["count"] for row in counted},
        problem=show_escaped(newest.problem),
        path=reverse("finding", args=[newest.signal_id, newest.processor]),
    )


def unread_processors(organization: Organization) -> list[str]:
    """For the operator: those whose last answers cannot be read, by name, with what is wrong with the newest."""
    found = []
    for plan in plans(organization):
        rows = _last_unread(organization, plan)
        if rows:
            found.append(f"{plan.processor.label} ({show_escaped(rows[0].problem)})")
    return found


def _last_unread(organization: Organization, plan: Plan) -> list[ModelQuestion]:
    """The last answers to it, newest first, where all of them are of no use; else none."""
    asks = isinstance(plan.options, ModelOptions) and plan.options.ask_model
    if not asks or model_info(organization).rehearsal:
        return []
    asked = ModelQuestion.objects.for_organization(organization).filter(processor=plan.processor.slug)
    rows = list(answered(asked).defer("prompt", "answer").order_by("-created_at")[:IN_A_ROW])
    if len(rows) < IN_A_ROW or not all(row.problem for row in rows):
        return []
    return rows if rows[0].created_at > timezone.now() - _TOLD_FOR else []
