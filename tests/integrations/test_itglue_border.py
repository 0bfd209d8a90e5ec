"""No tool of IT Glue crosses the border of a company, whatever ids a model names and whatever filters are ignored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.errors import IntegrationError, TargetRefused, ToolUnavailable
from integrations.tools import Scope, registry
from tests.integrations.documented import DocumentedTestCase
from tests.integrations.rogue import rogue_server
from tests.wire import changed_records, listening

CANARY = "CANARY-of-another-company"

ARGUMENTS: dict[str, dict[str, Any]] = {
    "find_organization": {},
    "search_configurations": {"name": "CANARY"},
    "get_configuration": {"configuration_id": "configurations"},
    "list_contacts": {},
    "list_locations": {},
    "list_flexible_assets": {"type_id": "type"},
    "list_documents": {},
    "read_document": {"document_id": "documents"},
    "list_password_names": {},
    "list_expirations": {},
    "list_domains": {},
    "update_configuration": {"configuration_id": "configurations", "notes": "a"},
    "create_document": {"name": CANARY[:6]},
    "add_document_section": {"document_id": "documents", "text": "a"},
    "publish_document": {"document_id": "documents"},
    "link_items": {
        "source_type": "flexible_asset",
        "source_id": "flexible_assets",
        "destination_type": "document",
        "destination_id": "documents",
    },
}
"""Every tool that touches a company's records; a collection's name stands for a foreign id."""


class ITGlueBorderTests(DocumentedTestCase):
    def setUp(self) -> None:
        super().setUp()
        kessler = {"organization_id": 2502, "name": CANARY, "archived": False, "restricted": False}
        self.foreign: dict[str, Any] = {
            collection: self.plant_documented(collection, **kessler)["id"]
            for collection in ("configurations", "contacts", "locations", "documents", "passwords", "domains")
        }
        types: Any = self.call("itglue.list_asset_types").content
        self.foreign["type"] = types["types"][0]["id"]
        self.foreign["flexible_assets"] = self.plant_documented(
            "flexible_assets", **kessler, flexible_asset_type_id=self.foreign["type"], traits={"name": CANARY}
        )["id"]
        self.plant_documented("document_sections", document_id=self.foreign["documents"], content=CANARY, sort=1)

    def test_every_tool_is_tried_here_but_the_one_that_touches_no_companys_records(self) -> None:
        tools = {tool.name.partition(".")[2]: tool.scope for tool in registry if tool.vendor == "itglue"}

        assert set(tools) - set(ARGUMENTS) == {"list_asset_types"}
        assert [name for name, scope in tools.items() if scope is Scope.FREE] == ["list_asset_types"]

    def test_no_tool_finds_or_changes_anything_of_another_company(self) -> None:
        for name in ARGUMENTS:
            assert CANARY not in self.attempt(name), name
        self.only_our_own_draft_came_of_it()

    def test_no_tool_tells_anything_of_another_company_though_every_route_and_filter_were_ignored(self) -> None:
        """Whatever is asked for, all that comes is Kessler's: the answers themselves say so."""

        def kesslers(record: dict[str, Any]) -> dict[str, Any]:
            if "attributes" not in record:
                return {}
            names = {"name": CANARY, "resource-name": CANARY, "notes": CANARY, "organization-id": 2502}
            return {"attributes": {**record["attributes"], **names}}

        with rogue_server(listening(self.sandbox.port, [], change=changed_records(kesslers))) as wire:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
            url = f"http://127.0.0.1:{wire.port}/itglue"
            self.connect_documentation(self.adam, "northwind-docs", base_url=url, row=self.documentation)
            own = {
                "configurations": self.number("configurations", "HBR-SRV-01"),
                "documents": self.number("documents", "New starter checklist"),
                "flexible_assets": self.number("flexible_assets", "Dentrix"),
                "type": self.foreign["type"],
            }
            # the organization itself is known by its id, and a new draft is told by the name that it was given
            for name in sorted(set(ARGUMENTS) - {"find_organization", "create_document"}):
                for ids in (self.foreign, own):
                    assert CANARY not in self.attempt(name, ids), name
        assert self.acted() == []

    def test_no_preview_shows_anything_of_another_company(self) -> None:
        for name, arguments in ARGUMENTS.items():
            if registry.get(f"itglue.{name}").preview is None or name == "create_document":
                continue
            with pytest.raises(TargetRefused) as refused:
                self.preview(f"itglue.{name}", **self.filled(arguments, self.foreign))
            assert CANARY not in str(refused.value)

    def test_a_foreign_record_and_one_that_is_not_there_are_refused_alike(self) -> None:
        for name, argument, collection in (
            ("get_configuration", "configuration_id", "configurations"),
            ("read_document", "document_id", "documents"),
        ):
            words = []
            for number in (self.foreign[collection], 999_999_999_999):
                with pytest.raises(TargetRefused) as refused:
                    self.call(f"itglue.{name}", **{argument: number})
                words.append(str(refused.value).replace(str(number), "N"))
            assert words[0] == words[1]

    def test_the_other_company_itself_reaches_its_records(self) -> None:
        found: Any = self.call("itglue.search_configurations", self.kessler, name=CANARY).content

        assert [one["id"] for one in found["configurations"]] == [self.foreign["configurations"]]

    def test_a_device_that_moved_to_another_organization_is_out_of_reach_at_once(self) -> None:
        number = self.number("configurations", "HBR-WS-LAB")
        self.call("itglue.get_configuration", configuration_id=number)
        self.change_documented("configurations", number, organization_id=2502)

        with pytest.raises(TargetRefused):
            self.call("itglue.get_configuration", configuration_id=number)

    def test_a_company_without_a_link_and_a_rivals_company_have_no_tools(self) -> None:
        asked = len(self.asked())
        for company in (self.linked("252"), self.quayside):
            with pytest.raises(ToolUnavailable):
                self.call("itglue.list_documents", company)
        assert len(self.asked()) == asked

    def only_our_own_draft_came_of_it(self) -> None:
        """Of all attempts one may do something: a new draft for our own company."""
        assert [row["path"] for row in self.acted()] == ["/itglue/organizations/2501/relationships/documents"]

    def attempt(self, name: str, ids: dict[str, Any] | None = None) -> str:
        """Everything that came back, a refusal's words included."""
        try:
            result = self.call(f"itglue.{name}", **self.filled(ARGUMENTS[name], ids or self.foreign))
        except IntegrationError as error:
            return str(error)
        return json.dumps([result.content, result.summary])

    def filled(self, arguments: dict[str, Any], ids: dict[str, Any]) -> dict[str, Any]:
        """The arguments with ids in place of the words for them."""
        return {name: ids.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()}
