"""Is something broken, or does somebody want something? An incident is repaired, a request is fulfilled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, Literal

from pydantic import Field

from junto.textwork.kind import issue_or_request
from signals.processors.base import (
    Abstained,
    Guess,
    ModelOptions,
    Outcome,
    Phase,
    Processor,
    Producer,
    TicketFacts,
    Value,
    Workbench,
    surest,
)
from signals.processors.model import ModelGuesser
from signals.processors.reading import reading_of

ISSUE: Final = "issue"
REQUEST: Final = "request"

#: Words of a PSA's own ticket types, for what closed tickets teach.
_REQUEST_TYPES: Final = ("request", "change", "project", "onboarding", "order", "procurement")
_ISSUE_TYPES: Final = ("incident", "issue", "problem", "break", "fault", "alert", "outage")

_TASK: Final = (
    "Is something broken that worked before, or is somebody hindered in their work (issue)? Or does somebody want"
    " something new, a change, an order, access or an answer (request)?"
)
#: A table of words is never surer than this, however many it finds.
_SUREST: Final = 0.85


class IssueOrRequest(Value):
    """One of two."""

    kind: Literal["issue", "request"] = Field(title="Kind")

    def words(self) -> str:
        """“Issue” or “Request”."""
        return self.kind.capitalize()

    def key(self) -> str:
        """The kind."""
        return self.kind


class IssueOrRequestOptions(ModelOptions):
    """How sure it must be."""

    confidence: float = Field(
        0.60, ge=0, le=1, title="Confidence", description="Below this nothing is said, and the ticket waits for review."
    )
    change_confidence: float = Field(
        0.70, ge=0, le=1, title="Confidence to change", description="What stands is changed only by what is so sure."
    )
    read_words: bool = Field(
        True, title="Read usual words", description="A built-in table of words answers where nobody else does."
    )


class UsualWords:
    """The built-in table: what people write of things broken and things wanted. Sure of nothing above 0.85."""

    def guess(self, facts: TicketFacts) -> Guess | None:
        """The side that more words speak for; None where none does. What the monitoring posts is broken."""
        if facts.alert_type:
            return Guess(ISSUE, _SUREST, "An alert of the monitoring.", Producer.RULE)
        found = issue_or_request(reading_of(facts))
        if found is None:
            return None
        reason = f"Usual words for {_an(found.kind)}."
        return Guess(found.kind.value, min(found.confidence, _SUREST), reason, Producer.RULE)


class IssueOrRequestProcessor(Processor[IssueOrRequest, IssueOrRequestOptions]):
    """Rules, then what was learned, then the table of usual words, then a language model."""

    slug: ClassVar = "issue_or_request"
    label: ClassVar = "Issue / request classifier"
    noun: ClassVar = "Kind"
    description: ClassVar = "Says whether something is broken or somebody wants something."
    phase: ClassVar = Phase.ENRICHMENT
    on_by_default: ClassVar = True
    takes_rules: ClassVar = True
    learns: ClassVar = True
    value_type = IssueOrRequest
    options_type = IssueOrRequestOptions

    def run(
        self, facts: TicketFacts, options: IssueOrRequestOptions, bench: Workbench
    ) -> Outcome[IssueOrRequest] | Abstained[IssueOrRequest]:
        """The first producer that is sure enough answers."""
        words = [UsualWords()] if options.read_words else []
        model = ModelGuesser(bench.model, _TASK, lambda: (ISSUE, REQUEST))
        held = bench.standing.kind if isinstance(bench.standing, IssueOrRequest) else ""
        guess, sure = surest(
            [*bench.guessers, *words, model], facts, options.confidence, standing=held, change=options.change_confidence
        )
        if guess is None or guess.label not in {ISSUE, REQUEST}:
            return Abstained(reason="Nothing in the ticket tells whether it is an issue or a request.")
        outcome = Outcome(
            value=self.value_of_label(guess.label),
            confidence=guess.confidence,
            reason=guess.reason,
            producer=guess.producer,
            model=guess.model,
            microcents=guess.microcents,
        )
        if sure:
            return outcome
        return Abstained(reason=f"Not sure enough (below {options.confidence:.2f}).", nearest=outcome)

    def label_of(self, value: IssueOrRequest) -> str:
        """The kind."""
        return value.kind

    def labels(self, options: IssueOrRequestOptions) -> Sequence[str]:
        """The two there are."""
        return (ISSUE, REQUEST)

    def value_of_label(self, label: str) -> IssueOrRequest:
        """The kind."""
        return IssueOrRequest.model_validate({"kind": label})

    def label_of_types(self, type_name: str, subtype: str, item: str, priority: str) -> str:
        """What the PSA's own type says where its name is plain; most types name neither."""
        name = type_name.lower()
        if any(word in name for word in _REQUEST_TYPES):
            return REQUEST
        return ISSUE if any(word in name for word in _ISSUE_TYPES) else ""


def _an(side: str) -> str:
    return f"an {side}" if side == ISSUE else f"a {side}"
