"""Asking the organization's language model on behalf of a processor: limit, reservation, record.

Call it outside any transaction: an answer may take a minute.

The rehearsal model is no language model and is not asked. What was asked and answered is kept for whoever may read it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Q
from django.utils import timezone

from integrations.llm.chat import ModelError, ModelReply
from integrations.llm.spend import estimate_tokens
from integrations.models import ModelUsage
from integrations.services import chat_model, model_info, reserve_usage, settle_usage
from junto.tenants.models import Organization
from signals.intake.cleaning import storable
from signals.models import ModelQuestion, Signal
from signals.processing.daily import asked_today, own_limits
from signals.processing.unread import answered
from signals.processors.asking import AnswerRefused, Question, Reply, Said, answer_text
from signals.processors.base import ModelOptions, Options

R = TypeVar("R", bound=Reply)

#: Seconds one answer may take: a ticket is one of many, and the next ones wait behind it.
ANSWER_SECONDS = 60.0
#: Tokens set aside for an answer before it is known.
ANSWER_TOKENS = 1500
#: So long nothing is asked after a question to the organization's model stayed without an answer.
SILENT_FOR = timedelta(seconds=60)
#: Characters of an answer that are kept.
MOST_KEPT = 20_000
#: A question set aside so lately may still be on its way from another process, which will keep the answer.
IN_FLIGHT = timedelta(seconds=ANSWER_SECONDS + 10)
#: What is still set aside after so long was left behind by a process that died.
LOST_AFTER = timedelta(minutes=15)
#: So long an answer that cannot be read is the answer, unless a person lets the ticket be read again.
UNREAD_FOR = timedelta(days=1)
#: Said of an answer that ends where the model had to stop, and so cannot be read.
CUT_OFF = "The language model’s answer was cut off: it came to the most tokens that it may write, or that fit into it."
#: `ModelUsage.subject` of what processors ask begins so.
SUBJECT = "processor:"


class SignalAsker:
    """Asks for one run of one processor on one signal. `why` says why no answer came, for the processor's reason.

    `asked` = a question left, or a kept answer was used; `over` = one did not leave (then `held_back`), or nobody
    answered, and the next would fare alike; `unread` = an answer came that cannot be read. `microcents` = what the run
    has cost so far.

    `by_person` = when a person asked for the run: what could not be read before is asked anew. Else it is after a day.
    """

    def __init__(
        self, signal: Signal, *, processor: str, revision: int, options: ModelOptions, by_person: datetime | None = None
    ) -> None:
        self._signal, self._processor, self._revision, self._daily = signal, processor, revision, options.model_daily
        self._name = model_info(signal.organization).model
        self._subject = f"{SUBJECT}{processor}:{signal.pk}"[:80]
        self.why = ""
        self._unread_since = by_person or timezone.now() - UNREAD_FOR
        self.asked = self.over = self.held_back = self.unread = False
        self.microcents = 0

    def ask(self, question: Question[R]) -> Said[R] | None:
        """See `Asker`. The same question to the same model is asked once; its answer is used again.

        One that cannot be read is not kept for good: the model behind the same address may have been set right.
        """
        digest = question.digest(self._name)
        rows = ModelQuestion.objects.for_organization(self._signal.organization).filter(
            signal=self._signal, processor=self._processor
        )
        stale = ~Q(problem="") & Q(created_at__lt=self._unread_since)
        known = answered(rows.filter(digest=digest)).exclude(stale).first()
        self.asked = self.asked or known is not None
        if known is not None and known.problem:
            self.why, self.unread = known.problem, True
            return None
        if known is not None:
            return self._read(question, known.answer, known.model, microcents=0)
        self.why = self._why_not()
        if self.why:
            self.over = self.held_back = True
            return None
        row = self._asked(question, digest)
        row.save(force_insert=True)
        self.microcents += row.microcents
        if row.problem:
            self.why, self.unread = row.problem, not self.over
            return None
        return self._read(question, row.answer, row.model, microcents=row.microcents)

    def _read(self, question: Question[R], text: str, model: str, *, microcents: int) -> Said[R] | None:
        try:
            return Said(question.read(text), model, microcents)
        except AnswerRefused as problem:
            self.why, self.unread = str(problem), True
            return None

    def _why_not(self) -> str:
        organization, company, now = self._signal.organization, self._signal.company_id, timezone.now()
        own = own_limits(organization)
        if asked_today(organization, self._processor, company, own).count() >= self._daily:
            about = " about this company’s tickets" if company in own.get(self._processor, ()) else ""
            return f"The language model was asked {self._daily} times today{about}, which is the most that is set."
        usages = ModelUsage.objects.for_organization(organization)
        if usages.filter(subject=self._subject, reserved=True, created_at__gt=now - IN_FLIGHT).exists():
            return "The language model is being asked already."
        last = usages.filter(reserved=False).order_by("-created_at").first()
        if last is not None and not last.tokens_in + last.tokens_out and last.created_at > now - SILENT_FOR:
            return "The language model gave no answer a moment ago, so it was not asked."
        return ""

    def _asked(self, question: Question[R], digest: str) -> ModelQuestion:
        """Ask, and settle what it took; the row is not written yet."""
        signal, messages, tools = self._signal, question.messages(), [question.function()]
        usage = reserve_usage(
            organization=signal.organization,
            company=signal.company,
            subject=self._subject,
            model=self._name,
            tokens_in=estimate_tokens(messages, tools),
            tokens_out=ANSWER_TOKENS,
        )
        self.asked = True
        started, reply, problem, text = time.perf_counter(), None, "", ""
        try:
            model, _ = chat_model(signal.organization)
            reply = model.complete(messages, tools, deadline_seconds=ANSWER_SECONDS)
            text = answer_text(reply)
            question.read(text)
        except ModelError as silent:
            self.over, problem = True, f"The language model gave no answer. {silent}"
        except AnswerRefused as refused:
            problem = CUT_OFF if reply is not None and reply.finish_reason == "length" else str(refused)
        took = round((time.perf_counter() - started) * 1000)
        cost = settle_usage(usage, **_tokens(reply))
        return ModelQuestion(
            organization=signal.organization,
            signal=signal,
            processor=self._processor,
            revision=self._revision,
            model=storable((reply.model if reply else self._name)[:120]),
            digest=digest,
            prompt=storable(question.words()),
            answer=storable(text or _written(reply))[:MOST_KEPT],
            problem=storable(problem)[:300],
            microcents=cost,
            milliseconds=took,
            **_tokens(reply),
        )


def may_ask(organization: Organization, options: Options) -> bool:
    """Whether a processor with these options asks a language model, and one is connected."""
    return isinstance(options, ModelOptions) and options.ask_model and not model_info(organization).rehearsal


def asker_of(
    signal: Signal, *, processor: str, revision: int, options: Options, by_person: datetime | None = None
) -> SignalAsker | None:
    """Who may be asked for this run; None where the processor asks none, or no language model is connected.

    `by_person` = when a person asked for it: what could not be read before is asked anew.
    """
    if not isinstance(options, ModelOptions) or not may_ask(signal.organization, options):
        return None
    return SignalAsker(signal, processor=processor, revision=revision, options=options, by_person=by_person)


def _tokens(reply: ModelReply | None) -> Mapping[str, int]:
    return {"tokens_in": reply.tokens_in if reply else 0, "tokens_out": reply.tokens_out if reply else 0}


def _written(reply: ModelReply | None) -> str:
    """All that the model wrote, where it is no answer."""
    if reply is None:
        return ""
    return "\n".join([reply.text, *(f"{call.name} {call.arguments_text}" for call in reply.tool_calls)]).strip()
