"""Forgetting to say whose rows are meant raises; it never means all rows."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from junto.tenants.models import Company, User
from junto.tenants.scoping import TenantQuerySet, UnscopedQuery
from signals.models import Signal
from tests.cases import JuntoTestCase
from tests.factories import MembershipFactory, SignalFactory

Companies = TenantQuerySet[Company]
WAYS: dict[str, Callable[[Companies], object]] = {
    "list": list,
    "len": len,
    "bool": bool,
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "first": lambda rows: rows.first(),
    "last": lambda rows: rows.last(),
    "get": lambda rows: rows.get(name="Harlow & Beck"),
    "slice": lambda rows: list(rows[:1]),
    "index": lambda rows: rows[0],
    "iterator": lambda rows: list(rows.iterator()),
    "aiterator": lambda rows: rows.aiterator(),
    "values": lambda rows: list(rows.values("name")),
    "values_list": lambda rows: list(rows.values_list("name", flat=True)),
    "aggregate": lambda rows: rows.aggregate(),
    "in_bulk": lambda rows: rows.in_bulk(),
    "update": lambda rows: rows.update(name="x"),
    "delete": lambda rows: rows.delete(),
    "earliest": lambda rows: rows.earliest("created_at"),
    "contains": lambda rows: rows.contains(Company(name="x")),
    "raw": lambda rows: rows.raw("SELECT * FROM tenants_company"),
    "get_or_create": lambda rows: rows.get_or_create(name="Harlow & Beck"),
    "update_or_create": lambda rows: rows.update_or_create(name="Harlow & Beck"),
}


class GuardTests(JuntoTestCase):
    """Every way to evaluate a query asks for its scope."""

    def test_every_way_to_evaluate_an_unscoped_query_raises(self) -> None:
        for way, evaluate in WAYS.items():
            for rows in (Company.objects.all(), Company.objects.filter(name="x"), Company.objects.exclude(name="x")):
                with self.subTest(way), pytest.raises(UnscopedQuery):
                    evaluate(rows)

    def test_a_scoped_query_joined_with_an_unscoped_one_raises(self) -> None:
        scoped = Company.objects.for_organization(self.northwind)
        joins: list[Callable[[Companies, Companies], object]] = [
            lambda one, other: list(one | other),
            lambda one, other: list(one & other),
            lambda one, other: list(one ^ other),
            lambda one, other: list(one.union(other)),
            lambda one, other: list(one.intersection(other)),
            lambda one, other: list(one.difference(other)),
        ]
        for join in joins:
            for pair in ((scoped, Company.objects.all()), (Company.objects.all(), scoped)):
                with pytest.raises(UnscopedQuery):
                    join(*pair)

    def test_an_organizations_rows_are_its_own(self) -> None:
        assert set(Company.objects.for_organization(self.northwind)) == {self.harlow, self.pinewood}
        assert set(Company.objects.for_organization(self.southgate)) == {self.quayside}

    def test_scope_survives_further_filters(self) -> None:
        rows = Company.objects.for_organization(self.northwind).filter(is_active=True).order_by("name")[:1]
        assert list(rows) == [self.harlow]

    def test_a_stranger_sees_none_of_the_signals(self) -> None:
        SignalFactory(company=self.harlow)
        assert not Signal.objects.visible_to(self.actor(self.ines)).exists()
        assert Signal.objects.visible_to(self.actor(self.theo)).count() == 1

    def test_a_limited_member_sees_the_signals_of_listed_companies(self) -> None:
        membership = MembershipFactory(organization=self.northwind, all_companies=False, companies=[self.pinewood])
        SignalFactory(company=self.harlow)
        own = SignalFactory(company=self.pinewood)
        assert list(Signal.objects.visible_to(self.actor(membership))) == [own]


class UserTests(JuntoTestCase):
    """Rights come from memberships only."""

    def test_the_database_refuses_a_superuser(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=self.olivia.user_id).update(is_superuser=True)

    def test_create_superuser_is_refused(self) -> None:
        with pytest.raises((IntegrityError, ValidationError)), transaction.atomic():
            User.objects.create_superuser("root", "root@example.com", "a long enough password")

    def test_two_accounts_never_share_an_address(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create(username="olivia2", email=self.olivia.user.email)
