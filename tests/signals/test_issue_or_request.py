"""The issue / request classifier without rules and before anything was learned: the table of usual words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from signals.processors.base import Abstained, Outcome, Producer, TicketFacts, Workbench
from signals.processors.issue_or_request import IssueOrRequestOptions, IssueOrRequestProcessor

WHEN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def run(subject: str, description: str = "", **options: float) -> object:
    facts = TicketFacts(subject=subject, description=description, revision=1, created_at=WHEN, updated_at=WHEN)
    return IssueOrRequestProcessor().run(facts, IssueOrRequestOptions.model_validate(options), Workbench())


@pytest.mark.parametrize(
    ("subject", "description", "kind"),
    [
        ("Outlook crashes", "Since this morning it crashes again and again.", "issue"),
        ("Cannot print", "The printer on the 2nd floor is offline and everybody gets an error.", "issue"),
        ("New starter on Monday", "Please create an account for Rosa and order a laptop.", "request"),
        ("Adobe licence", "I would like access to Acrobat Pro for the finance team.", "request"),
    ],
)
def test_usual_words_tell_an_issue_from_a_request(subject: str, description: str, kind: str) -> None:
    found = run(subject, description)
    assert isinstance(found, Outcome)
    assert found.value.kind == kind
    assert found.producer == Producer.RULE
    assert found.confidence <= 0.85
    assert "Usual words" in found.reason


def test_a_ticket_without_a_usual_word_gets_no_answer_and_nobody_has_to_look() -> None:
    found = run("Hello", "See attached.")
    assert isinstance(found, Abstained)
    assert found.nearest is None


def test_below_the_threshold_it_abstains_and_says_what_it_would_have_said() -> None:
    found = run("Printer error, please add toner", confidence=0.9)
    assert isinstance(found, Abstained)
    assert found.nearest is not None
