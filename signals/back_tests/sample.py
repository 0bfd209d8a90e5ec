"""The language model in a back-test: of which tickets it is asked, and what a question costs.

It is asked as the processor asks it on a new ticket: the same question, the same limits, and each question is kept with
its cost. An Admin says of how many tickets; of none, unless they say so.
"""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID

from django.db.models import Avg

from integrations.llm.spend import cost_microcents, estimate_tokens
from integrations.services import known_price, model_info
from junto.tenants.models import Company, Organization
from signals.models import ModelQuestion, ProcessorSetting, Signal
from signals.processing.asking import SignalAsker, asker_of
from signals.processing.guessers import known_labels
from signals.processing.learning import closed_tickets
from signals.processing.plans import plan_of
from signals.processors.asking import Choice, Question
from signals.processors.base import AnyProcessor, ModelOptions, Options
from signals.processors.model import MOST_CHOICES, MOST_TEXT

#: Tickets of one test that a language model is asked of.
MOST_ASKED: Final = 200
#: So long one test goes on asking; a model takes up to a minute for an answer.
_MOST_SECONDS: Final = 900
#: Questions, or tickets, that an estimate rests on.
_LOOKED_AT: Final = 50
#: Tokens of an answer, as far as none was given yet.
_USUAL_ANSWER: Final = 100


def asks_model(organization: Organization, options: Options) -> bool:
    """Whether a processor with these options asks a language model, and one is connected."""
    return isinstance(options, ModelOptions) and options.ask_model and not model_info(organization).rehearsal


def question_cost(organization: Organization, processor: AnyProcessor) -> float | None:
    """What one question takes at today's price, in millionths of a cent; None where no price is set for the model.

    By what this processor's last questions took, else by the length of the last closed tickets.
    """
    price = known_price(model_info(organization).model)
    if price is None:
        return None
    asked = ModelQuestion.objects.for_organization(organization).filter(processor=processor.slug, tokens_in__gt=0)
    took = asked[:_LOOKED_AT].aggregate(read=Avg("tokens_in"), written=Avg("tokens_out"))
    read, written = took["read"], took["written"]
    if read is None:
        read, written = _tokens_by_length(organization, processor), _USUAL_ANSWER
    return cost_microcents(price, tokens_in=round(read), tokens_out=round(written))


def _tokens_by_length(organization: Organization, processor: AnyProcessor) -> float:
    """Tokens that a question would be, on the high side."""
    rows = closed_tickets(organization).order_by("-source_updated_at").values_list("subject", "description")
    texts = [f"{subject}\n\n{description[:MOST_TEXT]}" for subject, description in rows[:_LOOKED_AT]] or [""]
    labels = known_labels(organization, processor)[:MOST_CHOICES]
    questions = [
        Question(task=processor.description, answer=Choice, ticket=text, allowed={"label": labels}) for text in texts
    ]
    return sum(estimate_tokens(each.messages(), [each.function()]) for each in questions) / len(questions)


class ModelSample:
    """Who may be asked of which ticket of one test, until as many were asked of as were wanted.

    A company for which the processor is off, or asks no model, is left out; so are boards that it does not read. Once
    a question did not leave, or nobody answered, nobody is asked any more. `why` says what came between.
    """

    def __init__(self, organization: Organization, processor: AnyProcessor, *, most: int) -> None:
        self._organization, self._processor, self._left = organization, processor, most
        self._ends = time.monotonic() + _MOST_SECONDS
        off = ProcessorSetting.objects.for_organization(organization).filter(processor=processor.slug, enabled=False)
        self._off = frozenset(off.filter(company__isnull=False).values_list("company_id", flat=True))
        self._boards = plan_of(organization, processor).boards
        self._options: dict[UUID | None, Options] = {}
        self.why = ""

    def asker(self, signal: Signal) -> SignalAsker | None:
        """Who may be asked of it; None where nobody may, or enough were asked of."""
        if self._left <= 0 or signal.company_id in self._off or (self._boards and signal.board_id not in self._boards):
            return None
        if time.monotonic() > self._ends:
            self._left, self.why = 0, f"It was asked for {_MOST_SECONDS // 60} minutes, and then no more."
            return None
        return asker_of(
            signal,
            processor=self._processor.slug,
            revision=signal.revision,
            options=self.options_of(signal.company),
        )

    def options_of(self, company: Company | None) -> Options:
        """The options in force for that company."""
        key = company.pk if company else None
        if key not in self._options:
            self._options[key] = plan_of(self._organization, self._processor, company).options
        return self._options[key]

    def count(self, asker: SignalAsker) -> None:
        """That one may have asked; why there was no answer is remembered."""
        self._left -= asker.asked
        self.why = asker.why or self.why
        if asker.over:
            self._left, self.why = 0, f"No more was asked: {asker.why}"
