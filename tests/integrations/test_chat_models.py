"""Which model speaks for an organization, and what its calls are booked as."""

from __future__ import annotations

import json

import pytest
from pytest_django import Settings

from integrations.llm.chat import ChatMessage, ModelRefused
from integrations.models import ModelUsage
from integrations.services import chat_model, model_info, reserve_usage, settle_usage
from tests.cases import JuntoTestCase
from tests.integrations.rogue import rogue_server, says

HELLO = [ChatMessage("user", "Hello")]


class ChatModelTests(JuntoTestCase):
    settings: Settings

    @pytest.fixture(autouse=True)
    def _borrow(self, settings: Settings) -> None:
        self.settings = settings

    def test_without_an_endpoint_the_rehearsal_speaks_and_says_how_to_connect_one(self) -> None:
        model, info = chat_model(self.northwind)

        assert info.rehearsal
        assert "JUNTO_LLM_BASE_URL" in info.help
        assert model.complete(HELLO, [], deadline_seconds=10).text

    def test_a_configured_endpoint_is_spoken_to_through_the_gate(self) -> None:
        choice = {"index": 0, "message": {"role": "assistant", "content": "Good morning"}, "finish_reason": "stop"}
        answer = json.dumps({"choices": [choice], "model": "m"}).encode()
        with rogue_server(says("200 OK", answer, Content_Type="application/json")) as server:
            self.settings.LOCAL_TARGETS = frozenset({("127.0.0.1", server.port)})
            self.settings.LLM_BASE_URL = f"http://127.0.0.1:{server.port}/v1"
            self.settings.LLM_API_KEY, self.settings.LLM_MODEL = "sk-test", "house-model"

            model, info = chat_model(self.northwind)

            assert (info.rehearsal, info.label) == (False, "house-model")
            assert model.complete(HELLO, [], deadline_seconds=10).text == "Good morning"
            (request,) = server.requests
            assert request.startswith(b"POST /v1/chat/completions ")
            assert b"sk-test" not in repr(info).encode()

    def test_an_endpoint_at_a_forbidden_address_is_refused_by_name(self) -> None:
        self.settings.LLM_BASE_URL, self.settings.LLM_MODEL = "http://169.254.169.254/v1", "m"

        with pytest.raises(ModelRefused, match="JUNTO_LLM_BASE_URL"):
            chat_model(self.northwind)

    def test_an_endpoint_without_a_model_is_refused(self) -> None:
        self.settings.LLM_BASE_URL, self.settings.LLM_MODEL = "https://models.example.com/v1", ""

        assert model_info(self.northwind).label == "unnamed model"
        with pytest.raises(ModelRefused, match="JUNTO_LLM_MODEL"):
            chat_model(self.northwind)

    def test_a_call_counts_from_before_it_leaves_and_is_corrected_after(self) -> None:
        usage = reserve_usage(
            organization=self.northwind,
            company=self.harlow,
            subject="session:1",
            model="m",
            tokens_in=900,
            tokens_out=4000,
        )
        booked = ModelUsage.objects.for_organization(self.northwind).get()
        assert (booked.reserved, booked.tokens_out) == (True, 4000)

        settle_usage(usage, tokens_in=812, tokens_out=77)

        booked.refresh_from_db()
        assert (booked.reserved, booked.tokens_in, booked.tokens_out) == (False, 812, 77)
