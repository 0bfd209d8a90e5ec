"""What a search finds, on whichever database the suite runs: held against a plain definition in Python."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from integrations.contracts import TicketRecord
from integrations.models import Contact
from signals.models import Signal
from signals.searching import MOST_NAMED, MOST_WORDS, split
from signals.services import adopt_ticket, upsert_signals
from tests.cases import JuntoTestCase
from tests.factories import CompanyFactory, ConnectionFactory, OrganizationFactory, SignalFactory

#: Words with everything between them that people and machines write.
LETTERS = "aAbß é1_-.@#%'\\日本\u0301İ\n"
TEXTS = st.text(alphabet=LETTERS, max_size=14)


def words_by_definition(text: str) -> list[str]:
    """Letters and figures in small letters; each sign of Chinese or Japanese is a word."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    apart = re.sub("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff])", r" \1 ", folded)
    return "".join(sign if sign.isalnum() else " " for sign in apart).split()


def holds(text: str, typed: str) -> bool:
    """Whether what was typed between two blanks stands in the text: whole words, and of the last one the beginning."""
    words, parts = words_by_definition(text), words_by_definition(typed)
    places = range(len(words) - len(parts) + 1)
    return any(
        words[place : place + len(parts) - 1] == parts[:-1] and words[place + len(parts) - 1].startswith(parts[-1])
        for place in places
    )


def found_by_definition(text: str, typed: str) -> bool:
    """Every word typed; of those that hold neither letter nor figure nothing is asked."""
    asked = [each for each in typed.split() if words_by_definition(each)]
    return bool(asked) and all(holds(text, each) for each in list(dict.fromkeys(asked))[:MOST_WORDS])


class DefinitionTests(TestCase):
    """Both ways a search is made: what PostgreSQL's index narrows down, and the plain comparison."""

    @settings(max_examples=80, deadline=None)
    @given(texts=st.lists(TEXTS, min_size=1, max_size=4), typed=TEXTS)
    def test_a_search_finds_what_the_definition_says(self, texts: list[str], typed: str) -> None:
        organization = OrganizationFactory()
        company = CompanyFactory(organization=organization, name="Moor")  # no letter of these texts
        for text in texts:
            SignalFactory(company=company, external_id=str(uuid4()), subject="", description=text)
        wanted = sorted(text for text in texts if found_by_definition(text, typed))
        rows = Signal.objects.for_organization(organization)
        found = rows.search(typed, organization=organization)
        ways = [found.signals] if found.asked.exact is None else [found.signals, rows.filter(found.asked.exact)]
        for way in ways:
            assert sorted(way.values_list("description", flat=True)) == wanted

    @settings(max_examples=200, deadline=None)
    @given(text=st.text(max_size=30))
    def test_a_text_is_cut_into_words_as_the_definition_says(self, text: str) -> None:
        assert split(text) == words_by_definition(text)


class SearchTests(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.psa = ConnectionFactory(organization=self.northwind)

    def ticket(self, subject: str, **more: object) -> Signal:
        columns = {"company": self.harlow, "connection": self.psa, "description": "", **more}
        signal: Signal = SignalFactory(subject=subject, **columns)
        return signal

    def found(self, text: str) -> list[str]:
        rows = Signal.objects.for_organization(self.northwind).search(text, organization=self.northwind).signals
        return sorted(rows.values_list("subject", flat=True))

    def test_addresses_hosts_and_error_codes_are_found_by_their_parts_and_as_a_whole(self) -> None:
        self.ticket(
            "Mail", description="From theo.okafor@harlow.example, host SRV-MAIL01.harlow.local: 0x80070005 (e-mail)"
        )
        for typed in ("theo.okafor@harlow.example", "okafor", "srv-mail01", "mail01", "0x8007", "e-mail", "SRV-MAIL"):
            assert self.found(typed) == ["Mail"], typed
        for typed in ("okafor.theo", "mail-srv", "80070005", "kafor"):
            assert self.found(typed) == [], typed

    def test_a_search_of_signs_alone_finds_nothing(self) -> None:
        self.ticket("Mail & more")
        assert self.found("&") == self.found("%") == self.found("  ") == self.found("\0") == []
        assert self.found("mail & more") == ["Mail & more"]

    def test_any_part_of_a_company_or_contact_is_found(self) -> None:
        contact = Contact.unscoped.create(
            organization=self.northwind,
            connection=self.psa,
            company=self.harlow,
            external_id="1",
            name="Dana Whitfield",
        )
        self.ticket("Hers", contact=contact)
        self.ticket("Another's", company=self.pinewood)
        assert self.found("field") == ["Hers"]
        assert self.found("beck hers") == ["Hers"]
        assert self.found("inewood") == ["Another's"]

    def test_names_that_are_many_are_found_all_the_same(self) -> None:
        contacts = Contact.unscoped.bulk_create(
            Contact(
                organization=self.northwind,
                connection=self.psa,
                company=self.harlow,
                external_id=str(number),
                name=f"Person {number}",
            )
            for number in range(MOST_NAMED + 1)
        )
        self.ticket("The last one's", contact=contacts[-1])
        assert self.found("erson") == ["The last one's"]

    def test_the_words_follow_what_the_source_says_and_the_number_that_a_ticket_gets(self) -> None:
        earlier = datetime(2026, 11, 20, 9, tzinfo=UTC)
        for hour, subject in enumerate(("Scanner is slow", "Printer is slow")):
            told = TicketRecord("4711", subject, created_at=earlier, updated_at=earlier + timedelta(hours=hour))
            upsert_signals(connection=self.psa, tickets=[told], actor=self.actor(self.olivia))
        assert (self.found("scanner"), self.found("47 printer")) == ([], ["Printer is slow"])
        own = self.ticket("Of our own", connection=None)
        adopt_ticket(signal=own, connection=self.psa, external_id="T-2026/0815")
        assert self.found("T-2026/08") == ["Of our own"]

    def test_a_long_text_and_a_long_word_are_taken_and_found_by_their_beginning(self) -> None:
        self.ticket("Long", description="x" * 5000 + " " + "word " * 300_000)
        assert self.found("x" * 3000) == self.found("wor") == ["Long"]
