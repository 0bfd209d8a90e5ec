"""A language model's answer that cannot be read is not kept for good, and an Admin is told when none can be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from integrations.models import ModelUsage
from junto.desk.doctor import check_answers
from signals.models import ModelQuestion, ProcessorSetting, Signal
from tests.cases import JuntoTestCase
from tests.scripted_model import Fails, Says
from tests.signals.test_back_test import ModelBackTestCase, says
from tests.signals.test_model_producer import ModelCase, answer

PROSE = Says("Nothing to add.", tokens=(1000, 50))
NO_JSON = "The language model’s answer is no JSON"


class UnreadCase(ModelCase, JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.categories()

    def age(self, **by: float) -> None:
        """What was asked so far, was asked so much earlier."""
        ModelQuestion.unscoped.update(created_at=timezone.now() - timedelta(**by))

    def read_again(self, *signals: Signal) -> None:
        self.log_in(self.adam)
        fields = {"key": str(uuid4()), "processor": ["category"], "chosen": "1"}
        fields |= {"signal": [str(signal.pk) for signal in signals]}
        assert self.client.post(self.path("processors/read-again/"), fields).status_code == 302
        self.drain()


class AskedAnewTests(UnreadCase):
    def test_by_itself_a_ticket_is_asked_about_again_after_a_day_and_both_answers_stay(self) -> None:
        signal = self.ticket()
        with self.model(PROSE, answer(label="Network")) as server:
            assert self.read(signal) is None
            self.age(hours=23)
            assert self.read(signal) is None
            assert len(server.requests) == 1
            self.age(hours=25)
            result = self.read(signal)
            assert result is not None
            assert result.value["category"] == "Network"
            self.read(signal)
        assert len(server.requests) == 2
        assert sorted(bool(question.problem) for question in self.questions()) == [False, True]
        usage = ModelUsage.objects.for_organization(self.northwind)
        assert usage.filter(reserved=False, cost_microcents=240_000).count() == 2

    def test_an_answer_that_was_cut_off_says_so(self) -> None:
        half = Says('{"label": "Print', finish_reason="length", tokens=(1000, 50))
        with self.model(half):
            assert self.read(self.ticket()) is None
        [question] = self.questions()
        assert question.problem.startswith("The language model’s answer was cut off")
        assert question.answer == '{"label": "Print'

    def test_an_answer_without_a_word_is_no_silence_and_is_not_asked_for_with_every_reading(self) -> None:
        signal = self.ticket()
        with self.model(Says("", tokens=(1000, 0))) as server:
            for _ in range(2):
                assert self.read(signal) is None
        assert len(server.requests) == 1

    def test_on_a_persons_read_again_the_question_leaves_once_more(self) -> None:
        signal = self.ticket()
        with self.model(PROSE, PROSE, answer(label="Network")) as server:
            self.read(signal)
            self.read_again(signal)
            assert len(server.requests) == 2
            self.read(signal)  # nobody asked for that
            assert len(server.requests) == 2
            self.read_again(signal)
            assert len(server.requests) == 3
            self.read_again(signal)
        assert len(server.requests) == 3
        result = self.read(signal)
        assert result is not None
        assert result.value["category"] == "Network"

    def test_no_more_questions_leave_than_are_set_for_a_day_for_that_either(self) -> None:
        ProcessorSetting.objects.create(organization=self.northwind, processor="category", options={"model_daily": 2})
        signals = [self.ticket("Eins"), self.ticket("Zwei")]
        with self.model(PROSE, PROSE) as server:
            for signal in signals:
                self.read(signal)
            self.read_again(*signals)
        assert len(server.requests) == 2


class ReadingTests(UnreadCase):
    def begin(self, *signals: Signal, processors: Sequence[str]) -> str:
        """Adam lets them be read again; the address of the page that tells how far it is."""
        self.log_in(self.adam)
        fields = {"key": str(uuid4()), "processor": processors, "chosen": "1"}
        fields |= {"signal": [str(signal.pk) for signal in signals]}
        answer: Any = self.client.post(self.path("processors/read-again/"), fields)
        return str(answer.headers["Location"])

    def told(self, path: str) -> str:
        return " ".join(self.client.get(path).content.decode().split())

    def test_the_page_tells_how_many_answers_could_not_be_read_of_which_processor_and_what_was_wrong(self) -> None:
        signals = [self.ticket("Eins"), self.ticket("Zwei")]
        with self.model(*[PROSE] * 4):
            path = self.begin(*signals, processors=["category", "issue_or_request"])
            assert "could not be read" not in self.told(path)
            self.read(signals[0])
            page = self.told(path)
            assert "0 of 2 tickets" in page
            assert "<b>1 answer of the language model could not be read</b>" in page
            self.drain()
        page = self.told(path)
        assert "2 of 2 tickets" in page
        assert "<b>4 answers of the language model could not be read</b>" in page
        for slug, label in (("category", "Category and tags"), ("issue_or_request", "Issue / request classifier")):
            assert f'<a href="{self.path(f"processors/{slug}/")}">{label}</a> (2)' in page
        assert NO_JSON in page
        wrote = page.split('">What it wrote</a>')[0].rsplit('href="', 1)[1]
        assert "Nothing to add." in self.client.get(wrote).content.decode()

    def test_one_whose_answers_could_be_read_or_that_got_none_says_nothing_of_it(self) -> None:
        with self.model(answer(label="Network"), Fails(401, "no such key")):
            path = self.begin(self.ticket("Eins"), self.ticket("Zwei"), processors=["category"])
            self.drain()
        assert "could not be read" not in self.told(path)

    def test_the_page_tells_of_questions_without_an_answer_and_of_the_tickets_that_were_not_asked_about(self) -> None:
        tickets = [self.ticket(words) for words in ("Eins", "Zwei", "Drei")]
        with self.model(Fails(401, "no such key <b>4711</b>")):
            path = self.begin(*tickets, processors=["category"])
            self.drain()
        page = self.told(path)
        assert "3 of 3 tickets" in page
        assert "<b>The language model gave no answer to 1 question.</b>" in page
        assert "no such key &lt;b&gt;4711" in page
        assert "<b>2 tickets were not asked about.</b> The language model gave no answer a moment ago" in page

    def test_the_page_tells_of_tickets_beyond_the_questions_of_a_day(self) -> None:
        ProcessorSetting.objects.create(organization=self.northwind, processor="category", options={"model_daily": 2})
        with self.model(answer(label="Network"), answer(label="Network")):
            path = self.begin(*[self.ticket(words) for words in ("Eins", "Zwei", "Drei")], processors=["category"])
            self.drain()
        page = self.told(path)
        assert "gave no answer" not in page
        assert "<b>1 ticket was not asked about.</b> The language model was asked 2 times today" in page


class BackTestTests(ModelBackTestCase):
    def test_the_page_tells_it_apart_from_nothing_surer_and_the_next_test_asks_anew(self) -> None:
        with self.answering(lambda _: PROSE, always=True) as server:
            self.start(ask_model="1", model_most="5")
            page = self.page()
        assert len(server.requests) == 5
        assert "was asked of 5 tickets, those below 0.70, for 1.20 ¢. Of 5 its answer could not be read." in page
        assert NO_JSON in page
        assert "nothing surer" not in page
        with self.answering(says("Email"), always=True) as mended:
            self.start(ask_model="1", model_most="5")
            page = self.page()
        assert len(mended.requests) == 5
        assert "could not be read" not in page


class ToldTests(UnreadCase):
    def page(self) -> str:
        self.log_in(self.adam)
        answered: Any = self.client.get(self.path("processors/category/"))
        return " ".join(answered.content.decode().split())

    def test_an_admin_is_told_after_five_in_a_row_until_one_can_be_read(self) -> None:
        with self.model(*[PROSE] * 5, Fails(401, "no such key"), answer(label="Network")):
            for number in range(4):
                self.read(self.ticket(f"Frage {number}"))
            assert "could not be read" not in self.page()
            assert [check.ok for check in check_answers()] == [True, True]
            last = self.ticket("Frage 4")
            self.read(last)
            page = self.page()
            assert "The last 5 answers of the language model (scripted-1) could not be read" in page
            assert NO_JSON in page
            assert self.path(f"signals/{last.pk}/findings/category/") in page
            assert (
                "Nothing to add."
                in self.client.get(self.path(f"signals/{last.pk}/findings/category/")).content.decode()
            )
            told = {check.name: check for check in check_answers()}
            assert not told["answers to processors of northwind"].ok
            assert NO_JSON in told["answers to processors of northwind"].detail
            assert told["answers to processors of southgate"].ok
            self.read(self.ticket("Frage 5"))  # silence is no answer
            assert "The last 5 answers" in self.page()
            ModelUsage.unscoped.update(created_at=timezone.now() - timedelta(minutes=5))
            self.read(self.ticket("Frage 6"))
            assert "could not be read" not in self.page()

    def test_what_is_wrong_is_quoted_and_a_processor_that_asks_no_model_any_more_says_nothing(self) -> None:
        with self.model(*[answer(label="Close 4711")] * 5):
            for number in range(5):
                self.read(self.ticket(f"Frage {number}"))
            assert "“Close 4711”, which is none" in self.page()
            ProcessorSetting.objects.create(
                organization=self.northwind, processor="category", options={"ask_model": False}
            )
            assert "could not be read" not in self.page()
        self.settings.LLM_BASE_URL = ""
        assert list(check_answers()) == []

    def test_a_week_later_it_is_told_no_more(self) -> None:
        with self.model(*[PROSE] * 5):
            for number in range(5):
                self.read(self.ticket(f"Frage {number}"))
            self.age(days=8)
            assert "could not be read" not in self.page()
