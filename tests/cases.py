"""The cast and the stage: two rival MSPs, who works there, and clients of each.

Mara manages Northwind MSP; Theo is its technician, Oskar its operator, Adam its admin, Olivia its owner. Ines owns the
rival Southgate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from django.db import connection, transaction
from django.test import Client, TestCase, TransactionTestCase

from junto import engine
from junto.team.tokens import create_token
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership, Organization, User
from junto.tenants.permissions import Role
from tests.factories import LOGIN_BACKEND, CompanyFactory, MembershipFactory, OrganizationFactory, UserFactory

LIMIT = 1000
#: Calls in one of them: a signal that arrives alone wakes five, and a deep test lets 200 arrive at once.
MOST_CALLS = 5000


class Cast:
    """Attributes that `set_the_stage` fills; shared by both kinds of test case."""

    northwind: ClassVar[Organization]
    southgate: ClassVar[Organization]
    olivia: ClassVar[Membership]
    adam: ClassVar[Membership]
    mara: ClassVar[Membership]
    oskar: ClassVar[Membership]
    theo: ClassVar[Membership]
    ines: ClassVar[Membership]
    harlow: ClassVar[Company]
    pinewood: ClassVar[Company]
    quayside: ClassVar[Company]
    client: Client

    @classmethod
    def actor(cls, membership: Membership) -> Actor:
        """The person as of now."""
        return Actor.person(Membership.unscoped.select_related("user", "organization").get(pk=membership.pk))

    def log_in(self, membership: Membership, client: Client | None = None) -> Client:
        """A browser in which this member is logged in (`self.client` unless another is given)."""
        browser = client or self.client
        browser.force_login(membership.user, backend=LOGIN_BACKEND)
        return browser

    def token(self, membership: Membership, *scopes: str, companies: Iterable[Company] | None = None) -> str:
        """The secret of a new API token made by this member; `companies` are those it reaches, None = all."""
        return create_token(actor=self.actor(membership), label="Sync job", scopes=scopes, companies=companies)[1]

    def path(self, path: str = "", *, organization: Organization | None = None) -> str:
        """A path of the organization's pages (Northwind's unless another is given)."""
        return f"/o/{(organization or self.northwind).slug}/{path}"


def set_the_stage(stage: type[Cast] | Cast) -> None:
    """Make both organizations with their people and companies."""
    stage.northwind = OrganizationFactory(name="Northwind MSP", slug="northwind", owner=_user("Olivia", "Berg"))
    stage.southgate = OrganizationFactory(name="Southgate IT", slug="southgate", owner=_user("Ines", "Duarte"))
    stage.olivia = Membership.objects.for_organization(stage.northwind).select_related("user", "organization").get()
    stage.ines = Membership.objects.for_organization(stage.southgate).select_related("user", "organization").get()
    stage.adam = _member(stage.northwind, "Adam", "Reyes", Role.ADMIN)
    stage.mara = _member(stage.northwind, "Mara", "Lindholm", Role.MANAGER)
    stage.oskar = _member(stage.northwind, "Oskar", "Nowak", Role.OPERATOR)
    stage.theo = _member(stage.northwind, "Theo", "Okafor", Role.TECHNICIAN)
    stage.harlow = CompanyFactory(organization=stage.northwind, name="Harlow & Beck")
    stage.pinewood = CompanyFactory(organization=stage.northwind, name="Pinewood Clinic")
    stage.quayside = CompanyFactory(organization=stage.southgate, name="Quayside Dental")


class JuntoTestCase(Cast, TestCase):
    """For nearly every test: one transaction, rolled back; `drain()` runs what was rung."""

    @classmethod
    def setUpTestData(cls) -> None:
        """The cast, once a class."""
        super().setUpTestData()
        set_the_stage(cls)

    def setUp(self) -> None:
        """Nothing rung by an earlier test."""
        super().setUp()
        forget_calls()

    def drain(self) -> None:
        """Do what a commit and the worker threads would do, until nothing is left.

        Raises:
            RuntimeError: tasks ring each other for ever.
        """
        for _ in range(LIMIT):
            struck = self.commit()
            if not engine.drain(MOST_CALLS) and not struck:
                return
        raise RuntimeError("Tasks seem to ring each other for ever.")

    def commit(self) -> int:
        """Strike the bells that were rung, as a commit would; nothing runs yet. How many."""
        callbacks, connection.run_on_commit = connection.run_on_commit, []
        for _sids, callback, _robust in callbacks:
            callback()
        return len(callbacks)


class JuntoTransactionTestCase(Cast, TransactionTestCase):
    """For tests with threads, sockets or real commits: rows are written for good and flushed after each test."""

    def setUp(self) -> None:
        """The cast anew for each test."""
        super().setUp()
        forget_calls()
        with transaction.atomic():
            set_the_stage(self)

    def drain(self) -> None:
        """Run everything that was rung, on this thread."""
        engine.drain()


def forget_calls() -> None:
    """Empty the task engine: a call left by one test must not run in the next."""
    engine.forget()


def _user(first: str, last: str) -> User:
    user: User = UserFactory(username=first.lower(), first_name=first, last_name=last)
    return user


def _member(organization: Organization, first: str, last: str, role: Role) -> Membership:
    make: Callable[..., Membership] = MembershipFactory
    return make(organization=organization, user=_user(first, last), role=role)
