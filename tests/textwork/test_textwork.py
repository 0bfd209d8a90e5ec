"""What is told of a ticket without a language model."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from junto.textwork.automation import Potential, all_tools, automation_potential
from junto.textwork.entities import Entity, Kind, find_entities
from junto.textwork.feeling import Band, Level, Tone, feel
from junto.textwork.kind import TicketKind, issue_or_request
from junto.textwork.reading import read
from junto.textwork.summary import MOST_CHARACTERS, summarize

MAIL = """Hi team,

my colleague Jean-Luc van der Berg cannot open Teams on nw-lt-014 (Lenovo ThinkPad T14 Gen 3).
Outlook works, SRV-DC01 answers, and KB-500123 is installed.

Kind regards,
Maria Lopez
Northwind

This email is confidential and intended only for Theo.

On Mon, 2 Nov 2026 at 10:00, Theo wrote:
> The coffee machine is broken.
"""


@dataclass(frozen=True)
class Row:
    """A contact or device."""

    id: str
    name: str
    detail: str = ""


def texts(entities: tuple[Entity, ...], kind: Kind) -> dict[str, str]:
    return {entity.text: entity.known for entity in entities if entity.kind is kind}


def test_greeting_signature_small_print_and_quoted_mail_are_not_summed_up() -> None:
    summary = summarize(read("RE: Teams does not start", MAIL))
    assert summary is not None
    assert summary.text.startswith("Teams does not start: ")
    assert "nw-lt-014" in summary.text
    assert not any(word in summary.text for word in ("Hi team", "Maria", "confidential", "coffee"))


def test_a_forwarded_mail_is_read_where_the_newest_says_next_to_nothing() -> None:
    forwarded = "Please see below.\n\n-----Original Message-----\nFrom: Ines\n\nThe label printer in Oslo is offline."
    summary = summarize(read("FW:", forwarded))
    assert summary is not None
    assert "label printer in Oslo" in summary.text


def test_a_title_that_begins_with_a_mark_keeps_it() -> None:
    summary = summarize(read("RE: [RMM] HB-SRV-01: disk C: 91 % full", ""))
    assert summary is not None
    assert summary.text == "[RMM] HB-SRV-01: disk C: 91 % full"


def test_a_summary_is_short_whatever_the_ticket_is() -> None:
    summary = summarize(read("Server " * 60, "The server is down and nobody can work " * 100))
    assert summary is not None
    assert len(summary.text) <= MOST_CHARACTERS
    assert summarize(read("", " \n")) is None


@pytest.mark.parametrize(
    ("text", "band", "tone", "frustration", "urgency"),
    [
        ("This is the third time Outlook crashes and I am furious.", "very_negative", "annoyed", "high", "low"),
        ("Everything is down and the whole office cannot work!", "negative", "pressing", "low", "high"),
        ("Please add Anna to the list. It is not urgent.", "neutral", "courteous", "low", "low"),
        ("Thank you so much, the new laptop works perfectly!", "positive", "pleased", "low", "low"),
        ("Der Server ist schon wieder ausgefallen, das ist inakzeptabel!", "very_negative", "annoyed", "high", "low"),
        ("Le serveur ne répond plus, c'est très urgent, merci.", "negative", "pressing", "low", "high"),
        ("El ordenador no funciona, necesito ayuda urgente por favor.", "negative", "pressing", "low", "high"),
        ("Por favor, gostaria de um monitor novo para a minha mesa.", "neutral", "courteous", "low", "low"),
        ("De printer werkt nog steeds niet, dit is belachelijk.", "very_negative", "annoyed", "high", "low"),
        ("Buongiorno, vorrei un nuovo monitor per la mia scrivania, grazie.", "neutral", "courteous", "low", "low"),
    ],
)
def test_plain_feelings_are_told_in_seven_languages(
    text: str, band: str, tone: str, frustration: str, urgency: str
) -> None:
    feeling = feel(read("", text))
    assert feeling is not None
    assert (feeling.band, feeling.tone, feeling.frustration) == (Band(band), Tone(tone), Level(frustration))
    assert feeling.urgency is Level(urgency) or (urgency == "low" and feeling.urgency is Level.MEDIUM)


@pytest.mark.parametrize(
    "text",
    [
        "Drukarka nie działa od wczoraj i nikt nie odpowiada na moje wiadomości, proszę o pomoc",
        "プリンターが動きません。助けてください。",
        "?? 123",
        "",
    ],
)
def test_in_a_language_without_words_feelings_cannot_be_told(text: str) -> None:
    assert feel(read("", text)) is None
    assert issue_or_request(read("", text)) is None


def test_names_are_told_as_they_stand_and_linked_to_those_known() -> None:
    people = [Row("c1", "Anna Meyer"), Row("c2", "Maria Lopez"), Row("c3", "Bob Stone", "bob@northwind.test")]
    devices = [Row("d1", "NW-LT-014"), Row("d2", "NW-LT-01")]
    found = find_entities(read("Laptop of Anna", MAIL), people=people, devices=devices)
    assert texts(found, Kind.PERSON) == {"Maria Lopez": "c2", "Anna": "c1", "Jean-Luc van der Berg": ""}
    assert texts(found, Kind.DEVICE) == {
        "nw-lt-014": "d1",
        "Lenovo ThinkPad T14 Gen 3": "",
        "SRV-DC01": "",
        "Laptop": "",
    }
    assert texts(found, Kind.APPLICATION) == {"Teams": "", "Outlook": ""}
    assert texts(found, Kind.VENDOR) == {"Lenovo": ""}


def test_a_first_name_that_two_contacts_bear_is_linked_to_neither() -> None:
    people = [Row("c1", "Anna Meyer"), Row("c2", "Anna Stone")]
    assert texts(find_entities(read("Laptop of Anna", ""), people=people), Kind.PERSON) == {}


def test_ordinary_words_are_no_applications() -> None:
    found = find_entities(read("", "Both teams exchange word with the office, and zoom in."))
    assert texts(found, Kind.APPLICATION) == {}


def test_what_tools_could_do_grows_with_what_the_ticket_names_and_what_is_connected() -> None:
    named = read("Password reset", "Please reset the password of user Anna Meyer.")
    unnamed = read("Password reset", "Please reset a password.")
    with_tool = automation_potential(named, find_entities(named), {"microsoft365": ["reset_password"]})
    with_question = automation_potential(unnamed, find_entities(unnamed), all_tools())
    without = automation_potential(named, find_entities(named), {"ninjaone": ["run_script"]})
    assert (with_tool.band, with_tool.matched, with_tool.missing) == (Potential.HIGH, ("microsoft365",), ())
    assert with_question.band is Potential.MEDIUM
    assert with_question.limits == ("The ticket does not name the person",)
    assert (without.band, without.matched, without.missing) == (Potential.NONE, (), ("microsoft365",))
    assert without.limits == ("Microsoft 365 is not connected, or has no tool for it",)


def test_what_needs_hands_is_not_for_tools() -> None:
    reading = read("Keyboard", "The keyboard of laptop NW-LT-014 has a broken key, please replace it.")
    automation = automation_potential(reading, find_entities(reading), all_tools())
    assert automation.band is Potential.NONE
    assert "Somebody has to be there or touch something" in automation.limits


def test_broken_and_wanted_are_told_apart() -> None:
    guesses = [
        issue_or_request(read("Printer offline", "It does not print, error 50.")),
        issue_or_request(read("New laptop", "Please order a laptop for Anna.")),
        issue_or_request(read("Neuer Monitor", "Ich möchte bitte einen Monitor bestellen.")),
    ]
    assert [guess and guess.kind for guess in guesses] == [TicketKind.ISSUE, TicketKind.REQUEST, TicketKind.REQUEST]


@pytest.mark.parametrize(
    "pattern", ["On a b ", "<a ", "--- \n", "Surface Pro 7 ", "A1-", "x@y.", "mr Aa ", "kann der die "]
)
def test_no_text_takes_long(pattern: str) -> None:
    read("", "warm")
    begun = time.process_time()
    reading = read(pattern * 50, pattern * 20_000)
    summarize(reading)
    feel(reading)
    automation_potential(reading, find_entities(reading), all_tools())
    assert time.process_time() - begun < 1.0
