"""What people read when the language model gives no answer: what happened, that nothing is lost, and what to do."""

from __future__ import annotations

from integrations.llm.chat import ModelError, ModelNonsense, ModelOverBudget, ModelRefused, ModelUnavailable

TRY_AGAIN = (
    "Nothing is lost. Write a message and the agent tries again; if it stays like this, tell your administrator."
)
ASK_ADMIN = "Nothing is lost. Tell your administrator; when it is mended, write a message and the agent goes on."

_WORDS: dict[type[ModelError], str] = {
    ModelUnavailable: f"The language model does not answer at present. {TRY_AGAIN}",
    ModelRefused: f"The language model does not take our requests: something in its set-up is wrong. {ASK_ADMIN}",
    ModelNonsense: f"The language model gave an answer that nobody can use. {TRY_AGAIN}",
    ModelOverBudget: (
        "This conversation has become longer than the language model can read, though older results were left out "
        "already. Nothing is lost. Close this session and start a new one, which begins with the ticket alone."
    ),
}


def outage_words(problem: ModelError) -> str:
    """The words for everybody; what `problem` itself says is for those who keep the model running."""
    return _WORDS.get(type(problem), f"The language model gave no answer. {TRY_AGAIN}")
