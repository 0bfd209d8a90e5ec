"""Hudu as one vendor of the sandbox."""

from __future__ import annotations

from integrations.sandbox.hudu.routes import ROUTES
from integrations.sandbox.hudu.seeding import Seeding
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.keyed import KeyedVendor, Problem
from integrations.sandbox.routing import RouteTable
from integrations.sandbox.world.documentation import load_documentation
from integrations.sandbox.world.facts import Facts

_COLLECTIONS = ("companies", "asset_layouts", "assets", "articles", "expirations")


class Hudu(KeyedVendor):
    """One instance, in which every MSP has a world of its own."""

    slug = "hudu"
    prefix = "/api/v1"
    most_requests = 300
    kinds = {name: name for name in _COLLECTIONS}
    routes = RouteTable(ROUTES)

    def records(self, facts: Facts) -> dict[str, list[Record]]:
        """The records of an MSP, by kind."""
        written = load_documentation(facts.owner)
        return Seeding(facts, written if facts.companies else written.without_clients()).records()

    def refusal(self, problem: Problem) -> Json:
        """The body of a refusal as the vendor writes it."""
        return {"error": "Bad credentials" if problem.status == 401 else problem.message}
