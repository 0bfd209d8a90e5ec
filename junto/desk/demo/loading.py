"""Loads the demo through the product's own doors: services, the REST API and the poll, against the running sandbox.

Each step looks first whether it was done: a load that was interrupted goes on, and a complete one does nothing.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.contrib.auth.hashers import make_password
from django.db import transaction
from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from agent.models import StartRule
from agent.start_rules import set_start_rule
from integrations.connections import credential_fields
from integrations.models import Connection
from integrations.services import accept_suggestions, check_connection, pause_connection, save_connection
from integrations.vendors import MCP, VENDORS
from junto.desk.demo.people import FIRMS, Firm, Person
from junto.desk.demo.runbooks import FROM_LIBRARY, RUNBOOKS
from junto.env import ROOT, secret_file
from junto.team.models import ApiToken
from junto.team.organizations import create_organization
from junto.team.services import add_member, limit_to_companies
from junto.team.tokens import create_token, revoke_token
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership, Organization, User
from junto.tenants.permissions import Role
from runbooks.models import Runbook
from runbooks.services import publish_runbook, save_draft
from runbooks.templates import add_templates, template
from signals.models import Board, Signal
from signals.services import poll_connection

TOKEN_LABEL = "Demo sync job"  # noqa: S105  (what the token is called)
PASSWORD_FILE = "demo-password"  # noqa: S105  (where it is kept)
TICKETS_BY_REST = 40
SUBPROCESS_SECONDS = 120
POLL_SECONDS = 120
#: The board whose tickets are left to people, so that whoever tries the demo can start the agent themselves.
HAND_STARTED_BOARD = "Service Desk"
#: The member who is limited to some companies, and how many.
LIMITED, LIMITED_TO = "tess", 2
#: What is connected beside the PSA. What else the sandbox plays, an Admin may connect by hand: no firm documents its
#: clients in two places.
SYSTEMS = frozenset({"ninjaone", "itglue", "pax8", "sophos", "microsoft365", "mcp"})

Say = Callable[[str], None]


class DemoFailed(RuntimeError):
    """A step could not be done; the message says which and why."""


class SandboxConnection(BaseModel):
    """What the sandbox says a client needs in order to connect to it."""

    name: str
    vendor: str
    label: str
    base_url: str
    api_url: str
    company_id: str
    public_key: str
    private_key: str
    client_id: str

    @property
    def credentials(self) -> dict[str, str]:
        """What a person would type into the connection's page."""
        return {name: getattr(self, name) for name in ("company_id", "public_key", "private_key", "client_id")}


class SandboxSystem(BaseModel):
    """What the sandbox says a client needs in order to connect to any other of its systems."""

    model_config = ConfigDict(extra="allow")

    vendor: str
    owner: str
    base_url: str

    @property
    def credentials(self) -> dict[str, str]:
        """What a person would type into the connection's page."""
        if self.vendor == MCP.slug:
            return {"auth": "bearer", "token": str(getattr(self, "token", ""))}
        return {one.name: str(getattr(self, one.name)) for one in credential_fields(VENDORS[self.vendor])}


