"""New organizations and companies, with the guardian rows that make roles mean something there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction

from junto.audit.services import record, record_all
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.groups import join_role_group, write_company_rows, write_organization_rows
from junto.tenants.models import Company, Membership, Organization, User
from junto.tenants.permissions import Permission, Role, require


@transaction.atomic
def create_organization(*, name: str, slug: str, owner: User) -> Organization:
    """A new MSP with `owner` as its first member. Asks for no right: only the console and the set-up call it."""
    organization = Organization.objects.create(name=name, slug=slug)
    write_organization_rows(organization)
    membership = Membership.unscoped.create(
        organization=organization, user=owner, role=Role.top(), all_companies=True, billing_tools=True
    )
    join_role_group(membership)
    record(Actor.person(membership), "organization.created", organization, {"name": name, "slug": slug})
    return organization


def create_company(*, actor: Actor, name: str) -> Company:
    """The client of that name; an existing one is returned as it is."""
    return create_companies(actor=actor, names=[name])[0]


@transaction.atomic
def create_companies(*, actor: Actor, names: Iterable[str]) -> list[Company]:
    """The clients of those names in that order; those that do not exist are made, with their guardian rows in bulk.

    Raises:
        PermissionDenied: the actor may not sync companies.
    """
    require(actor, Permission.SYNC_COMPANIES)
    wanted = list(dict.fromkeys(names))
    companies = Company.objects.for_organization(actor.organization)
    known = {company.name for company in companies.filter(name__in=wanted)}
    new = [Company(organization=actor.organization, name=name) for name in wanted if name not in known]
    Company.unscoped.bulk_create(new)
    write_company_rows(actor.organization, new)
    if new:
        record_all(actor, "company.created", [(company, {"name": company.name}) for company in new])
    found = {company.name: company for company in companies.filter(name__in=wanted)}
    return [found[name] for name in wanted]


@transaction.atomic
def rename_companies(*, actor: Actor, names: Mapping[Company, str]) -> None:
    """Give the companies those names; one whose new name another company bears keeps the old one.

    Raises:
        PermissionDenied: the actor may not sync companies.
    """
    require(actor, Permission.SYNC_COMPANIES)
    rows = Company.objects.for_organization(actor.organization)
    taken = set(rows.filter(name__in=names.values()).values_list("name", flat=True))
    renamed = []
    for company, name in names.items():
        if name not in taken:
            taken.add(name)
            renamed.append((company, {"former": company.name, "name": name}))
            company.name = name
    if renamed:
        rows.bulk_update([company for company, _ in renamed], ["name"])
        record_all(actor, "company.renamed", renamed)


@transaction.atomic
def end_company(*, actor: Actor, company: Company) -> None:
    """Work for the company ends: from now on nothing is begun, asked or done there, and what is going on stops.

    Raises:
        PermissionDenied: `actor` may not author what runs there.
    """
    if _set_active(actor, company, False):
        record(actor, "company.ended", company, {"name": company.name})
        ring("company.ended", str(company.pk))


@transaction.atomic
def reopen_company(*, actor: Actor, company: Company) -> None:
    """Work for an ended company begins again; what was stopped or skipped meanwhile is not made up for.

    Raises:
        PermissionDenied: `actor` may not author what runs there.
    """
    if _set_active(actor, company, True):
        record(actor, "company.reopened", company, {"name": company.name})


def _set_active(actor: Actor, company: Company, wanted: bool) -> bool:
    """Whether that changed anything."""
    require(actor, Permission.AUTHOR_RUNBOOKS, company)
    rows = Company.objects.for_organization(actor.organization).filter(pk=company.pk, is_active=not wanted)
    company.is_active = wanted
    return bool(rows.update(is_active=wanted))
