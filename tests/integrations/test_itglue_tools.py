"""IT Glue's tools against the sandbox: what they find, and what they do, by its request log and its records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.errors import (
    InvalidArguments,
    TargetRefused,
    VendorRefused,
)
from integrations.tools import DefaultPolicy, registry
from tests.integrations.documented import DocumentedTestCase
from tests.wire import changed_texts, listening, parts


class ReadingTests(DocumentedTestCase):
    def test_the_device_of_the_monitoring_is_found_by_its_number_there(self) -> None:
        found: Any = self.call("itglue.search_configurations", ninjaone_device_id=810).content

        assert [one["name"] for one in found["configurations"]] == ["HBR-WS-LAB"]

    def test_devices_are_found_by_part_of_a_name_and_by_the_whole_serial_number(self) -> None:
        printers: Any = self.call("itglue.search_configurations", name="prn").content
        server: Any = self.call("itglue.search_configurations", serial_number="HA8919B24729").content

        assert [one["name"] for one in printers["configurations"]] == ["HBR-PRN-BACK", "HBR-PRN-FRONT"]
        assert [one["name"] for one in server["configurations"]] == ["HBR-SRV-01"]

    def test_a_device_is_told_with_its_user_site_and_warranty(self) -> None:
        lab = self.number("configurations", "HBR-WS-LAB")
        told: Any = self.call("itglue.get_configuration", configuration_id=lab).content

        assert told["contact"] == "Tom Kowalski"
        assert told["location"] == "Main office"
        assert told["warranty_expires"] < datetime.now(UTC).isoformat()
        assert "Replacement quoted twice" in told["notes"]

    def test_what_is_archived_is_left_out_unless_asked_for(self) -> None:
        lab = self.number("configurations", "HBR-WS-LAB")
        self.change_documented("configurations", lab, archived=True)
        usual: Any = self.call("itglue.search_configurations", name="LAB").content
        every: Any = self.call("itglue.search_configurations", name="LAB", include_archived=True).content

        assert (len(usual["configurations"]), len(every["configurations"])) == (0, 1)

    def test_the_organization_comes_with_what_its_page_warns_of(self) -> None:
        told: Any = self.call("itglue.find_organization").content

        assert told["name"] == "Harbor Dental Group"
        assert "no reboots" in told["alert"]
        assert "<b>" not in told["quick_notes"]

    def test_people_sites_domains_and_dates_are_read(self) -> None:
        people: Any = self.call("itglue.list_contacts", name="tom.kowalski@").content
        sites: Any = self.call("itglue.list_locations").content
        domains: Any = self.call("itglue.list_domains").content
        soon = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
        today = datetime.now(UTC).date().isoformat()
        dates: Any = self.call("itglue.list_expirations", since=today, until=soon).content

        assert [one["name"] for one in people["contacts"]] == ["Tom Kowalski"]
        assert [one["name"] for one in sites["locations"]] == ["Main office", "Bayside Clinic"]
        assert [one["name"] for one in domains["domains"]] == ["harbordental.example"]
        assert [one["what"] for one in dates["expirations"]] == ["vpn.harbordental.example"]

    def test_a_document_is_read_in_its_order_as_plain_text(self) -> None:
        number = self.number("documents", "New starter checklist")
        text = str(self.call("itglue.read_document", document_id=number).content["text"])  # type: ignore[index,call-overload]

        assert text.startswith("## Before the first day\n\n- Licence ordered")
        assert text.index("## On the day") < text.index("HBR-PRN-FRONT")

    def test_a_list_is_read_to_its_end(self) -> None:
        many = [{"organization-id": 2501, "name": f"HBR-NEW-{at}", "archived": False} for at in range(620)]
        self.sandbox.put_in_many("itglue", "configurations", many)
        found: Any = self.call("itglue.search_configurations", name="HBR-NEW-", limit=100).content

        assert len(found["configurations"]) + found["left_out"] == 620
        assert [row["query"]["page[number]"] for row in self.asked("/configurations")] == ["1", "2"]


class SecretTests(DocumentedTestCase):
    """Values of passwords never arrive, though the key were made with the right to read them."""

    def setUp(self) -> None:
        super().setUp()
        self.connect_documentation(self.adam, "northwind-docs-passwords", row=self.documentation)
        self.values = [
            value
            for row in self.documented("passwords")
            for value in (row["attributes"]["password"], row["attributes"]["otp-secret"])
        ]

    def everything(self) -> str:
        """What all look-ups tell of the company."""
        told = [self.call(f"itglue.{name}") for name in ("list_password_names", "list_documents", "find_organization")]
        types: Any = self.call("itglue.list_asset_types").content
        told += [self.call("itglue.list_flexible_assets", type_id=one["id"]) for one in types["types"]]
        documents: Any = self.call("itglue.list_documents").content
        told += [self.call("itglue.read_document", document_id=one["id"]) for one in documents["documents"]]
        return " ".join(f"{one.content} {one.summary}" for one in told)

    def test_every_request_about_passwords_says_that_no_value_is_wanted(self) -> None:
        """Looked at on the wire: the sandbox's own log blackens the word."""
        heard: list[tuple[bytes, bytes]] = []
        with self.detour(listening(self.sandbox.port, heard)):
            self.everything()

        asked = [urlsplit(parts(request)[1]) for request, _ in heard]
        about = [parse_qs(one.query)["show_password"] for one in asked if "passwords" in one.path]
        assert about
        assert all(one == ["false"] for one in about)
        assert not [one for one in asked if "passwords" in one.query.replace("show_password", "")]

    def test_no_value_is_told_by_any_look_up(self) -> None:
        told = self.everything()

        assert "Firewall admin" in told
        assert not [value for value in self.values if value in told]
        assert "sandbox-wifi-value" not in told
        assert "sandbox-backup-value" not in told
        assert "sandbox-typed-value" not in told
        assert "sandbox-secret-value" not in told

    def test_a_field_of_text_that_is_called_a_password_is_left_empty(self) -> None:
        renamed = changed_texts(lambda text: "Wi-Fi password" if text == "Gateway" else text)
        with self.detour(listening(self.sandbox.port, [], change=renamed)):
            told = self.everything()

        assert "'Wi-Fi password': '[removed: looks like a password]'" in told
        assert "'Subnet': '192.0.2.0/24'" in told

    def test_the_address_beside_a_password_comes_without_what_may_open_it(self) -> None:
        found: Any = self.call("itglue.list_password_names", name="firewall").content

        assert found["passwords"] == [
            {
                "id": self.number("passwords", "Firewall admin"),
                "name": "Firewall admin",
                "user_name": "admin",
                "address": "https://192.0.2.12:8443/login",
                "category": "Network",
                "belongs_to": "HBR-FW-01",
                "changed": found["passwords"][0]["changed"],
            }
        ]

    def test_names_of_passwords_are_asked_for_once_a_session(self) -> None:
        assert registry.get("itglue.list_password_names").policy is DefaultPolicy.ONCE

    def test_what_it_glue_restricts_to_some_people_is_left_out_and_counted(self) -> None:
        documents: Any = self.call("itglue.list_documents").content
        names: Any = self.call("itglue.list_password_names").content

        assert documents["restricted_left_out"] == names["restricted_left_out"] == 1
        assert "salaries" not in str(documents)
        assert "bank" not in str(names)
        with pytest.raises(TargetRefused, match="some of its users only"):
            self.call("itglue.read_document", document_id=self.number("documents", "Owner's notes on salaries"))


