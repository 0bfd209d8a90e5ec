"""The REST API for sync jobs: tickets in, each with its own result, and signals out."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, ClassVar

from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.models import Connection
from junto.audit.models import AuditEntry
from junto.team.models import ApiToken
from signals.models import Signal
from tests.cases import JuntoTestCase
from tests.factories import CompanyLinkFactory, ConnectionFactory, SignalFactory, SignalNoteFactory

ITEM = {
    "external_id": "48213",
    "updated_at": "2026-11-20T09:00:00Z",
    "subject": "Outlook keeps asking for the password",
    "company": "250",
    "board": {"id": "1", "name": "Service Desk"},
    "priority": "Priority 2 - High",
    "notes": [{"external_id": "1", "text": "Called.", "internal": True, "written_at": "2026-11-20T08:30:00Z"}],
}


class ApiCase(JuntoTestCase):
    psa: ClassVar[Connection]
    secret: ClassVar[str]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.psa = ConnectionFactory(organization=cls.northwind)
        CompanyLinkFactory(company=cls.harlow, connection=cls.psa, external_id="250")

    def setUp(self) -> None:
        super().setUp()
        self.secret = self.token(self.adam, "signals:read", "signals:write")

    def sync(self, *items: Any, secret: str = "", slug: str = "northwind", **body: Any) -> Any:
        return self.post({"connection": "connectwise", "items": list(items), **body}, secret=secret, slug=slug)

    def post(self, body: Any, *, secret: str = "", slug: str = "northwind") -> Any:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.client.post(
            f"/api/v1/{slug}/signals/sync",
            data=text,
            content_type="application/json",
            headers={"authorization": f"Bearer {secret or self.secret}"},
        )

    def read(self, path: str, *, secret: str = "", **query: str) -> Any:
        return self.client.get(f"/api/v1/{path}", query, headers={"authorization": f"Bearer {secret or self.secret}"})


class SyncTests(ApiCase):
    def test_a_delivery_answers_for_each_item_in_order(self) -> None:
        answer = self.sync(ITEM, ITEM | {"external_id": "2", "company": "999"}, ITEM | {"external_id": ""}, "nonsense")
        assert answer.status_code == 200
        results = answer.json()["results"]
        assert [(one["index"], one["outcome"]) for one in results] == [
            (0, "created"),
            (1, "created"),
            (2, "refused"),
            (3, "refused"),
        ]
        assert results[1]["reason"] == "Company 999 of the source is not linked to a company here."
        assert results[2]["reason"] == "external_id: This field may not be blank."
        assert answer.json()["counts"] == {"created": 2, "refused": 2}

    def test_the_same_delivery_again_changes_nothing(self) -> None:
        self.sync(ITEM)
        assert self.sync(ITEM).json()["counts"] == {"unchanged": 1}

    def test_a_job_may_tell_later_whether_the_client_wrote_a_note(self) -> None:
        def told(**by: Any) -> Any:
            counts = self.sync(ITEM | {"notes": [ITEM["notes"][0] | by]}).json()["counts"]  # type: ignore[index]
            signal = Signal.objects.for_organization(self.northwind).get()
            return counts, self.read(f"northwind/signals/{signal.pk}").json()["notes"][0]["by_client"]

        assert told() == ({"created": 1}, None)
        assert told(by_client=None) == ({"unchanged": 1}, None)
        assert told(by_client=True) == ({"updated": 1}, True)
        refused = self.sync(ITEM | {"notes": [ITEM["notes"][0] | {"by_client": "Dana"}]}).json()["results"][0]  # type: ignore[index]
        assert (refused["outcome"], "by_client" in refused["reason"]) == ("refused", True)

    def test_a_deletion_needs_no_more_than_id_and_time(self) -> None:
        self.sync(ITEM)
        answer = self.sync({"external_id": "48213", "updated_at": "2026-11-20T10:00:00Z", "deleted": True})
        assert answer.json()["counts"] == {"gone": 1}

    def test_a_thousand_tickets_are_taken_at_once_and_appear_in_the_list(self) -> None:
        items = [ITEM | {"external_id": str(number)} for number in range(1000)]
        with CaptureQueriesContext(database) as queries:
            answer = self.sync(*items)
        assert answer.json()["counts"] == {"created": 1000}
        assert len(queries) < 250
        assert self.read("northwind/signals").json()["count"] == 1000

    def test_a_ticket_of_ten_megabytes_is_refused_alone(self) -> None:
        answer = self.sync(ITEM, ITEM | {"external_id": "2", "description": "x" * 10 * 1024 * 1024})
        assert [one["outcome"] for one in answer.json()["results"]] == ["created", "refused"]
        assert "10.0 MiB of text" in answer.json()["results"][1]["reason"]

    def test_every_delivery_is_in_the_audit_log(self) -> None:
        self.sync(ITEM)
        entry = AuditEntry.objects.for_organization(self.northwind).filter(verb="signals.synced").get()
        assert (entry.actor_kind, entry.detail) == ("token", {"created": 1})


class TimeAndFilesTests(ApiCase):
    BOOKED: ClassVar[dict[str, Any]] = {
        "time_entries": [
            {
                "external_id": "5",
                "member": "Theo Okafor",
                "minutes": 75,
                "text": "On site.",
                "started_at": "2026-11-20T08:00:00Z",
            }
        ],
        "attachments": [
            {
                "external_id": "8",
                "name": "screen.png",
                "content_type": "image/png",
                "size": 20480,
                "added_at": "2026-11-20T08:10:00Z",
            }
        ],
    }

    def read_back(self) -> Any:
        signal = Signal.objects.for_organization(self.northwind).get()
        return self.read(f"northwind/signals/{signal.pk}").json()

    def test_time_and_the_names_of_files_come_with_a_ticket_and_stand_on_its_page(self) -> None:
        assert self.sync(ITEM | self.BOOKED).json()["counts"] == {"created": 1}
        found = self.read_back()
        assert found["time_entries"] == [self.BOOKED["time_entries"][0] | {"billable": True}]
        assert found["attachments"] == self.BOOKED["attachments"]
        page = self.log_in(self.theo).get(self.path(f"signals/{found['id']}/"))
        for words in ("1 h 15 min", "On site.", "screen.png", "20.0"):
            self.assertContains(page, words)

    def test_left_out_they_stay_and_sent_anew_they_are_just_those(self) -> None:
        self.sync(ITEM | self.BOOKED)
        self.sync(ITEM | {"updated_at": "2026-11-20T10:00:00Z"})
        assert len(self.read_back()["time_entries"]) == 1
        self.sync(ITEM | {"updated_at": "2026-11-20T11:00:00Z", "time_entries": [], "attachments": None})
        found = self.read_back()
        assert (found["time_entries"], len(found["attachments"])) == ([], 1)

    def test_time_that_cannot_be_refuses_the_ticket_by_its_field(self) -> None:
        entry = self.BOOKED["time_entries"][0]
        results = self.sync(
            ITEM | {"time_entries": [entry | {"minutes": -5}]},
            ITEM | {"time_entries": [entry | {"minutes": 10**30}]},
            ITEM
            | {"attachments": [{"external_id": "1", "name": "x", "size": 2**70, "added_at": "2026-11-20T08:10:00Z"}]},
        ).json()["results"]
        assert [one["outcome"] for one in results] == ["refused"] * 3
        assert results[0]["reason"].startswith("time_entries.")


class UnusableBodyTests(ApiCase):
    def test_what_is_no_json_is_a_clear_400(self) -> None:
        for body, words in {
            "{": "The body is no JSON",
            b"\xff\xfe": "not UTF-8",
            "[" * 100_000: "nested too deeply",
            '{"connection": "connectwise", "items": [NaN]}': "NaN is not allowed",
        }.items():
            answer = self.post(body)
            assert answer.status_code == 400
            assert words in answer.json()["detail"]

    def test_a_body_of_the_wrong_shape_is_a_clear_400(self) -> None:
        for body, words in [
            ([], "The body must be an object"),
            ({"connection": "connectwise", "items": []}, "0 items came"),
            ({"connection": "connectwise"}, "no list came"),
            ({"connection": "connectwise", "items": [ITEM] * 1001}, "1001 items came"),
            ({"connection": "sap", "items": [ITEM]}, "Connected: connectwise."),
            ({"items": [ITEM]}, "Connected: connectwise."),
        ]:
            answer = self.post(body)
            assert answer.status_code == 400
            assert words in answer.json()["detail"]

    def test_a_body_larger_than_the_limit_is_a_413(self) -> None:
        answer = self.post('{"items": "' + "x" * 17 * 1024 * 1024 + '"}')
        assert answer.status_code == 413
        assert "larger than 16 MiB" in answer.json()["detail"]


class TokenTests(ApiCase):
    def test_no_token_or_a_wrong_one_is_a_401(self) -> None:
        assert self.client.get("/api/v1/northwind/signals").status_code == 401
        assert self.client.post("/api/v1/nowhere/signals/sync").status_code == 401
        assert self.read("northwind/signals", secret="jt_wrong").status_code == 401

    def test_an_expired_token_is_a_401(self) -> None:
        ApiToken.unscoped.update(expires_at=timezone.now() - timedelta(days=1))
        assert self.sync(ITEM).status_code == 401

    def test_a_token_without_the_scope_is_a_403_that_names_it(self) -> None:
        runbooks = self.token(self.adam, "runbooks:read")
        answer = self.read("northwind/signals", secret=runbooks)
        assert (answer.status_code, "signals:read" in answer.json()["detail"]) == (403, True)
        assert self.sync(ITEM, secret=runbooks).status_code == 403

    def test_the_token_of_a_rival_is_a_404(self) -> None:
        rival = self.token(self.ines, "signals:read", "signals:write")
        assert self.sync(ITEM, secret=rival).status_code == 404
        assert self.read("northwind/signals", secret=rival).status_code == 404

    def test_a_rivals_signal_is_a_404_even_under_ones_own_organization(self) -> None:
        foreign = SignalFactory(company=self.quayside)
        assert self.read(f"northwind/signals/{foreign.pk}").status_code == 404


class ReadTests(ApiCase):
    def setUp(self) -> None:
        super().setUp()
        self.signal = SignalFactory(company=self.harlow, subject="VPN drops every hour")
        SignalNoteFactory(signal=self.signal, text="Router restarted.")
        SignalFactory(company=self.pinewood, state=Signal.State.RESOLVED)
        SignalFactory(company=self.quayside, subject="VPN of a rival")

    def subjects(self, **query: str) -> list[str]:
        return [one["subject"] for one in self.read("northwind/signals", **query).json()["results"]]

    def test_the_list_is_searched_and_filtered(self) -> None:
        assert self.subjects(q="vpn hour") == ["VPN drops every hour"]
        assert self.subjects(state="new") == ["VPN drops every hour"]
        assert self.subjects(company=str(self.harlow.pk)) == ["VPN drops every hour"]
        assert self.subjects(updated_since="2026-11-21T00:00:00Z") == []
        assert len(self.subjects()) == 2

    def test_the_list_is_ordered_and_paged(self) -> None:
        answer = self.read("northwind/signals", ordering="external_id", page_size="1", page="2").json()
        assert (answer["count"], len(answer["results"])) == (2, 1)

    def test_a_page_size_that_cannot_be_is_a_400_and_a_large_one_is_the_most(self) -> None:
        for wrong in ("-1", "0", "ten", "", "1.5"):
            answer = self.read("northwind/signals", page_size=wrong)
            assert (answer.status_code, answer.json()["detail"]) == (
                400,
                "page_size: A whole number from 1 on is needed.",
            )
        assert self.read("northwind/signals", page_size="9" * 5000).status_code == 200

    def test_a_filter_value_that_cannot_be_is_a_400(self) -> None:
        assert self.read("northwind/signals", company="nobody").status_code == 400

    def test_the_list_takes_the_same_number_of_queries_however_long(self) -> None:
        self.read("northwind/signals")  # the first use of a token is written down
        with CaptureQueriesContext(database) as few:
            self.read("northwind/signals")
        for _ in range(20):
            SignalFactory(company=self.harlow)
        with CaptureQueriesContext(database) as many:
            self.read("northwind/signals")
        assert len(many) == len(few)

    def test_one_signal_comes_with_text_and_notes(self) -> None:
        found = self.read(f"northwind/signals/{self.signal.pk}").json()
        assert found["description"] == self.signal.description
        assert [one["text"] for one in found["notes"]] == ["Router restarted."]


class SchemaTests(JuntoTestCase):
    def test_the_schema_and_its_page_are_open_to_everybody(self) -> None:
        schema = self.client.get("/api/v1/schema", headers={"accept": "application/json"})
        assert {"/api/v1/{organization}/signals", "/api/v1/{organization}/signals/sync"} <= schema.json()[
            "paths"
        ].keys()
        page = self.client.get("/api/v1/docs")
        assert page.status_code == 200
