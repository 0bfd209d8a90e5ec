"""Hudu's tools against the sandbox: what they find and do."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.connections import open_client
from integrations.errors import TargetRefused, VendorNotFound
from integrations.hudu.client import normal_base_url
from integrations.matching import accept_suggestions
from integrations.services import check_connection
from integrations.tools import DefaultPolicy, Preview, registry
from integrations.warrants import Errand
from tests.integrations.rogue import rogue_server
from tests.integrations.vendor_case import VendorTestCase
from tests.wire import listening


class HuduTestCase(VendorTestCase):
    slug = "hudu"
    key = "northwind-hudu"

    def found(self, tool: str, /, **arguments: Any) -> Any:
        """What a tool finds for Harbor."""
        return self.call(f"hudu.{tool}", **arguments).content

    def number(self, collection: str, name: str) -> int:
        """A record's id at Hudu."""
        return int(self.there(collection, name)["id"])


class ConnectionTests(HuduTestCase):
    def test_a_wrong_key_is_told_as_one_in_hudus_words(self) -> None:
        self.connect_vendor(row=self.row, api_key="no-key-of-ours")
        health = check_connection(self.row)

        assert not health.ok
        assert "Bad credentials" in health.summary

    def test_an_address_with_the_path_of_the_api_is_the_same(self) -> None:
        for typed in ("https://docs.msp.example/", " https://docs.msp.example/api/v1/ ", "https://docs.msp.example"):
            assert normal_base_url(typed) == "https://docs.msp.example"

    def test_companies_are_linked_by_their_names(self) -> None:
        assert accept_suggestions(actor=self.actor(self.adam), connection=self.row) == len(self.held("companies")) - 2

    def test_a_list_is_read_to_its_end(self) -> None:
        harbor = self.number("companies", self.harbor.name)
        rows = [{"name": f"HBR-NEW-{at}", "company_id": harbor} for at in range(130)]
        self.sandbox.put_in_many("hudu", "assets", rows)
        found = self.found("search_assets", name="HBR-NEW-", limit=100)

        assert len(found["assets"]) + found["left_out"] == 130
        assert [row["query"]["page"] for row in self.asked("/assets")] == ["1", "2", "3"]

    def test_what_is_not_there_is_known_as_such_though_the_answer_is_200(self) -> None:
        with closing(open_client(self.row, errand=Errand.reading(20))) as client, pytest.raises(VendorNotFound):
            client.article(999_999)  # type: ignore[attr-defined]

    def test_a_record_that_comes_without_its_name_around_it_is_read_too(self) -> None:
        def bare(answer: bytes) -> bytes:
            head, _, body = answer.partition(b"\r\n\r\n")
            told = json.loads(body)
            inside = json.dumps(told.get("company", told)).encode()
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
            return b"\r\n".join([*lines, f"Content-Length: {len(inside)}".encode()]) + b"\r\n\r\n" + inside

        with rogue_server(listening(self.sandbox.port, [], change=bare)) as wire:
            self.listen_in(wire)
            assert self.found("find_company")["name"] == self.harbor.name


class ReadingTests(HuduTestCase):
    def test_the_company_comes_with_its_address_and_notes_as_plain_text(self) -> None:
        told = self.found("find_company")

        assert told["name"] == self.harbor.name
        assert "no reboots" in told["notes"]
        assert "<" not in told["notes"]

    def test_devices_are_found_by_name_serial_number_and_kind(self) -> None:
        server = self.there("assets", "HBR-SRV-01")
        kinds = self.found("list_asset_layouts", name="backup")["layouts"]

        assert [one["name"] for one in self.found("search_assets", name="srv")["assets"]] == ["HBR-SRV-01"]
        by_serial = self.found("search_assets", serial_number=server["primary_serial"])["assets"]
        assert [one["id"] for one in by_serial] == [server["id"]]
        backups = self.found("search_assets", layout_id=kinds[0]["id"])["assets"]
        assert [one["name"] for one in backups] == ["Server image"]

    def test_people_are_assets_with_their_mail_addresses(self) -> None:
        found = self.found("search_assets", name="Tom Kowalski")["assets"]
        assert [(one["layout"], one["email"]) for one in found] == [("People", "tom.kowalski@harbordental.example")]

    def test_a_device_is_told_with_its_fields(self) -> None:
        told = self.found("get_asset", asset_id=self.number("assets", "HBR-WS-LAB"))

        assert told["fields"]["User"] == "Tom Kowalski"
        assert "Replacement quoted twice" in told["fields"]["Notes"]

    def test_archived_assets_are_told_only_when_asked_for(self) -> None:
        lab = self.number("assets", "HBR-WS-LAB")
        self.alter_there("assets", lab, archived=True)

        assert self.found("search_assets", name="LAB")["assets"] == []
        assert [one["id"] for one in self.found("search_assets", name="LAB", archived=True)["assets"]] == [lab]

    def test_an_article_is_read_as_plain_text(self) -> None:
        told = self.found("read_article", article_id=self.number("articles", "New starter checklist"))

        assert "Licence ordered" in told["text"]
        assert "<li>" not in told["text"]
        assert {one["name"]: one.get("state") for one in self.found("list_articles")["articles"]}[
            "VPN for home workers"
        ] == "draft"

    def test_what_ends_soon_is_told_the_earliest_first_and_of_this_company_alone(self) -> None:
        soon = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
        every = self.found("list_expirations")["expirations"]

        assert [one["what"] for one in every] == ["ssl certificate", "domain"]
        assert [one["what"] for one in self.found("list_expirations", until=soon)["expirations"]] == ["ssl certificate"]