@dataclass(frozen=True)
class Demo:
    """One load. `base_url` is where this server answers, `sandbox_url` where the vendor sandbox does."""

    base_url: str
    sandbox_url: str
    say: Say

    def load(self) -> None:
        """Do every step that was not done yet, then tell the logins.

        Raises:
            DemoFailed: the sandbox or a service did not do its part.
        """
        password = demo_password()
        if not is_loaded():
            hashed = make_password(password)
            connections, systems = self._sandbox_connections()
            for firm in FIRMS:
                self._load_firm(firm, connections[firm.slug], systems[firm.slug], hashed)
        self._tell_logins(password)

    def _load_firm(
        self, firm: Firm, connection: SandboxConnection, systems: Iterable[SandboxSystem], hashed: str
    ) -> None:
        organization = self._organization(firm, hashed)
        owner = actor_of(organization, firm.people[0])
        # until everything is here: no session before its runbook
        set_start_rule(actor=owner, mode=StartRule.Mode.OFF)
        row = self._connection(owner, connection)
        if row.state == Connection.State.PAUSED:
            self._deliver_by_rest(organization, owner, connection)
            pause_connection(actor=owner, connection=row, paused=False)
        self._poll(firm, row, owner)
        for system in systems:
            self._connect(owner, system)
        if firm is FIRMS[0]:
            self._runbooks(organization, firm)
        self._start_rules(organization, owner)

    def _organization(self, firm: Firm, hashed: str) -> Organization:
        organization = Organization.objects.filter(slug=firm.slug).first()
        if organization is None:
            self.say(f"{firm.name}: the organization and its {len(firm.people)} people")
            organization = create_organization(
                name=firm.name, slug=firm.slug, owner=_user(firm.people[0], firm, hashed)
            )
        owner = actor_of(organization, firm.people[0])
        members = Membership.objects.for_organization(organization)
        for person in firm.people:
            if not members.filter(user__username=person.login).exists():
                add_member(
                    actor=owner,
                    user=_user(person, firm, hashed),
                    role=person.role,
                    all_companies=True,
                    psa_member=person.login,
                )
        members.filter(user__username=firm.people[0].login).update(psa_member=firm.people[0].login)
        return organization

    def _connection(self, owner: Actor, connection: SandboxConnection) -> Connection:
        """The saved connection. A new one is paused, so that the REST API gets the first tickets and not the poll."""
        rows = Connection.objects.for_organization(owner.organization)
        row = rows.filter(vendor=connection.vendor).first()
        if row is None or row.base_url != connection.base_url:
            self.say(f"{owner.organization.name}: the connection to ConnectWise")
            with transaction.atomic():
                row = save_connection(
                    actor=owner,
                    vendor=connection.vendor,
                    label=f"ConnectWise of {owner.organization.name}",
                    base_url=connection.base_url,
                    credentials=connection.credentials,
                    connection=row,
                )
                pause_connection(actor=owner, connection=row, paused=True)
        return row

    def _connect(self, owner: Actor, system: SandboxSystem) -> None:
        """The connection to another system, tried, with the companies linked that bear the same name there."""
        if system.vendor == MCP.slug:
            self._connect_server(owner, system)
            return
        label = VENDORS[system.vendor].label
        row = Connection.objects.for_organization(owner.organization).filter(vendor=system.vendor).first()
        if row is None or row.base_url != system.base_url:
            row = save_connection(
                actor=owner,
                vendor=system.vendor,
                label=f"{label} of {owner.organization.name}",
                base_url=system.base_url,
                credentials=system.credentials,
                connection=row,
            )
        health = check_connection(row)
        if not health.ok:
            raise DemoFailed(f"The connection to {label} does not work: {health.summary}")
        linked = accept_suggestions(actor=owner, connection=row)
        self.say(f"{owner.organization.name}: the connection to {label}, {linked} companies linked")

    def _connect_server(self, owner: Actor, system: SandboxSystem) -> None:
        """The asset register, an MCP server: its tools wait for somebody's word, as those of any new server do."""
        slug = f"{MCP.slug}_assets"
        row = Connection.objects.for_organization(owner.organization).filter(vendor=slug).first()
        if row is None or row.base_url != system.base_url:
            row = save_connection(
                actor=owner,
                vendor=slug,
                label="Asset register",
                base_url=system.base_url,
                credentials=system.credentials,
                connection=row,
            )
        health = check_connection(row)
        if not health.ok:
            raise DemoFailed(f"The connection to {row.label} does not work: {health.summary}")
        self.say(f"{owner.organization.name}: the connection to {row.label}; its tools wait to be classified")

    def _runbooks(self, organization: Organization, firm: Firm) -> None:
        manager = actor_of(organization, next(person for person in firm.people if person.role is Role.MANAGER))
        for runbook in RUNBOOKS:
            known = Runbook.objects.for_organization(organization).filter(title=runbook.title).first()
            draft = known or save_draft(
                actor=manager,
                runbook=Runbook(
                    title=runbook.title,
                    description=runbook.description,
                    body=runbook.body,
                    category=runbook.category,
                    audience=runbook.audience,
                    tags=list(runbook.tags),
                ),
                reason="Written for the demo",
            )
            self._publish(draft, manager, firm)
        add_templates(actor=manager, names=FROM_LIBRARY)
        keys = [template(name).file.key for name in FROM_LIBRARY]
        for each in Runbook.objects.for_organization(organization).filter(key__in=keys).order_by("title"):
            self._publish(each, manager, firm)

    def _publish(self, draft: Runbook, manager: Actor, firm: Firm) -> None:
        if draft.published_number is None:
            self.say(f"{firm.name}: the runbook “{draft.title}”")
            publish_runbook(actor=manager, runbook=draft, note="First version")

    def _deliver_by_rest(self, organization: Organization, owner: Actor, connection: SandboxConnection) -> None:
        """Hand the tickets changed longest ago to the REST API, as a sync job does; the poll brings the rest."""
        for token in ApiToken.objects.for_organization(organization).filter(label=TOKEN_LABEL):
            revoke_token(actor=owner, token=token)
        _, secret = create_token(actor=owner, label=TOKEN_LABEL, scopes=["signals:write", "signals:read"])
        junto = f"{self.base_url}/api/v1/{organization.slug}"
        told = run_of_sandbox(
            ["sync_job", "--psa", connection.api_url, "--junto", junto, "--limit", str(TICKETS_BY_REST)],
            {**connection.credentials, "token": secret},
        )
        self.say(f"{organization.name}: {sum(json.loads(told).values())} tickets through the REST API")

    def _poll(self, firm: Firm, connection: Connection, owner: Actor) -> None:
        """Everything else: companies, contacts and devices first, then what changed."""
        deadline = time.monotonic() + POLL_SECONDS
        while (report := poll_connection(connection)) is None:
            if time.monotonic() > deadline:
                raise DemoFailed(f"The poll of {firm.name} takes longer than {POLL_SECONDS} s.")
            time.sleep(0.2)
        if report.error:
            raise DemoFailed(f"The poll of {firm.name} failed: {report.error}")
        signals = Signal.objects.for_organization(connection.organization)
        companies = Company.objects.for_organization(connection.organization)
        self.say(f"{firm.name}: {signals.count()} signals of {companies.count()} companies are here")
        limited = Membership.objects.for_organization(owner.organization).filter(user__username=LIMITED).first()
        if limited is not None and limited.all_companies:
            limit_to_companies(
                actor=owner, membership=limited, all_companies=False, companies=list(companies[:LIMITED_TO])
            )

    def _start_rules(self, organization: Organization, owner: Actor) -> None:
        board = Board.objects.for_organization(organization).filter(name=HAND_STARTED_BOARD).first()
        if board is not None:
            set_start_rule(actor=owner, mode=StartRule.Mode.OFF, board=board)
        set_start_rule(actor=owner, mode=StartRule.Mode.RUN)
        self.say(f"{organization.name}: the agent starts by itself, but on the board {HAND_STARTED_BOARD}")

    def _sandbox_connections(self) -> tuple[dict[str, SandboxConnection], dict[str, list[SandboxSystem]]]:
        """The PSA's keys by name, and of every other system of the demo the first key of each firm."""
        port = urlsplit(self.sandbox_url).port
        told = run_of_sandbox(["__main__", "--port", str(port), "--print-connections"])
        rows = TypeAdapter(list[dict[str, JsonValue]]).validate_json(told)
        psa = [SandboxConnection.model_validate(row) for row in rows if row["vendor"] == "connectwise"]
        first: dict[tuple[str, str], SandboxSystem] = {}
        for row in rows:
            if row["vendor"] in SYSTEMS:
                system = SandboxSystem.model_validate(row)
                first.setdefault((system.owner, system.vendor), system)
        systems = {firm.slug: [one for (owner, _), one in first.items() if owner == firm.slug] for firm in FIRMS}
        return {one.name: one for one in psa}, systems

    def _tell_logins(self, password: str) -> None:
        self.say(f"Demo logins, all with the password {password}")
        seen = set()
        for person in FIRMS[0].people:
            if person.role not in seen:
                seen.add(person.role)
                self.say(f"  {person.role.name.capitalize():<12}{person.login}")
        rival = FIRMS[1]
        self.say(f"  {'Rival':<12}{rival.people[0].login} ({rival.name})")


