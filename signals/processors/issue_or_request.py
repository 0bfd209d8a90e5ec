"""Is something broken, or does somebody want something? An incident is repaired, a request is fulfilled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final, Literal

from pydantic import Field

from signals.processors.base import (
    Abstained,
    Guess,
    Options,
    Outcome,
    Phase,
    Processor,
    Producer,
    TicketFacts,
    Value,
    Workbench,
    surest,
)

ISSUE: Final = "issue"
REQUEST: Final = "request"

#: What people write when something is broken, and when they want something; with how much it weighs. English only.
_ISSUE_SIGNS: Final = {
    r"not working|doesn'?t work|does not work|isn'?t working|stopped working|no longer works?": 2.0,
    r"cannot|can'?t|unable to|won'?t|not able to": 1.2,
    r"errors?|fail(?:s|ed|ing|ure)?|crash(?:es|ed|ing)?|froze|frozen|freez(?:es|ing)": 1.5,
    r"broken|down|offline|unreachable|outage|dropp(?:ed|ing)|disconnect(?:s|ed|ing)?": 1.4,
    r"slow(?:ly)?|stuck|missing|lost|corrupt(?:ed)?|locked out|locked|expired|timed? ?out|keeps? \w+ing": 1.0,
    r"alert|critical|threshold|exceeded|virus|malware|phishing|suspicious|hacked": 1.2,
    r"issues?|problems?|trouble|urgent": 0.8,
}
_REQUEST_SIGNS: Final = {
    r"please (?:add|create|install|set ?up|order|remove|grant|give|provide|change|enable|disable|send)": 2.0,
    r"(?:would|i'?d) like|we would like|requests?(?:ed|ing)?|need(?:s)? (?:a|an|access|to order|new)": 1.5,
    r"new (?:starter|hire|employee|user|colleague|laptop|computer|phone|monitor|account|licen[cs]e)": 2.0,
    r"onboard(?:ing)?|offboard(?:ing)?|leaver|leaving|last day|first day|joins? us": 1.8,
    r"install(?:ation)?|upgrade|quote|purchase|order|licen[cs]es?|permissions? (?:for|to)|access to": 1.0,
    r"set ?up|create|add|grant|move|how (?:do|can|to)|could you|can you|is it possible": 0.9,
}
#: Words of a PSA's own ticket types, for what closed tickets teach.
_REQUEST_TYPES: Final = ("request", "change", "project", "onboarding", "order", "procurement")
_ISSUE_TYPES: Final = ("incident", "issue", "problem", "break", "fault", "alert", "outage")

#: A table of words is never surer than this, however many it finds.
_SUREST: Final = 0.85
#: Weight that both sides have before anything is read: one weak word alone proves little.
_DOUBT: Final = 0.8
#: A word of the title weighs as much as so many of the text.
_TITLE: Final = 2.0


def _compiled(signs: dict[str, float]) -> list[tuple[re.Pattern[str], float]]:
    return [(re.compile(rf"\b(?:{pattern})\b"), weight) for pattern, weight in signs.items()]


_SIGNS: Final = {ISSUE: _compiled(_ISSUE_SIGNS), REQUEST: _compiled(_REQUEST_SIGNS)}
_READ: Final = 2000


class IssueOrRequest(Value):
    """One of two."""

    kind: Literal["issue", "request"] = Field(title="Kind")

    def words(self) -> str:
        """“Issue” or “Request”."""
        return self.kind.capitalize()

    def key(self) -> str:
        """The kind."""
        return self.kind


class IssueOrRequestOptions(Options):
    """How sure it must be."""

    confidence: float = Field(
        0.60, ge=0, le=1, title="Confidence", description="Below this nothing is said, and the ticket waits for review."
    )
    read_words: bool = Field(
        True, title="Read usual words", description="A built-in table of English words answers where nobody else does."
    )


class UsualWords:
    """The built-in table: counts what people write of things broken and things wanted. Sure of nothing above 0.85."""

    def guess(self, facts: TicketFacts) -> Guess | None:
        """The side that more words speak for; None where no word of either was found."""
        title, text = facts.subject.lower(), facts.description[:_READ].lower()
        weight = {ISSUE: 0.0, REQUEST: 0.0}
        seen: dict[str, list[str]] = {ISSUE: [], REQUEST: []}
        for side, signs in _SIGNS.items():
            for pattern, worth in signs:
                in_title, in_text = pattern.search(title), pattern.search(text)
                weight[side] += worth * (_TITLE if in_title else 1.0 if in_text else 0.0)
                seen[side] += [found.group(0) for found in (in_title or in_text,) if found]
        if facts.alert_type:
            weight[ISSUE] += 2.0
            seen[ISSUE].append("an alert of the monitoring")
        side = max(weight, key=lambda each: weight[each])
        if not weight[side]:
            return None
        share = (weight[side] + _DOUBT / 2) / (sum(weight.values()) + _DOUBT)
        words = ", ".join(f"“{word}”" for word in seen[side][:3])
        return Guess(side, min(share, _SUREST), f"Usual words for {_an(side)}: {words}.", Producer.RULE)


class IssueOrRequestProcessor(Processor[IssueOrRequest, IssueOrRequestOptions]):
    """Rules, then what was learned, then the table of usual words."""

    slug: ClassVar = "issue_or_request"
    label: ClassVar = "Issue / request classifier"
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
        guess, sure = surest([*bench.guessers, *words], facts, options.confidence)
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

    def label_of_types(self, type_name: str, subtype: str, item: str) -> str:
        """What the PSA's own type says where its name is plain; most types name neither."""
        name = type_name.lower()
        if any(word in name for word in _REQUEST_TYPES):
            return REQUEST
        return ISSUE if any(word in name for word in _ISSUE_TYPES) else ""


def _an(side: str) -> str:
    return f"an {side}" if side == ISSUE else f"a {side}"
