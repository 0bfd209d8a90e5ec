"""The language model an organization talks to: the one the operator configured, else the built-in rehearsal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from integrations.errors import AddressRefused
from integrations.llm.chat import ChatModel, ModelRefused
from integrations.llm.openai_chat import OpenAIChatModel
from integrations.llm.rehearsal import BASE_URL, MODEL_NAME, rehearsal_client
from integrations.llm.transport import model_http_client
from junto.tenants.models import Organization

HOW_TO_CONNECT = (
    "This is the built-in rehearsal model: fixed rules, no language model. To connect one, set JUNTO_LLM_BASE_URL and"
    " JUNTO_LLM_MODEL (and JUNTO_LLM_API_KEY) and start again."
)


#: Connections to a model's server, kept between steps; keys and conversations travel in the requests.
_shared_client = lru_cache(maxsize=8)(model_http_client)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What people are told of the model. `model` is its exact name, for prices; `help` says how to connect one."""

    label: str
    rehearsal: bool
    model: str
    base_url: str = ""
    help: str = ""


def model_info(organization: Organization) -> ModelInfo:
    """Which model speaks for this organization; asks nobody. The operator's settings hold for all of them so far."""
    if not settings.LLM_BASE_URL:
        return ModelInfo("Rehearsal model", rehearsal=True, model=MODEL_NAME, help=HOW_TO_CONNECT)
    return ModelInfo(
        settings.LLM_MODEL or "unnamed model",
        rehearsal=False,
        model=settings.LLM_MODEL,
        base_url=settings.LLM_BASE_URL,
    )


def chat_model(organization: Organization) -> tuple[ChatModel, ModelInfo]:
    """A model client for one step, and what it is.

    Raises:
        ModelRefused: the settings can never work; the message says which.
    """
    info = model_info(organization)
    if info.rehearsal:
        client = rehearsal_client()
        return OpenAIChatModel(base_url=BASE_URL, api_key="", model=MODEL_NAME, http_client=client), info
    try:
        client = _shared_client(info.base_url)
    except AddressRefused as error:
        raise ModelRefused(f"JUNTO_LLM_BASE_URL cannot be used. {error}") from error
    return (
        OpenAIChatModel(base_url=info.base_url, api_key=settings.LLM_API_KEY, model=info.model, http_client=client),
        info,
    )
