"""What the editor asks while somebody types: how the text will look, and what is wrong with it. Changes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import JsonValue

from junto.tenants.actors import Actor
from junto.tenants.models import Company
from runbooks.document import Problem, parse
from runbooks.models import Runbook
from runbooks.publication import plan_publication
from runbooks.rendering import DrawnDocument, draw_document


@dataclass(frozen=True)
class Typed:
    """The fields of the form that decide on a text, as they stand in the browser."""

    body: str
    inputs: str
    audience: str
    company_id: str


@dataclass(frozen=True)
class Review:
    """A text as it stands: drawn as its readers will see it, and the problems that publishing would name."""

    drawn: DrawnDocument
    problems: tuple[Problem, ...]
    steps: int
    approvals: int


def review_typed(*, actor: Actor, typed: Typed, title: str = "") -> Review:
    """Look at what is typed with the same rules as publishing; a field that is not right yet counts as empty."""
    if len(typed.body) > Runbook.BODY_LIMIT:
        over = Problem(0, f"The text has {len(typed.body):,} characters; at most {Runbook.BODY_LIMIT:,} fit.")
        return Review(draw_document(""), (over,), steps=0, approvals=0)
    draft = Runbook(
        organization=actor.organization,
        title=title,
        body=typed.body,
        inputs=_read_json(typed.inputs),
        audience=typed.audience if typed.audience in Runbook.Audience.values else Runbook.Audience.HYBRID,
        company=_company(actor, typed.company_id),
    )
    plan = plan_publication(actor=actor, runbook=draft)
    return Review(
        drawn=draw_document(typed.body),
        problems=plan.problems,
        steps=len(parse(typed.body).steps),
        approvals=len(plan.grants),
    )


def _read_json(text: str) -> JsonValue:
    """Text that is no JSON stays text, which is no list of inputs and said to be none."""
    try:
        found: JsonValue = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return text
    return found


def _company(actor: Actor, company_id: str) -> Company | None:
    """The chosen company, if it is one that the author may see."""
    return next((each for each in Company.objects.visible_to(actor) if str(each.pk) == company_id), None)
