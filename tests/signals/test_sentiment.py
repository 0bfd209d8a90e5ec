"""The mood is that of whoever is served: their own newest words, never a technician's."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from signals.processors.base import Abstained, Known, NoteText, Outcome, TicketFacts, Workbench
from signals.processors.sentiment import Sentiment, SentimentOptions, SentimentProcessor

PLEASED = "Thank you so much, it works perfectly again, great help."
FURIOUS = "This is unacceptable, third time this week, I am furious."


def band(*notes: tuple[str, str], internal: bool = False) -> str:
    """The band of a plain ticket by Rosa with these notes: author and text."""
    now = timezone.now()
    facts = TicketFacts(
        subject="Printer",
        description="The printer on floor 2 prints pages with grey stripes.",
        revision=1,
        created_at=now,
        updated_at=now,
        notes=[NoteText(author=who, text=text, internal=internal, written_at=now) for who, text in notes],
        contact=Known(id="1", name="Rosa Bell", detail="rosa@harlow.example"),
    )
    found = SentimentProcessor().run(facts, SentimentOptions(confidence=0), Workbench())
    assert isinstance(found, Outcome)
    assert isinstance(found.value, Sentiment)
    return found.value.band


def test_the_clients_newest_note_counts_by_name_or_address() -> None:
    assert band(("Rosa Bell", FURIOUS)) == "very_negative"
    assert band(("Rosa Bell", FURIOUS), ("ROSA@harlow.example", PLEASED)) == "positive"


def test_what_a_technician_wrote_counts_neither_to_the_client_nor_internally() -> None:
    assert band(("Theo Okafor", FURIOUS)) == "neutral"
    assert band(("Theo Okafor", FURIOUS), internal=True) == "neutral"
    assert band(("Rosa Bell", FURIOUS), ("Theo Okafor", PLEASED)) == "very_negative"


def test_whose_words_they_are_goes_by_the_source_where_it_tells() -> None:
    now = timezone.now()
    notes = [
        NoteText(author="Rosa Bell", text=FURIOUS, internal=False, written_at=now, by_client=False),
        NoteText(author="Somebody new", text=PLEASED, internal=False, written_at=now, by_client=True),
    ]
    found = mood(notes=notes, contact=Known(id="1", name="Rosa Bell", detail=""))
    assert isinstance(found.value, Sentiment)
    assert found.value.band == "positive"


def mood(**more: Any) -> Any:
    """What is found of an angry text that nobody known sent."""
    now = timezone.now()
    facts = TicketFacts(
        subject="Disk critical", description=FURIOUS, revision=1, created_at=now, updated_at=now, **more
    )
    return SentimentProcessor().run(facts, SentimentOptions(confidence=0), Workbench())


def test_a_machine_and_a_swindler_have_no_mood() -> None:
    for machine in ({"board": "Alerts"}, {"type": "Monitoring"}, {"subtype": "Spam"}, {"alert_type": "DISK"}):
        assert isinstance(mood(**machine), Abstained), machine
    assert isinstance(mood(board="Service Desk", type="Email"), Outcome)
    assert isinstance(mood(board="Alerts", contact=Known(id="1", name="Rosa Bell", detail="")), Outcome)
