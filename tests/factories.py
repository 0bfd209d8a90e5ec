"""Rows for tests. People, organizations and companies come from the real services, so that rights exist as in life."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from django.db.models import Manager
from django.utils import timezone
from factory.django import DjangoModelFactory

from agent.models import AgentSession
from approvals.models import Action, ApprovalPolicy, Origin
from integrations.models import CompanyLink, Connection, Contact, Device
from junto.team.models import ApiToken
from junto.team.organizations import create_company, create_organization
from junto.team.services import add_member, set_billing_tools
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership, Organization, User
from junto.tenants.permissions import Role
from runbooks.models import Runbook
from signals.models import Board, Signal, SignalNote

LOGIN_BACKEND = "django.contrib.auth.backends.ModelBackend"


def owner_of(organization: Organization) -> Actor:
    """The actor who may do everything there."""
    members = Membership.objects.for_organization(organization).filter(role=Role.top(), is_active=True)
    return Actor.person(members.select_related("user", "organization").order_by("created_at")[0])


class UserFactory(DjangoModelFactory[User]):
    """Somebody with a login name and no usable password."""

    class Meta:
        model = User

    username = factory.Sequence(lambda number: f"person{number}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    password = "!"


class OrganizationFactory(DjangoModelFactory[Organization]):
    """An MSP with its owner (`owner`, else a new user)."""

    class Meta:
        model = Organization

    name = factory.Sequence(lambda number: f"MSP {number}")
    slug = factory.Sequence(lambda number: f"msp-{number}")
    owner = factory.SubFactory(UserFactory)

    @classmethod
    def _create(cls, model_class: type[Organization], *args: Any, **kwargs: Any) -> Organization:
        return create_organization(**kwargs)


class CompanyFactory(DjangoModelFactory[Company]):
    """A client, with its guardian rows."""

    class Meta:
        model = Company

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda number: f"Company {number}")

    @classmethod
    def _create(cls, model_class: type[Company], *args: Any, **kwargs: Any) -> Company:
        return create_company(actor=Actor.system("sync", kwargs["organization"]), name=kwargs["name"])


class MembershipFactory(DjangoModelFactory[Membership]):
    """A member of all companies, unless `all_companies=False` and `companies=[...]`; added by the owner."""

    class Meta:
        model = Membership

    organization = factory.SubFactory(OrganizationFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.TECHNICIAN
    all_companies = True

    @classmethod
    def _create(cls, model_class: type[Membership], *args: Any, **kwargs: Any) -> Membership:
        actor = owner_of(kwargs.pop("organization"))
        billing_tools = kwargs.pop("billing_tools", False)
        membership = add_member(actor=actor, **kwargs)
        return set_billing_tools(actor=actor, membership=membership, allowed=True) if billing_tools else membership


class ConnectionFactory(DjangoModelFactory[Connection]):
    """The organization's ConnectWise connection, without credentials; there is one of each vendor."""

    class Meta:
        model = Connection
        django_get_or_create = ("organization", "vendor")

    organization = factory.SubFactory(OrganizationFactory)
    vendor = "connectwise"
    label = "ConnectWise"
    base_url = "https://psa.example.com"
    state = Connection.State.OK

    @classmethod
    def _get_manager(cls, model_class: type[Connection]) -> Manager[Connection]:
        return model_class.unscoped


class CompanyLinkFactory(DjangoModelFactory[CompanyLink]):
    """The company's id at the connection's vendor."""

    class Meta:
        model = CompanyLink

    company = factory.SubFactory(CompanyFactory)
    organization = factory.SelfAttribute("company.organization")
    connection = factory.SubFactory(ConnectionFactory, organization=factory.SelfAttribute("..organization"))
    external_id = factory.Sequence(lambda number: str(number + 1))


class ContactFactory(DjangoModelFactory[Contact]):
    """A person at a company."""

    class Meta:
        model = Contact

    company = factory.SubFactory(CompanyFactory)
    organization = factory.SelfAttribute("company.organization")
    connection = factory.SubFactory(ConnectionFactory, organization=factory.SelfAttribute("..organization"))
    external_id = factory.Sequence(lambda number: str(number + 1))
    name = "Dana Whitfield"
    email = "dana@harlow.example"


class DeviceFactory(DjangoModelFactory[Device]):
    """A machine of a company."""

    class Meta:
        model = Device

    company = factory.SubFactory(CompanyFactory)
    organization = factory.SelfAttribute("company.organization")
    connection = factory.SubFactory(ConnectionFactory, organization=factory.SelfAttribute("..organization"))
    external_id = factory.Sequence(lambda number: str(number + 1))
    name = factory.Sequence(lambda number: f"HB-PC-{number}")
    kind = "Workstation"


