"""Our own rows by what people call them: for files, which know names and addresses and no ids of a source."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Lower

from integrations.models import CompanyLink, Contact, Device
from integrations.vendors import VENDORS
from junto.tenants.models import Company, Organization
from signals.models import Board


@dataclass(frozen=True)
class Owned:
    """The id of a row of ours, and of the company it belongs to."""

    id: uuid.UUID
    company_id: uuid.UUID


def companies_named(organization: Organization, names: Collection[str]) -> dict[str, uuid.UUID]:
    """Our companies by their name, whatever its case, else by the id they have at a source of tickets.

    What could be two companies is none.
    """
    wanted = _folded(names)
    if not wanted:
        return {}
    found: dict[str, set[uuid.UUID]] = defaultdict(set)
    for pk, name in Company.objects.for_organization(organization).values_list("pk", "name"):
        found[_fold(name)].add(pk)
    sources = [vendor.slug for vendor in VENDORS.values() if vendor.gives_tickets]
    links = CompanyLink.objects.for_organization(organization).filter(
        connection__vendor__in=sources, external_id__in=wanted
    )
    for external_id, company_id in links.values_list("external_id", "company_id"):
        if external_id not in found:
            found[external_id] = {company_id}
    return _single(wanted, found)


def contacts_named(organization: Organization, names: Collection[str]) -> dict[str, Sequence[Owned]]:
    """Our contacts by their mail address or their name; those that are gone at the source are passed over."""
    wanted = _folded(names)
    if not wanted:
        return {}
    rows = Contact.objects.for_organization(organization).filter(gone_at=None)
    rows = rows.annotate(address=Lower("email"), called=Lower("name"))
    found: dict[str, list[Owned]] = defaultdict(list)
    for pk, company_id, address, called in rows.filter(Q(address__in=wanted) | Q(called__in=wanted)).values_list(
        "pk", "company_id", "address", "called"
    ):
        for key in {address, called} & set(wanted):
            found[key].append(Owned(pk, company_id))
    return {name: found[key] for key, spelt in wanted.items() for name in spelt if key in found}


def devices_named(organization: Organization, names: Collection[str]) -> dict[str, Sequence[Owned]]:
    """Our devices by their name; those that are gone at the source are passed over."""
    wanted = _folded(names)
    if not wanted:
        return {}
    rows = Device.objects.for_organization(organization).filter(gone_at=None).annotate(called=Lower("name"))
    found: dict[str, list[Owned]] = defaultdict(list)
    for pk, company_id, called in rows.filter(called__in=wanted).values_list("pk", "company_id", "called"):
        found[called].append(Owned(pk, company_id))
    return {name: found[key] for key, spelt in wanted.items() for name in spelt if key in found}


def boards_named(organization: Organization, names: Collection[str]) -> dict[str, uuid.UUID]:
    """The boards of sources by their name, whatever its case; a name that two boards bear is none."""
    wanted = _folded(names)
    if not wanted:
        return {}
    found: dict[str, set[uuid.UUID]] = defaultdict(set)
    for pk, name in Board.objects.for_organization(organization).values_list("pk", "name"):
        found[_fold(name)].add(pk)
    return _single(wanted, found)


def _single(wanted: Mapping[str, Sequence[str]], found: Mapping[str, set[uuid.UUID]]) -> dict[str, uuid.UUID]:
    return {
        name: next(iter(found[key])) for key, spelt in wanted.items() for name in spelt if len(found.get(key, ())) == 1
    }


def _folded(names: Collection[str]) -> dict[str, list[str]]:
    """Each name as it is compared -> as it was written."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if name:
            wanted[_fold(name)].append(name)
    return dict(wanted)


def _fold(name: str) -> str:
    return " ".join(name.split()).lower()
