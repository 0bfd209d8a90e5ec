"""Which company at a vendor is which of ours, as far as names tell: suggestions, and taking them over."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from django.db import transaction

from integrations.connections import open_client, vendor_of
from integrations.contracts import CompanyRecord
from integrations.directory import link_company
from integrations.errors import ToolUnavailable
from integrations.models import CompanyLink, Connection
from integrations.warrants import Errand
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet

READ_SECONDS = 30.0
_WORD = re.compile(r"\w+")
#: What says how a firm is incorporated, and not which it is.
_FORMS = frozenset(
    [
        "ag",
        "bv",
        "co",
        "company",
        "corp",
        "corporation",
        "eurl",
        "gmbh",
        "inc",
        "kg",
        "limited",
        "llc",
        "llp",
        "ltd",
        "mbh",
        "nv",
        "plc",
        "pty",
        "sa",
        "sarl",
        "sas",
        "spa",
        "srl",
    ]
)
_JOINING = frozenset({"and", "und", "et", "y", "e", "en", "the"})


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A company at the vendor and the company of ours that bears its name. `sure` = the names say the same."""

    external: CompanyRecord
    company: Company
    sure: bool


@dataclass(frozen=True, slots=True)
class Unmapped:
    """What is not linked yet: suggestions, companies at the vendor without one, and companies of ours without one."""

    suggestions: tuple[Suggestion, ...]
    there: tuple[CompanyRecord, ...]
    here: tuple[Company, ...]


@runtime_checkable
class NamesCompanies(Protocol):
    """A client that can name the vendor's companies."""

    def company_records(self) -> Iterator[CompanyRecord]:
        """All companies at the vendor. Raises `VendorError` while it is read."""
        ...


def unmapped(*, actor: Actor, connection: Connection) -> Unmapped:
    """Read the vendor's companies and set them against those of ours that the actor may see.

    Raises:
        PermissionDenied: the actor may not manage integrations.
        IntegrationError: the vendor could not be asked, or does not name its companies in this way.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    there, here = _unlinked_there(connection), _unlinked_here(actor, connection)
    suggestions = _suggested(there, here)
    taken_there = {one.external.external_id for one in suggestions}
    taken_here = {one.company.pk for one in suggestions}
    return Unmapped(
        tuple(suggestions),
        tuple(one for one in there if one.external_id not in taken_there),
        tuple(one for one in here if one.pk not in taken_here),
    )


def accept_suggestions(*, actor: Actor, connection: Connection, external_ids: Collection[str] | None = None) -> int:
    """Link what is suggested under these ids; None takes all that are sure. Read anew; returns how many were linked.

    Raises:
        PermissionDenied: the actor may not manage integrations.
        IntegrationError: the vendor could not be asked.
        AlreadyLinked: somebody linked one of them meanwhile; none was linked then.
    """
    suggestions = unmapped(actor=actor, connection=connection).suggestions
    wanted = [one for one in suggestions if _is_wanted(one, external_ids)]
    with transaction.atomic():
        for each in wanted:
            link_company(
                actor=actor,
                connection=connection,
                company=each.company,
                external_id=each.external.external_id,
                external_name=each.external.name,
            )
    return len(wanted)


def _is_wanted(suggestion: Suggestion, external_ids: Collection[str] | None) -> bool:
    return suggestion.sure if external_ids is None else suggestion.external.external_id in external_ids


def same_name(one: str, other: str) -> bool:
    """Whether two names say the same, but for case, accents, punctuation and how the firm is incorporated."""
    return bool(_telling(one)) and _telling(one) == _telling(other)


def _suggested(there: Sequence[CompanyRecord], here: Sequence[Company]) -> list[Suggestion]:
    """Each company once at most: those of the same name, then those where one name holds the other alone."""
    found: list[Suggestion] = []
    for sure, fits in ((True, same_name), (False, _within)):
        left_there = [one for one in there if one.external_id not in {each.external.external_id for each in found}]
        left_here = [one for one in here if one.pk not in {each.company.pk for each in found}]
        for record in left_there:
            ours = [one for one in left_here if fits(record.name, one.name)]
            if len(ours) == 1 and sum(fits(each.name, ours[0].name) for each in left_there) == 1:
                found.append(Suggestion(record, ours[0], sure))
    return sorted(found, key=lambda each: each.company.name)


def companies_like(name: str, companies: Iterable[Company]) -> list[Company]:
    """Those that bear the name; where none does, those where one name holds the other."""
    here = list(companies)
    same = [one for one in here if same_name(name, one.name)]
    return same or [one for one in here if _within(name, one.name)]


def _telling(name: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", name).casefold()
    words = _WORD.findall("".join(one for one in plain if not unicodedata.combining(one)))
    return frozenset(word for word in words if word not in _FORMS and word not in _JOINING)


def _within(one: str, other: str) -> bool:
    first, second = _telling(one), _telling(other)
    return bool(first and second) and (first <= second or second <= first)


def _unlinked_there(connection: Connection) -> list[CompanyRecord]:
    known = {one.lower() for one in _links(connection).values_list("external_id", flat=True)}
    with closing(open_client(connection, Errand.reading(READ_SECONDS))) as client:
        if not isinstance(client, NamesCompanies):
            raise ToolUnavailable(f"{vendor_of(connection).label} does not name its companies.")
        return [one for one in client.company_records() if one.active and one.external_id.lower() not in known]


def _unlinked_here(actor: Actor, connection: Connection) -> list[Company]:
    linked = _links(connection).values_list("company_id", flat=True)
    return list(Company.objects.visible_to(actor).filter(is_active=True).exclude(pk__in=linked).order_by("name"))


def _links(connection: Connection) -> TenantQuerySet[CompanyLink]:
    rows: TenantQuerySet[CompanyLink] = CompanyLink.objects.for_organization(connection.organization)
    return rows.filter(connection=connection)
