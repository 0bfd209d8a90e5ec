"""Contracts of our own, for vendors that give no API description as a file: written from public pages, and citing them.

Such a contract is `own/<slug>.yaml`, in OpenAPI 3.1. Each operation names its source (`x-source`), and what is not
known stands in `info.x-unknown`. An operation that the vendor has and we do not use stands in `uncovered/<slug>.txt`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import yaml
from openapi_core import OpenAPI
from openapi_core.testing import MockResponse

from integrations.services import check_connection
from integrations.tools import registry
from integrations.vendors import VENDORS
from integrations.warrants import classify
from tests.integrations.rogue import rogue_server
from tests.wire import answer_parts, as_openapi, changed_records, listening, nulls, parts

FOLDER = Path(__file__).parent
METHODS = ("get", "post", "put", "patch", "delete")


class OwnContract:
    """To be mixed in beside a `VendorTestCase`: everything the client can do, once, overheard."""

    surprises: ClassVar[tuple[str, ...]] = ()
    """Fields that may be empty: every record of an answer gets them as nulls."""

    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Every tool with every argument, in order; names without the vendor."""
        raise NotImplementedError

    def do_everything(self) -> None:
        """Test the connection, and call (and preview) every tool."""
        assert check_connection(self.row).ok
        tried = set()
        for name, arguments in self.calls():
            tool = registry.get(f"{self.slug}.{name}")
            tried.add(tool)
            if tool.is_write:
                self.preview(tool.name, **arguments)
            self.call(tool.name, **arguments)
        assert tried == {tool for tool in registry if tool.vendor == self.slug}

    def specification(self) -> dict[str, Any]:
        """The contract as written."""
        text = (FOLDER / "own" / f"{self.slug}.yaml").read_text(encoding="utf-8")
        found: dict[str, Any] = yaml.safe_load(text)
        return found

    def operations(self) -> Mapping[str, dict[str, Any]]:
        """Its operations, as "GET /path"."""
        return {
            f"{method.upper()} {path}": known[method]
            for path, known in self.specification()["paths"].items()
            for method in METHODS
            if method in known
        }

    def parameters(self, operation: str) -> set[str]:
        """The names that an operation's query may hold."""
        shared = self.specification()["components"].get("parameters", {})
        told = self.operations()[operation].get("parameters", [])
        whole = [shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in told]
        return {one["name"] for one in whole if one["in"] == "query"}

    def test_every_request_and_every_answer_keeps_the_contract(self) -> None:
        heard: list[tuple[bytes, bytes]] = []
        with rogue_server(listening(self.sandbox.port, heard)) as wire:
            self.listen_in(wire)
            self.do_everything()
        table, used = VENDORS[self.slug].module("endpoints").ENDPOINTS, set()
        server = {"url": f"http://127.0.0.1:{wire.port}/{self.slug}"}
        contract = OpenAPI.from_dict({**self.specification(), "servers": [server]})
        for request, answer in heard:
            method, target, _, _ = parts(request)
            path, query = urlsplit(target).path.removeprefix(f"/{self.slug}"), parse_qsl(urlsplit(target).query)
            row = classify(table, method=method, path=path, query=query)
            assert row is not None, target
            used.add(row)
            assert {name for name, _ in query} <= self.parameters(f"{row.method} {row.template}"), target
            wrapped = as_openapi(request, wire.port)
            contract.validate_request(wrapped)
            status, body = answer_parts(answer)
            assert 200 <= status < 300, (target, body)
            contract.validate_response(wrapped, MockResponse(body, status_code=status))
        assert used == set(table)

    def test_every_operation_cites_its_source_and_what_is_not_known_is_told(self) -> None:
        specification = self.specification()
        assert specification["info"]["x-unknown"]
        for name, operation in self.operations().items():
            assert str(operation.get("x-source", "")).startswith("https://"), name

    def test_the_operations_that_the_client_leaves_alone_are_listed(self) -> None:
        """All that the vendor has and Junto does not use; nothing stands in the contract that is not used."""
        used = {f"{one.method} {one.template}" for one in VENDORS[self.slug].module("endpoints").ENDPOINTS}
        listed = (FOLDER / "uncovered" / f"{self.slug}.txt").read_text(encoding="utf-8").splitlines()
        assert set(self.operations()) == used
        assert listed == sorted(set(listed) - used)

    def test_fields_and_values_that_come_new_and_fields_that_are_empty_break_nothing(self) -> None:
        changes = changed_records(lambda record: nulls(record, *self.surprises))
        with rogue_server(listening(self.sandbox.port, [], change=changes)) as wire:
            self.listen_in(wire)
            self.do_everything()
