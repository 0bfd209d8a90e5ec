"""What holds of every vendor's tools at the border of a company, and of its writes without an answer: to be mixed in.

Beside a `VendorTestCase`. The older vendors have tests of their own for the same.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from integrations.dispatch import preview_tool
from integrations.errors import IntegrationError, OutcomeUnknown, TargetRefused, ToolUnavailable
from integrations.models import ConnectionPace
from integrations.tools import AnyTool, OutcomeStrategy, Scope, registry
from tests.integrations.rogue import rogue_server
from tests.wire import changed_records, listening

CANARY = "CANARY-of-another-company"
NOWHERE = 999_999_999
FOREIGN_IDS = 700
"""Attempts, as for each of the older vendors."""


class BorderConformance:
    """No tool crosses the border of a company, whatever ids a model names and whatever filters are ignored."""

    arguments: ClassVar[Mapping[str, Mapping[str, Any]]]
    """Every tool that touches a company's records, without its vendor; a collection's name stands for a foreign id."""

    collections: ClassVar[Mapping[str, str]]
    """The collections that records are looked up in, and the field of each that names the company."""

    makes: ClassVar[frozenset[str]] = frozenset()
    """Tools that make something of our own company's, whatever else stands in them."""

    def tools(self) -> list[AnyTool]:
        """All of the vendor's."""
        return [tool for tool in registry if tool.vendor == self.slug]

    def plant(self, *, times: int = 1) -> dict[str, list[Any]]:
        """Records of Kessler's with the canary in their names; their ids by collection."""
        kessler = self.there(self.companies, self.kessler.name)["id"]
        values = {"name": CANARY}
        return {
            name: [self.plant_there(name, **values, **{field: kessler})["id"] for _ in range(times)]
            for name, field in self.collections.items()
        }

    def filled(
        self, name: str, foreign: Mapping[str, list[Any]], chance: random.Random | None = None
    ) -> dict[str, Any]:
        """The arguments with ids in place of the words for them."""
        return {
            key: (chance.choice(foreign[value]) if chance else foreign[value][0])
            if isinstance(value, str) and value in foreign
            else value
            for key, value in self.arguments[name].items()
        }

    def attempt(self, name: str, arguments: dict[str, Any], *, previewed: bool = False) -> str:
        """Everything that came back, a refusal's words included."""
        tool = registry.get(f"{self.slug}.{name}")
        try:
            if previewed and tool.preview is not None:
                return str(
                    preview_tool(tool=tool, arguments=arguments, organization=self.northwind, company=self.harbor)
                )
            result = self.call(tool.name, **arguments)
        except IntegrationError as error:
            return str(error)
        return json.dumps([result.content, result.summary])

    def naming(self) -> list[str]:
        """The tools that a record is named to."""
        return [name for name, given in self.arguments.items() if set(map(str, given.values())) & set(self.collections)]

    def test_every_tool_that_touches_a_companys_records_is_tried_here(self) -> None:
        touching = {tool.name.partition(".")[2] for tool in self.tools() if tool.scope is not Scope.FREE}
        assert touching == set(self.arguments)

    def test_no_tool_finds_or_changes_anything_of_another_company(self) -> None:
        foreign = self.plant()
        for name in self.arguments:
            for previewed in (False, True):
                assert CANARY not in self.attempt(name, self.filled(name, foreign), previewed=previewed), name
        assert len(self.acted()) <= len(self.makes)

    def test_no_tool_tells_anything_of_another_company_though_every_filter_were_ignored(self) -> None:
        """Whatever is asked for, all that comes is Kessler's: the answers themselves say so."""
        kessler = self.there(self.companies, self.kessler.name)["id"]
        own = {name: [self.ours(name, field)] for name, field in self.collections.items()}
        fields = set(self.collections.values())

        def kesslers(record: dict[str, Any]) -> dict[str, Any]:
            return {"name": CANARY, **{one: kessler for one in fields if one in record}} if fields & set(record) else {}

        with rogue_server(listening(self.sandbox.port, [], change=changed_records(kesslers))) as wire:
            self.listen_in(wire)
            for name in sorted(set(self.arguments) - self.makes):
                assert CANARY not in self.attempt(name, self.filled(name, own)), name
        assert self.acted() == []

    def ours(self, collection: str, field: str) -> Any:
        """The id of a record of Harbor's."""
        harbor = self.there(self.companies, self.harbor.name)["id"]
        return next(one["id"] for one in self.held(collection) if one[field] == harbor)

    def test_a_foreign_record_and_one_that_is_not_there_are_refused_alike(self) -> None:
        foreign = self.plant()
        nowhere = {name: [NOWHERE] for name in foreign}
        for name in sorted(set(self.naming()) - self.makes):
            words = []
            for ids in (foreign, nowhere):
                arguments = self.filled(name, ids)
                with pytest.raises(TargetRefused) as refused:
                    self.call(f"{self.slug}.{name}", **arguments)
                words.append(str(refused.value).replace(str(NOWHERE), "N"))
            for number in {one for ids in foreign.values() for one in ids}:
                words[0] = words[0].replace(str(number), "N")
            assert words[0] == words[1], name

    def test_a_company_without_a_link_and_a_rivals_company_have_no_tools(self) -> None:
        asked = len(self.asked())
        for company in (self.linked("252"), self.quayside):
            for name in self.arguments:
                with pytest.raises(ToolUnavailable):
                    self.call(f"{self.slug}.{name}", company, **self.filled(name, {n: [1] for n in self.collections}))
        assert len(self.asked()) == asked

    @pytest.mark.slow
    def test_none_of_hundreds_of_foreign_ids_gets_through(self) -> None:
        chance, foreign = random.Random(20261122), self.plant(times=40)
        named = sorted(set(self.naming()) - self.makes)
        for at in range(FOREIGN_IDS):
            if at % 100 == 0:  # nobody shall wait here for the vendor's limits
                ConnectionPace.objects.for_organization(self.northwind).update(next_at=None)
            name = named[at % len(named)]
            seen = self.attempt(name, self.filled(name, foreign, chance), previewed=at % 3 == 0)
            assert CANARY not in seen, name
        assert self.acted() == []


