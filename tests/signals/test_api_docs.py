"""docs/api.md says what the running API says: its addresses, scopes, parameters, fields and first example."""

from __future__ import annotations

import json
import re
from typing import Any

from junto.env import ROOT
from signals.rest import api
from signals.rest.filters import SignalFilter
from tests.signals.test_sync_api import ApiCase

TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
HEADING = re.compile(r"^## .+: `(\w+) (\S+)` \(scope `(\S+)`\)$", re.MULTILINE)
SCOPE = re.compile(r"Needs the scope `([\w:]+)`", re.MULTILINE)
ROW = re.compile(r"^\| (`.+?`) \|", re.MULTILINE)
EXAMPLE = re.compile(r"^```json\n(.+?)^```$", re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """The text below a heading, up to the next one."""
    found = re.search(rf"^##+ {re.escape(title)}.*?\n(.+?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def names(title: str) -> list[str]:
    """What the first column of the section's table names."""
    return [name for cell in ROW.findall(section(title)) for name in re.findall(r"`(\w+)`", cell)]


class ApiDocsTests(ApiCase):
    schema: dict[str, Any]

    def setUp(self) -> None:
        super().setUp()
        self.schema = self.client.get("/api/v1/schema", {"format": "json"}).json()

    def test_every_address_stands_there_with_its_scope_and_none_else(self) -> None:
        real = {
            (method.upper(), path, " ".join(SCOPE.findall(" ".join(operation["description"].split()))))
            for path, operations in self.schema["paths"].items()
            for method, operation in operations.items()
        }
        assert set(HEADING.findall(TEXT)) == real
        assert set(re.findall(r"^\| `(\w+:\w+)` \|", TEXT, re.MULTILINE)) == {scope for _, _, scope in real}

    def test_every_parameter_of_the_list_stands_there_and_none_else(self) -> None:
        parameters = self.schema["paths"]["/api/v1/{organization}/signals"]["get"]["parameters"]
        real = sorted(each["name"] for each in parameters if each["in"] == "query")
        assert sorted(names("Parameters of the list")) == real
        assert (
            set(real)
            == set(api.SignalListView.parameters)
            == {
                *SignalFilter.base_filters,
                "page",
                "page_size",
                "changed_since",
            }
        )

    def test_every_field_of_an_item_and_every_outcome_stands_there_and_none_else(self) -> None:
        shapes = self.schema["components"]["schemas"]
        assert sorted(names("Fields of an item")) == sorted(shapes["TicketInput"]["properties"])
        assert set(shapes["TicketInput"]["properties"]) == set(api.SyncInput().fields["items"].child.fields)
        assert sorted(names("The answer")) == sorted(shapes["OutcomeEnum"]["enum"])

    def test_every_field_of_companies_contacts_and_devices_stands_there_and_none_else(self) -> None:
        shapes = self.schema["components"]["schemas"]
        for title, shape in (("a company", "CompanyInput"), ("a contact", "ContactInput"), ("a device", "DeviceInput")):
            assert sorted(names(f"Fields of {title}")) == sorted(shapes[shape]["properties"])
        assert shapes["DirectoryResultOutput"]["properties"].keys() == {
            *shapes["ResultOutput"]["properties"],
            "id",
        } - {"signal"}

    def test_the_first_example_is_answered_as_it_says_and_read_with_the_fields_it_shows(self) -> None:
        sent, answered = (json.loads(EXAMPLE.findall(section(title))[0]) for title in ("Send tickets", "The answer"))
        answer = self.post(sent).json()
        answer["results"][0]["signal"] = answered["results"][0]["signal"]
        assert answer == answered

        shown = json.loads(EXAMPLE.findall(section("Read signals"))[0])
        listed = self.read("northwind/signals").json()
        assert list(listed) == list(shown)
        assert list(listed["results"][0]) == list(shown["results"][0])

    def test_every_field_of_a_connection_stands_there_and_none_else(self) -> None:
        [shown] = json.loads(EXAMPLE.findall(section("How each connection stands"))[0])["connections"]
        shapes = self.schema["components"]["schemas"]
        assert list(shown) == list(shapes["SyncStateOutput"]["properties"])
        assert set(names("Fields of a connection")) == set(shown)

    def test_the_refusal_it_shows_is_the_one_that_comes(self) -> None:
        shown = json.loads(EXAMPLE.findall(section("When something is wrong"))[0])
        assert self.read("northwind/signals", pagesize="1").json() == shown