class ActingTests(DocumentedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.number("configurations", "HBR-SRV-01")
        self.checklist = self.number("documents", "New starter checklist")

    def test_each_asks_a_person_where_neither_policy_nor_grant_speaks(self) -> None:
        asks = {tool.name: tool.policy for tool in registry if tool.vendor == "itglue" and tool.is_write}

        assert len(asks) == 5
        assert {name for name, policy in asks.items() if policy is not DefaultPolicy.ALWAYS} == {"itglue.link_items"}
        assert asks["itglue.link_items"] is DefaultPolicy.ONCE

    def test_a_device_is_corrected_and_the_card_showed_what_stood_there(self) -> None:
        arguments = {"configuration_id": self.server, "primary_ip": "192.0.2.77", "archived": False}
        preview = self.preview("itglue.update_configuration", **arguments)
        self.call("itglue.update_configuration", **arguments)

        assert [(one.label, one.before, one.after) for one in preview.changes] == [
            ("IP address", "192.0.2.10", "192.0.2.77"),
            ("Archived", "no", "no"),
        ]
        assert self.there("configurations", "HBR-SRV-01")["primary-ip"] == "192.0.2.77"
        (row,) = self.acted()
        assert row["body"]["data"]["attributes"] == {"primary-ip": "192.0.2.77", "archived": False}

    def test_a_site_and_a_user_of_another_company_are_refused(self) -> None:
        site = self.number("locations", "Halle 2")
        person = self.number("contacts", "Sabine Vogt")
        for arguments in ({"location_id": site}, {"contact_id": person}):
            for attempt in (self.preview, self.call):
                with pytest.raises(TargetRefused):
                    attempt("itglue.update_configuration", configuration_id=self.server, **arguments)
        assert self.acted() == []

    def test_a_record_kept_in_step_with_the_psa_is_refused_in_the_vendors_words(self) -> None:
        lab = self.number("configurations", "HBR-WS-LAB")
        with pytest.raises(VendorRefused, match=r"\(422\).*kept in step with the PSA"):
            self.call("itglue.update_configuration", configuration_id=lab, notes="New.")
        assert self.acted() == []

    def test_a_change_of_nothing_and_impossible_values_are_refused_with_words(self) -> None:
        for arguments, words in (
            ({}, "no field to change"),
            ({"primary_ip": "300.1.1.1"}, "must be an IP address"),
            ({"mac_address": "zz"}, "holds characters"),
            ({"hostname": "a\nb"}, "must be one line"),
        ):
            with pytest.raises(InvalidArguments, match=words):
                self.call("itglue.update_configuration", configuration_id=self.server, **arguments)

    def test_notes_that_hold_a_password_show_it_on_no_card_and_warn(self) -> None:
        self.change_documented("configurations", self.server, notes="iDRAC password: Gr33nTree!")
        arguments = {"configuration_id": self.server, "notes": "Rack 2."}
        preview = self.preview("itglue.update_configuration", **arguments)

        assert "Gr33nTree" not in str(preview)
        assert "would be lost" in " ".join(preview.evidence)

    def test_a_document_is_written_in_three_steps_each_with_its_own_card(self) -> None:
        made: Any = self.call("itglue.create_document", name="Restart of the imaging service").content
        text = "After an update:\n\n1. Close *Imaging*\n2. Restart it <b>once</b>\n\n[x](https://evil.example)"
        preview = self.preview("itglue.add_document_section", document_id=made["document_id"], text=text)
        self.call("itglue.add_document_section", document_id=made["document_id"], text=text)
        self.call("itglue.publish_document", document_id=made["document_id"])

        assert "1." not in preview.changes[0].before
        assert "Close Imaging" in preview.changes[0].after
        assert [row["record"]["verb"] for row in self.acted()] == ["created", "created", "changed"]
        html = self.acted()[1]["body"]["data"]["attributes"]["content"]
        assert "<li>Close <em>Imaging</em></li>" in html
        assert "&lt;b&gt;once" in html
        assert "href" not in html
        read: Any = self.call("itglue.read_document", document_id=made["document_id"]).content
        assert read["published"] != "draft"
        assert "- Restart it <b>once</b>" in read["text"]

    def test_a_second_document_of_a_name_is_warned_of(self) -> None:
        preview = self.preview("itglue.create_document", name="New starter checklist")

        assert "1 document of this name is there already." in preview.evidence

    def test_a_document_is_named_on_a_devices_page(self) -> None:
        arguments = {
            "source_type": "configuration",
            "source_id": self.server,
            "destination_type": "document",
            "destination_id": self.checklist,
            "note": "How to",
        }
        preview = self.preview("itglue.link_items", **arguments)
        self.call("itglue.link_items", **arguments)

        assert preview.title == "Link HBR-SRV-01 with New starter checklist"
        (row,) = self.acted()
        assert row["path"] == f"/itglue/configurations/{self.server}/relationships/related_items"
