"""What a processor's questions to the language model cost: the tokens they take, at today's price."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db.models import Avg

from integrations.llm.spend import cost_microcents, estimate_text_tokens, estimate_tokens
from integrations.services import known_price, model_info
from junto.tenants.models import Organization
from junto.tenants.scoping import TenantQuerySet
from signals.models import ModelQuestion
from signals.processing.guessers import known_labels
from signals.processing.learning import closed_tickets
from signals.processors.asking import Choice, Question, Reply
from signals.processors.base import AnyProcessor
from signals.processors.model import MOST_CHOICES, MOST_TEXT

#: Questions, or tickets, that an estimate rests on.
_LOOKED_AT: Final = 50
#: Tokens of an answer as far as none was given yet: one label, or a few sentences.
_USUAL_LABEL: Final = 100
_USUAL_TEXT: Final = 300


def questions_so_far(organization: Organization, slug: str) -> TenantQuerySet[ModelQuestion]:
    """What a processor asked the model that answered it last; none before any question."""
    rows = ModelQuestion.objects.for_organization(organization).filter(processor=slug)
    newest = rows.order_by("-created_at").values_list("model", flat=True).first()
    return rows.filter(model=newest) if newest is not None else rows.none()


def question_cost(
    organization: Organization, processor: AnyProcessor, texts: Sequence[tuple[str, str]] | None = None
) -> float | None:
    """What one question takes at today's price, in millionths of a cent; None where no price is set for the model.

    By what this processor's last questions took, else by the length of the tickets in question: `texts` are their
    titles and texts, without them those of the last closed ones. Notes are not counted then.
    """
    price = known_price(model_info(organization).model)
    if price is None:
        return None
    asked = questions_so_far(organization, processor.slug).filter(tokens_in__gt=0).order_by("-created_at")
    took = asked[:_LOOKED_AT].aggregate(read=Avg("tokens_in"), written=Avg("tokens_out"))
    read, written = took["read"], took["written"]
    if read is None:
        read = _tokens_by_length(organization, processor, _closed(organization) if texts is None else texts)
        written = _USUAL_LABEL if processor.takes_rules else _USUAL_TEXT
    return cost_microcents(price, tokens_in=round(read), tokens_out=round(written))


def _closed(organization: Organization) -> list[tuple[str, str]]:
    rows = closed_tickets(organization).order_by("-source_updated_at").values_list("subject", "description")
    return list(rows[:_LOOKED_AT])


def _tokens_by_length(organization: Organization, processor: AnyProcessor, texts: Sequence[tuple[str, str]]) -> float:
    """Tokens that a question would be on average, on the high side."""
    told = [estimate_text_tokens(f"{subject}\n\n{text[:MOST_TEXT]}") for subject, text in texts] or [0]
    answer: type[Reply] = Choice if processor.takes_rules else Reply
    labels = {"label": known_labels(organization, processor)[:MOST_CHOICES]} if processor.takes_rules else {}
    around = Question(task=processor.description, answer=answer, ticket="", allowed=labels)
    return estimate_tokens(around.messages(), [around.function()]) + sum(told) / len(told)
