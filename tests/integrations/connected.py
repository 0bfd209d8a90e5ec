"""Northwind connected to the vendor sandbox over real HTTP, its companies known."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.db import connection as database
from django.db import transaction
from django.test import override_settings
from pytest_django import Settings

from integrations.connections import credential_fields, credential_value, vendor_of
from integrations.dispatch import call_tool, preview_tool, search_outcome
from integrations.models import CompanyLink, Connection, ConnectionPace
from integrations.services import save_connection, sync_directory
from integrations.tools import Outcome, Preview, ToolResult, registry
from integrations.warrants import Warrant
from junto.canonical import digest
from junto.tenants.models import Company, Membership
from tests.cases import Cast, JuntoTestCase, JuntoTransactionTestCase
from tests.integrations.rogue import Respond, Rogue, rogue_server
from tests.sandbox_process import OnSandbox, SandboxProcess

Callback = tuple[set[str], Callable[[], object], bool]
"""As Django keeps what waits for a commit."""

HARBOR, KESSLER = "250", "251"
"""Two of Northwind's clients at the sandbox; Southgate has clients of the same numbers."""


class Connected(OnSandbox, Cast):
    """`self.sandbox`, `self.connection` (Northwind's), and `self.harbor`, `self.kessler` as companies."""

    settings: Settings
    connection: Connection
    harbor: Company
    kessler: Company

    slug: ClassVar[str] = "connectwise"
    """The vendor whose tools are tried."""

    @pytest.fixture(autouse=True)
    def _borrow(self, sandbox: SandboxProcess, settings: Settings) -> None:
        self.sandbox, self.settings = sandbox, settings
        settings.LOCAL_TARGETS = frozenset({("127.0.0.1", sandbox.port)})

    @classmethod
    def credentials(cls, name: str) -> dict[str, str]:
        """What an admin would type for one of the sandbox's keys."""
        key = cls.sandbox.connections[name]
        return {
            "company_id": key.company_id,
            "public_key": key.public_key,
            "private_key": key.private_key,
            "client_id": key.client_id,
        }

    @classmethod
    def connect(cls, admin: Membership, name: str) -> Connection:
        """A connection to the sandbox with one of its keys."""
        return save_connection(
            actor=cls.actor(admin),
            vendor="connectwise",
            label="ConnectWise PSA",
            base_url=cls.sandbox.connections[name].api_url,
            credentials=cls.credentials(name),
        )

    def linked(self, external_id: str) -> Company:
        """The company of that id at the vendor."""
        return linked_company(self.connection, external_id)

    def warrant(self, name: str, arguments: dict[str, Any], **changes: Any) -> Warrant:
        """A warrant such as the claim of an action makes."""
        tool = registry.get(name)
        fields: dict[str, Any] = {
            "action_id": uuid.uuid4(),
            "digest": digest(tool.freeze(arguments)),
            "tool_pin": tool.pin,
            "fence": 1,
            "deadline": datetime.now(UTC) + timedelta(seconds=30),
        }
        return Warrant(**{**fields, **changes})

    def call(self, name: str, /, company: Company | None = None, **arguments: Any) -> ToolResult:
        """Run a tool for Harbor (or another company), with a good warrant where it writes."""
        tool = registry.get(name)
        return call_tool(
            tool=tool,
            arguments=arguments,
            organization=self.northwind,
            company=company or self.harbor,
            warrant=self.warrant(name, arguments) if tool.is_write else None,
        )

    def preview(self, name: str, /, company: Company | None = None, **arguments: Any) -> Preview:
        """Preview a write for Harbor (or another company)."""
        return preview_tool(
            tool=registry.get(name), arguments=arguments, organization=self.northwind, company=company or self.harbor
        )

    def outcome_of(
        self, name: str, arguments: Mapping[str, Any], before: Any, *, ago: timedelta, action: uuid.UUID | None = None
    ) -> Outcome:
        """What a look for a lost write finds, its time having ended so long ago; `before` = the target's state then."""
        return search_outcome(
            tool=registry.get(name),
            arguments=arguments,
            organization=self.northwind,
            company=self.harbor,
            action_id=action or uuid.uuid4(),
            before=before,
            deadline=datetime.now(UTC) - ago,
        )

    def asked(self, suffix: str = "") -> list[dict[str, Any]]:
        """The requests that reached the vendor, those whose route ends so."""
        rows = [row for row in self.sandbox.log() if row["vendor"] == self.slug]
        return [row for row in rows if (row["route"] or "").endswith(suffix)]

    def acted(self) -> list[dict[str, Any]]:
        """What changed something at the vendor, by its log of requests."""
        return [row for row in self.asked() if row["effect"]]

    def wake_no_agent(self) -> None:
        """What is rung from now on reaches signals and approvals alone."""
        ours = ("signals.", "approvals.")
        self.settings.BELLS = {
            bell: [task for task in tasks if task.startswith(ours)] for bell, tasks in self.settings.BELLS.items()
        }

    def hurry(self) -> None:
        """Nobody shall wait here for a vendor's limits, nor until one that failed may be asked again."""
        rows = ConnectionPace.objects.for_organization(self.northwind)
        rows.update(next_at=None, held_until=None, failures=0, rests_until=None)

    @contextmanager
    def detour(self, respond: Respond) -> Iterator[Rogue]:
        """Northwind's connection to the vendor leads through a server that answers so."""
        row = Connection.objects.for_organization(self.northwind).get(vendor=self.slug)
        straight = row.base_url
        with rogue_server(respond) as wire:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
            self.lead(row, straight.replace(f":{self.sandbox.port}", f":{wire.port}"))
            yield wire
        self.lead(row, straight)

    def lead(self, row: Connection, base_url: str) -> None:
        """A connection with the same credentials at another address."""
        known = {one.name: credential_value(row, one.name) for one in credential_fields(vendor_of(row))}
        save_connection(
            actor=self.actor(self.adam),
            vendor=row.vendor,
            label=row.label,
            base_url=base_url,
            credentials=known,
            connection=row,
        )


class ConnectedTestCase(Connected, JuntoTestCase):
    """For nearly every test: one transaction, rolled back. Connected once a class, to a world as each test finds it."""

    rung: ClassVar[list[Callback]]
    """What connecting and reading the directory rang; every test finds it rung."""

    @classmethod
    def setUpTestData(cls) -> None:
        """Connect, and read the directory."""
        super().setUpTestData()
        with override_settings(LOCAL_TARGETS=frozenset({("127.0.0.1", cls.sandbox.port)})):
            join_northwind(cls)
        cls.rung, database.run_on_commit = database.run_on_commit, []

    def setUp(self) -> None:
        """Ring what was rung for the class."""
        super().setUp()
        for _sids, callback, robust in type(self).rung:
            transaction.on_commit(callback, robust=robust)


class ConnectedTransactionTestCase(Connected, JuntoTransactionTestCase):
    """For tests with threads: what is written is committed."""

    def setUp(self) -> None:
        """Connect, and read the directory."""
        super().setUp()
        join_northwind(self)


def join_northwind(stage: type[Connected] | Connected) -> None:
    """Connect Northwind, and read its directory."""
    stage.connection = stage.connect(stage.adam, "northwind")
    sync_directory(stage.connection)
    stage.harbor, stage.kessler = (linked_company(stage.connection, number) for number in (HARBOR, KESSLER))


def linked_company(connection: Connection, external_id: str) -> Company:
    """The company of that id at the vendor."""
    links = CompanyLink.objects.for_organization(connection.organization).select_related("company")
    return links.get(connection=connection, external_id=external_id).company
