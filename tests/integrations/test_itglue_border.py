"""No tool of IT Glue crosses the border of a company, whatever ids are named and whatever filters are ignored; and what
becomes of its writes without an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from integrations.errors import TargetRefused
from tests.integrations.border import CANARY, BorderConformance
from tests.integrations.documented import HARBOR_THERE, KESSLER_THERE, DocumentedTestCase
from tests.integrations.outcomes import OutcomeConformance
from tests.integrations.rogue import Respond
from tests.wire import changed_records, listening

KINDS = ("configurations", "documents", "flexible_assets", "contacts", "locations", "passwords", "domains")
LINKED = {"source_type": "flexible_asset", "destination_type": "document"}


class ITGlueBorderTests(BorderConformance, DocumentedTestCase):
    arguments = {
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
        "update_configuration": {
            "configuration_id": "configurations",
            "notes": "a",
            "location_id": "locations",
            "contact_id": "contacts",
        },
        "create_document": {"name": "A draft of ours"},
        "add_document_section": {"document_id": "documents", "text": "a"},
        "publish_document": {"document_id": "documents"},
        "link_items": LINKED | {"source_id": "flexible_assets", "destination_id": "documents"},
    }
    common = frozenset({"type_id", "ninjaone_device_id"})
    makes = frozenset({"create_document"})
    silent = frozenset({"find_organization", "list_expirations"})

    def plant(self, *, times: int = 1) -> Mapping[str, list[Any]]:
        record = {"organization-id": KESSLER_THERE, "name": CANARY, "archived": False, "restricted": False}
        more = {"flexible_assets": {"flexible-asset-type-id": 33, "traits": {"name": CANARY}}}
        for kind in KINDS:
            self.sandbox.put_in_many("itglue", kind, [record | more.get(kind, {})] * times)
        held = {kind: [one for one in self.documented(kind) if self.is_planted(one)] for kind in KINDS}
        foreign = {kind: [one["id"] for one in rows] for kind, rows in held.items()}
        sections = [{"document-id": one, "content": CANARY, "sort": 1} for one in foreign["documents"]]
        self.sandbox.put_in_many("itglue", "document_sections", sections)
        return foreign

    def is_planted(self, row: Mapping[str, Any]) -> bool:
        """Whether it is one of ours to be kept out."""
        return CANARY in (row["attributes"].get("name"), (row["attributes"].get("traits") or {}).get("name"))

    def own(self) -> Mapping[str, Any]:
        def first(kind: str) -> int:
            rows = self.documented(kind)
            return next(int(one["id"]) for one in rows if one["attributes"]["organization-id"] == HARBOR_THERE)

        named = {
            "configurations": self.number("configurations", "HBR-SRV-01"),
            "documents": self.number("documents", "New starter checklist"),
            "flexible_assets": self.number("flexible_assets", "Dentrix"),
        }
        return named | {"locations": first("locations"), "contacts": first("contacts"), "type": 33}

    def astray(self) -> Respond:
        names = {"name": CANARY, "resource-name": CANARY, "notes": CANARY, "organization-id": KESSLER_THERE}

        def kesslers(record: dict[str, Any]) -> dict[str, Any]:
            told = record.get("attributes")
            # the organization itself is known by its id
            return {"attributes": told | names} if told and "organization-id" in told else {}

        return listening(self.sandbox.port, [], change=changed_records(kesslers))

    def test_a_device_that_moved_to_another_organization_is_out_of_reach_at_once(self) -> None:
        number = self.number("configurations", "HBR-WS-LAB")
        self.call("itglue.get_configuration", configuration_id=number)
        self.change_documented("configurations", number, organization_id=KESSLER_THERE)

        with pytest.raises(TargetRefused):
            self.call("itglue.get_configuration", configuration_id=number)


class ITGlueOutcomeTests(OutcomeConformance, DocumentedTestCase):
    verdicts = {"link_items": ("unclear", "unclear")}

    def setUp(self) -> None:
        super().setUp()
        server, document = self.number("configurations", "HBR-SRV-01"), self.number("documents", "X-ray sensor driver")
        linked = {"source_type": "document", "destination_type": "configuration"}
        self.calls: dict[str, dict[str, Any]] = {
            "update_configuration": {"configuration_id": server, "position": "Rack 2", "notes": "Long. " * 60},
            "create_document": {"name": "A lost document"},
            "add_document_section": {"document_id": document, "text": "- one\n- two & <three>"},
            "publish_document": {"document_id": document},
            "link_items": linked | {"source_id": document, "destination_id": server},
        }

    def orders(self) -> Mapping[str, Mapping[str, Any]]:
        return self.calls

    def test_a_document_found_again_is_known_as_ours(self) -> None:
        written = self.lost("cut_after", "create_document").written
        assert written is not None
        assert written.kind == "document"
        assert int(written.id) == self.number("documents", "A lost document")

    def test_a_change_by_somebody_else_meanwhile_is_left_to_a_person(self) -> None:
        name, arguments = "itglue.update_configuration", self.calls["update_configuration"]
        before = self.preview(name, **arguments).target_state
        self.change_documented("configurations", arguments["configuration_id"], position="Rack 9")
        assert self.outcome_of(name, arguments, before, ago=timedelta(hours=1)).verdict == "unclear"