def is_loaded() -> bool:
    """Whether every firm got to its last step."""
    for firm in FIRMS:
        organization = Organization.objects.filter(slug=firm.slug).first()
        if organization is None:
            return False
        if not StartRule.objects.for_organization(organization).filter(board=None, mode=StartRule.Mode.RUN).exists():
            return False
    return True


def demo_password() -> str:
    """The password of this installation's demo people: made once, kept with the other secrets, told at every start."""
    file = secret_file(PASSWORD_FILE)
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(f"{secrets.token_urlsafe(9)}\n", encoding="ascii")
    return file.read_text(encoding="ascii").strip()


def _user(person: Person, firm: Firm, hashed: str) -> User:
    user, _ = User.objects.get_or_create(
        username=person.login,
        defaults={
            "email": f"{person.login}@{firm.slug}.example",
            "first_name": person.first,
            "last_name": person.last,
            "password": hashed,
        },
    )
    return user


def actor_of(organization: Organization, person: Person) -> Actor:
    members = Membership.objects.for_organization(organization).select_related("user", "organization")
    return Actor.person(members.get(user__username=person.login))


def run_of_sandbox(words: list[str], keys: Mapping[str, str] | None = None) -> str:
    """What a module of the sandbox prints. Its own process: the sandbox stands outside the product.

    Raises:
        DemoFailed: it failed or took too long.
    """
    module, *arguments = words
    try:
        done = subprocess.run(  # noqa: S603  (our own module, our own arguments)
            [sys.executable, "-m", f"integrations.sandbox.{module}", *arguments],
            input=json.dumps(keys or {}),
            capture_output=True,
            text=True,
            timeout=SUBPROCESS_SECONDS,
            cwd=ROOT,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise DemoFailed(f"The sandbox's {module} took longer than {SUBPROCESS_SECONDS} s.") from late
    if done.returncode:
        raise DemoFailed(f"The sandbox's {module} failed: {done.stderr.strip()[-500:]}")
    return done.stdout
