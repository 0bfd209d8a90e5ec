"""From what went wrong on the wire to an error a person can act on."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2
import openai

from integrations.llm.chat import ModelError, ModelOverBudget, ModelRefused, ModelUnavailable
from integrations.llm.fencing import show_escaped

_EXCERPT = 200
"""Characters of a server's own words that are shown to a person."""

_TOO_LONG = (
    "context length",
    "context_length",
    "context size",
    "context window",
    "input is too long",
    "maximum context",
    "prompt is too long",
    "reduce the length",
    "too many tokens",
)
_NO_MONEY = ("insufficient_quota", "billing", "exceeded your current quota")


@dataclass(frozen=True, slots=True)
class Fault:
    """A failed attempt: the error to raise, whether another attempt may help and how long the server wants us to wait.

    `dislikes_streaming` tells that the server refused the way we asked, not what we asked for.
    """

    error: ModelError
    may_retry: bool = False
    wait_seconds: float | None = None
    dislikes_streaming: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a request went, as far as it may be told to a person: never the key."""

    address: str
    model: str
    api_key: str

    def excerpt(self, text: str) -> str:
        """A server's words, short, on one line, without the key it may echo."""
        shown = show_escaped(" ".join(text[: 10 * _EXCERPT].split()))
        if self.api_key:
            shown = shown.replace(self.api_key, "[key]")
        return shown[:_EXCERPT] + ("…" if len(shown) > _EXCERPT else "")


def of_connection(error: Exception, endpoint: Endpoint) -> Fault:
    """No answer, or none in time."""
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        text = (
            f"The model at {endpoint.address} did not answer in time. "
            "Check that it is not overloaded, or allow it more time."
        )
    else:
        cause = error.__cause__ or error
        reason = endpoint.excerpt(str(cause)) or type(cause).__name__
        text = (
            f"The model at {endpoint.address} cannot be reached ({reason}). "
            "Check that it runs and that the address (JUNTO_LLM_BASE_URL) is right."
        )
    return Fault(ModelUnavailable(text), may_retry=True)


def of_status(error: openai.APIStatusError, endpoint: Endpoint) -> Fault:
    """An answer with a status that says no."""
    status = error.status_code
    words = _words(error)
    said = endpoint.excerpt(words)
    told = f" It said: {said}" if said else ""
    lowered = words.lower()
    if status in (401, 403):
        return Fault(ModelRefused(
            f"The model's server at {endpoint.address} refused the key ({status})."
            f" Check the key (JUNTO_LLM_API_KEY) and what it may use.{told}"
        ))  # fmt: skip
    if status == 413 or (status < 500 and any(sign in lowered for sign in _TOO_LONG)):
        return Fault(ModelOverBudget(
            f"The conversation is longer than {endpoint.model} can read. It has to be shortened,"
            f" or a model with a larger context used.{told}"
        ))  # fmt: skip
    if status in (400, 404, 405, 415, 422, 501) and "stream" in lowered:
        return Fault(ModelRefused(_refusal(status, endpoint, told)), dislikes_streaming=True)
    if status == 404:
        return Fault(ModelRefused(
            f"The server at {endpoint.address} knows no model {endpoint.model}, or has no chat completions there (404)."
            f" Check JUNTO_LLM_MODEL and JUNTO_LLM_BASE_URL (it usually ends in /v1).{told}"
        ))  # fmt: skip
    if status == 429 and any(sign in lowered for sign in _NO_MONEY):
        return Fault(ModelRefused(
            f"The account behind the model at {endpoint.address} has no credit left (429)."
            f" Add credit or use another key.{told}"
        ))  # fmt: skip
    if status in (408, 409, 425, 429) or status >= 500:
        meaning = "is overloaded or limits us" if status == 429 else "has trouble of its own"
        return Fault(
            ModelUnavailable(f"The model at {endpoint.address} {meaning} ({status}). Try again later.{told}"),
            may_retry=True,
            wait_seconds=retry_after(error.response),
        )
    return Fault(ModelRefused(_refusal(status, endpoint, told)))


def _refusal(status: int, endpoint: Endpoint, told: str) -> str:
    return (
        f"The server at {endpoint.address} refused the request for {endpoint.model} ({status})."
        f" Check the address, the model, and that the model can call tools.{told}"
    )


def _words(error: openai.APIStatusError) -> str:
    """The server's explanation, from the usual places or from the bare body."""
    body = error.body
    if isinstance(body, dict):
        told = [str(body[key]) for key in ("message", "detail", "error", "code", "type") if body.get(key)]
        if told:
            return " ".join(told)
    return body if isinstance(body, str) else str(error.message)


def retry_after(response: httpx2.Response) -> float | None:
    """Seconds the server asks us to wait (`retry-after-ms`, or `Retry-After` as seconds or a date), if it says."""
    for header, parts in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = response.headers.get(header, "")
        try:
            seconds = float(value) / parts
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        moment = parsedate_to_datetime(response.headers.get("retry-after", ""))
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