class BoardFactory(DjangoModelFactory[Board]):
    """A service board."""

    class Meta:
        model = Board

    organization = factory.SubFactory(OrganizationFactory)
    connection = factory.SubFactory(ConnectionFactory, organization=factory.SelfAttribute("..organization"))
    external_id = factory.Sequence(lambda number: str(number + 1))
    name = factory.Sequence(lambda number: f"Help desk {number}")


class SignalFactory(DjangoModelFactory[Signal]):
    """A new ticket of a known company."""

    class Meta:
        model = Signal

    company = factory.SubFactory(CompanyFactory)
    organization = factory.SelfAttribute("company.organization")
    connection = factory.SubFactory(ConnectionFactory, organization=factory.SelfAttribute("..organization"))
    # far from the numbers of the sandbox and of the tests, whatever order they run in
    external_id = factory.Sequence(lambda number: str(7_000_000 + number))
    subject = "Outlook keeps asking for the password"
    description = "Since this morning Outlook asks for the password again and again."
    source_created_at = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    source_updated_at = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    revision = factory.LazyAttribute(lambda signal: int(signal.source_updated_at.timestamp() * 1_000_000))


class SignalNoteFactory(DjangoModelFactory[SignalNote]):
    """An internal note of a ticket."""

    class Meta:
        model = SignalNote

    signal = factory.SubFactory(SignalFactory)
    organization = factory.SelfAttribute("signal.organization")
    external_id = factory.Sequence(lambda number: str(number + 1))
    author = "Dana Whitfield"
    text = "Called, still broken."
    written_at = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


class RunbookFactory(DjangoModelFactory[Runbook]):
    """A draft for all companies."""

    class Meta:
        model = Runbook

    organization = factory.SubFactory(OrganizationFactory)
    title = factory.Sequence(lambda number: f"Reset a password {number}")
    body = "## 1. Look\n\nRead the ticket with @connectwise.get_ticket.\n"


class OriginFactory(DjangoModelFactory[Origin]):
    """What a session's actions stand on."""

    class Meta:
        model = Origin

    company = factory.SubFactory(CompanyFactory)
    organization = factory.SelfAttribute("company.organization")
    kind = Origin.Kind.SESSION
    mode = Origin.Mode.TRIAGE
    key = factory.Faker("uuid4")
    subject = factory.LazyAttribute(lambda origin: f"signal:{origin.key}")


class SessionFactory(DjangoModelFactory[AgentSession]):
    """A session on a signal, with its origin."""

    class Meta:
        model = AgentSession

    signal = factory.SubFactory(SignalFactory)
    organization = factory.SelfAttribute("signal.organization")
    company = factory.SelfAttribute("signal.company")
    origin = factory.SubFactory(
        OriginFactory,
        company=factory.SelfAttribute("..company"),
        subject=factory.LazyAttribute(lambda origin: f"signal:{origin.factory_parent.signal.pk}"),
    )


class ActionFactory(DjangoModelFactory[Action]):
    """A waiting internal note, asked for by a session that has no other rows."""

    class Meta:
        model = Action

    origin = factory.SubFactory(OriginFactory)
    organization = factory.SelfAttribute("origin.organization")
    company = factory.SelfAttribute("origin.company")
    call_id = factory.Sequence(lambda number: f"call_{number}")
    tool = "connectwise.add_internal_note"
    category = "write"
    risk = "low"
    arguments = factory.LazyFunction(lambda: {"text": "Looked into it."})
    digest = factory.LazyAttribute(lambda action: hashlib.sha256(str(action.arguments).encode()).hexdigest())
    title = "Add an internal note"
    state = Action.State.WAITING
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=8))


class ApprovalPolicyFactory(DjangoModelFactory[ApprovalPolicy]):
    """An organization's word on one tool."""

    class Meta:
        model = ApprovalPolicy

    organization = factory.SubFactory(OrganizationFactory)
    tool = "connectwise.add_internal_note"
    mode = ApprovalPolicy.Mode.AUTO
    set_by = factory.LazyAttribute(lambda policy: owner_of(policy.organization).membership)


class ApiTokenFactory(DjangoModelFactory[ApiToken]):
    """A token whose secret nobody knows; for one that works call `junto.team.tokens.create_token`."""

    class Meta:
        model = ApiToken

    organization = factory.SubFactory(OrganizationFactory)
    label = "Sync job"
    prefix = "jt_12345678"
    token_hash = factory.Sequence(lambda number: hashlib.sha256(str(number).encode()).hexdigest())
    scopes = factory.LazyFunction(lambda: ["signals:read"])
    created_by = factory.LazyAttribute(lambda token: owner_of(token.organization).membership)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=30))
