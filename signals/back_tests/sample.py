"""The language model in a back-test: of which tickets it is asked.

It is asked as the processor asks it on a new ticket: the same question, the same limits, and each question is kept with
its cost. An Admin says of how many tickets; of none, unless they say so.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Final
from uuid import UUID

from integrations.services import model_info
from junto.tenants.models import Company, Organization
from signals.models import ProcessorSetting, Signal
from signals.processing.asking import SignalAsker, asker_of
from signals.processing.plans import plan_of
from signals.processors.base import AnyProcessor, ModelOptions, Options

#: Tickets of one test that a language model is asked of.
MOST_ASKED: Final = 200
#: So long one test goes on asking; a model takes up to a minute for an answer.
_MOST_SECONDS: Final = 900


def asks_model(organization: Organization, options: Options) -> bool:
    """Whether a processor with these options asks a language model, and one is connected."""
    return isinstance(options, ModelOptions) and options.ask_model and not model_info(organization).rehearsal


class ModelSample:
    """Who may be asked of which ticket of one test, until as many were asked of as were wanted.

    A company for which the processor is off, or asks no model, is left out; so are boards that it does not read. Once
    a question did not leave, or nobody answered, nobody is asked any more. `why` says what came between.

    `by_person` = when a person asked for the test: what could not be read before is asked anew.
    """

    def __init__(self, organization: Organization, processor: AnyProcessor, *, most: int, by_person: datetime) -> None:
        self._organization, self._processor, self._left = organization, processor, most
        self._by_person = by_person
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
            by_person=self._by_person,
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