class OutcomeConformance:
    """A write whose answer never came: found, or proved absent once the vendor's lists have settled."""

    def orders(self) -> dict[str, dict[str, Any]]:
        """Each write by its name without the vendor, with arguments for Harbor."""
        raise NotImplementedError

    def lost(self, kind: str, name: str, *, ago: timedelta = timedelta(hours=1)) -> str:
        """Send it, lose the answer, and look: the verdict."""
        arguments = self.orders()[name]
        before = self.preview(f"{self.slug}.{name}", **arguments).target_state
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            self.sandbox.fault(kind, vendor=self.slug, method=method)
        with pytest.raises(OutcomeUnknown):
            self.call(f"{self.slug}.{name}", **arguments)
        self.sandbox.clear_faults()
        return self.outcome_of(f"{self.slug}.{name}", arguments, before, ago=ago).verdict

    def searched(self) -> list[str]:
        """The writes whose outcome is not left to a person."""
        tools = {name: registry.get(f"{self.slug}.{name}") for name in self.orders()}
        return [name for name, tool in tools.items() if tool.outcome is not OutcomeStrategy.ASK]

    def test_every_write_is_tried_here(self) -> None:
        writes = {tool.name.partition(".")[2] for tool in registry if tool.is_write and tool.vendor == self.slug}
        assert set(self.orders()) == writes

    def test_what_was_done_is_found(self) -> None:
        for name in self.searched():
            assert self.lost("cut_after", name) == "found", name

    def test_what_was_not_done_is_proved_absent(self) -> None:
        for name in self.searched():
            assert self.lost("cut_before", name) == "absent", name
        assert self.acted() == []