class SecretTests(HuduTestCase):
    """Passwords have no route here, and confidential fields end on arrival."""

    def test_confidential_fields_are_in_no_answer_whatever_their_type_is_called(self) -> None:
        for name, secret in (("HarborStaff", "sandbox-wifi-value"), ("Server image", "sandbox-backup-value")):
            assert secret in json.dumps(self.there("assets", name))
            told = json.dumps(self.found("get_asset", asset_id=self.number("assets", name)))
            assert secret not in told
            assert "Schedule" in told or "SSID" in told

    def test_a_field_that_stands_in_no_layout_is_left_out(self) -> None:
        wifi = self.there("assets", "HarborStaff")
        self.alter_there(
            "assets", wifi["id"], fields=[*wifi["fields"], {"label": "New", "value": "x-1", "position": 9}]
        )
        layout = self.there("asset_layouts", "Backup")
        self.alter_there("asset_layouts", layout["id"], active=True, fields=[])

        assert "x-1" not in json.dumps(self.found("get_asset", asset_id=wifi["id"]))
        assert "fields" not in self.found("get_asset", asset_id=self.number("assets", "Server image"))

    def test_a_password_typed_into_an_article_or_a_field_is_cut_out(self) -> None:
        told = self.found("read_article", article_id=self.number("articles", "Firewall access"))
        assert "192.0.2.12" in told["text"]
        assert "sandbox-typed-value" not in json.dumps(told)

        lan = self.there("assets", "Harbor main site")
        fields = [{**one, "value": "Password: hunter2!"} if one["label"] == "Notes" else one for one in lan["fields"]]
        self.alter_there("assets", lan["id"], fields=fields)
        assert "hunter2" not in json.dumps(self.found("get_asset", asset_id=lan["id"]))

    def test_no_request_ever_asks_for_passwords(self) -> None:
        assert not [one for one in registry if one.vendor == "hudu" and "password" in str(one.endpoints)]


class WritingTests(HuduTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.article = self.number("articles", "X-ray sensor driver")

    def addition(self, **arguments: Any) -> Preview:
        return self.preview("hudu.add_to_article", **{"article_id": self.article, "text": "- one", **arguments})

    def test_every_write_asks_each_time(self) -> None:
        writes = {tool.name: tool.policy for tool in registry if tool.vendor == "hudu" and tool.is_write}
        assert writes == dict.fromkeys(("hudu.create_article", "hudu.add_to_article"), DefaultPolicy.ALWAYS)

    def test_an_article_is_created_for_the_company_without_a_public_link(self) -> None:
        arguments = {"name": "Lab printer", "text": "## Driver\n\nPCL6, see [here](https://evil.example)."}
        shown = self.preview("hudu.create_article", **arguments)
        self.call("hudu.create_article", **arguments)
        made = self.there("articles", "Lab printer")

        assert [one.after for one in shown.changes] == ["Lab printer", "Driver\n\nPCL6, see here."]
        assert made["company_id"] == self.number("companies", self.harbor.name)
        assert made["enable_sharing"] is False
        assert "evil.example" not in made["content"]
        assert len(self.acted()) == 1

    def test_an_article_of_the_same_name_is_told_before(self) -> None:
        shown = self.preview("hudu.create_article", name="X-ray sensor driver", text="a")
        assert any("1 article of this name" in one for one in shown.evidence)

    def test_text_is_added_at_the_end_and_the_rest_stays(self) -> None:
        before = self.there("articles", "X-ray sensor driver")
        shown = self.addition(text="Rolled back on 22 November.")
        self.call("hudu.add_to_article", article_id=self.article, text="Rolled back on 22 November.")
        after = self.there("articles", "X-ray sensor driver")

        assert [one.after for one in shown.changes] == ["Rolled back on 22 November."]
        assert after["content"] == f"{before['content']}\n<p>Rolled back on 22 November.</p>"
        assert {**after, "content": "", "updated_at": ""} == {**before, "content": "", "updated_at": ""}

    def test_a_change_by_somebody_else_is_another_state_to_decide_on(self) -> None:
        before = self.addition().target_digest
        self.alter_there("articles", self.article, content="<p>New.</p>")
        assert self.addition().target_digest != before

    def test_a_text_that_looks_like_a_password_is_warned_of(self) -> None:
        assert any("looks like a password" in one for one in self.addition(text="Password: hunter2!").evidence)

    def test_an_article_that_is_too_long_is_not_sent_back_whole(self) -> None:
        self.alter_there("articles", self.article, content="x" * 400_001)
        with pytest.raises(TargetRefused, match="too long"):
            self.addition()

    def test_whoever_has_a_public_link_is_named_among_those_who_see_it(self) -> None:
        self.alter_there("articles", self.article, enable_sharing=True)
        assert "public link" in self.addition().seen_by
