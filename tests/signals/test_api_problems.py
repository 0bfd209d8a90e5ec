"""What the API says when a request cannot be answered: always a problem in JSON, never a page, never a silent guess."""

from __future__ import annotations

from typing import Any

from django import urls
from django.test import Client, override_settings
from rest_framework.request import Request
from rest_framework.response import Response

from signals.models import Signal
from signals.rest import api
from tests.factories import SignalFactory
from tests.signals.test_sync_api import ITEM, ApiCase


class BrokenView(api.SignalView):
    """An endpoint with a fault nobody foresaw."""

    def get(self, request: Request, organization: str) -> Response:
        """Never an answer."""
        raise RuntimeError("a fault")


urlpatterns = [urls.path("api/v1/<slug:organization>/broken", BrokenView.as_view())]
handler500 = "junto.desk.views.server_error"


class ProblemTests(ApiCase):
    def ask(self, method: str, path: str) -> Any:
        browser = Client(raise_request_exception=False)
        return browser.generic(method, f"/api/v1/{path}", headers={"authorization": f"Bearer {self.secret}"})

    def problem(self, method: str, path: str) -> tuple[int, str]:
        """Status and detail, of what must be a problem."""
        answer = self.ask(method, path)
        assert answer["content-type"] == "application/problem+json", answer.content
        body = answer.json()
        assert (body["type"], body["status"]) == ("about:blank", answer.status_code)
        assert body["title"]
        return answer.status_code, body["detail"]

    def test_unknown_paths_and_malformed_ids_are_problems(self) -> None:
        for path in ("nothing", "northwind/nothing", "northwind/signals/48213", "northwind/signals/sync/x", "o/"):
            assert self.problem("GET", path)[0] == 404
        assert self.problem("GET", f"northwind/signals/{SignalFactory(company=self.quayside).pk}") == (
            404,
            "There is no such signal here.",
        )

    def test_methods_that_there_are_not_are_a_405_that_says_so(self) -> None:
        for method, path in [
            *[(method, "northwind/signals/sync") for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE")],
            *[(method, "northwind/signals") for method in ("POST", "PUT", "PATCH", "DELETE")],
        ]:
            answer = self.ask(method, path)
            assert (answer.status_code, method in (answer["allow"] or "")) == (405, False), (method, path)
            assert answer["content-type"] == "application/problem+json"
        assert self.problem("PUT", "northwind/signals/sync")[1] == 'Method "PUT" not allowed.'

    def test_head_answers_as_get_and_options_tells_the_methods(self) -> None:
        head = self.ask("HEAD", "northwind/signals")
        assert (head.status_code, head.content) == (200, b"")
        options = self.ask("OPTIONS", "northwind/signals/sync")
        assert (options.status_code, options["allow"]) == (200, "POST, OPTIONS")

    def test_refused_tokens_and_unusable_bodies_are_problems(self) -> None:
        answer = Client().get("/api/v1/northwind/signals")
        assert (answer.status_code, answer["content-type"]) == (401, "application/problem+json")
        assert answer["www-authenticate"]
        for answer, status in [(self.post("{"), 400), (self.sync(ITEM, slug="southgate"), 404)]:
            assert (answer.status_code, answer["content-type"]) == (status, "application/problem+json")
        typed = self.client.post(
            "/api/v1/northwind/signals/sync", data="x", content_type="text/plain", headers=self.headers()
        )
        assert (typed.status_code, typed["content-type"]) == (415, "application/problem+json")

    def test_a_failure_of_our_own_is_a_problem_with_the_number_in_the_log(self) -> None:
        with override_settings(ROOT_URLCONF=__name__):
            status, detail = self.problem("GET", "northwind/broken")
        assert (status, "it is in the log as" in detail) == (500, True)

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret}"}


class ParameterTests(ApiCase):
    def test_an_unknown_parameter_is_refused_by_its_name_and_writes_nothing(self) -> None:
        for path, name in [
            ("signals", "search"),
            ("signals", "dry_run"),
            (f"signals/{SignalFactory(company=self.harlow).pk}", "fields"),
        ]:
            answer = self.read(f"northwind/{path}", **{name: "1"})
            assert answer.status_code == 400
            assert f"no parameter `{name}`" in answer.json()["detail"]
        answer = self.client.post(
            "/api/v1/northwind/signals/sync?dryrun=1",
            data={"connection": "connectwise", "items": [ITEM]},
            content_type="application/json",
            headers={"authorization": f"Bearer {self.secret}"},
        )
        assert (answer.status_code, "`dryrun`" in answer.json()["detail"]) == (400, True)
        twice = self.client.post(
            "/api/v1/northwind/signals/sync?dry_run=1&dry_run=0",
            data={"connection": "connectwise", "items": [ITEM]},
            content_type="application/json",
            headers={"authorization": f"Bearer {self.secret}"},
        )
        assert (twice.status_code, "may be given once" in twice.json()["detail"]) == (400, True)
        assert not Signal.objects.for_organization(self.northwind).filter(external_id=ITEM["external_id"]).exists()

    def test_an_unknown_field_of_the_body_is_refused_by_its_name(self) -> None:
        answer = self.sync(ITEM, dry_run=True)
        assert (answer.status_code, answer.json()["detail"]) == (
            400,
            "The body has no field `dry_run`, only `connection` and `items`.",
        )

    def test_states_are_read_in_any_case(self) -> None:
        SignalFactory(company=self.harlow)
        assert self.read("northwind/signals", state="NEW").json()["count"] == 1
        assert self.read("northwind/signals", state="nonsense").status_code == 400

    def test_a_company_is_found_by_our_id_and_by_the_sources(self) -> None:
        self.sync(ITEM, ITEM | {"external_id": "2", "company": "999"})
        for query, expected in [
            ({"company": str(self.harlow.pk)}, ["48213"]),
            ({"company_external_id": "250"}, ["48213"]),
            ({"company_external_id": "999"}, ["2"]),
        ]:
            rows = self.read("northwind/signals", **query).json()["results"]
            assert [one["external_id"] for one in rows] == expected

    def test_a_moment_outside_the_calendar_is_a_400_that_names_the_parameter(self) -> None:
        answer = self.read("northwind/signals", updated_since="0001-01-01T00:00:00+14:00")
        assert answer.status_code == 400
        assert answer.json()["errors"] == {"updated_since": ["This moment is outside the calendar."]}
        assert answer.json()["detail"] == "updated_since: This moment is outside the calendar."
